//! [`View`]: a descriptor and the code that belongs to it; what users write and hand over.

use std::{any::Any, fmt, marker::PhantomData};

use diesel::QueryResult;
use migrate_core::{
    Fingerprint, Location, MigrationId, NodeRef, ViewDescriptor, ViewKind, ViewRef,
    view::{Definition, Unmanaged},
};

use crate::{
    backend::MigrationConnection,
    migration::{ConnectionKind, Parameter},
};

/// A view that is created and dropped by hand-written code.
///
/// Beside `#[view_manager(since = ..)]` on the type; with `sql` or `file` there, both bodies are made
/// for the backend, and there is nothing to implement.
///
/// Put `#[view_manager]` on the `impl` as well: then a change of its code is noticed, and the view is
/// built anew on the next `up`.
///
/// ```
/// # #[cfg(feature = "sqlite")] mod example {
/// use migrate_diesel::prelude::*;
/// # #[migration]
/// # pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> { db.batch_execute("CREATE TABLE users (id, active)") }
///
/// #[view_manager(since = create_users)]
/// pub struct ActiveUsers;
///
/// #[view_manager]
/// impl ViewManager for ActiveUsers {
///     type Connection = SqliteConnection;
///     fn up(db: &mut SqliteConnection) -> QueryResult<()> {
///         db.batch_execute("CREATE VIEW active_users AS SELECT id FROM users WHERE active")
///     }
///     fn down(db: &mut SqliteConnection) -> QueryResult<()> {
///         db.batch_execute("DROP VIEW active_users")
///     }
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "the view `{Self}` has neither a definition nor code",
    label = "no `sql`, no `file`, and no `impl ViewManager`",
    note = "say `sql = \"SELECT ..\"` or `file = \"views/name.sql\"`, or write `impl ViewManager for {Self}`"
)]
pub trait ViewManager {
    /// The connection that the bodies take.
    type Connection: MigrationConnection;

    /// Of the bodies' tokens, as far as an attribute on the `impl` saw them.
    #[doc(hidden)]
    const SEEN: u64 = 0;

    /// Creates the view.
    ///
    /// # Errors
    /// The database's.
    fn up(db: &mut Self::Connection) -> QueryResult<()>;

    /// Drops it. Not `CASCADE`: what depends on it is down already.
    ///
    /// # Errors
    /// The database's.
    fn down(db: &mut Self::Connection) -> QueryResult<()>;
}

/// Implemented by types that carry `#[view_manager]`: what `uses` and `suspends` name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    label = "not declared with `#[view_manager]`",
    note = "`uses` and `suspends` take paths to types annotated with `#[view_manager]`"
)]
pub trait DeclaredView {
    /// The address of its facts.
    #[doc(hidden)]
    const VIEW: ViewRef;
}

/// One view or a tuple of views, for [`Session::suspend`](crate::Session::suspend).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view or a tuple of views",
    label = "not declared with `#[view_manager]`",
    note = "write `db.suspend(ActiveUsers, |db| ..)` or `db.suspend((ActiveUsers, Totals), |db| ..)`"
)]
pub trait ViewSet {
    /// Which.
    fn views(self) -> Vec<ViewRef>;
}

#[diagnostic::do_not_recommend]
impl<V: DeclaredView> ViewSet for V {
    fn views(self) -> Vec<ViewRef> {
        vec![V::VIEW]
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($name: DeclaredView),*> ViewSet for ($($name,)*) {
            fn views(self) -> Vec<ViewRef> {
                vec![$($name::VIEW),*]
            }
        }
    };
}
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);

/// One view: its facts and its bodies. `#[view_manager]` writes one static of this type.
pub struct View {
    /// The facts.
    pub descriptor: ViewDescriptor,
    /// What creates and drops it; `None` where that follows from the facts.
    pub code: Option<&'static dyn ViewCode>,
}

