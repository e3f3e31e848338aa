//! A program without Redis.

use migrate_core::{Failure, FailureKind};

use crate::config::Redis;

/// Says that this program cannot.
///
/// # Errors
/// Always.
pub(crate) fn flush(_: &Redis) -> Result<u64, Failure> {
    Err(Failure::new(
        FailureKind::Usage,
        "`redis_url` is configured, and this program was built without Redis",
    )
    .next("give migrate-diesel the feature `redis`, or take `redis_url` out"))
}
