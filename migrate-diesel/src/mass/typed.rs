//! Bodies as `#[mass_migration]` writes them: with the types in their signatures, so that rustc tells
//! what is wrong with one of them once, and at that type.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

#[cfg(feature = "csv")]
use super::csv::CsvCode;
use super::{
    batch::Batch,
    body::{Alone, AloneWith, Handle, Nothing, ReturnedRows, Signature, Takes, With, Without},
    custom::{Cursor, CustomCode, ReturnedNext},
    each::{EachCode, LoadedRow},
    items::{ItemsCode, Source},
    key::Key,
    parameters::{MassParameters, NoParameters},
    range::RangeCode,
    simple::SimpleCode,
};
use crate::migration::{BoxError, Erased};

macro_rules! bodies {
    ($(
        $doc:literal $name:ident<H $(, $argument:ident)? $(; $parameters:ident)?>
            takes $taken:ty, $marker:ty, as |$a:ident, $p:ident: $of:ty| ($($given:expr),*);
    )*) => {$(
        #[doc = $doc]
        pub struct $name<H: Handle $(, $argument)? $(, $parameters: MassParameters)?, R>(
            pub for<'a, 'x> fn(&'a mut H::During<'x> $(, &$argument)? $(, &$parameters)?) -> R
        );

        impl<H: Handle $(, $argument)? $(, $parameters: MassParameters)?, R> std::fmt::Debug
            for $name<H $(, $argument)? $(, $parameters)?, R>
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl<H: Handle $(, $argument: 'static)? $(, $parameters: MassParameters)?, R: 'static>
            Takes<$taken, $marker> for $name<H $(, $argument)? $(, $parameters)?, R>
        {
            type Output = R;

            fn call_each(
                &self,
                erased: Erased<'_>,
                arguments: &mut dyn Iterator<Item = &$taken>,
                $p: &$of,
                returned: &mut dyn FnMut(R) -> Result<(), BoxError>,
            ) -> Result<(), BoxError> {
                let _ = $p;
                H::lend(erased, |db| {
                    for $a in arguments {
                        let _ = $a;
                        returned((self.0)(db $(, $given)*))?;
                    }
                    Ok(())
                })?
            }
        }

        impl<H: Handle $(, $argument: 'static)? $(, $parameters: MassParameters)?, R: 'static>
            TypedBody<H, $taken, R> for $name<H $(, $argument)? $(, $parameters)?, R>
        {
            type Signature = $marker;
        }
    )*};
}

/// A function that takes a `&A` and returns an `R`.
pub trait TypedBody<H: Handle, A, R>: Takes<A, Self::Signature, Output = R> {
    /// The types in it.
    type Signature: Signature;
}

bodies! {
    "`fn(db, argument)`"
    MassBody<H, A> takes A, Without<H, R>, as |a, p: NoParameters| (a);
    "`fn(db, argument, parameters)`"
    MassBodyWith<H, A; P> takes A, With<H, P, R>, as |a, p: P| (a, p);
    "`fn(db)`"
    MassStep<H> takes Nothing, Alone<H, R>, as |a, p: NoParameters| ();
    "`fn(db, parameters)`"
    MassStepWith<H; P> takes Nothing, AloneWith<H, P, R>, as |a, p: P| (p);
}

/// [`Batch`], whatever its key is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no batch of keys",
    label = "not a `Batch<K>`"
)]
pub trait KeyRange: 'static {
    /// Its key.
    type Key: Key;
}

#[diagnostic::do_not_recommend]
impl<K: Key> KeyRange for Batch<K> {
    type Key = K;
}

/// [`Cursor`], whatever it points to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept between batches",
    label = "not a `Cursor<T>` with a `T` that serde writes and reads"
)]
pub trait Place: 'static {
    /// What it points to.
    type Position: Serialize + DeserializeOwned + 'static;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Place for Cursor<T> {
    type Position = T;
}

/// `table` or `query`, with a `&Batch<K>`.
#[must_use]
pub const fn range<H: Handle, A: KeyRange, R: ReturnedRows, B: TypedBody<H, A, R>>(
    body: B,
) -> RangeCode<B, (A::Key, B::Signature)> {
    RangeCode(body, PhantomData)
}

/// `table` or `query`, with a row.
#[must_use]
pub const fn each<
    H: Handle,
    A: LoadedRow<<H as Handle>::Connection>,
    R: ReturnedRows,
    B: TypedBody<H, A, R>,
>(
    body: B,
) -> EachCode<B, (A, B::Signature)> {
    EachCode(body, PhantomData)
}

/// `items`
#[must_use]
pub const fn items<
    H: Handle,
    A,
    R: ReturnedRows,
    B: TypedBody<H, A, R>,
    S: Source<N, Item = A>,
    N,
>(
    source: S,
    body: B,
) -> ItemsCode<S, B, (N, B::Signature)> {
    ItemsCode(source, body, PhantomData)
}

/// `csv`
#[cfg(feature = "csv")]
#[must_use]
pub const fn csv<
    H: Handle,
    A: DeserializeOwned + 'static,
    R: ReturnedRows,
    B: TypedBody<H, A, R>,
>(
    path: &'static str,
    body: B,
) -> CsvCode<B, (A, B::Signature)> {
    CsvCode(path, body, PhantomData)
}

/// A `&Cursor<T>`.
#[must_use]
pub const fn custom<H: Handle, A: Place, R: ReturnedNext<A::Position>, B: TypedBody<H, A, R>>(
    body: B,
) -> CustomCode<B, (A::Position, B::Signature)> {
    CustomCode(body, PhantomData)
}

/// Nothing but a connection.
#[must_use]
pub const fn simple<H: Handle, A, R: ReturnedRows, B: TypedBody<H, A, R>>(
    body: B,
) -> SimpleCode<B, B::Signature> {
    SimpleCode(body, PhantomData)
}
