//! [`Takes`]: functions that can be the body of a mass migration, whatever they take and return.

use std::marker::PhantomData;

use super::parameters::{MassParameters, NoParameters};
use crate::{
    backend::MigrationConnection,
    migration::{BoxError, ConnectionKind, Erased, Parameter},
    session::Session,
};

/// The types in the signature of a body. Here only the path of the function is known: `M` in
/// [`Takes`] stands for them, and rustc infers it from the one implementation that fits.
pub trait Signature: 'static {
    /// The connection it takes.
    type Connection: MigrationConnection;

    /// The parameters it takes.
    type Parameters: MassParameters;
}

/// What the first parameter of a body is a `&mut` of: a connection, or a session of one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a mass migration cannot take `&mut {Self}`",
    label = "not a connection that migrations know",
    note = "take `&mut C` or `&mut Session<C>`, where `C` is `SqliteConnection`, `PgConnection`, `MysqlConnection` or `AnyConnection`",
    note = "`PgConnection` and `MysqlConnection` need the features `postgres` and `mysql` of migrate-diesel"
)]
pub trait Handle: Parameter {
    /// The connection.
    type Connection: MigrationConnection;
}

#[diagnostic::do_not_recommend]
impl<C: MigrationConnection> Handle for C {
    type Connection = C;
}

#[diagnostic::do_not_recommend]
impl<C: MigrationConnection> Handle for Session<'static, C> {
    type Connection = C;
}

macro_rules! signatures {
    ($($name:ident $with:ident, $doc:literal;)*) => {$(
        #[doc = $doc]
        #[doc(hidden)]
        #[derive(Debug)]
        pub struct $name<H, R>(PhantomData<fn() -> (H, R)>);

        impl<H: Handle, R: 'static> Signature for $name<H, R> {
            type Connection = <H as Handle>::Connection;
            type Parameters = NoParameters;
        }

        #[doc = concat!($doc, ", and parameters after that.")]
        #[doc(hidden)]
        #[derive(Debug)]
        pub struct $with<H, P, R>(PhantomData<fn() -> (H, P, R)>);

        impl<H: Handle, P: MassParameters, R: 'static> Signature for $with<H, P, R> {
            type Connection = <H as Handle>::Connection;
            type Parameters = P;
        }
    )*};
}
signatures! {
    Without With, "`fn(db, argument)`";
    Alone AloneWith, "`fn(db)`";
}

/// A function that takes a connection and a `&A`.
#[diagnostic::on_unimplemented(
    message = "the body of this mass migration does not fit: it takes `(&mut C, &{A})`",
    label = "does not fit",
    note = "its first parameter is `&mut C` or `&mut Session<C>`, where `C` is `SqliteConnection`, `PgConnection`, `MysqlConnection` or `AnyConnection`",
    note = "with `parameters = P` a `&P` follows as its last parameter"
)]
pub trait Takes<A: ?Sized, M: Signature>: Sync + 'static {
    /// What it returns.
    type Output;

    /// Calls it for one argument after the other, and hands over what it returns.
    ///
    /// # Errors
    /// That of `returned`; when the connection is of another type, which the runner has checked before.
    fn call_each(
        &self,
        erased: Erased<'_>,
        arguments: &mut dyn Iterator<Item = &A>,
        parameters: &M::Parameters,
        returned: &mut dyn FnMut(Self::Output) -> Result<(), BoxError>,
    ) -> Result<(), BoxError>;

    /// Calls it once.
    ///
    /// # Errors
    /// When the connection is of another type.
    fn call(
        &self,
        erased: Erased<'_>,
        argument: &A,
        parameters: &M::Parameters,
    ) -> Result<Self::Output, BoxError> {
        let mut output = None;
        self.call_each(
            erased,
            &mut std::iter::once(argument),
            parameters,
            &mut |returned| {
                output = Some(returned);
                Ok(())
            },
        )?;
        output.ok_or_else(|| "the body was not called".into())
    }
}

/// What a body without a second parameter takes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

