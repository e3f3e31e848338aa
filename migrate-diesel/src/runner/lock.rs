//! The deploy lock: taken with patience, given back on every path.

use std::time::{Duration, Instant};

use diesel::QueryResult;
use migrate_core::report::{Event, LockHolder};

use super::{Runner, Used};
use crate::{
    backend::{Held, LockKey, Locked, SessionState},
    error::Error,
};

/// First pause between two attempts; doubled up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// How often those who watch are told that we wait.
const TELL_EVERY: Duration = Duration::from_secs(1);

impl Runner<'_> {
    /// Takes the lock, trying again until `wait` is over.
    pub(super) fn lock(&mut self, key: &LockKey, wait: Duration) -> Result<(), Error> {
        let held = self.try_until(key, wait)?;
        self.state.held = Some(held);
        Ok(())
    }

    fn try_until(&mut self, key: &LockKey, wait: Duration) -> Result<Held, Error> {
        let began = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        let mut told: Option<Instant> = None;
        loop {
            if let Locked::Yes(held) = self
                .driver
                .try_lock(key)
                .map_err(Error::database("take the deploy lock"))?
            {
                crate::observe::locked(began.elapsed());
                return Ok(held);
            }
            let waited = began.elapsed();
            let tell = told.is_none_or(|at| at.elapsed() >= TELL_EVERY);
            if tell || waited >= wait {
                // Only for the message: not knowing is no reason to stop waiting.
                let holder = self.driver.lock_holder(key).ok().flatten();
                if waited >= wait {
                    return Err(Error::Lock {
                        holder,
                        waited: Duration::from_secs(wait.as_secs().max(waited.as_secs())),
                    });
                }
                (self.observer)(Event::Waiting { holder, waited });
                told = Some(Instant::now());
            }
            let pausing = pause.min(wait.saturating_sub(waited));
            if self.state.interrupt.wait(pausing) {
                let holder = self.driver.lock_holder(key).ok().flatten();
                return Err(Error::Interrupted {
                    when: waiting_for(holder.as_ref()),
                });
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Brings the session back to how it was found, and gives the lock back.
    pub(super) fn release(&mut self, key: &LockKey) -> Result<(), Error> {
        // An error or a panic on the way left it open; nobody else may go on before it is gone.
        if matches!(self.driver.depth(), Ok(Some(_))) {
            self.roll_back();
        }
        let durations = self.flush_durations();
        if self.state.watch.take().is_some() {
            self.driver.listen(None);
        }
        let session = std::mem::take(&mut self.state.session);
        if self.state.used == Used::Yes && self.driver.depth().is_ok() {
            // The connection is the caller's again; what cannot be brought back is no failure of the run.
            if let Err(error) = self.driver.isolate(&session) {
                tracing::debug!(%error, "could not bring the session back");
            }
        }
        let SessionState {
            restore_finally,
            restore_names,
            ..
        } = session;
        let restore_finally = match self.state.ran {
            Used::Yes => restore_finally,
            Used::No => restore_names,
        };
        let restored = if restore_finally.is_empty() {
            Ok(())
        } else {
            self.driver.batch(&restore_finally)
        };
        let unlocked = match self.state.held.take() {
            Some(held) => self.driver.unlock(key, held),
            None => Ok(()),
        };
        durations?;
        restored
            .and(unlocked)
            .map_err(Error::database("give the deploy lock back"))
    }

    /// Writes the durations of what was applied with its claim alone.
    fn flush_durations(&mut self) -> Result<(), Error> {
        let durations = std::mem::take(&mut self.state.durations);
        if durations.is_empty() {
            return Ok(());
        }
        self.driver
            .batch(&self.store.took(&durations))
            .map_err(Error::database("record how long the migrations took"))
    }

    /// What a claim has to check about the session, where nothing watches it.
    pub(super) fn clean_condition(&self) -> Option<String> {
        match self.state.watch {
            Some(_) => None,
            None => self.driver.clean_condition(&self.state.session),
        }
    }

    /// Brings the session back by statements, where statements can.
    pub(super) fn bring_back(&mut self) -> Result<(), Error> {
        let Some(sql) = self.isolation() else {
            return Ok(());
        };
        let script = format!("BEGIN;\n{sql};\nCOMMIT");
        self.driver
            .batch(&script)
            .map_err(Error::database("bring the session back"))?;
        self.state.used = Used::No;
        Ok(())
    }

    /// Brings the session back between two bodies, where that is not done by statements that travel
    /// with the next claim.
    pub(super) fn isolate(&mut self) -> Result<(), Error> {
        self.bring_back()?;
        if std::mem::take(&mut self.state.used) == Used::No {
            return Ok(());
        }
        let key = LockKey::new(&self.store.table);
        if let Some(url) = self.url {
            let reopened = self
                .driver
                .reopen(&crate::url::for_driver(url, &self.settings.session))
                .map_err(|error| Error::connect(url, &error))?;
            if reopened {
                self.state.session.id = self
                    .driver
                    .session_id()
                    .map_err(Error::database("read the session's number"))?;
                crate::backend::configure(self.driver, &self.settings.session)?;
                // The old session's lock goes when the server has noticed its end.
                return self.lock(&key, self.settings.lock_wait);
            }
        }
        self.driver
            .isolate(&self.state.session)
            .map_err(Error::database("bring the session back"))
    }

    /// Writes history by itself, outside of any body's transaction: all of it or nothing.
    pub(super) fn write(&mut self, statements: Vec<String>) -> QueryResult<()> {
        let dialect = self.driver.dialect();
        let mut script = vec![dialect.begin.to_owned()];
        script.extend(statements);
        script.push(dialect.commit.to_owned());
        let result = self.driver.batch(&script.join(";\n"));
        match result {
            Ok(()) => self.driver.set_depth(0),
            // A connection that is broken stays so.
            Err(_) => self.roll_back(),
        }
        result
    }
}

fn waiting_for(holder: Option<&LockHolder>) -> String {
    let held = holder.map_or_else(String::new, |holder| format!(", held by {holder}"));
    format!("while waiting for the deploy lock{held}")
}
