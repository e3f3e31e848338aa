//! What the macros accept, and what they say when they do not.
//!
//! The texts are those of the toolchain that CI pins; `TRYBUILD=overwrite cargo test -p migrate-tests
//! --test ui` writes them anew. Read them before you commit them.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*/*.rs");
    cases.compile_fail("ui/fail/*/*.rs");
}
