//! `restore`: the database begins with a dump, under the lock.

use std::time::Duration;

use migrate_core::restore::{Dump, Occupied, RestoreRequest, Restored, Trigger};

use super::Runner;
use crate::{
    error::{Error, Undone},
    history::{Read, Sight, Tables},
    restore::{Restoration, RestoreError, begun_table, held},
};

impl Runner<'_> {
    /// Restores, unless the database has what it needs.
    pub(crate) fn restore(
        mut self,
        request: &RestoreRequest,
        dump: &mut dyn Dump,
    ) -> Result<Restored, Error> {
        // Only absence: what cannot be read is an error, and no absence.
        if request.trigger == Trigger::NoHistory
            && self.read_patiently(request.wait)?.tables == Tables::Present
        {
            return Ok(Restored::NotNeeded);
        }
        // A connection of somebody else's: there is nothing to hand to a client program.
        let Some(_url) = self.url else {
            return Err(RestoreError::Unknown(self.driver.dialect().name).into());
        };
        let mut restored = Restored::Done;
        self.locked(request.wait, |runner| {
            // Again, now that nobody else restores.
            if request.trigger == Trigger::NoHistory && runner.has_history(Sight::Settled)? {
                restored = Restored::NotNeeded;
                return Ok(());
            }
            let holds = held(runner.driver)?;
            if request.occupied == Occupied::Refuse && !holds.is_empty() {
                return Err(RestoreError::Occupied(holds).into());
            }
            dump.open().map_err(RestoreError::Dump)?;
            let mut expects = request.expects.clone();
            if expects.is_empty() {
                let table = &runner.store.table;
                expects = vec![table.clone(), format!("{table}_meta")];
            }
            let restoration = Restoration {
                driver: &mut *runner.driver,
                #[cfg(feature = "mysql")]
                store: runner.store,
                #[cfg(any(feature = "postgres", feature = "mysql"))]
                url: _url,
                expects,
                interrupt: &runner.state.interrupt,
            };
            let result = restoration.restore(dump);
            if result.is_err() && runner.state.interrupt.requested() {
                return Err(RestoreError::Interrupted(runner.half_restored()).into());
            }
            result
        })?;
        Ok(restored)
    }

    /// The history. Where it says that a restore was begun, its process may be at it still: then that is
    /// waited for, by its lock.
    pub(super) fn read_patiently(&mut self, wait: Option<Duration>) -> Result<Read, Error> {
        match self.store.read(self.driver, Sight::Live) {
            Err(Error::Restore(error)) if matches!(*error, RestoreError::Half { .. }) => {
                self.locked(wait, |runner| {
                    runner.store.read(runner.driver, Sight::Settled).map(drop)
                })?;
                self.store.read(self.driver, Sight::Live)
            }
            read => read,
        }
    }

    /// Whether a restore that ended badly left a part of the dump.
    fn half_restored(&mut self) -> Undone {
        let begun = begun_table(&self.store.table);
        match self.driver.columns(&begun) {
            Ok(columns) if columns.is_empty() => Undone::Everything,
            // Rather once too often.
            _ => Undone::NotEverything,
        }
    }

    fn has_history(&mut self, sight: Sight) -> Result<bool, Error> {
        let read = self.store.read(self.driver, sight)?;
        Ok(read.tables == Tables::Present)
    }
}
