//! Who holds the deploy lock, and whether its session may be ended: the words of `unlock`.

use std::{fmt, time::Duration};

use crate::{
    error::{Failure, FailureKind},
    report::LockHolder,
};

/// For how long a holder may be silent and still be taken for one that is at work: a body may think between
/// two statements.
pub const SILENCE: Duration = Duration::from_secs(60);

/// The session that holds the deploy lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockSession {
    /// Whose it is.
    pub holder: LockHolder,
    /// What the server calls the session, where it can end it.
    pub session: Option<String>,
    /// What it does.
    pub activity: Activity,
}

/// What a session does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activity {
    /// The server does not tell us.
    #[default]
    Unknown,
    /// It runs a statement.
    Working,
    /// It has sent none for so long.
    Idle(Duration),
}

/// Whether a session that works may be ended too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// Only one that has been silent for [`SILENCE`].
    #[default]
    No,
    /// Any.
    Yes,
}

impl Activity {
    /// Whether it may still be at work.
    #[must_use]
    pub fn may_be_at_work(self) -> bool {
        match self {
            Self::Unknown | Self::Working => true,
            Self::Idle(silent) => silent < SILENCE,
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("whether it is at work cannot be seen"),
            Self::Working => f.write_str("it is running a statement"),
            Self::Idle(silent) => write!(f, "it has sent no statement for {} s", silent.as_secs()),
        }
    }
}

impl LockSession {
    /// Why it must not be ended, if so; else what the server calls it.
    ///
    /// # Errors
    /// The database cannot end it, or it may be at work and nobody forces us.
    pub fn may_be_ended(&self, force: Force) -> Result<&str, Failure> {
        let holder = &self.holder;
        let Some(session) = &self.session else {
            let (process, next) = match (holder.pid, &holder.host) {
                (Some(pid), Some(host)) => (
                    format!("process {pid} on {host}"),
                    format!("end it there, if it should not be at work: `kill {pid}`"),
                ),
                (Some(pid), None) => (format!("process {pid}"), format!("end it: `kill {pid}`")),
                (None, _) => (
                    "another process".to_owned(),
                    "find out which program has the file open".to_owned(),
                ),
            };
            return Err(Failure::new(
                FailureKind::Lock,
                format!("the deploy lock is a file that {process} holds, and goes with it: no database session can be ended"),
            )
            .next(next));
        };
        if force == Force::No && self.activity.may_be_at_work() {
            let mut failure = Failure::new(
                FailureKind::Lock,
                format!(
                    "the deploy lock is held by {holder}, which may be at work; nothing was ended"
                ),
            );
            failure.causes.push(self.activity.to_string());
            return Err(failure.next(
                "wait for it; or, if nobody needs what it is doing, `unlock --yes --force` ends it, and what it has not committed is rolled back",
            ));
        }
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(activity: Activity) -> LockSession {
        LockSession {
            session: Some("17".to_owned()),
            activity,
            ..LockSession::default()
        }
    }

    #[test]
    fn only_who_is_silent_is_ended_without_force() {
        let silent = session(Activity::Idle(SILENCE));
        assert_eq!(silent.may_be_ended(Force::No).unwrap(), "17");
        for activity in [
            Activity::Unknown,
            Activity::Working,
            Activity::Idle(SILENCE / 2),
        ] {
            let working = session(activity);
            let failure = working.may_be_ended(Force::No).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Lock);
            assert_eq!(failure.causes, [activity.to_string()]);
            assert_eq!(working.may_be_ended(Force::Yes).unwrap(), "17");
        }
    }

    #[test]
    fn a_file_is_let_go_by_its_process_alone() {
        let mut file = LockSession::default();
        file.holder.pid = Some(4711);
        file.holder.host = Some("web-2".to_owned());
        let failure = file.may_be_ended(Force::Yes).unwrap_err();
        assert!(
            failure.message.contains("process 4711 on web-2"),
            "{failure}"
        );
        assert!(failure.next_step.unwrap().contains("kill 4711"));
    }
}
