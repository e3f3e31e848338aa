//! Migrations that stop while views are down, for somebody to kill their deployer.

use migrate_diesel::{prelude::*, view_manager};

use super::pause;
use crate::cases::views::{retype_in, table};

#[migration(database = "views_killed")]
pub(crate) fn views_killed_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "killed")
}

#[view_manager(since = views_killed_create, unmanaged = restore, sql = "SELECT id, email FROM killed")]
pub(crate) struct KilledBase;

#[view_manager(since = views_killed_create, uses = [KilledBase], unmanaged = restore, sql = "SELECT id FROM killed_base")]
pub(crate) struct KilledTop;

#[migration(database = "views_killed", requires = [views_killed_create], suspends = [KilledBase])]
pub(crate) fn views_killed_atomic(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    retype_in(db, "killed")?;
    pause("down views_killed_atomic");
    Ok(())
}

#[migration(database = "views_killed", requires = [views_killed_atomic], transaction = none)]
pub(crate) fn views_killed_outside(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend(KilledBase, |db| {
        pause("down views_killed_outside");
        retype_in(db, "killed")
    })
}
