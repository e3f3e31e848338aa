//! Who updates the table.

use crate::{Result, number};

/// A way to update every row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// A mass migration.
    Ours { workers: u32 },
    /// A loop over the key.
    Hand(Keeps),
    /// One statement.
    Single,
}

/// Whether a loop could go on after it was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Its place is in a variable.
    Nothing,
    /// Its place is in a table, written in the transaction of the batch.
    Place,
}

impl Contestant {
    /// `ours`, `ours:2`, `hand`, `hand:resumes`, `single`
    pub fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "ours" => Self::Ours { workers: 1 },
            "hand" => Self::Hand(Keeps::Nothing),
            "hand:resumes" => Self::Hand(Keeps::Place),
            "single" => Self::Single,
            other => match other.split_once(':') {
                Some(("ours", workers)) => Self::Ours {
                    workers: number(workers)?,
                },
                _ => return Err(format!("there is no contestant `{other}`").into()),
            },
        })
    }
}
