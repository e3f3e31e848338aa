//! How long the statements of a body may take, and what is said when one took longer.

use std::time::Duration;

use migrate_core::{Limits, error_chain};

use super::{
    Runner,
    body::{BodyEnd, Direction},
};
use crate::{
    backend,
    error::{BodyError, Error, TimeLimit},
    history::Claim,
    migration::Body,
};

impl Runner<'_> {
    /// What limits there are that this database cannot have.
    ///
    /// # Errors
    /// These.
    pub(super) fn check_limits(&mut self) -> Result<(), Error> {
        let mut told = Vec::new();
        for at in 0..self.graph.len() {
            let Some(descriptor) = self.graph.get(at).filter(|it| !it.limits.is_none()) else {
                continue;
            };
            if let Some(why) = self.driver.cannot_limit(descriptor.limits) {
                told.push(format!(
                    "`{}` ({}): {why}",
                    descriptor.id, descriptor.location
                ));
            }
        }
        if told.is_empty() {
            Ok(())
        } else {
            Err(Error::Setting(told.join("; ")))
        }
    }

    /// Calls `body`, with the limits of its migration around it.
    pub(super) fn call_limited(
        &mut self,
        body: Body,
        claim: &Claim,
        direction: Direction,
        at: usize,
    ) -> BodyEnd {
        let limits = self.own_limits(at);
        if limits.is_none() {
            return self.call(body, claim, direction, at);
        }
        let undo = match self.driver.limit(limits) {
            Ok(undo) => undo,
            Err(error) => {
                return BodyEnd {
                    duration: Duration::ZERO,
                    result: Err(BodyError::Returned(error.into())),
                    recorded_steps: false,
                };
            }
        };
        let end = self.call(body, claim, direction, at);
        if self.driver.depth().is_ok() {
            // In an aborted transaction this does nothing: there the limit goes with the rollback.
            backend::take_back(self.driver, &undo);
        }
        end
    }

    fn own_limits(&self, at: usize) -> Limits {
        self.graph.get(at).map_or(Limits::NONE, |it| it.limits)
    }

    /// `error` of the body at `at`, with the setting that it comes from, if it comes from one.
    pub(super) fn explain_limit(&self, at: usize, error: crate::BoxError) -> BodyError {
        let said = error_chain(&*error).join(": ").to_lowercase();
        let says = |needles: &[&str]| needles.iter().any(|needle| said.contains(needle));
        // PostgreSQL, MySQL and MariaDB, SQLite. Diesel has no kinds for them.
        let (limit, own, of_run) = if says(&["lock timeout", "lock wait timeout", "is locked"]) {
            let of_run = self.settings.session.limits.lock;
            (TimeLimit::Lock, self.own_limits(at).lock, of_run)
        } else if says(&["statement timeout", "max_statement_time"]) {
            let of_run = self.settings.session.limits.statement;
            (TimeLimit::Statement, self.own_limits(at).statement, of_run)
        } else {
            return BodyError::Returned(error);
        };
        let setting = match (own, of_run) {
            (Some(own), _) => format!("{} of this migration", written(limit, own)),
            (None, Some(of_run)) => format!("{} of the run", written(limit, of_run)),
            // The database's own: its words are the best ones.
            (None, None) => return BodyError::Returned(error),
        };
        BodyError::TimedOut {
            limit,
            setting,
            holders: Vec::new(),
            source: error,
        }
    }

    /// Who holds locks now, that the transaction is over in which a statement waited for one.
    pub(super) fn name_holders(&mut self, error: &mut BodyError) {
        if let BodyError::TimedOut {
            limit: TimeLimit::Lock,
            holders,
            ..
        } = error
        {
            // Only for the message.
            *holders = self.driver.lock_holders().unwrap_or_default();
        }
    }
}

fn written(limit: TimeLimit, of: Duration) -> String {
    format!("`{} = \"{}\"`", limit.key(), humantime::format_duration(of))
}
