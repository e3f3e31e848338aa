//! Holding a shard: rests between batches, what passes by itself, and giving it back.

use std::time::Instant;

use migrate_core::mass::ShardState;

use super::{
    lock,
    patience::passes,
    pulse::TELL,
    shard::{Hold, Left},
    worker::Worker,
};
use crate::{error::Error, mass::store};

impl Worker<'_, '_> {
    /// Nothing comes after the cursor: the shard is done.
    pub(super) fn finish(&mut self, hold: &mut Hold<'_>) -> Result<Left, Error> {
        loop {
            let finished = {
                let _turn = self.shared.turn();
                self.line
                    .count(&store::finishing(self.shared.work.store, hold.held))
            };
            match finished {
                Ok(1) => return Ok(Left::Done),
                Ok(_) => return Ok(Left::Lost),
                Err(error) => {
                    let error = Error::database("say that a shard is done")(error);
                    if let Some(left) = self.recover(hold, error)? {
                        return Ok(left);
                    }
                    // Somebody else's batch, of a session that was thought lost, may have come in between.
                    if hold.at.state == ShardState::Done {
                        return Ok(Left::Done);
                    }
                }
            }
        }
    }

    /// Waits as long as the run says between two batches.
    pub(super) fn rest(&mut self, hold: &mut Hold<'_>) -> Result<Option<Left>, Error> {
        let began = Instant::now();
        loop {
            let left = hold.run.live.pause.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            if self.shared.interrupt.wait(left.min(TELL)) {
                return Ok(None);
            }
            if left > TELL {
                // Orders are obeyed meanwhile, and the lease lasts.
                if self.shared.connect.is_none() {
                    let sql =
                        store::extend(self.shared.work.store, hold.held, self.shared.work.lease);
                    if let Err(error) = self.line.batch(&sql) {
                        return self.recover(hold, Error::database("extend a lease")(error));
                    }
                }
                match self.refresh(hold) {
                    Ok(None) => {}
                    Ok(Some(left)) => return Ok(Some(left)),
                    Err(error) => return self.recover(hold, error),
                }
            }
        }
    }

    /// Where no heartbeat does, and about as often.
    pub(super) fn tell_progress(&mut self) {
        if self.shared.connect.is_some() {
            return;
        }
        {
            let mut told = lock(&self.shared.told);
            if told.elapsed() < TELL {
                return;
            }
            *told = Instant::now();
        }
        if let Err(error) = self.shared.tell_progress(&mut *self.line) {
            tracing::debug!(%error, "could not read how far a run is");
        }
    }

    /// Gives the shard back: open to anybody at once.
    pub(super) fn give_back(&mut self, hold: &Hold<'_>) -> Result<(), Error> {
        let _turn = self.shared.turn();
        store::give_back(self.shared.work.store, &mut *self.line, hold.held)
            .map_err(Error::database("give a shard back"))
    }

    /// After an error that passes by itself: waits, connects again where that is needed, and goes on from
    /// what the database says. `Some` when the shard is not to be gone on with.
    pub(super) fn recover(
        &mut self,
        hold: &mut Hold<'_>,
        error: Error,
    ) -> Result<Option<Left>, Error> {
        let is_alive = self.line.roll_back(self.shared.work.store);
        if is_alive && passes(&error) {
            return match hold.patience.next() {
                Some(wait) => {
                    tracing::debug!(%error, "tried again after {wait:?}");
                    self.shared.interrupt.wait(wait);
                    Ok(None)
                }
                None => Err(error),
            };
        }
        self.after(error, &mut hold.patience)?;
        // What the lost session was at may still be committed: not any more once there is a new token.
        loop {
            let _turn = self.shared.turn();
            let again = store::reclaim(
                self.shared.work.store,
                &mut *self.line,
                hold.held,
                self.shared.work.lease,
            );
            match again {
                Ok(Some((held, at))) => {
                    hold.renew(held, at);
                    return Ok(None);
                }
                Ok(None) => return Ok(Some(Left::Lost)),
                Err(error) => {
                    self.after(
                        Error::database("claim a shard again")(error),
                        &mut hold.patience,
                    )?;
                }
            }
        }
    }
}
