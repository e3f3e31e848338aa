//! [`Hint`]: what is sent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// That there may be something to do. Who gets it asks the migrated database, whose tables alone decide: a
/// hint that comes twice, late or for nothing does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hint {
    /// The name that [`Databases`](crate::Databases) knows it by.
    pub database: String,
    /// `package:name` of the mass migration.
    pub migration: String,
    /// The number of its run in that database.
    pub run: i64,
    /// One shard; `None` for the run itself, whose shards are to be laid out, or which is to be ended.
    pub shard: Option<u32>,
    /// How often in a row the work on it could not go on.
    #[serde(default)]
    pub failed: u32,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "run {} of `{}` in `{}`",
            self.run, self.migration, self.database
        )?;
        match self.shard {
            Some(shard) => write!(f, ", shard {shard}"),
            None => Ok(()),
        }
    }
}
