//! [`MigrationId`]: the crate and the name that identify a migration for ever.

use std::fmt;

/// Identifies a migration: the crate that defines it and its name there.
///
/// Written `package:name` wherever it is stored or shown. The package is the crate's name as in
/// `module_path!`; the name is the function's, or what `id = ".."` says. Neither the module nor
/// the file takes part, so that moving a function changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MigrationId {
    package: &'static str,
    name: &'static str,
}

/// Longest name, in bytes: with the longest crate name that cargo allows, a full id fits the 255
/// characters of the history table's key.
pub const MAX_NAME_BYTES: usize = 180;

impl MigrationId {
    /// The id of `name` in the crate that `module_path` (as from `module_path!()`) lies in.
    #[must_use]
    pub const fn new(module_path: &'static str, name: &'static str) -> Self {
        Self {
            package: package_of(module_path),
            name,
        }
    }

    /// The crate, as in `module_path!`.
    #[must_use]
    pub const fn package(self) -> &'static str {
        self.package
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
            Some((package, name)) => package == self.package && name == self.name,
            None => text == self.name,
        }
    }
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.package, self.name)
    }
}

/// The first segment of a module path.
const fn package_of(module_path: &'static str) -> &'static str {
    let bytes = module_path.as_bytes();
    let mut end = 0;
    while end < bytes.len() {
        #[expect(
            clippy::indexing_slicing,
            reason = "const code cannot use `get`; bounded by the loop"
        )]
        if bytes[end] == b':' {
            return module_path.split_at(end).0;
        }
        end += 1;
    }
    module_path
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
