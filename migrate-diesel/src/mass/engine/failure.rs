//! What fails: smaller batches, down to the unit that fails alone; quarantine; a run that cannot go on.

use std::error::Error as StdError;

use diesel::QueryResult;
use migrate_core::mass::{
    MassKind, MassRun, MassState, ShardState, frontend::MassEvent, legal, pace::AfterFailure,
};

use super::{
    Carried,
    patience::passes,
    shard::{Fresh, Hold, Left},
    worker::Worker,
};
use crate::{
    error::Error,
    mass::{
        Piece, parameters,
        store::{self, Again, Change, Moved, Ordered, Seen, Verdict},
        throttle::{HeldBack, Throttles},
    },
    migration::BoxError,
};

impl Worker<'_, '_> {
    /// A batch failed: a smaller one is next, or its only unit goes to quarantine.
    pub(super) fn split(
        &mut self,
        hold: &mut Hold<'_>,
        piece: &Piece,
        error: String,
    ) -> Result<Option<Left>, Error> {
        let error = without_secrets(hold.carried, &hold.run, error);
        // There is nothing behind it that could go on without it.
        if matches!(
            hold.carried.mass.facts.kind,
            MassKind::Custom | MassKind::Simple
        ) {
            return self.fail(hold, &error).map(Some);
        }
        match hold.probe.failed(piece.units) {
            AfterFailure::Smaller => Ok(None),
            AfterFailure::Quarantine => self.quarantine(hold, piece, error),
        }
    }

    /// Puts a unit into quarantine and moves the cursor over it, in one transaction.
    fn quarantine(
        &mut self,
        hold: &mut Hold<'_>,
        piece: &Piece,
        error: String,
    ) -> Result<Option<Left>, Error> {
        let shared = self.shared;
        let store = shared.work.store;
        let state = hold.after(piece);
        let moving = store::moving(
            store,
            hold.held,
            &Moved {
                cursor: Some(&piece.last),
                state,
                before: &hold.at,
                units: piece.units,
                rows: 0,
                batch: hold.size,
                rate: hold.at.rate,
                lease: shared.work.lease,
            },
        );
        let statements = [
            store::putting(store, hold.held, &piece.first, &error),
            store::touching(store, hold.run.run),
        ];
        let moved = self.write(&statements, &moving);
        match moved {
            Ok(true) => {
                hold.moved(Some(piece.last.clone()), piece.units, 0, state);
                hold.fresh = Fresh::No;
                hold.probe.moved(piece.units);
                shared.tell(MassEvent::Quarantined {
                    id: hold.run.id.clone(),
                    key: piece.first.clone(),
                    error,
                });
                Ok((state == ShardState::Done).then_some(Left::Done))
            }
            Ok(false) => Ok(Some(Left::Lost)),
            Err(error) => self.recover(hold, Error::database("put a unit into quarantine")(error)),
        }
    }

    /// Statements and a move of the cursor, all or nothing; `false` when the shard is not ours.
    pub(super) fn write(&mut self, statements: &[String], moving: &str) -> QueryResult<bool> {
        let shared = self.shared;
        let _turn = shared.turn();
        store::in_transaction(shared.work.store, &mut *self.line, |driver| {
            // First what decides: nobody waits for what is undone anyway.
            if driver.count(moving)? != 1 {
                return Ok(Verdict::Undo(false));
            }
            for statement in statements {
                driver.batch(statement)?;
            }
            Ok(Verdict::Keep(true))
        })
    }

    /// An error of the source of batches.
    pub(super) fn stumbled(
        &mut self,
        hold: &mut Hold<'_>,
        error: BoxError,
    ) -> Result<Option<Left>, Error> {
        let is_alive = self.line.roll_back(self.shared.work.store);
        if is_alive && !passes(&*error) {
            return self.fail(hold, &told(&*error)).map(Some);
        }
        let error = self.source_failed(error);
        self.recover(hold, error)
    }

    /// Gives the shard back, and says that its run cannot go on.
    pub(super) fn fail(&mut self, hold: &Hold<'_>, reason: &str) -> Result<Left, Error> {
        self.give_back(hold)?;
        self.fail_run(hold.carried, hold.run.run, reason)?;
        Ok(Left::Closed)
    }

    /// Says that a run cannot go on, whatever others do to it meanwhile.
    pub(super) fn fail_run(
        &mut self,
        carried: Carried,
        run: i64,
        reason: &str,
    ) -> Result<(), Error> {
        while let Some(seen) = self.look(run)? {
            if !legal(seen.run.state, MassState::Failed) {
                return Ok(());
            }
            let reason = &without_secrets(carried, &seen.run, reason.to_owned());
            let change = Change {
                run: &seen.run,
                to: MassState::Failed,
                reason: Some(reason),
                throttled_for: None,
                by: &self.owner,
            };
            let ordered = {
                let _turn = self.shared.turn();
                store::order(self.shared.work.store, &mut *self.line, &change, Again::No)
                    .map_err(Error::database("say that a run failed"))?
            };
            if ordered == Ordered::Done {
                self.failed(carried, &seen, reason);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Asks the throttle signals before a run that they held back is gone on with.
    pub(super) fn still_held_back(&mut self, carried: Carried, seen: &Seen) -> Result<bool, Error> {
        let Some(back) = self.ask_signals(carried) else {
            return Ok(false);
        };
        let change = Change {
            run: &seen.run,
            to: MassState::Throttled,
            reason: Some(&back.reason),
            throttled_for: Some(back.back_off),
            by: &self.owner,
        };
        let _turn = self.shared.turn();
        store::hold_longer(self.shared.work.store, &mut *self.line, &change)
            .map_err(Error::database("say that a run is held back"))?;
        Ok(true)
    }

    fn ask_signals(&mut self, carried: Carried) -> Option<HeldBack> {
        let Carried { at, mass, .. } = carried;
        if mass.throttle.is_empty() {
            return None;
        }
        let throttles = self
            .throttles
            .entry(at)
            .or_insert_with(|| Throttles::new(mass.throttle));
        throttles.ask(&mut *self.line)
    }

    /// Asks the throttle signals, not for every batch. `Some` when the shard was given back.
    pub(super) fn held_back(&mut self, hold: &Hold<'_>) -> Result<Option<Left>, Error> {
        let Some(back) = self.ask_signals(hold.carried) else {
            return Ok(None);
        };
        self.give_back(hold)?;
        let change = Change {
            run: &hold.run,
            to: MassState::Throttled,
            reason: Some(&back.reason),
            throttled_for: Some(back.back_off),
            by: &self.owner,
        };
        let ordered = {
            let _turn = self.shared.turn();
            store::order(self.shared.work.store, &mut *self.line, &change, Again::No)
                .map_err(Error::database("say that a run is held back"))?
        };
        // Who was faster has said so, or something else that counts more.
        if ordered == Ordered::Done {
            self.shared.tell(MassEvent::State {
                id: hold.run.id.clone(),
                state: MassState::Throttled,
                reason: Some(back.reason),
            });
        }
        Ok(Some(Left::Closed))
    }
}

/// An error without the values that are shown nowhere: bodies and databases repeat what they were given.
fn without_secrets(carried: Carried, run: &MassRun, error: String) -> String {
    let masked = parameters::masked(carried.mass.code.fields());
    match super::shard::parameters(run) {
        Ok(given) => parameters::without_masked(error, &given, &masked),
        Err(_) => error,
    }
}

/// What an error and its causes say, each thing once.
pub(super) fn told(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}
