//! The end of a run: its state, its row in the history and its last hook, in one transaction.

use migrate_core::mass::{MassState, frontend::MassEvent};

use super::{Carried, failure::told, worker::Worker};
use crate::{
    error::Error,
    mass::store::{self, Again, Change, Ordered, Seen, Verdict},
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
        let ordered = {
            let _turn = shared.turn();
            store::in_transaction(store, &mut *self.line, |driver| {
                if store::make(store, driver, change)? == Ordered::Changed {
                    return Ok(Verdict::Undo(Ordered::Changed));
                }
                driver.batch(&row)?;
                Ok(Verdict::Keep(Ordered::Done))
            })
            .map_err(Error::database("record that a mass migration is applied"))?
        };
        if ordered == Ordered::Done {
            self.told_state(seen, MassState::Succeeded, None);
        }
        Ok(())
    }

    /// A run has failed.
    pub(super) fn failed(&mut self, _carried: Carried, seen: &Seen, reason: &str) {
        self.told_state(seen, MassState::Failed, Some(reason));
        let _ = told;
    }

    pub(super) fn told_state(&self, seen: &Seen, state: MassState, reason: Option<&str>) {
        self.shared.tell(MassEvent::State {
            id: seen.run.id.clone(),
            state,
            reason: reason.map(str::to_owned),
        });
    }
}
