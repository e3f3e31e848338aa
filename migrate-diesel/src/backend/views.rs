//! [`ViewCatalog`]: what the runner asks a database about its views, and has it do to them.

use diesel::QueryResult;
use migrate_core::{ViewDescriptor, ViewKind};

/// What the runner asks a database about its views.
///
/// Views go by **names** as people write them (`active_users`, `reporting.totals`: no quotes, the
/// parts exactly as the catalog has them) and by **identities**: the full name that the catalog
/// gives them, one text for one object, in the same form (`public.active_users`).
pub trait ViewCatalog {
    /// The identity of each name; `None` where there is no view of that name. A table of that name
    /// is none.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    fn find(&mut self, names: &[&str]) -> QueryResult<Vec<Option<String>>>;

    /// Everything that depends on these views, directly or by way of other views. An edge for each
    /// direct dependence, in no particular order, each once.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    fn dependents(&mut self, identities: &[&str]) -> QueryResult<Vec<Dependence>>;

    /// The views that read a table (`users`, `app.users`) or one of its columns (`users.email`,
    /// `app.users.email`) themselves, not by way of other views; where the catalog cannot tell,
    /// rather one too many.
    ///
    /// # Errors
    /// When there is no such table or column (`Err(Ok(message))`), or the catalog cannot be read.
    fn readers(&mut self, target: &str) -> Result<Vec<Object>, ReadersError>;

    /// What each of these is and everything that hangs on it, in their order.
    ///
    /// # Errors
    /// When one is not there, or the catalog cannot be read.
    fn snapshots(&mut self, objects: &[&Object]) -> QueryResult<Vec<Snapshot>>;

    /// As [`snapshots`](Self::snapshots), for who needs no [`create`](Snapshot::create): it may be empty.
    ///
    /// # Errors
    /// As [`snapshots`](Self::snapshots).
    fn properties(&mut self, objects: &[&Object]) -> QueryResult<Vec<Snapshot>> {
        self.snapshots(objects)
    }

    /// The statements that create a declared view (one whose definition is
    /// [`Sql`](migrate_core::view::Definition::Sql)), its options and its indexes; a materialized one
    /// with its rows. What `old`, the view that it follows, says in its own statement and the
    /// declaration does not (MySQL's DEFINER and the like) is taken over from there.
    ///
    /// # Errors
    /// What this database does not have: materialized views, an option.
    fn create(&self, view: &ViewDescriptor, old: Option<&Snapshot>) -> Result<Vec<String>, String>;

    /// A statement that fails where a view of this name cannot be read; `None` where its creation
    /// would have failed.
    fn probe(&self, _name: &str) -> Option<String> {
        None
    }

    /// The statement that gives `new`, as it is, those properties of `old` that have no statement of
    /// their own (whose `set` is empty): for a view whose own code created it. `None` where every
    /// property has one.
    fn amend(&self, _old: &Snapshot, _new: &Snapshot) -> Option<String> {
        None
    }

    /// The statement that drops one; it fails where something depends on it.
    fn drop(&self, object: &Object) -> String;

    /// Statements that limit how long a lock is waited for from here to the end of the (sub)transaction,
    /// and the one that lifts the limit; `None` where readers are not made to wait by a drop.
    fn lock_timeout(&self, _milliseconds: u64) -> Option<(String, String)> {
        None
    }

    /// The sessions that hold locks on these objects, in words: `pid 4711 (report, idle in
    /// transaction for 12 s)`.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    fn blockers(&mut self, _objects: &[&Object]) -> QueryResult<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Why [`ViewCatalog::readers`] gave none.
#[derive(Debug)]
pub enum ReadersError {
    /// There is no such table or column: one clause, lower case, no full stop.
    NotThere(String),
    /// The catalog could not be read.
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for ReadersError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

/// Something in the database that a view is, or that depends on one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    /// The full name; of a function with the types of its arguments.
    pub identity: String,
    /// What it is.
    pub kind: ObjectKind,
}

/// What an [`Object`] is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A function or procedure.
    Function,
    /// Something that cannot be saved and brought back; what it is, in words: `policy p on table t`.
    Other(String),
}

impl Object {
    /// A view.
    #[must_use]
    pub fn view(identity: impl Into<String>, kind: ViewKind) -> Self {
        Self {
            identity: identity.into(),
            kind: match kind {
                ViewKind::Plain => ObjectKind::View,
                ViewKind::Materialized => ObjectKind::MaterializedView,
            },
        }
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let identity = &self.identity;
        match &self.kind {
            ObjectKind::View => write!(f, "view {identity}"),
            ObjectKind::MaterializedView => write!(f, "materialized view {identity}"),
            ObjectKind::Function => write!(f, "function {identity}"),
            ObjectKind::Other(words) => f.write_str(words),
        }
    }
}

/// That something depends on a view.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dependence {
    /// The identity of the view.
    pub on: String,
    /// What depends on it.
    pub by: Object,
}

/// What an object is, and everything that hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Which.
    pub object: Object,
    /// The names of its columns, in order.
    pub columns: Vec<String>,
    /// Creates it as it is, without its properties. One statement, where MySQL's session has to be set
    /// for it with what does that and what takes it back.
    pub create: String,
    /// In the order in which they are set.
    pub properties: Vec<Property>,
    /// What of it could not be brought back: one clause each, lower case, no full stop.
    pub lost: Vec<String>,
}

/// Something that hangs on an object and would go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// What kind of thing.
    pub aspect: Aspect,
    /// Which, in words: `comment on column email`.
    pub what: String,
    /// Columns without which it cannot be.
    pub columns: Vec<String>,
    /// The statement that sets it. Two properties are equal when `what` and `set` are. Empty where it
    /// comes only with the statement that creates the object; see [`ViewCatalog::create`] and
    /// [`ViewCatalog::amend`].
    pub set: String,
    /// The statement that takes it away where a new object has it by itself; empty where none does.
    pub unset: String,
}

/// What kind of thing a [`Property`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// `security_barrier` and the like: part of what is declared.
    Options,
    /// Who owns it.
    Owner,
    /// Who may do what with it.
    Grant,
    /// A comment.
    Comment,
    /// Something of one of its columns: default, statistics, storage.
    Column,
    /// A trigger.
    Trigger,
    /// A rule.
    Rule,
    /// An index, with what hangs on that: part of what is declared.
    Index,
    /// Extended statistics.
    Statistics,
    /// That it has its rows. The last one: filling comes after everything else.
    Populated,
}

impl Aspect {
    /// The word in a saved snapshot.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Options => "options",
            Self::Owner => "owner",
            Self::Grant => "grant",
            Self::Comment => "comment",
            Self::Column => "column",
            Self::Trigger => "trigger",
            Self::Rule => "rule",
            Self::Index => "index",
            Self::Statistics => "statistics",
            Self::Populated => "populated",
        }
    }
}
