//! [`MigrationId`]: the crate and the name that identify a migration for ever.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

/// Identifies a migration: the crate that defines it and its name there.
///
/// Written `package:name` wherever it is stored or shown. The package is the crate's name as in
/// `module_path!`; the name is the function's, or what `id = ".."` says. Neither the module nor
/// the file takes part, so that moving a function changes nothing.
#[derive(Clone, Copy)]
pub struct MigrationId {
    /// Begins with the package. It is cut when it is asked for, because every migration is made in
    /// const code, where that would take longer than all the rest.
    module_path: &'static str,
    name: &'static str,
}

/// Longest name, in bytes: with the longest crate name that cargo allows, a full id fits the 255
/// characters of the history table's key.
pub const MAX_NAME_BYTES: usize = 180;

impl MigrationId {
    /// The id of `name` in the crate that `module_path` (as from `module_path!()`) lies in.
    #[must_use]
    pub const fn new(module_path: &'static str, name: &'static str) -> Self {
        Self { module_path, name }
    }

    /// The crate, as in `module_path!`.
    #[must_use]
    pub const fn package(self) -> &'static str {
        self.module_path
            .split_at(end_of_package(self.module_path))
            .0
    }

    /// The name within the crate.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Whether `text` is this id, in full or by its short name.
    #[must_use]
    pub fn matches(self, text: &str) -> bool {
        match text.split_once(':') {
            Some((package, name)) => package == self.package() && name == self.name,
            None => text == self.name,
        }
    }
}

impl PartialEq for MigrationId {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.package() == other.package()
    }
}

impl Eq for MigrationId {}

impl Ord for MigrationId {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.package(), self.name).cmp(&(other.package(), other.name))
    }
}

impl PartialOrd for MigrationId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for MigrationId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.package(), self.name).hash(state);
    }
}

impl fmt::Debug for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MigrationId({self})")
    }
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.package(), self.name)
    }
}

/// Where the first segment of a module path ends.
const fn end_of_package(module_path: &str) -> usize {
    let bytes = module_path.as_bytes();
    let mut end = 0;
    #[expect(
        clippy::indexing_slicing,
        reason = "const code cannot use `get`; bounded by the loop"
    )]
    while end < bytes.len() && bytes[end] != b':' {
        end += 1;
    }
    end
}

/// Checks a name as `id = ".."` may give it; the macro calls it in const code on the literal's
/// span, so that a bad id does not compile.
///
/// # Panics
/// With the rule that was broken: a name is not empty, at most [`MAX_NAME_BYTES`] long, and has no
/// `:`, no whitespace and no control character.
pub const fn check_name(name: &str) {
    let bytes = name.as_bytes();
    assert!(!bytes.is_empty(), "a migration id cannot be empty");
    assert!(
        bytes.len() <= MAX_NAME_BYTES,
        "a migration id can have at most 180 bytes"
    );
    let mut at = 0;
    while at < bytes.len() {
        #[expect(
            clippy::indexing_slicing,
            reason = "const code cannot use `get`; bounded by the loop"
        )]
        let byte = bytes[at];
        assert!(
            byte != b':',
            "a migration id cannot contain `:`; the crate's name is put before it automatically"
        );
        assert!(
            byte > b' ' && byte != 0x7f,
            "a migration id cannot contain spaces or control characters"
        );
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_is_the_first_segment() {
        assert_eq!(
            MigrationId::new("shop::migrations::users", "create").to_string(),
            "shop:create"
        );
        assert_eq!(MigrationId::new("shop", "create").package(), "shop");
    }

    #[test]
    fn the_module_is_no_part_of_it() {
        let (here, there) = (
            MigrationId::new("shop::a", "x"),
            MigrationId::new("shop::b", "x"),
        );
        assert_eq!(here, there);
        assert_eq!(here.cmp(&there), Ordering::Equal);
        assert_eq!(std::collections::HashSet::from([here, there]).len(), 1);
        assert!(here < MigrationId::new("shop", "y") && here > MigrationId::new("billing", "y"));
        assert_ne!(here, MigrationId::new("shopping", "x"));
    }

    #[test]
    fn matches_full_and_short() {
        let id = MigrationId::new("shop::m", "create");
        assert!(id.matches("create") && id.matches("shop:create"));
        assert!(!id.matches("billing:create") && !id.matches("shop"));
    }

    #[test]
    #[should_panic(expected = "cannot contain `:`")]
    fn colon_is_refused() {
        check_name("a:b");
    }
}
