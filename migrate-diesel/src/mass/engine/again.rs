//! What is in quarantine, tried again: shard 0. Each unit alone, settled in the transaction of its effects.

use migrate_core::mass::ShardState;

use super::{
    batch::{Attempt, Beside},
    shard::{Fresh, Hold, Left},
    worker::Worker,
};
use crate::{
    error::Error,
    mass::{
        Feed,
        store::{self, Moved, Unsettled},
    },
};

impl Worker<'_, '_> {
    /// Unit after unit, in the order in which they came there.
    pub(super) fn again(
        &mut self,
        hold: &mut Hold<'_>,
        feed: &mut dyn Feed,
    ) -> Result<Left, Error> {
        loop {
            if let Some(left) = self.before_batch(hold)? {
                return Ok(left);
            }
            let store = self.shared.work.store;
            let after = hold.at.cursor.as_deref().and_then(|it| it.parse().ok());
            let unit = match store::next_unsettled(
                store,
                &mut *self.line,
                hold.run.run,
                after.unwrap_or(0),
            ) {
                Ok(Some(unit)) => unit,
                Ok(None) => return self.finish(hold),
                Err(error) => {
                    let error = Error::database("read what is in quarantine")(error);
                    match self.recover(hold, error)? {
                        Some(left) => return Ok(left),
                        None => continue,
                    }
                }
            };
            let left = match feed.single(&mut *self.line, &unit.key) {
                Ok(Some(piece)) => {
                    let beside = Beside {
                        statements: vec![store::resolving(store, unit.sequence, None)],
                        cursor: Some(unit.sequence.to_string()),
                    };
                    let attempt = self.attempt_with(hold, feed, piece, beside)?;
                    self.tried(hold, &unit, attempt)?
                }
                Ok(None) => {
                    let settled = store::resolving(
                        store,
                        unit.sequence,
                        Some("there is no such row any more"),
                    );
                    self.note(hold, &unit, settled)?
                }
                Err(error) => self.stumbled(hold, error)?,
            };
            if let Some(left) = left {
                return Ok(left);
            }
        }
    }

    fn tried(
        &mut self,
        hold: &mut Hold<'_>,
        unit: &Unsettled,
        attempt: Attempt,
    ) -> Result<Option<Left>, Error> {
        match attempt {
            Attempt::Moved { .. } => {
                hold.patience.restore();
                self.rest(hold)
            }
            Attempt::Failed { error, .. } => {
                let store = self.shared.work.store;
                let failed = store::failing_again(store, unit.sequence, &error);
                self.note(hold, unit, failed)
            }
            Attempt::Changed => {
                hold.fresh = Fresh::No;
                Ok(None)
            }
            other => self.other(hold, other),
        }
    }

    /// Writes what became of a unit without its body, and goes on behind it.
    fn note(
        &mut self,
        hold: &mut Hold<'_>,
        unit: &Unsettled,
        statement: String,
    ) -> Result<Option<Left>, Error> {
        let cursor = unit.sequence.to_string();
        let moving = store::moving(
            self.shared.work.store,
            hold.held,
            &Moved {
                cursor: Some(&cursor),
                state: ShardState::Open,
                before: &hold.at,
                units: 0,
                rows: 0,
                batch: hold.size,
                rate: None,
                lease: self.shared.work.lease,
            },
        );
        match self.write(&[statement], &moving) {
            Ok(true) => {
                hold.moved(Some(cursor), 0, 0, ShardState::Open);
                Ok(None)
            }
            Ok(false) => Ok(Some(Left::Lost)),
            Err(error) => self.recover(hold, Error::database("write what became of a unit")(error)),
        }
    }
}
