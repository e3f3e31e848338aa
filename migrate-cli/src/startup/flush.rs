//! Removes keys from Redis, by SCAN and UNLINK: others are served meanwhile, however many keys there are.

use std::time::Duration;

use migrate_core::{Failure, FailureKind};
use redis::{Client, Connection, RedisError};

use crate::config::{Keys, Redis};

/// For how long to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many keys one turn of SCAN looks at.
const BATCH: u32 = 1_000;

/// Removes the keys, and tells how many they were.
///
/// # Errors
/// Redis cannot be reached, or refuses.
pub(crate) fn flush(redis: &Redis) -> Result<u64, Failure> {
    try_flush(redis).map_err(|error| {
        // Whatever a driver quotes.
        let text = redis.url.redact(&error.to_string());
        Failure::new(FailureKind::Migration, text)
    })
}

fn try_flush(redis: &Redis) -> Result<u64, RedisError> {
    // Of no effect where the program has chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::open(redis.url.reveal())?;
    let mut connection = client.get_connection_with_timeout(TIMEOUT)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.set_write_timeout(Some(TIMEOUT))?;
    let mut cursor = 0;
    let mut removed = 0;
    loop {
        let (next, keys) = scan(&mut connection, cursor, &redis.keys)?;
        if !keys.is_empty() {
            let unlinked: u64 = redis::cmd("UNLINK").arg(keys).query(&mut connection)?;
            removed += unlinked;
        }
        if next == 0 {
            return Ok(removed);
        }
        cursor = next;
    }
}

/// A turn: the next cursor, and keys, which are any bytes.
fn scan(
    connection: &mut Connection,
    cursor: u64,
    keys: &Keys,
) -> Result<(u64, Vec<Vec<u8>>), RedisError> {
    let mut command = redis::cmd("SCAN");
    command.arg(cursor);
    if let Keys::Matching(pattern) = keys {
        command.arg("MATCH").arg(pattern);
    }
    command.arg("COUNT").arg(BATCH).query(connection)
}
