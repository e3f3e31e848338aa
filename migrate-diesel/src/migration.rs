//! [`Migration`]: a descriptor and the code that belongs to it; what a body may take and return.

use std::{
    any::{Any, TypeId},
    borrow::Cow,
    error::Error,
    fmt,
    marker::PhantomData,
    time::Duration,
};

use migrate_core::{
    Descriptor, Fingerprint, Limits, Location, MigrationId, NodeRef, Repeat, Reversal, Scale,
    TransactionMode, ViewRef, view::Unmanaged,
};

use crate::{
    backend::MigrationConnection,
    mass::Mass,
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
    /// What only mass migrations have; their `up` is no body, and never called.
    pub mass: Option<&'static Mass>,
}

impl Migration {
    /// What `#[migration]` writes without any key.
    ///
    /// One call rather than nested struct expressions: fewer paths to resolve and types to check in
    /// every migration of every build.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        module_path: &'static str,
        name: &'static str,
        description: &'static str,
        fingerprint: u64,
        requires: &'static [NodeRef],
        location: (&'static str, u32, u32),
        key: u64,
    ) -> Self {
        let (file, line, column) = location;
        Self {
            descriptor: Descriptor {
                id: MigrationId::new(module_path, name),
                was: &[],
                description,
                location: Location { file, line, column },
                requires,
                transaction: TransactionMode::Atomic,
                databases: &[],
                reversal: Reversal::Unspecified,
                fingerprint: Fingerprint(fingerprint),
                limits: Limits::NONE,
                suspends: &[],
                unmanaged: Unmanaged::Refuse,
                sql: None,
                repeat: Repeat::Never,
                replaces: &[],
                scale: Scale::Step,
                key,
            },
            up: Body(&Unset),
            down: None,
            mass: None,
        }
    }

    /// What a mass migration goes over, and its body.
    #[doc(hidden)]
    #[must_use]
    pub const fn mass(mut self, mass: &'static Mass) -> Self {
        self.mass = Some(mass);
        self.descriptor.scale = Scale::Mass;
        self
    }

    /// The connections that its bodies take.
    pub(crate) fn connections(&self) -> impl Iterator<Item = ConnectionKind> + use<> {
        let up = self.mass.is_none().then(|| self.up.connection());
        let mass = self.mass.into_iter().flat_map(Mass::connections);
        up.into_iter()
            .chain(mass)
            .chain(self.down.map(Body::connection))
    }

    /// The body. Apart from `new`, so that what is wrong with a signature is not told at the name.
    #[doc(hidden)]
    #[must_use]
    pub const fn up<P: Parameter, R: Returned>(mut self, up: &'static Typed<P, R>) -> Self {
        self.up = Body(up);
        self
    }

    /// `was = [..]`
    #[doc(hidden)]
    #[must_use]
    pub const fn was(mut self, ids: &'static [&'static str]) -> Self {
        self.descriptor.was = ids;
        self
    }

    /// `down = path`
    #[doc(hidden)]
    #[must_use]
    pub const fn down<F: Reverts<M>, M>(mut self, down: &'static Down<F, M>) -> Self {
        self.descriptor.reversal = Reversal::Down;
        self.down = Some(Body(down));
        self
    }

    /// `irreversible = "why"`
    #[doc(hidden)]
    #[must_use]
    pub const fn irreversible(mut self, reason: &'static str) -> Self {
        self.descriptor.reversal = Reversal::Irreversible(reason);
        self
    }

    /// `transaction = none`
    #[doc(hidden)]
    #[must_use]
    pub const fn without_transaction(mut self) -> Self {
        self.descriptor.transaction = TransactionMode::None;
        self
    }

    /// `statement_timeout = ".."`
    #[doc(hidden)]
    #[must_use]
    pub const fn statement_timeout(mut self, limit: Duration) -> Self {
        self.descriptor.limits.statement = Some(limit);
        self
    }

    /// `lock_timeout = ".."`
    #[doc(hidden)]
    #[must_use]
    pub const fn lock_timeout(mut self, limit: Duration) -> Self {
        self.descriptor.limits.lock = Some(limit);
        self
    }

    /// `suspends = [..]`
    #[doc(hidden)]
    #[must_use]
    pub const fn suspends(mut self, views: &'static [ViewRef]) -> Self {
        self.descriptor.suspends = views;
        self
    }

    /// `repeat = ..`, `phase = ..`
    #[doc(hidden)]
    #[must_use]
    pub const fn repeat(mut self, repeat: Repeat) -> Self {
        self.descriptor.repeat = repeat;
        self
    }

    /// `replaces = [..]`
    #[doc(hidden)]
    #[must_use]
    pub const fn replaces(mut self, replaced: &'static [NodeRef]) -> Self {
        self.descriptor.replaces = replaced;
        self
    }

    /// `unmanaged = restore`
    #[doc(hidden)]
    #[must_use]
    pub const fn restore_unmanaged(mut self) -> Self {
        self.descriptor.unmanaged = Unmanaged::Restore;
        self
    }

    /// `database = ".."`, `databases = [..]`
    #[doc(hidden)]
    #[must_use]
    pub const fn databases(mut self, names: &'static [&'static str]) -> Self {
        self.descriptor.databases = names;
        self
    }
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

