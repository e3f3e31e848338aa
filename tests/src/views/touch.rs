//! [`Touch`]: what a migration of a random case does to a column, and how views get out of its way.

use std::sync::OnceLock;

use migrate_diesel::{
    ViewSet,
    core::{NodeRef, ViewRef},
    migrations,
    prelude::*,
};

use crate::database::{Backend, texts};

pub(super) const TABLES: [&str; 3] = ["random_0", "random_1", "random_2"];
/// Of every table, beside `id`: two texts and a number.
pub(super) const COLUMNS: [&str; 3] = ["a", "b", "c"];

/// A column whose type changes, and how its views get out of the way.
#[derive(Clone, Debug)]
pub(super) struct Touch {
    pub(super) way: Way,
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    /// Those that read it themselves.
    pub(super) roots: Vec<ViewRef>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Block,
    BlockOutside,
    Dependents,
    DependentsOutside,
}

pub(super) const WAYS: [Way; 4] = [
    Way::Block,
    Way::BlockOutside,
    Way::Dependents,
    Way::DependentsOutside,
];

impl Way {
    pub(super) fn is_block(self) -> bool {
        matches!(self, Self::Block | Self::BlockOutside)
    }

    pub(super) fn is_outside(self) -> bool {
        matches!(self, Self::BlockOutside | Self::DependentsOutside)
    }

    pub(super) fn migration(self) -> NodeRef {
        let [block, block_outside, dependents, dependents_outside] = migrations![
            random_block,
            random_block_outside,
            random_dependents,
            random_dependents_outside
        ];
        match self {
            Self::Block => block,
            Self::BlockOutside => block_outside,
            Self::Dependents => dependents,
            Self::DependentsOutside => dependents_outside,
        }
    }
}

static TOUCHES: OnceLock<[Touch; 2]> = OnceLock::new();

/// Makes the bodies of this process those of one case.
pub(super) fn install(touches: &[Touch; 2]) {
    let installed = TOUCHES.get_or_init(|| touches.clone());
    assert_eq!(
        format!("{installed:?}"),
        format!("{touches:?}"),
        "another case's"
    );
}

struct Roots<'t>(&'t [ViewRef]);

impl ViewSet for Roots<'_> {
    fn views(self) -> Vec<ViewRef> {
        self.0.to_vec()
    }
}

#[migration(database = "views_crash")]
pub(crate) fn random_tables(db: &mut AnyConnection) -> QueryResult<()> {
    for table in TABLES {
        db.batch_execute(&format!(
            "CREATE TABLE {table} (id INTEGER PRIMARY KEY, a VARCHAR(100), b VARCHAR(100), c INTEGER)"
        ))?;
        db.batch_execute(&format!(
            "INSERT INTO {table} (id, a, b, c) VALUES (1, 'one', 'b''1', 1), (2, 'two', NULL, 2), (3, '{table}', '', NULL)"
        ))?;
    }
    Ok(())
}

#[migration(database = "views_crash", requires = [random_tables], unmanaged = restore)]
pub(crate) fn random_block(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    change(db, Way::Block)
}

#[migration(database = "views_crash", requires = [random_tables], unmanaged = restore, transaction = none)]
pub(crate) fn random_block_outside(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    change(db, Way::BlockOutside)
}

#[migration(database = "views_crash", requires = [random_tables], unmanaged = restore)]
pub(crate) fn random_dependents(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    change(db, Way::Dependents)
}

#[migration(database = "views_crash", requires = [random_tables], unmanaged = restore, transaction = none)]
pub(crate) fn random_dependents_outside(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    change(db, Way::DependentsOutside)
}

/// May be repeated: somebody who is asked says `retry`.
fn change(db: &mut Session<'_, AnyConnection>, way: Way) -> QueryResult<()> {
    let touches = TOUCHES.get().expect("the process has a case");
    let touch = touches
        .iter()
        .find(|it| it.way == way)
        .expect("its migration");
    if way.is_block() {
        return db.suspend(Roots(&touch.roots), |db| retype(db, touch));
    }
    let target = match Backend::of(&**db) {
        Backend::Sqlite => touch.table.to_owned(),
        _ => format!("{}.{}", touch.table, touch.column),
    };
    db.suspend_dependents_of(&target, |db| retype(db, touch))
}

fn retype(db: &mut Session<'_, AnyConnection>, touch: &Touch) -> QueryResult<()> {
    let Touch { table, column, .. } = touch;
    let new = if *column == "c" {
        "BIGINT"
    } else {
        "VARCHAR(200)"
    };
    let sql = match Backend::of(&**db) {
        Backend::Postgres => {
            format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {new}")
        }
        Backend::Mysql => format!("ALTER TABLE {table} MODIFY {column} {new}"),
        Backend::Sqlite => rebuild(db, touch, new),
    };
    db.batch_execute(&sql)
}

/// What else was changed stays so: after a death, migrations may come in another order.
fn rebuild(db: &mut AnyConnection, touch: &Touch, new: &str) -> String {
    let Touch { table, column, .. } = touch;
    let columns = texts(
        db,
        &format!(
            "SELECT name || ' ' || CASE name WHEN '{column}' THEN '{new}' ELSE type END || iif(pk, ' PRIMARY KEY', '') AS value \
             FROM pragma_table_info('{table}') ORDER BY cid"
        ),
    );
    let rebuild = format!(
        "CREATE TABLE rebuilt ({}); INSERT INTO rebuilt SELECT * FROM {table}; \
         DROP TABLE {table}; ALTER TABLE rebuilt RENAME TO {table}",
        columns.join(", ")
    );
    if touch.way.is_outside() {
        format!("BEGIN IMMEDIATE; {rebuild}; COMMIT")
    } else {
        rebuild
    }
}
