//! Quarantine: units that failed alone.

use diesel::QueryResult;
use migrate_core::mass::{QuarantineState, Quarantined, frontend::SkipTarget};

use super::{Held, Words, select};
use crate::{
    backend::{Driver, TextRow},
    history::Store,
};

/// The longest error that is kept: MySQL's TEXT ends at 64 KiB.
const LONGEST: usize = 16_000;

/// A unit that is to be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsettled {
    pub(crate) sequence: i64,
    pub(crate) shard: u32,
    pub(crate) key: String,
}

/// The statement that puts a unit there. It takes effect with the cursor that moves over the unit.
pub(crate) fn putting(store: &Store, held: Held, key: &str, error: &str) -> String {
    format!(
        "INSERT INTO {} (run, shard, unit_key, state, error, attempts, changed_at, reason) \
         VALUES ({}, {}, {}, 'open', {}, 1, {}, NULL)",
        store.quarantine,
        held.run,
        held.shard,
        store.literal(key),
        store.literal(shortened(error)),
        store.dialect.now,
    )
}

/// The statement that says that a unit was tried again, with success.
pub(crate) fn resolving(store: &Store, sequence: i64, how: Option<&str>) -> String {
    format!(
        "UPDATE {} SET state = 'resolved', attempts = attempts + 1, changed_at = {}, reason = {} \
         WHERE sequence = {sequence} AND state = 'open'",
        store.quarantine,
        store.dialect.now,
        store.dialect.optional_text(how),
    )
}

/// The statement that says that a unit was tried again, and failed again.
pub(crate) fn failing_again(store: &Store, sequence: i64, error: &str) -> String {
    format!(
        "UPDATE {} SET error = {}, attempts = attempts + 1, changed_at = {} WHERE sequence = {sequence} AND state = 'open'",
        store.quarantine,
        store.literal(shortened(error)),
        store.dialect.now,
    )
}

/// The next unit of a run that is to be settled, after the one with the number `after`.
///
/// # Errors
/// The database's.
pub(crate) fn next_unsettled(
    store: &Store,
    driver: &mut dyn Driver,
    run: i64,
    after: i64,
) -> QueryResult<Option<Unsettled>> {
    let rows = driver.rows(&select(
        &[
            store.number("sequence"),
            store.number("shard"),
            "unit_key".to_owned(),
        ],
        &format!(
            "FROM {} WHERE run = {run} AND state = 'open' AND sequence > {after} ORDER BY sequence LIMIT 1",
            store.quarantine
        ),
    ))?;
    Ok(rows.into_iter().next().and_then(|row| {
        Some(Unsettled {
            sequence: row.c0?.parse().ok()?,
            shard: row.c1?.parse().ok()?,
            key: row.c2?,
        })
    }))
}

/// What is or was in quarantine, the newest `limit`, oldest first.
///
/// # Errors
/// The database's.
pub(crate) fn failures(
    store: &Store,
    driver: &mut dyn Driver,
    run: i64,
    limit: usize,
) -> QueryResult<Vec<Quarantined>> {
    let words = store.together(&[
        store.number("sequence"),
        store.number("shard"),
        "state".to_owned(),
        store.number("attempts"),
        store.moment("changed_at"),
    ]);
    let rows = driver.rows(&select(
        &[
            words,
            "unit_key".to_owned(),
            "error".to_owned(),
            "reason".to_owned(),
        ],
        &format!(
            "FROM {} WHERE run = {run} ORDER BY sequence DESC LIMIT {limit}",
            store.quarantine
        ),
    ))?;
    let mut read: Vec<Quarantined> = rows.iter().filter_map(parse).collect();
    read.reverse();
    Ok(read)
}