/// A body, as something that takes any connection.
#[derive(Clone, Copy)]
pub struct Body(pub(crate) &'static dyn Call);

impl Body {
    /// Calls the function that was annotated.
    ///
    /// # Errors
    /// The function's.
    pub fn run(self, erased: Erased<'_>) -> Result<Outcome, BoxError> {
        self.0.call(erased)
    }

    /// Which connection it takes.
    #[must_use]
    pub fn connection(self) -> ConnectionKind {
        self.0.connection()
    }

    /// Its text, where it is SQL.
    pub(crate) fn sql(self) -> Option<&'static str> {
        self.0.sql()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Body").field(&self.connection()).finish()
    }
}

/// Which connection a body takes.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionKind {
    /// Its type.
    pub type_id: TypeId,
    /// The type's name, for messages; a function, as it is wanted once in a thousand runs.
    pub type_name: fn() -> &'static str,
    /// Databases that it can talk to.
    pub backends: &'static [&'static str],
}

/// A connection and a context on their way into a body.
#[derive(Debug)]
pub struct Erased<'x> {
    pub(crate) connection: &'x mut dyn Any,
    pub(crate) context: &'x Context<'x>,
}

/// What the first parameter of a body may be a `&mut` of.
#[diagnostic::on_unimplemented(
    message = "a migration cannot take `&mut {Self}`",
    label = "not a connection that migrations know",
    note = "take `&mut C` or `&mut Session<C>`, where `C` is `SqliteConnection`, `PgConnection`, `MysqlConnection` or `AnyConnection`",
    note = "`PgConnection` and `MysqlConnection` need the features `postgres` and `mysql` of migrate-diesel"
)]
pub trait Parameter: 'static {
    /// The parameter during one run: a session borrows from it.
    type During<'x>;

    /// Makes it from what the runner hands over, and calls `body` with it.
    ///
    /// # Errors
    /// When the connection is of another type; the runner has checked that before.
    fn lend<R>(
        erased: Erased<'_>,
        body: impl FnOnce(&mut Self::During<'_>) -> R,
    ) -> Result<R, BoxError>;

    /// Which connection this is.
    fn kind() -> ConnectionKind;
}

#[diagnostic::do_not_recommend]
impl<C: MigrationConnection> Parameter for C {
    type During<'x> = C;

    fn lend<R>(erased: Erased<'_>, body: impl FnOnce(&mut C) -> R) -> Result<R, BoxError> {
        let connection = erased
            .connection
            .downcast_mut()
            .ok_or_else(wrong_connection::<C>)?;
        Ok(body(connection))
    }

