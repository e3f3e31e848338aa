//! One batch: body, cursor and counters in one transaction, which commits only while the shard is ours.

use std::{
    collections::HashSet,
    sync::{Mutex, atomic::AtomicBool, atomic::Ordering::Relaxed},
};

use diesel::result::Error as DieselError;
use migrate_core::mass::ShardState;

use super::{
    Carried,
    failure::told,
    patience::{database, passes},
    shard::Hold,
    worker::Worker,
};
use crate::{
    error::{BodyError, Error},
    guard::{Keeper, Patience, unmanaged_of},
    mass::{
        Feed, Piece,
        store::{self, Moved},
    },
    migration::{BoxError, ConnectionKind, Erased},
    runner,
    session::{Context, Steps},
};

/// Notices that a body ended the transaction, where that is not heard.
const MARK: &str = "SAVEPOINT migrate_batch";
const UNMARK: &str = "RELEASE SAVEPOINT migrate_batch";

/// How a batch ended.
#[derive(Debug)]
pub(super) enum Attempt {
    /// Committed.
    Moved {
        /// That it covered.
        units: u64,
    },
    /// Somebody changed the run: look at it, and try again.
    Changed,
    /// Rolled back: its units fail, or one of them.
    Failed { piece: Piece, error: String },
    /// Rolled back, if it was not committed; worth another attempt.
    Passing(Error),
    /// The body did what cannot be undone: nothing more may be done.
    Unsafe(String),
    /// The shard is somebody else's.
    Lost,
    /// It was asked to end, and rolled back.
    Stopped,
}

/// What else is written with a batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    pub(super) statements: Vec<String>,
    /// The cursor to move to, in place of the last key.
    pub(super) cursor: Option<String>,
}

impl Worker<'_, '_> {
    /// Runs the body on a batch and moves the cursor over it.
    pub(super) fn attempt(
        &mut self,
        hold: &mut Hold<'_>,
        feed: &mut dyn Feed,
        piece: Piece,
    ) -> Result<Attempt, Error> {
        self.attempt_with(hold, feed, piece, Beside::default())
    }

    pub(super) fn attempt_with(
        &mut self,
        hold: &mut Hold<'_>,
        feed: &mut dyn Feed,
        mut piece: Piece,
        beside: Beside,
    ) -> Result<Attempt, Error> {
        let shared = self.shared;
        let _turn = shared.turn();
        let opening = self.opening(hold);
        if let Err(error) = self.line.batch(&opening) {
            return self.not_opened(hold, error);
        }
        self.line.set_depth(1);
        let rows = match self.call(hold, feed, &mut piece) {
            Ok(rows) => rows,
            Err(ended) => return Ok(self.ended(ended, piece)),
        };
        let is_again = beside.cursor.is_some();
        let cursor = beside.cursor.unwrap_or_else(|| piece.last.clone());
        let units = if is_again { 0 } else { piece.units };
        let state = if is_again {
            ShardState::Open
        } else {
            hold.after(&piece)
        };
        let rate = hold.rate(units);
        let moving = store::moving(
            shared.work.store,
            hold.held,
            &Moved {
                cursor: Some(&cursor),
                state,
                before: &hold.at,
                units,
                rows,
                batch: hold.size,
                rate,
                lease: shared.work.lease,
            },
        );
        match self.close(&beside.statements, &moving) {
            Ok(true) => {
                hold.moved(Some(cursor), units, rows, state);
                Ok(Attempt::Moved { units })
            }
            Ok(false) => self.not_moved(hold, None, piece),
            Err(error) => self.not_moved(hold, Some(error), piece),
        }
    }

    /// The statements before a body.
    fn opening(&self, hold: &Hold<'_>) -> String {
        let store = self.shared.work.store;
        let mut script = vec![store.dialect.begin.to_owned()];
        if self.line.is_marked() {
            script.push(MARK.to_owned());
        }
        if store.dialect.pipelined {
            script.push(store::unchanged(store, &hold.run));
        }
        script.join(";\n")
    }

