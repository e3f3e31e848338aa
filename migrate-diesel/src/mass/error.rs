//! [`MassError`]: why a mass migration cannot be started, changed or worked on.

use migrate_core::{
    FailureKind, Location,
    mass::{MassState, schedule::Refused},
};

use super::parameters::ParametersError;

/// Why a mass migration cannot be started, changed or worked on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MassError {
    /// `up` runs it.
    #[error("`{id}` ({location}) is no mass migration")]
    NotMass {
        /// `package:name`.
        id: String,
        /// Where it is.
        location: Location,
    },
    /// It was to be run to its end, and was not.
    #[error("`{id}` is {state}{}", reason.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    NotFinished {
        /// `package:name`.
        id: String,
        /// Where it stands.
        state: MassState,
        /// Why.
        reason: Option<String>,
    },
    /// What it requires is not applied.
    #[error("`{id}` requires `{}`, which {} not applied", on.join("`, `"), if on.len() == 1 { "is" } else { "are" })]
    WaitsFor {
        /// `package:name`.
        id: String,
        /// What is missing.
        on: Vec<String>,
    },
    /// Its parameters are not what it takes.
    #[error("`{id}` cannot be started")]
    Parameters {
        /// `package:name`.
        id: String,
        /// What is wrong with them.
        #[source]
        source: ParametersError,
    },
    /// As `Parameters`, in the words of a body of one's own.
    #[error("`{id}` cannot be started: {why}")]
    Start {
        /// `package:name`.
        id: String,
        /// What it says.
        why: String,
    },
    /// It is started already, with other ones.
    #[error("`{id}` has been started with other parameters")]
    OtherParameters {
        /// `package:name`.
        id: String,
    },
    /// It was never started.
    #[error("`{id}` has no run")]
    NoRun {
        /// `package:name`.
        id: String,
    },
    /// Not in the state that it is in.
    #[error("`{id}` cannot be changed so")]
    Refused {
        /// `package:name`.
        id: String,
        /// Why.
        #[source]
        source: Refused,
    },
    /// What is to be skipped is not in quarantine.
    #[error("nothing with the key `{key}` is in quarantine in `{id}`")]
    NothingToSkip {
        /// `package:name`.
        id: String,
        /// As it was typed.
        key: String,
    },
    /// A skip says why.
    #[error("a reason is missing: why does it need nothing?")]
    NoReason,
    /// Others changed it each time that it was to be changed.
    #[error("others keep changing `{id}`")]
    Contended {
        /// `package:name`.
        id: String,
    },
}

impl MassError {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::WaitsFor { .. }
            | Self::NotFinished { .. }
            | Self::Refused { .. }
            | Self::Contended { .. } => FailureKind::Migration,
            _ => FailureKind::Usage,
        }
    }

    /// What to do now, where there is something to say.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::NotMass { id, .. } => {
                format!("`up {id}` runs it; `mass list` shows mass migrations")
            }
            Self::WaitsFor { .. } => "run `up` first".to_owned(),
            Self::OtherParameters { id } => {
                format!("`mass status {id}` shows them; leave yours out to go on with these")
            }
            Self::NoRun { id } => format!("`mass run {id}` starts one"),
            Self::NothingToSkip { id, .. } => format!("`mass failures {id}` shows what is"),
            Self::NoReason => "say it with `--reason \"..\"`".to_owned(),
            Self::Contended { .. } => "try again".to_owned(),
            Self::NotFinished { id, state, .. } => match state {
                MassState::Failed => format!(
                    "`mass failures {id}` shows what is in quarantine; mend it, then `mass retry {id}`"
                ),
                MassState::Paused => format!("`mass resume {id}` goes on"),
                _ => format!("`mass run {id}` goes on"),
            },
            Self::Parameters { id, .. } => {
                format!("`mass run {id} -p NAME=VALUE` starts it")
            }
            Self::Start { .. } | Self::Refused { .. } => return None,
        })
    }
}
