//! [`PlanError`]: why there is no plan.

use crate::{Location, LookupError, State, elsewhere::RequiredElsewhere};

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Texts that name no migration, all of them.
    #[error("{}", list(.0))]
    Lookup(Vec<LookupError>),
    /// What is to be reverted (or returned to) is not applied.
    #[error("`{id}` is not applied: it is {state}")]
    NotApplied {
        /// `package:name`.
        id: String,
        /// Where it stands.
        state: State,
    },
    /// What would be reverted and cannot be, in the order in which it would.
    #[error("cannot revert {}", list(.0))]
    Irreversible(Vec<Irreversible>),
    /// Ids of history that would be reverted, and that the program does not carry.
    #[error("cannot revert `{}`: not carried by this program", .0.join("`, `"))]
    NotCarried(Vec<String>),
    /// What requires something that would be reverted, and is itself in the middle of something.
    #[error("cannot revert what {} requires", list(.0))]
    Unsettled(Vec<Unsettled>),
    /// What would be reverted, and is required by something applied in another database.
    #[error("cannot revert {}", list(.0))]
    RequiredElsewhere(Vec<RequiredElsewhere>),
}

impl PlanError {
    /// What to do now.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        match self {
            Self::Lookup(errors) => {
                let steps: Vec<String> = errors.iter().filter_map(LookupError::next_step).collect();
                (!steps.is_empty()).then(|| steps.join("; "))
            }
            Self::NotApplied { .. } => Some("`status` shows what is applied".to_owned()),
            Self::Irreversible(list) if list.iter().any(|it| it.reason.is_none()) => {
                Some("give it `down = path`, or write a new migration that undoes it".to_owned())
            }
            Self::Irreversible(_) => Some("write a new migration that undoes it".to_owned()),
            Self::NotCarried(_) => Some(
                "revert with the program that carries it, or name its crate in `main!(..)`"
                    .to_owned(),
            ),
            Self::RequiredElsewhere(list) => list.first().map(RequiredElsewhere::next_step),
            Self::Unsettled(list) => {
                let interrupted = list.iter().find(|it| it.state == State::Interrupted);
                Some(interrupted.map_or_else(
                    || "wait until it has ended".to_owned(),
                    |it| {
                        format!(
                            "settle it with `resolve {} --retry`, `--applied` or `--reverted`",
                            it.id
                        )
                    },
                ))
            }
        }
    }
}

/// A migration that cannot be reverted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Irreversible {
    /// `package:name`.
    pub id: String,
    /// Where its function is.
    pub location: Location,
    /// What `irreversible = ".."` says; `None` where nothing was said.
    pub reason: Option<&'static str>,
}

impl std::fmt::Display for Irreversible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, location, .. } = self;
        match self.reason {
            Some(reason) => write!(f, "`{id}` ({location}): irreversible, {reason}"),
            None => write!(f, "`{id}` ({location}): it has no `down`"),
        }
    }
}

/// A migration that is interrupted or running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    /// `package:name`.
    pub id: String,
    /// Interrupted or running.
    pub state: State,
}

impl std::fmt::Display for Unsettled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` ({})", self.id, self.state)
    }
}

fn list(items: &[impl std::fmt::Display]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join("; ")
}
