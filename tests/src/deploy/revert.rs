//! Migrations whose deployer dies while it reverts them.

use migrate_diesel::prelude::*;

use super::pause;
use crate::cases::leave;

fn forget(db: &mut AnyConnection, name: &str) -> QueryResult<()> {
    db.batch_execute(&format!("DELETE FROM effects WHERE name = '{name}'"))
}

#[migration(database = "revert_atomic", down = revert_atomic_down)]
pub(crate) fn revert_atomic(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "atomic")
}

fn revert_atomic_down(db: &mut AnyConnection) -> QueryResult<()> {
    pause("begin");
    forget(db, "atomic")?;
    leave(db, "reverted")?;
    pause("end");
    Ok(())
}

#[migration(database = "revert_outside", transaction = none, down = revert_outside_down)]
pub(crate) fn revert_outside(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "outside")
}

fn revert_outside_down(db: &mut Session<'_, AnyConnection>) -> QueryResult<()> {
    pause("begin");
    db.step("forget", |db| forget(db, "outside"))?;
    db.step("leave", |db| leave(db, "reverted"))?;
    pause("end");
    Ok(())
}
