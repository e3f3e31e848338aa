//! [`MassCode`]: the body of a mass migration, without its types.

use migrate_core::mass::Shard;

use super::{key::PartKind, parameters::Field};
use crate::{
    backend::Driver,
    migration::{BoxError, ConnectionKind, Erased},
};

/// The parameters of a run: a JSON object, checked when the run was enqueued.
pub type Parameters = serde_json::Map<String, serde_json::Value>;

/// A body, as something that takes any connection.
pub trait MassCode: Sync {
    /// Which connection it takes.
    fn connection(&self) -> ConnectionKind;

    /// The parts of its key, for a body over keys; empty for others.
    fn key(&self) -> &'static [PartKind] {
        &[]
    }

    /// The parameters that a run takes, in the order in which forms show them.
    fn fields(&self) -> &'static [Field] {
        &[]
    }

    /// Checks parameters, and says which are masked.
    ///
    /// # Errors
    /// What is wrong, in words for who typed it.
    fn check(&self, parameters: &Parameters) -> Result<Masked, BoxError> {
        match parameters.keys().next() {
            None => Ok(Masked::default()),
            Some(name) => Err(format!("it takes no parameters, and got `{name}`").into()),
        }
    }

    /// Opens a shard: what its batches are cut from. The `shard`'s cursor is where to go on.
    ///
    /// # Errors
    /// The source's.
    fn open<'f>(&'f self, opening: Opening<'f>) -> Result<Box<dyn Feed + 'f>, BoxError>;
}

/// Names of parameters that are never shown.
pub type Masked = Vec<&'static str>;

/// What a feed is made from.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'f> {
    /// The facts of the migration.
    pub facts: &'f migrate_core::mass::MassFacts,
    /// The columns of the key, as declared or as the catalog says.
    pub columns: &'f [String],
    /// What is to be done.
    pub shard: &'f Shard,
    /// Of the run.
    pub parameters: &'f Parameters,
}

/// One shard being worked on, by one worker.
///
/// A cursor is the key of the last unit that is done, as a JSON array of its parts' texts (or, for feeds
/// without keys, whatever JSON they like): it is all that a successor needs.
pub trait Feed {
    /// The next batch: at most `limit` units after `cursor`. Asked again with the same cursor and a
    /// smaller limit, it gives the beginning of the same. Not in a transaction yet; writes nothing.
    ///
    /// `None` when there is nothing (more) after `cursor`.
    ///
    /// # Errors
    /// The source's.
    fn cut(
        &mut self,
        driver: &mut dyn Driver,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Piece>, BoxError>;

    /// The unit with this key alone, for what is in quarantine; `None` when it is gone.
    ///
    /// # Errors
    /// The source's.
    fn single(&mut self, driver: &mut dyn Driver, key: &str) -> Result<Option<Piece>, BoxError>;

    /// Runs the body on a batch that `cut` (or `single`) gave last, inside the transaction that also moves the cursor.
    /// Only afterwards `piece` is sure to say where the cursor moves (`last`), how many units that is and
    /// whether anything comes after it: a body that keeps its own cursor says so by what it returns.
    ///
    /// # Errors
    /// The body's.
    fn run(&mut self, erased: Erased<'_>, piece: &mut Piece) -> Result<Rows, BoxError>;
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The key of its first unit, as JSON.
    pub first: String,
    /// Of its last one: the cursor once it is done.
    pub last: String,
    /// How many units it covers.
    pub units: u64,
    /// Whether it is known that nothing comes after it.
    pub unit: Unit,
}

/// Whether a batch is known to be the last of its shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// There may be more.
    #[default]
    More,
    /// There is nothing after it.
    Last,
}

/// How many rows a body says it changed.
pub type Rows = u64;
