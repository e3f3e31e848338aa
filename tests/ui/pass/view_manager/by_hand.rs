//! Views with code of their own, with and without the attribute on the `impl`.
use migrate_diesel::{
    DeclaredView, __private,
    core::{Fingerprint, view::Definition},
    prelude::*,
};

#[migration]
fn create_users(db: &mut PgConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

#[view_manager(since = create_users, materialized)]
pub struct ActiveUsers;

#[view_manager]
impl ViewManager for ActiveUsers {
    type Connection = PgConnection;

    fn up(db: &mut PgConnection) -> QueryResult<()> {
        db.batch_execute("CREATE VIEW active_users AS SELECT id FROM users")
    }

    fn down(db: &mut PgConnection) -> QueryResult<()> {
        db.batch_execute("DROP VIEW active_users")
    }
}

#[view_manager(since = create_users, uses = [ActiveUsers])]
pub struct Anywhere;

impl migrate_diesel::ViewManager for Anywhere {
    type Connection = AnyConnection;

    fn up(db: &mut Self::Connection) -> QueryResult<()> {
        db.batch_execute("CREATE VIEW anywhere AS SELECT 1")
    }

    fn down(db: &mut Self::Connection) -> QueryResult<()> {
        db.batch_execute("DROP VIEW anywhere")
    }
}

fn main() {
    let of = |view: &migrate_diesel::core::ViewDescriptor| {
        let view = __private::VIEWS.iter().find(|it| it.descriptor.id == view.id);
        view.and_then(|it| it.code).map(|it| it.connection().backends)
    };
    let (active, anywhere) = (ActiveUsers::VIEW.get(), Anywhere::VIEW.get());
    assert_eq!(of(active), Some(["postgres"].as_slice()));
    assert!(of(anywhere).is_some_and(|it| it.len() > 1));
    let nothing_seen = Definition::Code(Fingerprint(0));
    assert_ne!(active.definition, nothing_seen);
    assert_eq!(anywhere.definition, nothing_seen);
}