macro_rules! takes {
    ($($handle:ty, $marker:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<F, A: ?Sized, C, R> Takes<A, Without<$marker, R>> for F
        where
            F: Fn(&mut $handle, &A) -> R + Sync + 'static,
            C: MigrationConnection,
            R: 'static,
        {
            type Output = R;

            fn call_each(
                &self,
                erased: Erased<'_>,
                arguments: &mut dyn Iterator<Item = &A>,
                _: &NoParameters,
                returned: &mut dyn FnMut(R) -> Result<(), BoxError>,
            ) -> Result<(), BoxError> {
                <$marker>::lend(erased, |db| {
                    for argument in arguments {
                        returned(self(db, argument))?;
                    }
                    Ok(())
                })?
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, A: ?Sized, C, P, R> Takes<A, With<$marker, P, R>> for F
        where
            F: Fn(&mut $handle, &A, &P) -> R + Sync + 'static,
            C: MigrationConnection,
            P: MassParameters,
            R: 'static,
        {
            type Output = R;

            fn call_each(
                &self,
                erased: Erased<'_>,
                arguments: &mut dyn Iterator<Item = &A>,
                parameters: &P,
                returned: &mut dyn FnMut(R) -> Result<(), BoxError>,
            ) -> Result<(), BoxError> {
                <$marker>::lend(erased, |db| {
                    for argument in arguments {
                        returned(self(db, argument, parameters))?;
                    }
                    Ok(())
                })?
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, C, R> Takes<Nothing, Alone<$marker, R>> for F
        where
            F: Fn(&mut $handle) -> R + Sync + 'static,
            C: MigrationConnection,
            R: 'static,
        {
            type Output = R;

            fn call_each(
                &self,
                erased: Erased<'_>,
                arguments: &mut dyn Iterator<Item = &Nothing>,
                _: &NoParameters,
                returned: &mut dyn FnMut(R) -> Result<(), BoxError>,
            ) -> Result<(), BoxError> {
                <$marker>::lend(erased, |db| {
                    for _ in arguments {
                        returned(self(db))?;
                    }
                    Ok(())
                })?
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, C, P, R> Takes<Nothing, AloneWith<$marker, P, R>> for F
        where
            F: Fn(&mut $handle, &P) -> R + Sync + 'static,
            C: MigrationConnection,
            P: MassParameters,
            R: 'static,
        {
            type Output = R;

            fn call_each(
                &self,
                erased: Erased<'_>,
                arguments: &mut dyn Iterator<Item = &Nothing>,
                parameters: &P,
                returned: &mut dyn FnMut(R) -> Result<(), BoxError>,
            ) -> Result<(), BoxError> {
                <$marker>::lend(erased, |db| {
                    for _ in arguments {
                        returned(self(db, parameters))?;
                    }
                    Ok(())
                })?
            }
        }
    )*};
}
takes! {
    C, C;
    Session<'_, C>, Session<'static, C>;
}

/// The types of a connection, for messages.
pub(crate) fn kind<M: Signature>() -> ConnectionKind {
    <M::Connection as Parameter>::kind()
}

/// What a body may return that changes rows.
#[diagnostic::on_unimplemented(
    message = "the body of a mass migration returns a `Result` with the number of rows that it changed",
    label = "`{Self}` is no such result",
    note = "write `-> QueryResult<usize>`, or `-> QueryResult<()>` where the number does not matter; any error that is `Into<Box<dyn Error + Send + Sync>>` will do"
)]
pub trait ReturnedRows {
    /// The rows it changed; `unsaid` where it does not say.
    ///
    /// # Errors
    /// The body's.
    fn into_rows(self, unsaid: u64) -> Result<u64, BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> ReturnedRows for Result<(), E> {
    fn into_rows(self, unsaid: u64) -> Result<u64, BoxError> {
        self.map(|()| unsaid).map_err(Into::into)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> ReturnedRows for Result<usize, E> {
    fn into_rows(self, _: u64) -> Result<u64, BoxError> {
        self.map(|rows| rows as u64).map_err(Into::into)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> ReturnedRows for Result<u64, E> {
    fn into_rows(self, _: u64) -> Result<u64, BoxError> {
        self.map_err(Into::into)
    }
}