/// A [`ViewManager`] without its types.
pub trait ViewCode: Sync {
    /// Creates the view; `None` where the connection is of another type.
    fn up(&self, connection: &mut dyn Any) -> Option<QueryResult<()>>;

    /// Drops it; as `up`.
    fn down(&self, connection: &mut dyn Any) -> Option<QueryResult<()>>;

    /// Which connection it takes.
    fn connection(&self) -> ConnectionKind;
}

/// The code of one type.
struct Manages<V>(PhantomData<fn() -> V>);

impl<V: ViewManager> ViewCode for Manages<V> {
    fn up(&self, connection: &mut dyn Any) -> Option<QueryResult<()>> {
        connection.downcast_mut().map(V::up)
    }

    fn down(&self, connection: &mut dyn Any) -> Option<QueryResult<()>> {
        connection.downcast_mut().map(V::down)
    }

    fn connection(&self) -> ConnectionKind {
        <V::Connection as Parameter>::kind()
    }
}

impl View {
    /// What `#[view_manager]` writes without any key but `since`. `name` is the type's, `view` that in
    /// the database.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        module_path: &'static str,
        name: &'static str,
        view: &'static str,
        description: &'static str,
        since: NodeRef,
        location: (&'static str, u32, u32),
    ) -> Self {
        let (file, line, column) = location;
        Self {
            descriptor: ViewDescriptor {
                id: MigrationId::new(module_path, name),
                name: view,
                description,
                location: Location { file, line, column },
                since,
                until: None,
                uses: &[],
                databases: &[],
                definition: Definition::Code(Fingerprint(0)),
                kind: ViewKind::Plain,
                indexes: &[],
                options: &[],
                unmanaged: Unmanaged::Refuse,
            },
            code: None,
        }
    }

    /// `sql = ".."`, `file = ".."`
    #[doc(hidden)]
    #[must_use]
    pub const fn sql(mut self, sql: &'static str) -> Self {
        self.descriptor.definition = Definition::Sql(sql);
        self
    }

    /// Hand-written bodies: those of `V`, the type itself.
    #[doc(hidden)]
    #[must_use]
    pub const fn code<V: ViewManager + 'static>(mut self) -> Self {
        self.descriptor.definition = Definition::Code(Fingerprint(V::SEEN));
        self.code = Some(const { &Manages::<V>(PhantomData) });
        self
    }

    /// `until = path`
    #[doc(hidden)]
    #[must_use]
    pub const fn until(mut self, until: NodeRef) -> Self {
        self.descriptor.until = Some(until);
        self
    }

    /// `uses = [..]`
    #[doc(hidden)]
    #[must_use]
    pub const fn uses(mut self, uses: &'static [ViewRef]) -> Self {
        self.descriptor.uses = uses;
        self
    }

    /// `database = ".."`, `databases = [..]`
    #[doc(hidden)]
    #[must_use]
    pub const fn databases(mut self, names: &'static [&'static str]) -> Self {
        self.descriptor.databases = names;
        self
    }

    /// `materialized`
    #[doc(hidden)]
    #[must_use]
    pub const fn materialized(mut self) -> Self {
        self.descriptor.kind = ViewKind::Materialized;
        self
    }

    /// `indexes = [..]`
    #[doc(hidden)]
    #[must_use]
    pub const fn indexes(mut self, statements: &'static [&'static str]) -> Self {
        self.descriptor.indexes = statements;
        self
    }

    /// `options = [..]`
    #[doc(hidden)]
    #[must_use]
    pub const fn options(mut self, options: &'static [(&'static str, &'static str)]) -> Self {
        self.descriptor.options = options;
        self
    }

    /// `unmanaged = restore`
    #[doc(hidden)]
    #[must_use]
    pub const fn restore_unmanaged(mut self) -> Self {
        self.descriptor.unmanaged = Unmanaged::Restore;
        self
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("descriptor", &self.descriptor)
            .finish_non_exhaustive()
    }
}