    /// The statements after a body; `false` when the shard is not ours any more.
    fn close(&mut self, beside: &[String], moving: &str) -> Result<bool, DieselError> {
        let store = self.shared.work.store;
        let mut before = beside.to_vec();
        let mut after = Vec::new();
        if self.line.is_marked() {
            // Fails when it is not the transaction that was begun.
            after.push(UNMARK.to_owned());
        }
        after.push(store.dialect.commit.to_owned());
        if let Some(moving) = store::or_fail(store, moving) {
            before.push(moving);
            before.append(&mut after);
            self.line.batch(&before.join(";\n"))?;
        } else {
            if !before.is_empty() {
                self.line.batch(&before.join(";\n"))?;
            }
            if self.line.count(moving)? != 1 {
                return Ok(false);
            }
            self.line.batch(&after.join(";\n"))?;
        }
        self.line.set_depth(0);
        Ok(true)
    }

    fn not_opened(&mut self, hold: &Hold<'_>, error: DieselError) -> Result<Attempt, Error> {
        let doing = Error::database("begin a batch");
        if !self.line.roll_back(self.shared.work.store) || database(&error) {
            return Ok(Attempt::Passing(doing(error)));
        }
        let store = self.shared.work.store;
        let glance = store::glance(store, &mut *self.line, hold.run.run);
        match glance {
            Ok(Some(glance)) if glance.revision == hold.run.revision => Err(doing(error)),
            Ok(_) => Ok(Attempt::Changed),
            Err(error) => Ok(Attempt::Passing(Error::database("read a run")(error))),
        }
    }

    /// A batch whose end was refused: by a new owner, or by what the body did.
    fn not_moved(
        &mut self,
        hold: &Hold<'_>,
        error: Option<DieselError>,
        piece: Piece,
    ) -> Result<Attempt, Error> {
        let store = self.shared.work.store;
        let is_alive = self.line.roll_back(store);
        let passes = error.as_ref().is_some_and(database);
        if !is_alive || passes {
            let error = error.unwrap_or(DieselError::BrokenTransactionManager);
            return Ok(Attempt::Passing(Error::database("commit a batch")(error)));
        }
        match store::one(store, &mut *self.line, hold.held.run, hold.held.shard) {
            Err(error) => Ok(Attempt::Passing(Error::database("read a shard")(error))),
            Ok(Some(at)) if at.token == hold.held.token && at.batches == hold.at.batches => {
                Ok(match error {
                    // The one row was there, and is: only another transaction can have missed it.
                    None => Attempt::Unsafe(told(&BodyError::EndedTransaction)),
                    Some(error) if is_without_transaction(&error) => {
                        Attempt::Unsafe(told(&BodyError::EndedTransaction))
                    }
                    Some(error) => Attempt::Failed {
                        piece,
                        error: told(&BodyError::Commit(error)),
                    },
                })
            }
            // Moved under our token: the body's transaction ended before ours did.
            Ok(Some(at)) if at.token == hold.held.token => {
                Ok(Attempt::Unsafe(told(&BodyError::EndedTransaction)))
            }
            Ok(_) => Ok(Attempt::Lost),
        }
    }

    /// Calls the body.
    fn call(
        &mut self,
        hold: &Hold<'_>,
        feed: &mut dyn Feed,
        piece: &mut Piece,
    ) -> Result<u64, Ended> {
        let kind = hold.carried.mass.code.connection();
        self.lend(hold.carried, kind, |erased| feed.run(erased, piece))
    }

