//! [`ViewError`]: why views could not be taken out of the way, or not be brought back.

use std::time::Duration;

use diesel::result::Error as DieselError;

/// Why views could not be taken out of the way, or not be brought back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// Things that nobody declared depend on what has to go down.
    #[error("{}", in_the_way(.0))]
    InTheWay(Vec<InTheWay>),
    /// What hangs on a view could not be brought back.
    #[error("{what} cannot be taken down without a loss: {}", .lost.join("; "))]
    Lossy {
        /// The view.
        what: String,
        /// What would be lost.
        lost: Vec<String>,
    },
    /// After a view was brought back it is not what it was.
    #[error("{what} is not what it was after it was created anew: {}", .differs.join("; "))]
    NotRestored {
        /// The view.
        what: String,
        /// What differs.
        differs: Vec<String>,
    },
    /// A view could not be dropped.
    #[error("cannot drop {what}")]
    Drop {
        /// The view.
        what: String,
        /// Why.
        #[source]
        source: DieselError,
    },
    /// A view could not be created.
    #[error("cannot create {what}")]
    Create {
        /// The view, and where it is declared.
        what: String,
        /// Why.
        #[source]
        source: DieselError,
    },
    /// Something that hangs on a view could not be set.
    #[error("cannot restore the {property} of {what}")]
    Restore {
        /// The view.
        what: String,
        /// Which.
        property: String,
        /// Why.
        #[source]
        source: DieselError,
    },
    /// Others hold locks on a view that has to go down.
    #[error(
        "{what} could not be locked within {}: {}",
        humantime::format_duration(*.waited),
        held_by(.blockers)
    )]
    Busy {
        /// The views.
        what: String,
        /// How long we tried.
        waited: Duration,
        /// Who holds them.
        blockers: Vec<String>,
    },
    /// The run was asked to end while others held locks on a view that has to go down.
    #[error("interrupted while waiting for those who use {0}")]
    Interrupted(String),
    /// A suspension names what there is not.
    #[error("{0}")]
    Unknown(String),
    /// This backend cannot do it.
    #[error("{0}")]
    Unsupported(String),
    /// The catalog or the record of views could not be read or written.
    #[error("cannot {doing}")]
    Database {
        /// What was being done.
        doing: String,
        /// Why not.
        #[source]
        source: DieselError,
    },
}

/// Something that nobody declared, and what it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InTheWay {
    /// `view public.report`
    pub what: String,
    /// The managed view (or the table or column) below it.
    pub on: String,
    /// Whether it can be saved and brought back.
    pub kept: Kept,
}

/// Whether something can be saved and brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// With `unmanaged = restore`.
    IfAsked,
    /// It has to go for good, or be declared.
    Never,
}

impl ViewError {
    /// What to do now.
    #[must_use]
    pub fn next_step(&self) -> Option<&'static str> {
        Some(match self {
            Self::InTheWay(list) if list.iter().all(|it| it.kept == Kept::IfAsked) => {
                "declare them with `#[view_manager]`, or say `unmanaged = restore` there (for a table or column: at the migration), and they are saved, dropped and restored as they were"
            }
            Self::InTheWay(_) => {
                "declare them with `#[view_manager]` as far as they are views; what cannot be saved has to be dropped in a migration before, and created in one after"
            }
            Self::Lossy { .. } => {
                "run as a user who may bring it back (the owner of the view, or a superuser), or remove it in a migration of its own"
            }
            Self::NotRestored { .. } | Self::Restore { .. } => {
                "the view may lack a column that this hangs on; remove it in the migration, or keep the column"
            }
            Self::Create { .. } => {
                "its definition has to fit the tables at every migration from `since` to `until`; for a change, end it with `until` and let a new one take its name"
            }
            Self::Busy { .. } => {
                "end these sessions or run again when they are done; `view_lock_wait` allows more time"
            }
            _ => return None,
        })
    }
}

fn in_the_way(list: &[InTheWay]) -> String {
    let lines: Vec<String> = list
        .iter()
        .map(|it| format!("{} depends on {}", it.what, it.on))
        .collect();
    format!(
        "what nobody declared stands in the way: {}",
        lines.join("; ")
    )
}

fn held_by(list: &[String]) -> String {
    if list.is_empty() {
        "who holds it is not known".to_owned()
    } else {
        format!("held by {}", list.join(", "))
    }
}
