//! Calling a body: whatever it does, it ends as a value.

use std::{
    any::Any,
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::HashSet,
    panic::{self, AssertUnwindSafe},
    sync::{
        Mutex, Once,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{Runner, Used, views::keeper};
use crate::{
    backend::Driver,
    error::BodyError,
    guard::{Keeper, Patience, unmanaged_of},
    history::Claim,
    migration::{Body, Erased, Outcome},
    session::{Context, Steps},
};

/// What a body is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Apply,
    Revert,
}

/// How a body ended.
pub(super) struct BodyEnd {
    pub(super) duration: Duration,
    pub(super) result: Result<Option<Cow<'static, str>>, BodyError>,
    /// Whether it recorded steps that are of no use any more once it is done.
    pub(super) recorded_steps: bool,
}

impl Runner<'_> {
    /// Calls `body`. Its transaction is checked, not ended.
    pub(super) fn call(
        &mut self,
        body: Body,
        claim: &Claim,
        direction: Direction,
        at: usize,
    ) -> BodyEnd {
        let steps = match (claim.transaction, self.driver.dialect().implicit_commit) {
            (true, crate::backend::ImplicitCommit::Never) => Steps::Ignored,
            (true, crate::backend::ImplicitCommit::OnDdl) => Steps::Committed,
            (false, _) => Steps::Recorded,
        };
        let finished =
            if steps == Steps::Ignored || (direction == Direction::Apply && claim.attempt == 1) {
                Ok(Vec::new())
            } else {
                self.store
                    .finished_steps(self.driver, &claim.id.to_string())
            };
        let began = Instant::now();
        let finished: HashSet<String> = match finished {
            Ok(finished) => finished.into_iter().collect(),
            Err(error) => {
                return BodyEnd {
                    duration: began.elapsed(),
                    result: Err(BodyError::Returned(error.into())),
                    recorded_steps: false,
                };
            }
        };
        let had_steps = !finished.is_empty();
        let context = Context {
            id: claim.id,
            store: self.store,
            steps,
            finished: Mutex::new(finished),
            recorded: AtomicBool::new(had_steps),
            observer: Mutex::new(&mut *self.observer),
            keeper: keeper!(self, Some(at)),
            interrupt: &self.state.interrupt,
            stopped: AtomicBool::new(false),
        };
        let lent = match Lent::to(body, &mut *self.driver) {
            Ok(lent) => lent,
            Err(error) => {
                return BodyEnd {
                    duration: Duration::ZERO,
                    result: Err(BodyError::Returned(error)),
                    recorded_steps: false,
                };
            }
        };
        // Watched only while the body runs: `true` means that nobody looks.
        if let Some(seen) = &self.state.watch {
            seen.store(false, Relaxed);
        }
        let result = catch(|| lent.run(body, &context));
        let duration = began.elapsed();
        let recorded_steps = context.recorded.load(Relaxed);
        let result = match result {
            // Whatever it made of that: it has not done everything.
            Ok(_) if context.stopped.load(Relaxed) => Err(BodyError::Interrupted),
            Ok(Ok(outcome)) => self.check_transaction(claim).map(|()| outcome.not_yet),
            Ok(Err(error)) => Err(self.explain(at, error)),
            Err(message) => Err(BodyError::Panicked(message)),
        };
        let clean = self
            .state
            .watch
            .as_ref()
            .is_some_and(|seen| !seen.swap(true, Relaxed));
        self.state.ran = Used::Yes;
        self.state.used = if clean { Used::No } else { Used::Yes };
        BodyEnd {
            duration,
            result,
            recorded_steps,
        }
    }

    /// Whether the transaction is as the body found it.
    fn check_transaction(&mut self, claim: &Claim) -> Result<(), BodyError> {
        let expected = u32::from(claim.transaction);
        match self.driver.depth() {
            Err(_) => Err(BodyError::ConnectionLost),
            Ok(_) if self.driver.aborted() => Err(BodyError::Swallowed),
            Ok(depth) if depth.unwrap_or(0) == expected => Ok(()),
            Ok(depth) if depth.unwrap_or(0) > expected => Err(BodyError::LeftOpen),
            Ok(_) => Err(BodyError::EndedTransaction),
        }
    }

    fn explain(&mut self, at: usize, error: crate::BoxError) -> BodyError {
        if self.driver.depth().is_err() {
            tracing::warn!(%error, "the connection broke while a body ran");
            return BodyError::ConnectionLost;
        }
        self.explain_limit(at, error)
    }
}

/// What a body is run with.
enum Lent<'d> {
    Connection(&'d mut dyn Any),
    /// SQL text needs no connection that it knows.
    Driver(&'d mut dyn Driver, &'static str),
}

impl<'d> Lent<'d> {
    fn to(body: Body, driver: &'d mut dyn Driver) -> Result<Self, crate::BoxError> {
        if let Some(text) = body.sql() {
            return Ok(Self::Driver(driver, text));
        }
        let kind = body.connection();
        match driver.connection_mut(kind.type_id) {
            Some(connection) => Ok(Self::Connection(connection)),
            None => Err(format!(
                "takes a `{}`, which this connection is not",
                (kind.type_name)()
            )
            .into()),
        }
    }

    fn run<'x>(self, body: Body, context: &'x Context<'x>) -> Result<Outcome, crate::BoxError>
    where
        'd: 'x,
    {
        match self {
            Self::Connection(connection) => body.run(Erased {
                connection,
                context,
            }),
            // MySQL takes no empty query for one.
            Self::Driver(_, "") => Ok(Outcome::Done),
            Self::Driver(driver, text) => Ok(driver.batch(text).map(|()| Outcome::Done)?),
        }
    }
}

thread_local! {
    /// Whether a body runs on this thread, and what its panic said.
    static IN_BODY: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Calls `body`; a panic becomes its message, with its place, and is not printed.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |information| {
            if IN_BODY.get() {
                let place = information.location().map_or_else(String::new, |place| {
                    format!(" ({}:{})", place.file(), place.line())
                });
                SAID.set(Some(format!("{}{place}", message(information.payload()))));
            } else {
                before(information);
            }
        }));
    });
    IN_BODY.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    IN_BODY.set(false);
    result.map_err(|payload| SAID.take().unwrap_or_else(|| message(&*payload)))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_message_with_a_place() {
        let message = catch(|| panic!("no {}", "luck")).unwrap_err();
        assert!(
            message.starts_with("no luck (") && message.contains("body.rs:"),
            "{message}"
        );
        assert_eq!(catch(|| 1), Ok(1));
    }
}
