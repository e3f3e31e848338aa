//! `resolve`: a person says what became of an interrupted migration.

use std::time::Duration;

use migrate_core::{Standing, State, frontend::Resolution};

use super::Runner;
use crate::{
    error::Error,
    history::{REVERT_BEGUN, Sight},
};

impl Runner<'_> {
    /// Settles an interrupted (or failed) migration. Returns its full id.
    pub(crate) fn resolve(
        mut self,
        text: &str,
        decision: Resolution,
        wait: Option<Duration>,
    ) -> Result<String, Error> {
        let at = self.graph.find(text)?;
        let id = self
            .graph
            .get(at)
            .map_or_else(|| text.to_owned(), |descriptor| descriptor.id.to_string());
        let state = self.state_at(at)?;
        if !may_be_settled(state, decision) && state != State::Running {
            return Err(Error::NotInterrupted { id, state });
        }
        self.locked(wait, |runner| {
            // Again, now that whoever ran it is certain to be gone.
            let read = runner.store.read(runner.driver, Sight::Settled)?;
            let standing = Standing::new(runner.graph, &read.history);
            let state = standing.state(at);
            let Some(row) = standing.row(at).filter(|_| may_be_settled(state, decision)) else {
                return Err(Error::NotInterrupted {
                    id: id.clone(),
                    state,
                });
            };
            runner.settle(&row.id, decision)
        })?;
        Ok(id)
    }

    fn state_at(&mut self, at: usize) -> Result<State, Error> {
        let read = self.store.read(self.driver, Sight::Live)?;
        Ok(Standing::new(self.graph, &read.history).state(at))
    }

    fn settle(&mut self, id: &str, decision: Resolution) -> Result<(), Error> {
        let doing = || Error::database(format!("settle `{id}`"));
        let row = self.store.row(self.driver, id).map_err(doing())?;
        let from = row.as_ref().map_or(State::Running, |row| {
            if row.state == State::Failed.as_str() {
                State::Failed
            } else {
                State::Running
            }
        });
        let reverting = row
            .and_then(|row| row.detail)
            .is_some_and(|detail| detail.starts_with(REVERT_BEGUN));
        let store = self.store;
        let (mut statements, said) = match decision {
            Resolution::Retry if reverting => (
                vec![store.still_applied(id)],
                "retry: still applied, run `down` again",
            ),
            Resolution::Retry => (
                vec![store.transition(
                    id,
                    from,
                    State::Failed,
                    Some("interrupted; to be run again"),
                )],
                "retry",
            ),
            Resolution::Applied => (
                vec![
                    store.transition(id, from, State::Applied, None),
                    store.forget_steps(id),
                ],
                "applied",
            ),
            Resolution::Reverted => (vec![store.remove(id), store.forget_steps(id)], "reverted"),
        };
        statements.push(store.note(id, "resolved", None, said));
        self.write(statements).map_err(doing())
    }
}

fn may_be_settled(state: State, decision: Resolution) -> bool {
    match state {
        State::Interrupted => true,
        // `up` runs it again anyway; a person may have finished or undone it by hand.
        State::Failed => decision != Resolution::Retry,
        _ => false,
    }
}
