//! [`Failure`]: why a command did not do what it was asked, as plain data for a front end.

use std::fmt;

use crate::{descriptor::Location, report::Problem};

/// What kind of failure; a front end makes an exit code of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// A migration failed, is blocked or is not yet done.
    Migration,
    /// The request or the configuration is wrong.
    Usage,
    /// Code and history disagree, and going on would be unsafe.
    Disagreement,
    /// The deploy lock was not obtained in time.
    Lock,
    /// The database cannot be reached (or refuses us).
    Unreachable,
}

/// Whether to ask again later can help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outlook {
    /// A server that is starting, or not there yet: it may.
    #[default]
    MayPass,
    /// A wrong password, a database that does not exist: only a person can help.
    Stays,
}

/// Why a command did not do what it was asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// Of what is [unreachable](FailureKind::Unreachable): whether it may become reachable by itself.
    pub outlook: Outlook,
    /// One sentence, lower case, no full stop; names the thing.
    pub message: String,
    /// Causes, outermost first, each said once.
    pub causes: Vec<String>,
    /// What to do now.
    pub next_step: Option<String>,
    /// Where in the source.
    pub location: Option<Location>,
    /// All problems found, when there is a list of them.
    pub problems: Vec<Problem>,
}

impl Failure {
    /// A failure that says `message`.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            outlook: Outlook::MayPass,
            message: message.into(),
            causes: Vec::new(),
            next_step: None,
            location: None,
            problems: Vec::new(),
        }
    }

    /// A failure that says what `error` says, with its causes.
    #[must_use]
    pub fn from_error(kind: FailureKind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = error_chain(error).into_iter();
        let message = chain.next().unwrap_or_default();
        Self {
            causes: chain.collect(),
            ..Self::new(kind, message)
        }
    }

    /// With what to do now.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next_step = Some(step.into());
        self
    }

    /// Whether it is worth waiting: the database cannot be reached, and that may pass.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.kind == FailureKind::Unreachable && self.outlook == Outlook::MayPass
    }

    /// With a place in the source.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// With the problems found.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The messages of an error and its sources, outermost first. A source that repeats what was just
/// said (some libraries put their cause into their own message) is left out.
#[must_use]
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    let mut chain: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if chain.last().is_none_or(|last| !last.ends_with(&text)) {
            chain.push(text);
        }
        next = error.source();
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer: inner")]
    struct Outer(#[source] Inner);
    #[derive(Debug, thiserror::Error)]
    #[error("inner")]
    struct Inner;

    #[test]
    fn a_cause_is_said_once() {
        assert_eq!(error_chain(&Outer(Inner)), ["outer: inner"]);
    }
}
