//! Ending a migration other than well: rolled back, recorded, told.

use std::time::Duration;

use diesel::{QueryResult, result::Error as DieselError};
use migrate_core::{State, error_chain, report::Event};

use super::{Runner, advance::Open};
use crate::{
    backend::ImplicitCommit,
    error::{BodyError, Error, Undone},
    history::{Claim, Ending},
};

impl Runner<'_> {
    pub(super) fn commit_failed(&mut self, open: &Open, source: DieselError) -> Error {
        let lost = crate::error::is_connection_loss(&source) || self.driver.depth().is_err();
        let error = if lost {
            BodyError::ConnectionLost
        } else if ended_by_body(&source) || self.ended_itself(&open.claim) {
            BodyError::EndedTransaction
        } else if aborted_by_body(&source) {
            BodyError::Swallowed
        } else {
            BodyError::Commit(source)
        };
        self.failed(&open.claim, open.duration, error)
    }

    /// Whether the claim is there although its transaction was rolled back: then the body has committed it.
    fn ended_itself(&mut self, claim: &Claim) -> bool {
        let own_transaction =
            claim.transaction && self.driver.dialect().implicit_commit == ImplicitCommit::Never;
        let row = self.store.row(self.driver, &claim.id.to_string());
        own_transaction
            && matches!(row, Ok(Some(row)) if row.attempt == claim.attempt && row.by == claim.by && row.state != State::Failed.as_str())
    }

    /// Records a failure and tells of it.
    pub(super) fn failed(
        &mut self,
        claim: &Claim,
        duration: Duration,
        mut error: BodyError,
    ) -> Error {
        self.roll_back();
        if let Err(error) = self.bring_back() {
            tracing::warn!(migration = %claim.id, %error, "could not bring the session back");
        }
        self.name_holders(&mut error);
        let chain = error_chain(&error);
        let undone = match &error {
            BodyError::ConnectionLost => Undone::Everything,
            // What came after the end of the transaction was permanent at once.
            BodyError::EndedTransaction
                if self.driver.dialect().implicit_commit == ImplicitCommit::Never =>
            {
                Undone::NotEverything
            }
            _ => self.undone(claim),
        };
        let ended = claim.transaction
            && self.driver.dialect().implicit_commit == ImplicitCommit::Never
            && undone == Undone::NotEverything;
        let state = if ended { State::Running } else { State::Failed };
        let detail = chain.join(": ");
        if !matches!(error, BodyError::ConnectionLost)
            && let Err(error) = self.record(
                claim,
                &Ending {
                    state,
                    duration,
                    detail: &detail,
                },
            )
        {
            tracing::warn!(migration = %claim.id, %error, "could not record the failure");
        }
        self.recover_views();
        self.tell_failure(claim, duration, undone, error)
    }

    /// Tells of a failure, and makes the run's error of it.
    pub(super) fn tell_failure(
        &mut self,
        claim: &Claim,
        duration: Duration,
        undone: Undone,
        source: BodyError,
    ) -> Error {
        self.state.summary.failed += 1;
        let (id, location) = (claim.id.to_string(), self.location(claim));
        (self.observer)(Event::Failed {
            id: id.clone(),
            duration,
            error: error_chain(&source),
            location,
            rolled_back: undone == Undone::Everything,
        });
        Error::Migration {
            id,
            location,
            undone,
            source,
        }
    }

    /// What became of the effects, after the rollback.
    fn undone(&mut self, claim: &Claim) -> Undone {
        let row = self
            .store
            .row(self.driver, &claim.id.to_string())
            .ok()
            .flatten();
        let ours = row.filter(|row| row.by == claim.by && row.attempt == claim.attempt);
        match (claim.transaction, self.driver.dialect().implicit_commit) {
            (false, _) => Undone::NotEverything,
            // The mark is gone with the transaction, unless DDL has committed it.
            (true, ImplicitCommit::OnDdl)
                if ours.as_ref().is_some_and(|row| row.detail.is_none()) =>
            {
                Undone::Everything
            }
            (true, ImplicitCommit::OnDdl) => Undone::NotEverything,
            (true, ImplicitCommit::Never) if ours.is_none() => Undone::Everything,
            // The claim survived: the body has committed it.
            (true, ImplicitCommit::Never) => Undone::NotEverything,
        }
    }

    pub(super) fn deferred(
        &mut self,
        claim: &Claim,
        duration: Duration,
        reason: &str,
    ) -> Result<(), Error> {
        self.roll_back();
        self.bring_back()?;
        self.record(
            claim,
            &Ending {
                state: State::Deferred,
                duration,
                detail: reason,
            },
        )
        .map_err(Error::database("record that a migration was deferred"))?;
        self.recover_views();
        self.state.summary.deferred += 1;
        (self.observer)(Event::Deferred {
            id: claim.id.to_string(),
            reason: reason.to_owned(),
        });
        Ok(())
    }

    pub(super) fn record(&mut self, claim: &Claim, ending: &Ending<'_>) -> QueryResult<()> {
        let mut statements = Vec::new();
        if self.ended_itself(claim) {
            // What the body committed on its own may be anything: a person has to look.
            statements.push(self.store.remove(&claim.id.to_string()));
        }
        statements.extend(self.store.end(claim, ending));
        self.write(statements)
    }

    pub(super) fn location(&self, claim: &Claim) -> migrate_core::Location {
        let descriptor = self
            .graph
            .position(claim.id)
            .and_then(|at| self.graph.get(at));
        descriptor.map_or(
            migrate_core::Location {
                file: "",
                line: 0,
                column: 0,
            },
            |descriptor| descriptor.location,
        )
    }
}

/// Whether a commit failed because there was nothing to commit any more.
fn ended_by_body(error: &DieselError) -> bool {
    if matches!(error, DieselError::NotInTransaction) {
        return true;
    }
    let message = error.to_string();
    // SQLite; and PostgreSQL through a connection that does not know how its transaction stands.
    message.contains("no transaction is active")
        || message.contains("can only be used in transaction blocks")
}

/// Whether it failed because of a statement before it, on a connection that does not know how its transaction stands.
fn aborted_by_body(error: &DieselError) -> bool {
    error.to_string().contains("current transaction is aborted")
}