    fn kind() -> ConnectionKind {
        ConnectionKind {
            type_id: TypeId::of::<C>(),
            type_name: short_type_name::<C>,
            backends: C::BACKENDS,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<C: MigrationConnection> Parameter for Session<'static, C> {
    type During<'x> = Session<'x, C>;

    fn lend<R>(
        erased: Erased<'_>,
        body: impl FnOnce(&mut Session<'_, C>) -> R,
    ) -> Result<R, BoxError> {
        let connection = erased
            .connection
            .downcast_mut()
            .ok_or_else(wrong_connection::<C>)?;
        Ok(body(&mut Session::new(connection, erased.context)))
    }

    fn kind() -> ConnectionKind {
        <C as Parameter>::kind()
    }
}

/// A body without its types.
///
/// A trait object over [`Typed`] rather than a closure per migration: nothing is generated per
/// function, only per signature.
pub trait Call: Sync {
    /// Calls the body.
    ///
    /// # Errors
    /// The body's.
    fn call(&self, erased: Erased<'_>) -> Result<Outcome, BoxError>;

    /// Which connection it takes.
    fn connection(&self) -> ConnectionKind;

    /// Its text, where it is SQL: then it is the driver that runs it.
    fn sql(&self) -> Option<&'static str> {
        None
    }
}

/// Between [`Migration::new`] and [`Migration::up`].
struct Unset;

impl Call for Unset {
    fn call(&self, _: Erased<'_>) -> Result<Outcome, BoxError> {
        Err("the migration has no body".into())
    }

    fn connection(&self) -> ConnectionKind {
        ConnectionKind {
            type_id: TypeId::of::<Self>(),
            type_name: || "no connection",
            backends: &[],
        }
    }
}

/// A body with its types: what its parameter is a `&mut` of, and what it returns.
#[doc(hidden)]
pub struct Typed<P: Parameter, R>(pub for<'a, 'x> fn(&'a mut P::During<'x>) -> R);

impl<P: Parameter, R> fmt::Debug for Typed<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&P::kind()).finish()
    }
}

impl<P: Parameter, R: Returned> Call for Typed<P, R> {
    fn call(&self, erased: Erased<'_>) -> Result<Outcome, BoxError> {
        P::lend(erased, self.0)?.into_outcome()
    }

    fn connection(&self) -> ConnectionKind {
        P::kind()
    }
}

/// What `down = path` may name. Here only the path is known, not the types in it: `M` stands for
/// them, and rustc infers it from the one implementation that fits.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`down` takes a function like a migration's: `fn(&mut C) -> QueryResult<()>`",
    label = "does not fit",
    note = "its parameter is `&mut C` or `&mut Session<C>`, where `C` is `SqliteConnection`, `PgConnection`, `MysqlConnection` or `AnyConnection`"
)]
pub trait Reverts<M>: Sync {
    /// As [`Call::call`].
    ///
    /// # Errors
    /// The body's.
    fn call(&self, erased: Erased<'_>) -> Result<Outcome, BoxError>;

    /// As [`Call::connection`].
    fn connection(&self) -> ConnectionKind;
}

#[diagnostic::do_not_recommend]
impl<F, C, R> Reverts<(C, R)> for F
where
    F: Fn(&mut C) -> R + Sync,
    C: MigrationConnection,
    R: Returned,
{
    fn call(&self, erased: Erased<'_>) -> Result<Outcome, BoxError> {
        C::lend(erased, self)?.into_outcome()
    }

    fn connection(&self) -> ConnectionKind {
        C::kind()
    }
}

#[diagnostic::do_not_recommend]
impl<F, C, R> Reverts<(Session<'static, C>, R)> for F
where
    F: Fn(&mut Session<'_, C>) -> R + Sync,
    C: MigrationConnection,
    R: Returned,
{
    fn call(&self, erased: Erased<'_>) -> Result<Outcome, BoxError> {
        <Session<'static, C>>::lend(erased, self)?.into_outcome()
    }

    fn connection(&self) -> ConnectionKind {
        C::kind()
    }
}

/// The function of `down = path`, as a [`Call`].
#[doc(hidden)]
pub struct Down<F, M>(pub F, pub PhantomData<fn() -> M>);

impl<F, M> fmt::Debug for Down<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Down")
    }
}

impl<F: Reverts<M>, M> Call for Down<F, M> {
    fn call(&self, erased: Erased<'_>) -> Result<Outcome, BoxError> {
        self.0.call(erased)
    }

    fn connection(&self) -> ConnectionKind {
        self.0.connection()
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

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> Returned for Result<(), E> {
    fn into_outcome(self) -> Result<Outcome, BoxError> {
        self.map(|()| Outcome::Done).map_err(Into::into)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> Returned for Result<Outcome, E> {
    fn into_outcome(self) -> Result<Outcome, BoxError> {
        self.map_err(Into::into)
    }
}

/// Implemented by the type that `#[migration]` puts beside each function: what `requires` names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a migration",
    label = "not declared with `#[migration]`",
    note = "`requires`, `since` and `until` take paths to functions annotated with `#[migration]`"
)]
pub trait Declared {
    /// Its descriptor.
    const NODE: NodeRef;
}
