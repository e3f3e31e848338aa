//! Every key, as it arrives.
use migrate_diesel::{
    DeclaredView, __private,
    core::{
        ViewKind,
        view::{Definition, Unmanaged},
    },
    prelude::*,
};

#[migration]
fn create_users(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER, active INTEGER)")
}

#[migration(requires = [create_users, suspending])]
fn split_users(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

/// All of them,
/// by name.
///
/// Not this.
#[view_manager(since = create_users, sql = "SELECT id FROM users")]
pub struct Users;

#[view_manager(
    since = create_users,
    until = split_users,
    uses = [Users, self::Users],
    name = "reporting.active_users",
    sql = "-- who is active\nWITH a AS (SELECT 1) SELECT id FROM users, a",
    options = [
        security_barrier,
        security_invoker = false,
        check_option = local,
        algorithm = "MERGE",
        definer = "reports@localhost",
    ],
    unmanaged = restore,
    database = "default",
)]
pub struct ActiveUsers;

#[view_manager(
    since = split_users,
    databases = ["default", "replica"],
    sql = r#"VALUES (1)"#,
    materialized,
    indexes = [
        "CREATE UNIQUE INDEX totals_id ON totals (id)",
        "create index concurrently totals_n ON totals (n)",
    ],
    crate = migrate_diesel,
)]
pub struct Totals;

#[migration(requires = [create_users], suspends = [ActiveUsers, Users], unmanaged = restore)]
fn suspending(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

// Lives until something that comes after `suspending`.
#[view_manager(since = create_users, until = after, name = "short", sql = "TABLE users")]
struct Short;

#[migration(requires = [suspending])]
fn after(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {
    let [create_users, split_users, suspending] =
        migrate_diesel::migrations![create_users, split_users, suspending];
    let users = Users::VIEW.get();
    assert_eq!(users.id.to_string(), format!("{}:Users", module_path!()));
    assert_eq!(users.name, "users");
    assert_eq!(users.description, "All of them, by name.");
    assert_eq!(users.location.line, 26);
    assert_eq!(users.since, create_users);
    assert_eq!(users.until, None);
    assert_eq!(users.definition, Definition::Sql("SELECT id FROM users"));
    assert_eq!(users.kind, ViewKind::Plain);
    assert_eq!(users.unmanaged, Unmanaged::Refuse);

    let active = ActiveUsers::VIEW.get();
    assert_eq!(active.name, "reporting.active_users");
    assert_eq!(active.until, Some(split_users));
    assert_eq!(active.uses, [Users::VIEW, Users::VIEW]);
    assert_eq!(active.databases, ["default"]);
    assert_eq!(active.unmanaged, Unmanaged::Restore);
    assert_eq!(
        active.options,
        [
            ("security_barrier", "true"),
            ("security_invoker", "false"),
            ("check_option", "local"),
            ("algorithm", "merge"),
            ("definer", "reports@localhost"),
        ]
    );

    let totals = Totals::VIEW.get();
    assert_eq!(totals.kind, ViewKind::Materialized);
    assert_eq!(totals.databases, ["default", "replica"]);
    assert_eq!(totals.indexes.len(), 2);

    assert_eq!(suspending.get().suspends, [ActiveUsers::VIEW, Users::VIEW]);
    assert_eq!(suspending.get().unmanaged, Unmanaged::Restore);

    // Nothing names `Short`, and it is there all the same.
    let mut names: Vec<_> = __private::VIEWS
        .iter()
        .map(|view| view.descriptor.id.name())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["ActiveUsers", "Short", "Totals", "Users"]);
}