    /// Lends the connection, within a transaction, and checks what is left of that.
    pub(super) fn lend<T>(
        &mut self,
        carried: Carried,
        kind: ConnectionKind,
        body: impl FnOnce(Erased<'_>) -> Result<T, BoxError>,
    ) -> Result<T, Ended> {
        let Carried { at, migration, .. } = carried;
        let work = self.shared.work;
        let mut nobody = |_| {};
        let held_views = crate::guard::Held::default();
        self.line.begin_body();
        // A block: what the body borrows ends with it.
        let (result, was_stopped) = {
            let context = Context {
                id: migration.descriptor.id,
                store: work.store,
                steps: Steps::Ignored,
                finished: Mutex::new(HashSet::new()),
                recorded: AtomicBool::new(false),
                observer: Mutex::new(&mut nobody),
                keeper: Keeper {
                    declared: &work.resolved.views,
                    store: work.store,
                    by: &self.owner,
                    applied: &self.applied,
                    held: &held_views,
                    migration: Some(migration.descriptor.id),
                    unmanaged: unmanaged_of(work.resolved.graph.get(at)),
                    patience: Patience {
                        attempt: work.settings.view_lock_timeout,
                        budget: work.settings.view_lock_wait,
                    },
                    interrupt: self.shared.interrupt,
                },
                interrupt: self.shared.interrupt,
                stopped: AtomicBool::new(false),
            };
            let result = match self.line.connection_mut(kind.type_id) {
                Some(connection) => runner::catch(|| {
                    body(Erased {
                        connection,
                        context: &context,
                    })
                }),
                None => Ok(Err(format!(
                    "takes a `{}`, which this connection is not",
                    (kind.type_name)()
                )
                .into())),
            };
            let was_stopped = context.stopped.load(Relaxed);
            (result, was_stopped)
        };
        if self.line.end_body() {
            return Err(Ended::Transaction);
        }
        if was_stopped {
            return Err(Ended::Stopped);
        }
        let value = match result {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => return Err(Ended::Error(error)),
            Err(message) => return Err(Ended::Error(BodyError::Panicked(message).into())),
        };
        match self.line.depth() {
            Err(_) => Err(Ended::Error(BodyError::ConnectionLost.into())),
            Ok(_) if self.line.aborted() => Err(Ended::Error(BodyError::Swallowed.into())),
            Ok(Some(1)) => Ok(value),
            Ok(Some(depth)) if depth > 1 => Err(Ended::Error(BodyError::LeftOpen.into())),
            Ok(_) => Err(Ended::Transaction),
        }
    }

    /// A body that did not end well.
    fn ended(&mut self, ended: Ended, piece: Piece) -> Attempt {
        let is_alive = self.line.roll_back(self.shared.work.store);
        match ended {
            Ended::Stopped if is_alive => Attempt::Stopped,
            Ended::Transaction if is_alive => Attempt::Unsafe(told(&BodyError::EndedTransaction)),
            Ended::Error(error) if is_alive && !passes(&*error) => Attempt::Failed {
                piece,
                error: told(&*error),
            },
            Ended::Error(error) => Attempt::Passing(self.source_failed(error)),
            Ended::Stopped | Ended::Transaction => {
                Attempt::Passing(self.source_failed(BodyError::ConnectionLost.into()))
            }
        }
    }

    /// An error of a body or of a source that passes by itself.
    pub(super) fn source_failed(&self, error: BoxError) -> Error {
        let source = match error.downcast::<DieselError>() {
            Ok(source) => *source,
            Err(error) => DieselError::QueryBuilderError(error),
        };
        Error::database("run a batch")(source)
    }
}

/// How a body ended, other than well.
pub(super) enum Ended {
    Error(BoxError),
    /// It ended its own transaction.
    Transaction,
    /// It was told that the run is to end.
    Stopped,
}

impl From<Ended> for BoxError {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Error(error) => error,
            Ended::Transaction => BodyError::EndedTransaction.into(),
            Ended::Stopped => BodyError::Interrupted.into(),
        }
    }
}

/// Whether a database says that there is no transaction where we had begun one.
fn is_without_transaction(error: &DieselError) -> bool {
    let text = error.to_string().to_lowercase();
    [
        "no transaction is active",
        "savepoint migrate_batch does not exist",
        "savepoint \"migrate_batch\" does not exist",
        "release savepoint can only be used in transaction blocks",
    ]
    .iter()
    .any(|needle| text.contains(needle))
}
