//! The end of a run: its state, its row in the history and its last hook, in one transaction.

use migrate_core::mass::{MassState, frontend::MassEvent};

use super::{Carried, failure::told, patience::passes, worker::Worker};
use crate::{
    error::Error,
    mass::store::{self, Again, Change, Ordered, Seen},
    migration::BoxError,
};

impl Worker<'_, '_> {
    /// Writes the state that a run comes to. Who was faster has done so.
    pub(super) fn end(
        &mut self,
        carried: Carried,
        seen: &Seen,
        to: MassState,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let owner = self.owner.clone();
        let change = Change {
            run: &seen.run,
            to,
            reason,
            throttled_for: None,
            by: &owner,
        };
        if to == MassState::Succeeded {
            return self.succeed(carried, seen, &change);
        }
        let ordered = {
            let _turn = self.shared.turn();
            store::order(self.shared.work.store, &mut *self.line, &change, Again::No)
                .map_err(Error::database("write how a run ended"))?
        };
        match (ordered, to) {
            (Ordered::Changed, _) => {}
            (Ordered::Done, MassState::Failed) => {
                self.failed(carried, seen, reason.unwrap_or_default());
            }
            (Ordered::Done, _) => self.told_state(seen, to, reason),
        }
        Ok(())
    }

    fn succeed(&mut self, carried: Carried, seen: &Seen, change: &Change<'_>) -> Result<(), Error> {
        let shared = self.shared;
        let store = shared.work.store;
        let row = store::applied_row(
            store,
            &seen.run,
            &carried.migration.descriptor.id.to_string(),
            change.by,
        );
        let ended = {
            let _turn = shared.turn();
            self.try_succeed(carried, seen, change, &row)
        };
        match ended {
            Ok(Ordered::Done) => self.told_state(seen, MassState::Succeeded, None),
            Ok(Ordered::Changed) => {}
            Err(error) => {
                let is_alive = self.line.roll_back(store);
                if !is_alive || passes(&*error) {
                    return Err(self.source_failed(error));
                }
                if shared.is_over() {
                    return Ok(());
                }
                // Nothing of the end is written: what is left to do is to try it again.
                return self.fail_run(carried, seen.run.run, &told(&*error));
            }
        }
        Ok(())
    }

    fn try_succeed(
        &mut self,
        carried: Carried,
        seen: &Seen,
        change: &Change<'_>,
        row: &str,
    ) -> Result<Ordered, BoxError> {
        let dialect = self.shared.work.store.dialect;
        let driver = &mut *self.line;
        driver.batch(dialect.begin)?;
        driver.set_depth(1);
        if store::make(self.shared.work.store, driver, change)? == Ordered::Changed {
            driver.batch(dialect.rollback)?;
            driver.set_depth(0);
            return Ok(Ordered::Changed);
        }
        if let Some(after) = carried.mass.after {
            self.hook(carried, &seen.run, after, "")
                .map_err(|error| hook_failed("after", error))?;
        }
        let driver = &mut *self.line;
        driver.batch(row)?;
        driver.batch(dialect.commit)?;
        driver.set_depth(0);
        Ok(Ordered::Done)
    }

    /// A run has failed: those who watch are told, and its last hook is called, whose own error hides
    /// nothing.
    pub(super) fn failed(&mut self, carried: Carried, seen: &Seen, reason: &str) {
        self.told_state(seen, MassState::Failed, Some(reason));
        let Some(on_error) = carried.mass.on_error else {
            return;
        };
        let dialect = self.shared.work.store.dialect;
        let _turn = self.shared.turn();
        let mut mourn = || -> Result<(), BoxError> {
            self.line.batch(dialect.begin)?;
            self.line.set_depth(1);
            self.hook(carried, &seen.run, on_error, reason)?;
            self.line.batch(dialect.commit)?;
            self.line.set_depth(0);
            Ok(())
        };
        if let Err(error) = mourn() {
            self.line.roll_back(self.shared.work.store);
            tracing::warn!(migration = %seen.run.id, error = told(&*error), "`on_error` failed");
        }
    }

    pub(super) fn told_state(&self, seen: &Seen, state: MassState, reason: Option<&str>) {
        self.shared.tell(MassEvent::State {
            id: seen.run.id.clone(),
            state,
            reason: reason.map(str::to_owned),
        });
    }
}

/// Says that it was the hook; what passes by itself stays what it is.
pub(super) fn hook_failed(name: &str, error: BoxError) -> BoxError {
    if passes(&*error) {
        error
    } else {
        format!("`{name}` failed: {}", told(&*error)).into()
    }
}
