//! A chain of migrations that shows what was done twice or not at all.

use migrate_diesel::prelude::*;

use super::pause;
use crate::cases::leave;

/// In order.
pub const CHAIN: [&str; 6] = [
    "crash_1_table",
    "crash_2_rows",
    "crash_3_column",
    "crash_4_steps",
    "crash_5_index",
    "crash_6_rows",
];

/// Every point at which a deployer of the chain can stop: after the claim, in the body at its
/// beginning, between its statements and at its end (before the commit), and after the commit.
#[must_use]
pub fn points() -> Vec<String> {
    let phases = ["started", "begin", "middle", "end", "applied"];
    CHAIN
        .iter()
        .flat_map(|name| phases.iter().map(move |phase| format!("{phase} {name}")))
        .collect()
}

#[migration(database = "crash")]
pub(crate) fn crash_1_table(db: &mut AnyConnection) -> QueryResult<()> {
    pause("begin crash_1_table");
    pause("middle crash_1_table");
    db.batch_execute(
        "CREATE TABLE crash_rows (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL)",
    )?;
    pause("end crash_1_table");
    Ok(())
}

#[migration(database = "crash", requires = [crash_1_table])]
pub(crate) fn crash_2_rows(db: &mut AnyConnection) -> QueryResult<()> {
    pause("begin crash_2_rows");
    leave(db, "2 rows")?;
    pause("middle crash_2_rows");
    // A key that is there twice is an error: this shows, too, what is run again.
    db.batch_execute("INSERT INTO crash_rows (id, name) VALUES (1, 'one'), (2, 'two')")?;
    pause("end crash_2_rows");
    Ok(())
}

#[migration(database = "crash", requires = [crash_2_rows])]
pub(crate) fn crash_3_column(db: &mut AnyConnection) -> QueryResult<()> {
    pause("begin crash_3_column");
    leave(db, "3 column")?;
    pause("middle crash_3_column");
    db.batch_execute("ALTER TABLE crash_rows ADD COLUMN amount INTEGER")?;
    pause("end crash_3_column");
    Ok(())
}

#[migration(database = "crash", requires = [crash_3_column], transaction = none)]
pub(crate) fn crash_4_steps(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    pause("begin crash_4_steps");
    db.step("first", |db| once(db, "4 first"))?;
    pause("middle crash_4_steps");
    db.step("second", |db| once(db, "4 second"))?;
    pause("end crash_4_steps");
    Ok(())
}

/// A step that died between its effect and its record is run again as a whole, and so has to be
/// one that may be.
fn once(db: &mut AnyConnection, name: &str) -> QueryResult<()> {
    db.batch_execute(&format!(
        "INSERT INTO effects (name) SELECT '{name}' FROM (SELECT 1 AS one) AS here \
         WHERE NOT EXISTS (SELECT 1 FROM effects WHERE name = '{name}')"
    ))
}

#[migration(database = "crash", requires = [crash_4_steps])]
pub(crate) fn crash_5_index(db: &mut AnyConnection) -> QueryResult<()> {
    pause("begin crash_5_index");
    db.batch_execute("CREATE INDEX crash_by_name ON crash_rows (name)")?;
    pause("middle crash_5_index");
    leave(db, "5 index")?;
    pause("end crash_5_index");
    Ok(())
}

#[migration(database = "crash", requires = [crash_5_index])]
pub(crate) fn crash_6_rows(db: &mut AnyConnection) -> QueryResult<()> {
    pause("begin crash_6_rows");
    leave(db, "6 rows")?;
    db.batch_execute("UPDATE crash_rows SET amount = COALESCE(amount, 0) + 1")?;
    pause("middle crash_6_rows");
    leave(db, "6 rows again")?;
    pause("end crash_6_rows");
    Ok(())
}