fn parse(row: &TextRow) -> Option<Quarantined> {
    let mut words = Words::of(row);
    Some(Quarantined {
        sequence: words.number()?,
        shard: words.number()?,
        state: match words.next() {
            "resolved" => QuarantineState::Resolved,
            "skipped" => QuarantineState::Skipped,
            _ => QuarantineState::Open,
        },
        attempts: words.number()?,
        at: words.text()?,
        key: row.c1.clone()?,
        error: row.c2.clone()?,
        reason: row.c3.clone(),
    })
}

/// A person says that units need nothing. Returns how many that were; the run has another revision, so
/// that its workers notice.
///
/// # Errors
/// The database's.
pub(crate) fn skip(
    store: &Store,
    driver: &mut dyn Driver,
    (run, id): (i64, &str),
    target: &SkipTarget,
    (by, reason): (&str, &str),
) -> QueryResult<usize> {
    let (condition, what) = match target {
        SkipTarget::All => (String::new(), "all".to_owned()),
        SkipTarget::Key(key) => {
            let keys: Vec<String> = spellings(key)
                .iter()
                .map(|key| store.literal(key))
                .collect();
            let line = line(key).map(|line| {
                let begins = store.literal(&format!("{{\"line\":{line},%"));
                format!(" OR unit_key LIKE {begins}")
            });
            (
                format!(
                    " AND (unit_key IN ({}){})",
                    keys.join(", "),
                    line.unwrap_or_default()
                ),
                key.clone(),
            )
        }
    };
    super::in_transaction(store, driver, |driver| {
        let skipped = driver.count(&format!(
            "UPDATE {} SET state = 'skipped', changed_at = {}, reason = {} WHERE run = {run} AND state = 'open'{condition}",
            store.quarantine,
            store.dialect.now,
            store.literal(&format!("{reason} ({by})")),
        ))?;
        if skipped == 0 {
            return Ok(super::Verdict::Undo(0));
        }
        driver.batch(&format!(
            "UPDATE {} SET revision = revision + 1 WHERE run = {run}",
            store.mass
        ))?;
        let detail = format!("{what}: {reason}");
        driver.batch(&store.mass_note(id, "skipped", by, Some(&detail)))?;
        Ok(super::Verdict::Keep(skipped))
    })
}

/// The line that a person names for a record of a file, whose key says it first.
fn line(key: &str) -> Option<u64> {
    key.strip_prefix("line ").unwrap_or(key).trim().parse().ok()
}

/// How a key that a person types may be stored: as it is, or a plain text as the JSON array of one part.
fn spellings(key: &str) -> Vec<String> {
    let mut spellings = vec![key.to_owned()];
    match serde_json::from_str::<serde_json::Value>(key) {
        Ok(serde_json::Value::Array(parts)) => {
            // Numbers in it are texts where they are stored.
            let texts: Vec<serde_json::Value> = parts
                .into_iter()
                .map(|part| match part {
                    text @ serde_json::Value::String(_) => text,
                    other => serde_json::Value::String(other.to_string()),
                })
                .collect();
            spellings.push(serde_json::Value::Array(texts).to_string());
        }
        Ok(serde_json::Value::String(text)) => {
            spellings.push(serde_json::json!([text]).to_string());
        }
        _ => spellings.push(serde_json::json!([key]).to_string()),
    }
    spellings
}

fn shortened(error: &str) -> &str {
    let mut end = error.len().min(LONGEST);
    while !error.is_char_boundary(end) {
        end -= 1;
    }
    error.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_key_may_be_typed_in_several_ways() {
        for typed in ["4711", "[4711]", "[\"4711\"]", "\"4711\""] {
            assert!(
                spellings(typed).contains(&"[\"4711\"]".to_owned()),
                "{typed}"
            );
        }
        assert!(spellings("[1, \"x\"]").contains(&"[\"1\",\"x\"]".to_owned()));
    }

    #[test]
    fn an_error_is_cut_between_characters() {
        let long = "ä".repeat(LONGEST);
        assert_eq!(shortened(&long).len(), LONGEST);
        assert_eq!(shortened(&format!("x{long}")).len(), LONGEST - 1);
    }
}
