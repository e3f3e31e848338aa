//! Names of workers.

use std::{
    hash::{BuildHasher as _, RandomState},
    process,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Random, once per process: containers have one host name and one pid again and again.
static BOOT: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(process::id()));

/// A name that no other worker has or had. apalis takes an acknowledgement from whoever has the name of the
/// worker that it gave the job to: under a name that is used again, a dead worker would speak for a living.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let host = gethostname::gethostname();
    format!(
        "migrate-mass-{}-{}-{:016x}-{}",
        host.to_string_lossy(),
        process::id(),
        *BOOT,
        NEXT.fetch_add(1, Relaxed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_has_a_name_of_its_own() {
        let (one, other) = (unique(), unique());
        assert_ne!(one, other);
        let host = gethostname::gethostname();
        assert!(one.contains(&*host.to_string_lossy()), "{one}");
        assert!(one.contains(&format!("-{}-", process::id())), "{one}");
        assert!(one.contains(&format!("-{:016x}-", *BOOT)), "{one}");
    }
}
