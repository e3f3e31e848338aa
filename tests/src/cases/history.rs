//! The history table: what it says, and what is said when it and the code disagree.

use std::collections::HashSet;

use migrate_diesel::{
    Error, Migrator,
    core::{
        Failure, FailureKind,
        frontend::DownTarget,
        report::{Problem, ProblemKind},
    },
    migrations,
    prelude::*,
};

use super::leave;
use crate::{
    database::{Backend, Scratch},
    run::{chain, migrator, states, up},
};

/// What it is for.
///
/// More than that.
#[migration]
pub(crate) fn told_first(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "first")
}

#[migration(requires = [told_first])]
pub(crate) fn told_second(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "second")
}

/// `status` and `log` tell when, where, how long and by whom.
pub fn status_and_log_tell_everything(scratch: &Scratch) {
    let migrator = migrator(migrations![told_first, told_second]);
    let mut connection = scratch.connect();
    let before = migrator.status(&mut connection).unwrap();
    assert_eq!(before.unapplied(), 2);
    assert!(migrator.log(&mut connection, 9).unwrap().is_empty());
    assert!(
        !scratch.has_table("migrate_history"),
        "to look is not to write"
    );

    let began = scratch.now();
    up(scratch, &migrator).done();
    let status = migrator.status(&mut connection).unwrap();
    assert_eq!(
        (status.database.as_str(), status.unapplied()),
        ("default", 0)
    );
    let expected = match scratch.backend {
        Backend::Sqlite => "sqlite",
        Backend::Postgres => "postgres",
        Backend::Mysql => "mysql",
    };
    assert_eq!(status.backend, expected);
    let [first, second] = &status.migrations[..] else {
        panic!("{status:?}")
    };
    assert_eq!(
        (
            first.id.as_str(),
            first.package.as_str(),
            first.name.as_str()
        ),
        ("migrate_tests:told_first", "migrate_tests", "told_first")
    );
    assert!(first.description.starts_with("What it is for."));
    assert_eq!(first.location.file, file!());
    assert_eq!(second.requires, ["migrate_tests:told_first"]);
    assert_eq!(first.fingerprint.len(), 16);
    assert!(first.duration_ms.is_some_and(|took| took >= 0.0));
    let at = first.applied_at.as_deref().unwrap();
    assert!(&at[10..11] == "T" && at.ends_with('Z'), "{at}");
    // RFC 3339 in UTC sorts as text; a second for two clocks.
    assert!(at[..16] >= began[..16], "{at} {began}");

    let log = migrator.log(&mut connection, 9).unwrap();
    assert_eq!(log.len(), 2);
    assert!(log[0].by.ends_with(&format!("pid {}", std::process::id())));
    assert_eq!(log[0].at, at);
    assert!(log[0].duration_ms.is_some());
    let newest = migrator.log(&mut connection, 1).unwrap();
    assert_eq!(newest, log[1..]);
}

/// Rows of the history that no migration counts as its own: refused, and nothing is run.
pub fn what_is_not_carried_is_refused(scratch: &Scratch) {
    up(scratch, &migrator(migrations![told_first])).done();
    scratch.sql("UPDATE migrate_history SET id = 'forgotten:told_first'");
    let migrator = migrator(migrations![late_first]);
    let error = up(scratch, &migrator).error();
    assert_eq!(error.kind(), FailureKind::Disagreement);
    assert!(matches!(error, Error::Missing(_)), "{error:?}");
    let failure = Failure::from(error);
    assert_eq!(kinds(&failure.problems), [ProblemKind::Missing]);
    assert_eq!(failure.problems[0].id, "forgotten:told_first");
    assert!(failure.problems[0].message.contains("main!"));
    assert!(failure.next_step.unwrap().contains("main!"));
    assert_eq!(scratch.effects(), ["first"]);

    let mut connection = scratch.connect();
    let expected = [ProblemKind::Missing];
    assert_eq!(
        kinds(&migrator.status(&mut connection).unwrap().problems),
        expected
    );
    assert_eq!(
        kinds(&migrator.plan(&mut connection).unwrap().problems),
        expected
    );
    assert_eq!(
        kinds(&migrator.check(&mut connection).unwrap().problems),
        expected
    );
}

fn kinds(problems: &[Problem]) -> Vec<ProblemKind> {
    problems.iter().map(|problem| problem.kind).collect()
}

