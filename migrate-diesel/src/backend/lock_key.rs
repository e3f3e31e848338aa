//! [`LockKey`]: what the deploy lock is taken on.

/// The deploy lock of one history table. The database itself is part of the lock by nature
/// (PostgreSQL, SQLite) or by [`LockKey::name`] and the database's name (MySQL).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockKey {
    /// For locks on numbers.
    pub number: i64,
    /// For locks on names; at most 64 bytes with the database's name hashed in.
    pub name: String,
    /// What the session of its holder calls itself, where sessions have names.
    pub application: String,
}

impl LockKey {
    /// The lock of `history_table`.
    #[must_use]
    pub fn new(history_table: &str) -> Self {
        let number = fnv1a(format!("migrate:{history_table}").as_bytes());
        Self {
            number: number.cast_signed(),
            name: format!("migrate:{number:016x}"),
            application: "migrate".to_owned(),
        }
    }

    /// With another name for the session of its holder than `migrate`.
    #[must_use]
    pub fn of_application(mut self, name: Option<&str>) -> Self {
        if let Some(name) = name {
            name.clone_into(&mut self.application);
        }
        self
    }
}

/// FNV-1a, 64 bits (<https://datatracker.ietf.org/doc/html/rfc9923>): stable between versions of this crate.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_and_distinct() {
        // Written down: two versions of a program have to agree on it.
        assert_eq!(
            LockKey::new("migrate_history").name,
            "migrate:5113bbbab0698dfa"
        );
        assert_ne!(LockKey::new("a").number, LockKey::new("b").number);
        assert!(LockKey::new("x").name.len() <= 64);
    }
}
