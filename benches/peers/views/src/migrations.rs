//! The change, and the ways around the views that stand before it.

use std::sync::OnceLock;

use diesel::connection::SimpleConnection;
use migrate_diesel::prelude::*;

use crate::{
    clock::{Clock, Spent},
    fixture::planned,
    task::{Backend, Task},
};

/// The first of the views in the way, where views have options.
#[view_manager(
    name = "barrier_root",
    since = create_tables,
    sql = "SELECT id, email FROM accounts WHERE id >= 0",
    options = [security_barrier = true]
)]
pub struct BarrierRoot;

/// The first of the views in the way, elsewhere.
#[view_manager(
    name = "root",
    since = create_tables,
    sql = "SELECT id, email FROM accounts WHERE id >= 0"
)]
pub struct Root;

/// One table that changes, and one that does not.
#[migration]
pub fn create_tables(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE accounts (id INTEGER PRIMARY KEY, email VARCHAR(10) NOT NULL); \
         CREATE TABLE notes (id INTEGER PRIMARY KEY, email VARCHAR(10) NOT NULL); \
         INSERT INTO accounts (id, email) VALUES (1, 'a@b.c'), (2, 'd@e.f')",
    )
}

#[migration(requires = [create_tables])]
pub fn guarded(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    timed(|| match Task::current().backend() {
        Backend::Postgres => db.suspend(BarrierRoot, change),
        Backend::Sqlite | Backend::Mysql => db.suspend(Root, change),
    })
}

/// Where views have options.
#[migration(requires = [create_tables], suspends = [BarrierRoot])]
pub fn suspending_barrier(db: &mut AnyConnection) -> QueryResult<()> {
    change(db)
}

/// Elsewhere.
#[migration(requires = [create_tables], suspends = [Root])]
pub fn suspending(db: &mut AnyConnection) -> QueryResult<()> {
    change(db)
}

#[migration(requires = [create_tables])]
pub fn by_hand(db: &mut AnyConnection) -> QueryResult<()> {
    timed(|| {
        let (before, after) = around();
        for statement in before {
            db.batch_execute(&statement)?;
        }
        change(db)?;
        after
            .into_iter()
            .try_for_each(|statement| db.batch_execute(&statement))
    })
}

#[migration(requires = [create_tables])]
pub fn in_one_batch(db: &mut AnyConnection) -> QueryResult<()> {
    timed(|| {
        let (mut script, after) = around();
        script.extend(changes());
        script.extend(after);
        db.batch_execute(&script.join(";\n"))
    })
}

/// What goes down, leaves first, and what brings it up again, roots first.
fn around() -> (Vec<String>, Vec<String>) {
    let task = Task::current();
    let backend = task.backend();
    let mut views = planned(task);
    views.retain(|view| view.in_the_way);
    let down = views.iter().rev().map(|view| view.drop()).collect();
    let up = views.iter().flat_map(|view| {
        let mut statements = vec![view.create(backend)];
        if backend != Backend::Mysql {
            statements.extend(view.hang(backend));
        }
        statements
    });
    (down, up.collect())
}

/// What the views stand in the way of; the same for everybody.
fn change(db: &mut impl SimpleConnection) -> QueryResult<()> {
    changes()
        .into_iter()
        .try_for_each(|statement| db.batch_execute(&statement))
}

/// SQLite has no other way than a new table, and refuses to give it the old one's name while a view
/// reads that. MySQL would not mind the views.
fn changes() -> Vec<String> {
    let task = Task::current();
    let length = task.length;
    match task.backend() {
        Backend::Sqlite => vec![
            format!(
                "CREATE TABLE wider (id INTEGER PRIMARY KEY, email VARCHAR({length}) NOT NULL)"
            ),
            "INSERT INTO wider SELECT id, email FROM accounts".to_owned(),
            "DROP TABLE accounts".to_owned(),
            "ALTER TABLE wider RENAME TO accounts".to_owned(),
        ],
        Backend::Postgres => {
            vec![format!(
                "ALTER TABLE accounts ALTER COLUMN email TYPE VARCHAR({length})"
            )]
        }
        Backend::Mysql => {
            vec![format!(
                "ALTER TABLE accounts MODIFY email VARCHAR({length}) NOT NULL"
            )]
        }
    }
}

static CLOCK: OnceLock<Clock> = OnceLock::new();
static BODY: OnceLock<Spent> = OnceLock::new();

/// By which clock bodies are timed.
pub fn time_by(clock: &Clock) {
    CLOCK.get_or_init(|| clock.clone());
}

fn timed(body: impl FnOnce() -> QueryResult<()>) -> QueryResult<()> {
    let start = CLOCK.get().map(Clock::start);
    let result = body();
    if let Some(start) = start {
        BODY.get_or_init(|| start.spent());
    }
    result
}

/// What the body took, where it could see that itself.
pub fn body() -> Option<Spent> {
    BODY.get().copied()
}
