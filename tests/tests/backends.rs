//! Backends of other crates: two for one scheme.

use migrate_diesel::{
    AnyConnection, Error, Program,
    core::{Application as _, DatabaseUrl, Failure, FailureKind, Settings},
    prelude::*,
    register_backend,
};

// The product opens it already.
register_backend!(SqliteConnection, "mine", "sqlite");

const MESSAGE: &str = "two backends open `sqlite://`: one of the crate `migrate-diesel`, one of the crate `migrate-tests`; link only one of them";

/// It is told whatever is asked for, and by whatever URL: not first when somebody uses that scheme.
#[test]
fn two_for_one_scheme_are_refused_at_the_start() {
    for url in ["sqlite::memory:", "mine://x", "postgres://localhost/x"] {
        let error = AnyConnection::open(&DatabaseUrl::new(url)).unwrap_err();
        assert!(matches!(error, Error::Setting(_)), "{error:?}");
        assert_eq!(error.to_string(), MESSAGE);
    }
    let program = Program::new(&["migrate_tests"]);
    let failure: Failure = program.graph(&Settings::default()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage);
    assert_eq!(failure.message, MESSAGE);
}

/// What a program can open is what front ends hear of.
#[test]
fn a_registered_scheme_is_a_backend_of_the_program() {
    let program = Program::new(&["migrate_tests"]);
    let backends = program.backends();
    assert!(backends.contains(&"mine"), "{backends:?}");
    assert_eq!(backends.first(), Some(&"sqlite"));
}
