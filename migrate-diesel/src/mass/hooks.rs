//! Functions around a run: `before`, `after`, `on_error`.

use super::{
    body::{Nothing, ReturnedRows, Signature, Takes, kind},
    code::Parameters,
    parameters,
};
use crate::migration::{BoxError, ConnectionKind, Down, Erased};

/// A hook, without its types.
pub trait Hook: Sync {
    /// Calls it. `error` is why the run failed, for `on_error`.
    ///
    /// # Errors
    /// The function's.
    fn call(
        &self,
        erased: Erased<'_>,
        parameters: &Parameters,
        error: &str,
    ) -> Result<(), BoxError>;

    /// Which connection it takes.
    fn connection(&self) -> ConnectionKind;
}

/// What `before` and `after` may name.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`before` and `after` take a function like `fn(&mut C) -> QueryResult<()>`",
    label = "does not fit",
    note = "its parameter is `&mut C` or `&mut Session<C>`, where `C` is `SqliteConnection`, `PgConnection`, `MysqlConnection` or `AnyConnection`; with `parameters = P` a `&P` may follow"
)]
pub trait Surrounds<M>: Sync + 'static {
    /// As [`Hook::call`].
    ///
    /// # Errors
    /// The function's.
    fn surround(&self, erased: Erased<'_>, parameters: &Parameters) -> Result<(), BoxError>;

    /// As [`Hook::connection`].
    fn connection(&self) -> ConnectionKind;
}

#[diagnostic::do_not_recommend]
impl<F, M> Surrounds<M> for F
where
    F: Takes<Nothing, M>,
    F::Output: ReturnedRows,
    M: Signature,
{
    fn surround(&self, erased: Erased<'_>, parameters: &Parameters) -> Result<(), BoxError> {
        let parameters = parameters::read_known(parameters)?;
        self.call(erased, &Nothing, &parameters)?.into_rows(0)?;
        Ok(())
    }

    fn connection(&self) -> ConnectionKind {
        kind::<M>()
    }
}

/// What `on_error` may name.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`on_error` takes a function like `fn(&mut C, &str) -> QueryResult<()>`",
    label = "does not fit",
    note = "its first parameter is `&mut C` or `&mut Session<C>`, its second one why the run failed; with `parameters = P` a `&P` may follow"
)]
pub trait Mourns<M>: Sync + 'static {
    /// As [`Hook::call`].
    ///
    /// # Errors
    /// The function's.
    fn mourn(
        &self,
        erased: Erased<'_>,
        parameters: &Parameters,
        error: &str,
    ) -> Result<(), BoxError>;

    /// As [`Hook::connection`].
    fn connection(&self) -> ConnectionKind;
}

#[diagnostic::do_not_recommend]
impl<F, M> Mourns<M> for F
where
    F: Takes<str, M>,
    F::Output: ReturnedRows,
    M: Signature,
{
    fn mourn(
        &self,
        erased: Erased<'_>,
        parameters: &Parameters,
        error: &str,
    ) -> Result<(), BoxError> {
        let parameters = parameters::read_known(parameters)?;
        Takes::call(self, erased, error, &parameters)?.into_rows(0)?;
        Ok(())
    }

    fn connection(&self) -> ConnectionKind {
        kind::<M>()
    }
}

impl<F: Surrounds<M>, M> Hook for Down<F, M> {
    fn call(&self, erased: Erased<'_>, parameters: &Parameters, _: &str) -> Result<(), BoxError> {
        self.0.surround(erased, parameters)
    }

    fn connection(&self) -> ConnectionKind {
        self.0.connection()
    }
}

/// The function of `on_error = path`, as a [`Hook`].
#[doc(hidden)]
pub struct OnError<F, M>(pub F, pub std::marker::PhantomData<fn() -> M>);

impl<F, M> std::fmt::Debug for OnError<F, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnError")
    }
}

impl<F: Mourns<M>, M> Hook for OnError<F, M> {
    fn call(
        &self,
        erased: Erased<'_>,
        parameters: &Parameters,
        error: &str,
    ) -> Result<(), BoxError> {
        self.0.mourn(erased, parameters, error)
    }

    fn connection(&self) -> ConnectionKind {
        self.0.connection()
    }
}