/// F-corrupt-changed: said, and no reason to stop.
pub fn changed_code_is_warned_of(scratch: &Scratch) {
    let migrator = migrator(migrations![told_first, told_second]);
    up(scratch, &migrator).done();
    scratch.sql("UPDATE migrate_history SET fingerprint = '00000000deadbeef' WHERE id = 'migrate_tests:told_first'");
    let told = up(scratch, &migrator);
    assert_eq!(told.events, ["warning told_first: changed"]);
    told.done();
    let check = migrator.check(&mut scratch.connect()).unwrap();
    assert_eq!(kinds(&check.problems), [ProblemKind::Changed]);
    assert_eq!(check.problems[0].location.unwrap().file, file!());
    assert_eq!(scratch.effects(), ["first", "second"]);
}

#[migration]
pub(crate) fn late_first(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "late first")
}

#[migration]
pub(crate) fn late_second(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "late second")
}

/// Something that was merged late is applied, and `check` says so before.
pub fn what_comes_late_is_applied(scratch: &Scratch) {
    up(scratch, &migrator(migrations![late_second])).done();
    let migrator = migrator(migrations![late_first, late_second]);
    let check = migrator.check(&mut scratch.connect()).unwrap();
    assert_eq!(kinds(&check.problems), [ProblemKind::OutOfOrder]);
    assert_eq!(check.pending, ["migrate_tests:late_first"]);
    assert_eq!(up(scratch, &migrator).done().applied, 1);
    let check = migrator.check(&mut scratch.connect()).unwrap();
    assert!(check.problems.is_empty() && check.pending.is_empty());
}

fn unlearn(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "unlearnt")
}

#[migration]
pub(crate) fn was_before(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "before")
}

#[migration(was = ["was_former", "old_crate:was_former"], down = unlearn)]
pub(crate) fn was_after(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "after")
}

/// `was`: renamed, and moved from another crate.
pub fn a_former_name_counts(scratch: &Scratch) {
    up(scratch, &migrator(migrations![was_before])).done();
    let renamed = migrator(migrations![was_after]);
    for id in ["migrate_tests:was_former", "old_crate:was_former"] {
        scratch.sql(&format!("UPDATE migrate_history SET id = '{id}'"));
        assert_eq!(states(scratch, &renamed), "was_after applied");
        assert_eq!(up(scratch, &renamed).done().applied, 0);
        let check = renamed.check(&mut scratch.connect()).unwrap();
        assert!(
            check
                .problems
                .iter()
                .all(|problem| problem.kind == ProblemKind::Changed),
            "{check:?}"
        );
    }
    assert_eq!(scratch.effects(), ["before"]);

    let mut connection = scratch.connect();
    let summary = renamed.down(&mut connection, DownTarget::Steps(1)).unwrap();
    assert_eq!(summary.reverted, 1);
    assert_eq!(states(scratch, &renamed), "was_after pending");
    assert_eq!(up(scratch, &renamed).done().applied, 1);
    let ids = scratch.texts("SELECT id AS value FROM migrate_history");
    assert_eq!(ids, ["migrate_tests:was_after"]);
    assert_eq!(scratch.effects(), ["after", "before", "unlearnt"]);
}

/// Failed under the old name: tried again under the new one, and the old row goes.
pub fn a_failure_under_a_former_name_is_replaced(scratch: &Scratch) {
    up(scratch, &migrator(migrations![was_before])).done();
    scratch.sql("UPDATE migrate_history SET state = 'failed', id = 'migrate_tests:was_former'");
    let renamed = migrator(migrations![was_after]);
    assert_eq!(up(scratch, &renamed).done().applied, 1);
    let ids = scratch.texts("SELECT id AS value FROM migrate_history");
    assert_eq!(ids, ["migrate_tests:was_after"]);
}

/// A newer program's history is refused, and not rewritten.
pub fn a_newer_history_is_refused(scratch: &Scratch) {
    let first = migrator(migrations![told_first]);
    up(scratch, &first).done();
    scratch.sql("UPDATE migrate_history_meta SET value = '99' WHERE name = 'schema_version'");
    let migrator = migrator(migrations![told_first, told_second]);
    let mut connection = scratch.connect();
    let errors = [
        up(scratch, &migrator).error(),
        migrator.status(&mut connection).unwrap_err(),
        migrator.plan(&mut connection).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), FailureKind::Disagreement);
        let said = chain(&error);
        assert!(
            said.contains("99") && said.contains("`migrate_history`"),
            "{said}"
        );
        assert!(error.next_step().unwrap().contains("newer"));
    }
    assert_eq!(scratch.effects(), ["first"]);
    let versions = scratch.texts("SELECT value FROM migrate_history_meta");
    assert_eq!(versions, ["99"]);
}

