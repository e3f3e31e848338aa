//! A run that was asked to end: it does so between two bodies, and cuts a body short where that undoes
//! all of it.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use migrate_core::OnRequest;

use super::{
    Runner,
    body::{BodyEnd, Direction},
};
use crate::{
    backend::{Cancelling, Driver, ImplicitCommit},
    error::{BodyError, Error},
    history::Claim,
};

/// Between two attempts to cancel: one that meets no statement has no effect on the next.
const PAUSE: Duration = Duration::from_millis(200);

/// A question that is of no consequence.
const NOTHING: &str =
    "SELECT '1' AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5";

impl Runner<'_> {
    /// Whether there is still to be anything begun.
    ///
    /// # Errors
    /// The run was asked to end.
    pub(super) fn may_begin(&self, what: impl std::fmt::Display) -> Result<(), Error> {
        if self.state.interrupt.requested() {
            return Err(Error::Interrupted {
                when: format!("before {what}"),
            });
        }
        Ok(())
    }

    /// From now on a request cancels the statements of this body, as long as a rollback undoes all that
    /// it did. `None` where that is not so, or where nothing can cancel.
    pub(super) fn cut_short(&mut self, claim: &Claim, direction: Direction) -> Option<Cut> {
        if !claim.transaction {
            return None;
        }
        // DDL commits the mark that the transaction begins with: then a part of it would stay.
        let only_while = match self.driver.dialect().implicit_commit {
            ImplicitCommit::Never => None,
            ImplicitCommit::OnDdl => Some(match direction {
                Direction::Apply => self.store.is_unmarked(claim),
                Direction::Revert => self.store.is_revert_unmarked(claim),
            }),
        };
        self.cut_short_while(only_while)
    }

    /// As [`cut_short`](Self::cut_short), while the query `only_while` has a row.
    pub(super) fn cut_short_while(&mut self, only_while: Option<String>) -> Option<Cut> {
        let url = self.url?.clone();
        let Cancelling { connect, sql } = self.driver.cancelling(&self.state.session)?;
        let shared = Arc::new(Shared::default());
        let for_driver = crate::url::for_driver(&url, &self.settings.session);
        let theirs = Arc::clone(&shared);
        let on_request = self.state.interrupt.on_request(move || {
            let (shared, url, sql) = (Arc::clone(&theirs), url.clone(), sql.clone());
            let (for_driver, only_while) = (for_driver.clone(), only_while.clone());
            // Who requests has other things to do.
            let spawned = thread::Builder::new()
                .name("migrate-cancel".to_owned())
                .spawn(move || {
                    let beside = connect(&for_driver).map_err(|error| Error::connect(&url, &error));
                    shared.cancel(beside, &sql, only_while.as_deref());
                });
            if let Err(error) = spawned {
                tracing::warn!(%error, "the statement that is running cannot be cancelled");
            }
        });
        Some(Cut {
            shared,
            _on_request: on_request,
        })
    }

    /// A body that was cut short has failed, whatever it made of that.
    pub(super) fn note_cut(&mut self, cut: Option<Cut>, end: &mut BodyEnd) {
        if self.was_cut(cut) && !matches!(end.result, Err(BodyError::ConnectionLost)) {
            end.result = Err(BodyError::Interrupted);
        }
    }

    /// Whether something was cancelled; from now on nothing is.
    pub(super) fn was_cut(&mut self, cut: Option<Cut>) -> bool {
        let was = cut.is_some_and(|cut| cut.shared.end() == Stage::Cut);
        if was {
            // A server may have put a late one down for the next statement.
            let _ = self.driver.rows(NOTHING);
        }
        was
    }
}

/// Statements are cancelled on request until this is dropped.
pub(super) struct Cut {
    shared: Arc<Shared>,
    _on_request: OnRequest,
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.shared.end();
    }
}

#[derive(Default)]
struct Shared {
    stage: Mutex<Stage>,
    ended: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Running,
    /// Cancelled at least once.
    Cut,
    Over,
}

impl Shared {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it, and tells how it stood.
    fn end(&self) -> Stage {
        let before = std::mem::replace(&mut *self.stage(), Stage::Over);
        self.ended.notify_all();
        before
    }

    /// Cancels one statement after the other until it is over: a body may go on after an error, or be
    /// between two of them.
    fn cancel(&self, beside: Result<Box<dyn Driver>, Error>, sql: &str, only_while: Option<&str>) {
        let mut beside = match beside {
            Ok(beside) => beside,
            Err(error) => {
                tracing::warn!(%error, "the statement that is running cannot be cancelled");
                return;
            }
        };
        // Held while it is sent, so that nothing is cancelled once it is over.
        let mut stage = self.stage();
        while *stage != Stage::Over {
            if let Some(question) = only_while
                && !beside.rows(question).is_ok_and(|rows| !rows.is_empty())
            {
                return;
            }
            match beside.batch(sql) {
                Ok(()) => *stage = Stage::Cut,
                Err(error) => tracing::warn!(%error, "the statement could not be cancelled"),
            }
            stage = match self.ended.wait_timeout(stage, PAUSE) {
                Ok((stage, _)) => stage,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}
