//! Bodies as `#[mass_migration]` writes them: with the types in their signatures, so that rustc tells
//! what is wrong with one of them once, and at that type.

use serde::{Serialize, de::DeserializeOwned};

#[cfg(feature = "csv")]
use super::csv::CsvCode;
use super::{
    batch::Batch,
    body::{Alone, AloneWith, Handle, Nothing, ReturnedRows, Signature, Takes, With, Without},
    code::MassCode,
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

// Each of these hands on what it gets, and asks of each type what its kind asks of it.

/// `table` or `query`, with a `&Batch<K>`.
#[must_use]
pub const fn range<H, A, R, B, K, M>(code: &'static RangeCode<B, (K, M)>) -> &'static dyn MassCode
where
    H: Handle,
    A: KeyRange<Key = K>,
    R: ReturnedRows,
    B: TypedBody<H, Batch<K>, R, Signature = M>,
    K: Key,
    M: Signature,
{
    code
}

/// `table` or `query`, with a row.
#[must_use]
pub const fn each<H, A, R, B, M>(code: &'static EachCode<B, (A, M)>) -> &'static dyn MassCode
where
    H: Handle,
    A: LoadedRow<<H as Handle>::Connection>,
    R: ReturnedRows,
    B: TypedBody<H, A, R, Signature = M>,
    M: Signature<Connection = <H as Handle>::Connection>,
{
    code
}

/// `items`
#[must_use]
pub const fn items<H, A, R, B, S, N, M>(
    code: &'static ItemsCode<S, B, (N, M)>,
) -> &'static dyn MassCode
where
    H: Handle,
    R: ReturnedRows,
    S: Source<N, Item = A>,
    N: 'static,
    B: TypedBody<H, A, R, Signature = M>,
    M: Signature,
{
    code
}

/// `csv`
#[cfg(feature = "csv")]
#[must_use]
pub const fn csv<H, A, R, B, M>(code: &'static CsvCode<B, (A, M)>) -> &'static dyn MassCode
where
    H: Handle,
    A: DeserializeOwned + 'static,
    R: ReturnedRows,
    B: TypedBody<H, A, R, Signature = M>,
    M: Signature,
{
    code
}

/// A `&Cursor<T>`.
#[must_use]
pub const fn custom<H, A, R, B, T, M>(code: &'static CustomCode<B, (T, M)>) -> &'static dyn MassCode
where
    H: Handle,
    A: Place<Position = T>,
    R: ReturnedNext<T>,
    B: TypedBody<H, Cursor<T>, R, Signature = M>,
    T: Serialize + DeserializeOwned + 'static,
    M: Signature,
{
    code
}

/// Nothing but a connection; `A` is whatever stands in its place.
#[must_use]
pub const fn simple<H, A, R, B, M>(code: &'static SimpleCode<B, M>) -> &'static dyn MassCode
where
    H: Handle,
    R: ReturnedRows,
    B: TypedBody<H, Nothing, R, Signature = M>,
    M: Signature,
{
    code
}
