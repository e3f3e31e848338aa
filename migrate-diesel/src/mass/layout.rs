//! How the keys are cut into shards, before any body runs.

use migrate_core::{
    Location,
    mass::{Added, MassFacts, MassKind},
};

use super::{
    catalog::{check, keys},
    code::MassCode,
    key::PartKind,
    source::{Keys, Texts, encode},
};
use crate::{backend::Driver, migration::BoxError};

/// Shards at most, where nothing else is said: many more than workers, so that one that is done early
/// finds more to do.
const MOST_SHARDS: u64 = 32;

/// Batches that a shard has at least, where nothing else is said.
const BATCHES_IN_A_SHARD: u64 = 10;

/// The shards of a run, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// How many units there are, where that is known.
    pub(crate) total: Option<u64>,
    /// Each begins where the one before it ends.
    pub(crate) through: Vec<Option<String>>,
}

impl Layout {
    /// `(after, through)` of each shard, counted from 1.
    pub(crate) fn shards(&self) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
        let after = std::iter::once(None).chain(self.through.iter().map(Option::as_deref));
        after.zip(self.through.iter().map(Option::as_deref))
    }
}

/// Cuts all there is into shards, for batches of `batch` units. Reads only; also refuses keys that a
/// batch could miss.
pub(crate) fn layout(
    driver: &mut dyn Driver,
    facts: &MassFacts,
    code: &dyn MassCode,
    columns: &[String],
    batch: u32,
    location: Location,
) -> Result<Layout, BoxError> {
    let source = match facts.kind {
        MassKind::Keys { source, .. } => source,
        MassKind::Simple => return Ok(one(Some(1))),
        MassKind::Items | MassKind::Custom => return Ok(one(None)),
    };
    check(driver, source, columns, code.key(), location)?;
    let Some(keys) = keys(driver, source, columns, code.key())? else {
        return Ok(one(Some(0)));
    };
    let total = keys.count(driver)?;
    let last = match facts.added {
        Added::Follow => None,
        Added::Ignore => keys.highest(driver)?,
    };
    let shards = match facts.shards {
        Some(shards) => u64::from(shards).min(total),
        None => (total / (BATCHES_IN_A_SHARD * u64::from(batch.max(1)))).min(MOST_SHARDS),
    };
    let mut through = ends(driver, &keys, total, shards.max(1))?;
    through.push(last);
    Ok(Layout {
        total: Some(total),
        through: through
            .into_iter()
            .map(|key| key.map(|key| encode(&key)))
            .collect(),
    })
}

fn one(total: Option<u64>) -> Layout {
    Layout {
        total,
        through: vec![None],
    }
}

/// Where all shards but the last one end.
fn ends(
    driver: &mut dyn Driver,
    keys: &Keys,
    total: u64,
    shards: u64,
) -> Result<Vec<Option<Texts>>, BoxError> {
    if shards <= 1 {
        return Ok(Vec::new());
    }
    if keys.kinds == [PartKind::Integer]
        && let Some(ends) = arithmetic(driver, keys, total, shards)?
    {
        return Ok(ends);
    }
    // One walk along the index, in steps: neither memory nor time for a rank of every row.
    let mut ends = Vec::new();
    let mut after = None;
    for _ in 1..shards {
        let Some(end) = keys.step(driver, after, (total / shards).saturating_sub(1))? else {
            break;
        };
        ends.push(Some(end.clone()));
        after = Some(end);
    }
    Ok(ends)
}

/// Equal parts of the numbers between the lowest and the highest; `None` where that would make shards of
/// very different size, as most of these numbers are no keys.
fn arithmetic(
    driver: &mut dyn Driver,
    keys: &Keys,
    total: u64,
    shards: u64,
) -> Result<Option<Vec<Option<Texts>>>, BoxError> {
    let lowest = keys.step(driver, None, 0)?;
    let highest = keys.highest(driver)?;
    let number = |key: Option<Texts>| key?.first()?.parse::<i128>().ok();
    let (Some(lowest), Some(highest)) = (number(lowest), number(highest)) else {
        return Ok(None);
    };
    let span = highest - lowest + 1;
    if i128::from(total) * 2 < span {
        return Ok(None);
    }
    let end = |at: u64| lowest + span * i128::from(at) / i128::from(shards) - 1;
    Ok(Some(
        (1..shards)
            .map(|at| Some(vec![end(at).to_string()]))
            .collect(),
    ))
}