/// A table of our name that is somebody else's.
pub fn a_foreign_table_is_refused(scratch: &Scratch) {
    scratch.sql("CREATE TABLE migrate_history (id INTEGER PRIMARY KEY, title VARCHAR(20))");
    scratch.sql("INSERT INTO migrate_history (id, title) VALUES (1, 'rome')");
    let migrator = migrator(migrations![told_first]);
    let mut connection = scratch.connect();
    let errors = [
        up(scratch, &migrator).error(),
        migrator.status(&mut connection).unwrap_err(),
        migrator.plan(&mut connection).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::ForeignTable { .. }), "{error:?}");
        assert_eq!(error.kind(), FailureKind::Usage);
        assert!(chain(&error).contains("`migrate_history`"), "{error}");
        assert!(chain(&error).contains("`fingerprint`"), "{error}");
        assert!(error.next_step().unwrap().contains("history_table"));
    }
    assert!(!scratch.has_table("migrate_history_meta"));
    assert!(scratch.effects().is_empty());
    assert_eq!(
        scratch.texts("SELECT title AS value FROM migrate_history"),
        ["rome"]
    );
    // Under another name all is well.
    let migrator = migrator_named(migrator, "our_history");
    assert_eq!(up(scratch, &migrator).done().applied, 1);
}

fn migrator_named(migrator: Migrator, name: &str) -> Migrator {
    migrator.history_table(name)
}

/// Names that have to be quoted, and names in a schema.
pub fn a_history_of_any_name(scratch: &Scratch) {
    let mut names = vec![
        "Migrate_History".to_owned(),
        "order".to_owned(),
        "größe$1".to_owned(),
    ];
    match scratch.backend {
        Backend::Sqlite => names.push("main.history".to_owned()),
        Backend::Postgres => {
            scratch.sql("CREATE SCHEMA \"Ops\"");
            names.push("Ops.history".to_owned());
        }
        Backend::Mysql => names.push(format!("{}.history", scratch.name())),
    }
    for (at, name) in names.iter().enumerate() {
        let migrator = migrator(migrations![told_first, told_second]).history_table(name);
        assert_eq!(up(scratch, &migrator).done().applied, 2, "{name}");
        assert_eq!(up(scratch, &migrator).done().applied, 0, "{name}");
        assert_eq!(
            states(scratch, &migrator),
            "told_first applied, told_second applied"
        );
        assert_eq!(scratch.effects().len(), 2 * (at + 1));
    }
    assert!(!scratch.has_table("migrate_history"));
}

/// Names that cannot be.
pub fn a_history_name_that_cannot_be_is_refused(scratch: &Scratch) {
    let long = "h".repeat(300);
    for name in [
        "",
        "a b",
        "x;drop table y",
        "a.b.c",
        ".x",
        "x.",
        "it's",
        "x\n",
        &long,
    ] {
        let migrator = migrator(migrations![told_first]).history_table(name);
        let error = up(scratch, &migrator).error();
        assert!(matches!(error, Error::Setting(_)), "{error:?}");
        assert_eq!(error.kind(), FailureKind::Usage);
        assert!(chain(&error).contains(&format!("`{name}`")), "{error}");
        assert!(migrator.status(&mut scratch.connect()).is_err());
    }
    assert!(scratch.effects().is_empty());
}

/// Two histories in one database do not know each other.
pub fn two_histories_live_side_by_side(scratch: &Scratch) {
    let ours = migrator(migrations![told_first]);
    let theirs = migrator(migrations![told_first, told_second]).history_table("theirs");
    up(scratch, &ours).done();
    assert_eq!(up(scratch, &theirs).done().applied, 2);
    assert_eq!(states(scratch, &ours), "told_first applied");
    let effects: HashSet<String> = scratch.effects().into_iter().collect();
    assert_eq!(effects.len(), 2);
}
