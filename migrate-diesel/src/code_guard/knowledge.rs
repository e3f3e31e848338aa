//! [`Knowledge`]: which migrations are applied, as far as one guard knows. Asked by many at once; the
//! database is asked by one of them.

use std::{
    collections::HashSet,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use migrate_core::NodeRef;

use super::Missing;

/// How old a "no" may be.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(1);

/// How old a "yes" may be, where nothing else is said. An old one holds until there is a new answer.
pub(super) const REMEMBER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Knowledge {
    remember: Duration,
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What was applied when the database answered last.
    applied: HashSet<NodeRef>,
    /// When the database was asked last, and why it did not answer, if it did not.
    last: Option<(Instant, Option<Missing>)>,
    asking: Asking,
    wakers: Vec<Waker>,
}

/// Whether somebody asks the database at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asking {
    #[default]
    Nobody,
    Somebody,
}

/// What to do for an answer.
#[derive(Debug)]
pub(super) enum Next {
    /// Here it is.
    Answer(Result<(), Missing>),
    /// Ask the database, and [`learn`](Knowledge::learn).
    Ask,
    /// Wait for the one that asks.
    Wait,
}

impl Knowledge {
    pub(super) fn new(remember: Duration) -> Self {
        Self {
            // Whoever waits for an answer must have time to read it.
            remember: remember.max(ASK_AGAIN),
            state: Mutex::default(),
            answered: Condvar::new(),
        }
    }

    /// What to do for an answer about `node`. Whoever gets [`Next::Ask`] has to ask.
    fn next(&self, state: &mut State, node: NodeRef) -> Next {
        if state.applied.contains(&node) {
            let last = state.last.as_ref();
            let is_old = last.is_none_or(|(at, _)| at.elapsed() >= self.remember);
            if is_old && state.asking == Asking::Nobody {
                state.asking = Asking::Somebody;
                return Next::Ask;
            }
            return Next::Answer(Ok(()));
        }
        let stale = match &state.last {
            Some((at, failure)) => {
                let missing = failure.clone().unwrap_or(Missing::NotApplied);
                if at.elapsed() < ASK_AGAIN {
                    return Next::Answer(Err(missing));
                }
                Some(missing)
            }
            None => None,
        };
        match (state.asking, stale) {
            (Asking::Nobody, _) => {
                state.asking = Asking::Somebody;
                Next::Ask
            }
            // A database that hangs holds up one caller, not all.
            (Asking::Somebody, Some(missing)) => Next::Answer(Err(missing)),
            (Asking::Somebody, None) => Next::Wait,
        }
    }

    /// The answer; asks with `ask` when it is this caller's turn.
    pub(super) fn answer(
        &self,
        node: NodeRef,
        ask: impl Fn() -> Result<HashSet<NodeRef>, Missing>,
    ) -> Result<(), Missing> {
        let mut state = self.state();
        loop {
            match self.next(&mut state, node) {
                Next::Answer(answer) => return answer,
                Next::Ask => {
                    drop(state);
                    let found = ask();
                    // Of what was just asked, however long that took.
                    return self.learn(found, node);
                }
                Next::Wait => {
                    let waited = self.answered.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// As [`answer`](Self::answer), without waiting: `start` begins to ask elsewhere, and `waker` is
    /// called when there is an answer.
    pub(super) fn poll(
        &self,
        node: NodeRef,
        waker: &Waker,
        start: impl FnOnce(),
    ) -> Poll<Result<(), Missing>> {
        let mut state = self.state();
        let next = self.next(&mut state, node);
        if let Next::Answer(answer) = next {
            return Poll::Ready(answer);
        }
        state.wakers.push(waker.clone());
        drop(state);
        if matches!(next, Next::Ask) {
            start();
        }
        Poll::Pending
    }

    /// Keeps what the database said, tells those who wait, and answers about `node`.
    pub(super) fn learn(
        &self,
        found: Result<HashSet<NodeRef>, Missing>,
        node: NodeRef,
    ) -> Result<(), Missing> {
        let mut state = self.state();
        let failure = match found {
            Ok(applied) => {
                // What is not among it any more was reverted.
                state.applied = applied;
                None
            }
            Err(missing) => Some(missing),
        };
        let answer = if state.applied.contains(&node) {
            Ok(())
        } else {
            Err(failure.clone().unwrap_or(Missing::NotApplied))
        };
        state.last = Some((Instant::now(), failure));
        state.asking = Asking::Nobody;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.answered.notify_all();
        wakers.into_iter().for_each(Waker::wake);
        answer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
