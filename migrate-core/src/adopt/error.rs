//! [`AdoptError`]: why another tool's history cannot be taken over.

use std::fmt::{self, Write as _};

use super::Tool;
use crate::{LookupError, MigrationId, record::RecordError};

/// Why another tool's history cannot be taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The table is not there.
    #[error("there is no table `{table}` in this database: {} has run nothing here", .tool.as_str())]
    NoTable {
        /// Whose it would be.
        tool: Tool,
        /// Its name.
        table: String,
    },
    /// The table is not that tool's.
    #[error("the table `{table}` is not one of {}: it has no column `{}`", .tool.as_str(), .missing.join("`, `"))]
    NotTheirs {
        /// Whose it would be.
        tool: Tool,
        /// Its name.
        table: String,
        /// What it lacks.
        missing: Vec<&'static str>,
    },
    /// Rows of which nobody can tell which of ours they are.
    #[error("{} cannot be mapped to ours", count(.0.len()))]
    Unmapped(Vec<Unmapped>),
    /// Rows of what failed in the middle.
    #[error("{} failed in the middle: `{}`", .0.as_str(), .1.join("`, `"))]
    Dirty(Tool, Vec<String>),
    /// What they say does not fit to ours.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl AdoptError {
    /// What to do now.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::NoTable { .. } => {
                "look whether it is the right database; another table is named with `--table`"
                    .to_owned()
            }
            Self::NotTheirs { .. } => "name theirs with `--table`".to_owned(),
            Self::Unmapped(rows) => format!(
                "write a file such as this one, in which each is one of ours or \"skip\", and give it with `--map FILE`\n\n{}",
                map_file(rows)
            ),
            Self::Dirty(tool, _) => format!(
                "mend it and let {} finish it, or say \"skip\" for it in a `--map` file: then it is pending here",
                tool.as_str()
            ),
            Self::Record(RecordError::Refused(_)) => {
                "let the tool apply it first, or map what did the same there with `--map FILE`; `mark` records what nobody's history has".to_owned()
            }
            Self::Record(error) => return error.next_step(),
        })
    }
}

/// A row of which nobody can tell which of ours it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmapped {
    /// Its name there.
    pub theirs: String,
    /// Why.
    pub why: Why,
    /// The one of ours with the most similar name.
    pub nearest: Option<String>,
}

/// Why nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// Nothing of ours has this name or number.
    Nothing,
    /// Several of ours have.
    Several(Vec<MigrationId>),
    /// Another row of theirs is the same one of ours.
    Twice(String),
    /// The map names what there is not.
    Map(LookupError),
}

impl fmt::Display for Unmapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: ", self.theirs)?;
        match &self.why {
            Why::Nothing => f.write_str("nothing of ours is called so"),
            Why::Several(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
                write!(f, "it could be {}", ids.join(" or "))
            }
            Why::Twice(other) => write!(f, "it could be what `{other}` is"),
            Why::Map(error) => write!(f, "the map file says, but {error}"),
        }
    }
}

/// A file for `--map` to begin with. What nobody filled in is refused.
fn map_file(rows: &[Unmapped]) -> String {
    let mut file = String::new();
    for row in rows {
        let theirs = row.theirs.replace('\\', "\\\\").replace('"', "\\\"");
        let ours = row.nearest.as_deref().unwrap_or("?");
        let _ = writeln!(file, "  \"{theirs}\" = \"{ours}\"");
    }
    file.truncate(file.trim_end().len());
    file
}

fn count(rows: usize) -> String {
    match rows {
        1 => "1 migration of theirs".to_owned(),
        rows => format!("{rows} migrations of theirs"),
    }
}
