//! A deployer that dies between what runs before the others and what runs after them.

use migrate_diesel::{Outcome, prelude::*};

use crate::cases::{is_on, leave};

#[migration(database = "crash_phases", repeat = always, phase = before)]
pub(crate) fn phases_take_away(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("DELETE FROM effects WHERE name = 'a view'")
}

#[migration(database = "crash_phases")]
pub(crate) fn phases_once(db: &mut AnyConnection) -> QueryResult<Outcome> {
    if is_on(db, "phases_once") {
        leave(db, "once")?;
        return Ok(Outcome::Done);
    }
    Ok(Outcome::NotYet("later"))
}

#[migration(database = "crash_phases", repeat = always, phase = after)]
pub(crate) fn phases_bring_back(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "a view")
}
