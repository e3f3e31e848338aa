//! [`Migration`]: a descriptor and the code that belongs to it; what a body may take and return.

use std::{
    any::{Any, TypeId},
    borrow::Cow,
    error::Error,
    fmt,
    ops::DerefMut,
};

use migrate_core::{Descriptor, NodeRef};

use crate::{
    backend::MigrationConnection,
    session::{Context, Session},
};

/// An error of any type that can cross threads.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// One migration: its facts and its bodies. `#[migration]` writes one static of this type.
pub struct Migration {
    /// The facts.
    pub descriptor: Descriptor,
    /// What applies it.
    pub up: Body,
    /// What reverts it.
    pub down: Option<Body>,
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migration")
            .field("descriptor", &self.descriptor)
            .finish_non_exhaustive()
    }
}

/// How a body that raised no error ended: [`Outcome::Done`], or [`Outcome::NotYet`] with a reason.
///
/// Not an enum, so that a reason may be a literal as well as a `format!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub(crate) not_yet: Option<Cow<'static, str>>,
}

impl Outcome {
    /// It did what it is for.
    #[expect(
        non_upper_case_globals,
        reason = "reads as the variant that it is in spirit"
    )]
    pub const Done: Self = Self { not_yet: None };

    /// It cannot do it yet, and says why: rolled back, recorded as deferred, tried again next time.
    /// What requires it waits; the rest goes on.
    #[expect(non_snake_case, reason = "reads as the variant that it is in spirit")]
    pub fn NotYet(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            not_yet: Some(reason.into()),
        }
    }
}

/// A body, as a function that takes any connection.
#[derive(Clone, Copy)]
pub struct Body {
    /// Calls the function that was annotated.
    pub run: fn(Erased<'_>) -> Result<Outcome, BoxError>,
    /// Which connection it takes.
    pub connection: fn() -> ConnectionKind,
}

/// Which connection a body takes.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionKind {
    /// Its type.
    pub type_id: TypeId,
    /// The type's name, for messages.
    pub type_name: &'static str,
    /// Databases that it can talk to.
    pub backends: &'static [&'static str],
}

/// A connection and a context on their way into a body.
#[derive(Debug)]
pub struct Erased<'x> {
    pub(crate) connection: &'x mut dyn Any,
    pub(crate) context: &'x mut Context,
}

/// What the first parameter of a body may be a `&mut` of.
#[diagnostic::on_unimplemented(
    message = "a migration cannot take `&mut {Self}`",
    label = "not a connection that migrations know",
    note = "take `&mut C` or `&mut Session<C>`, where `C` is `SqliteConnection`, `PgConnection`, `MysqlConnection` or `AnyConnection`",
    note = "`PgConnection` and `MysqlConnection` need the features `postgres` and `mysql` of migrate-diesel"
)]
pub trait Parameter<'x>: Sized {
    /// Holds the parameter while the body runs.
    type Held: DerefMut<Target = Self>;

    /// Takes it out of what the runner hands over.
    ///
    /// # Errors
    /// When the connection is of another type; the runner has checked that before.
    fn enter(erased: Erased<'x>) -> Result<Self::Held, BoxError>;

    /// Which connection this is.
    fn kind() -> ConnectionKind;
}

impl<'x, C: MigrationConnection> Parameter<'x> for C {
    type Held = &'x mut C;

    fn enter(erased: Erased<'x>) -> Result<Self::Held, BoxError> {
        erased
            .connection
            .downcast_mut()
            .ok_or_else(|| wrong_connection::<C>())
    }

    fn kind() -> ConnectionKind {
        ConnectionKind {
            type_id: TypeId::of::<C>(),
            type_name: short_type_name::<C>(),
            backends: C::BACKENDS,
        }
    }
}

impl<'x, C: MigrationConnection> Parameter<'x> for Session<'x, C> {
    type Held = HeldSession<'x, C>;

    fn enter(erased: Erased<'x>) -> Result<Self::Held, BoxError> {
        let connection = erased
            .connection
            .downcast_mut()
            .ok_or_else(|| wrong_connection::<C>())?;
        Ok(HeldSession(Session::new(connection, erased.context)))
    }

    fn kind() -> ConnectionKind {
        <C as Parameter<'x>>::kind()
    }
}

/// A session for as long as a body runs.
#[derive(Debug)]
pub struct HeldSession<'x, C>(Session<'x, C>);

impl<'x, C> std::ops::Deref for HeldSession<'x, C> {
    type Target = Session<'x, C>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<C> DerefMut for HeldSession<'_, C> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

fn wrong_connection<C>() -> BoxError {
    format!(
        "the body takes a `{}`, which the runner does not have",
        short_type_name::<C>()
    )
    .into()
}

fn short_type_name<C>() -> &'static str {
    let name = std::any::type_name::<C>();
    name.rsplit("::").next().unwrap_or(name)
}

/// What a body may return.
#[diagnostic::on_unimplemented(
    message = "a migration must return a `Result<(), E>` or a `Result<Outcome, E>`",
    label = "`{Self}` is not a migration result",
    note = "write `-> QueryResult<()>`; any error that is `Into<Box<dyn Error + Send + Sync>>` will do"
)]
pub trait Returned {
    /// In the one form that the runner knows.
    ///
    /// # Errors
    /// The body's.
    fn into_outcome(self) -> Result<Outcome, BoxError>;
}

impl<E: Into<BoxError>> Returned for Result<(), E> {
    fn into_outcome(self) -> Result<Outcome, BoxError> {
        self.map(|()| Outcome::Done).map_err(Into::into)
    }
}

impl<E: Into<BoxError>> Returned for Result<Outcome, E> {
    fn into_outcome(self) -> Result<Outcome, BoxError> {
        self.map_err(Into::into)
    }
}

/// What a body returned, in the one form that the runner knows. A function, so that the error about
/// a wrong return type lands on that type.
///
/// # Errors
/// The body's.
pub fn finish<R: Returned>(returned: R) -> Result<Outcome, BoxError> {
    returned.into_outcome()
}

/// Implemented by the type that `#[migration]` puts beside each function: what `requires` names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a migration",
    label = "not declared with `#[migration]`",
    note = "`requires` takes paths to functions annotated with `#[migration]`"
)]
pub trait Declared {
    /// Its descriptor.
    const NODE: NodeRef;
}
