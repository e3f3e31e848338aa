//! Locks, those who hold them, and how many questions are asked.

use diesel::{RunQueryDsl as _, connection::SimpleConnection as _};
use migrate_diesel::backend::{Driver as _, StatementLog};

use crate::database::{Database, Text, USERS, materialized, plain};

#[test]
fn locks_are_waited_for_no_longer_than_said() {
    let mut it = Database::new(USERS);
    it.run(
        "CREATE VIEW v AS SELECT * FROM users; CREATE MATERIALIZED VIEW m AS SELECT * FROM users",
    );
    let mut reader = it.another();
    reader
        .batch_execute("SET application_name = 'the report'; BEGIN; SELECT * FROM v")
        .unwrap();
    let (limit, lift) = it.views().lock_timeout(50).unwrap();
    it.run("SET lock_timeout = '7s'");
    it.run(&format!("BEGIN; SAVEPOINT s; {limit}"));
    assert_eq!(it.text("current_setting('lock_timeout')"), "50ms");
    assert!(it.fails("DROP VIEW v").contains("lock timeout"));
    it.run("ROLLBACK TO s");
    assert_eq!(it.text("current_setting('lock_timeout')"), "7s");
    let blockers = it
        .views()
        .blockers(&[&plain("public.v"), &materialized("public.m")])
        .unwrap();
    let pid: Text = diesel::sql_query("SELECT pg_backend_pid()::text AS value")
        .get_result(&mut reader)
        .unwrap();
    let begin = format!(
        "pid {} (application `the report`, user `{}`, idle in transaction for ",
        pid.value.unwrap(),
        it.text("current_user")
    );
    let [blocker] = blockers.as_slice() else {
        panic!("{blockers:?}");
    };
    assert!(
        blocker.starts_with(&begin) && blocker.ends_with(" s)"),
        "{blocker}"
    );
    reader.batch_execute("ROLLBACK").unwrap();
    assert_eq!(it.views().blockers(&[&plain("public.v")]).unwrap(), [""; 0]);
    it.run(&format!("{limit}; DROP VIEW v; {lift}"));
    assert_eq!(it.text("current_setting('lock_timeout')"), "7s");
    it.run("COMMIT");
}

#[test]
fn a_hundred_views_are_one_question() {
    let mut it = Database::new(USERS);
    let (log, mut objects) = (StatementLog::default(), vec![plain("public.v0")]);
    it.run("CREATE VIEW v0 AS SELECT * FROM users");
    for at in 1..100 {
        it.run(&format!(
            "CREATE VIEW v{at} AS SELECT * FROM v{}; COMMENT ON VIEW v{at} IS 'x'",
            at - 1
        ));
        objects.push(plain(&format!("public.v{at}")));
    }
    it.connection().listen(Some(log.clone()));
    assert_eq!(it.snapshots(&objects).len(), 100);
    assert_eq!(it.views().dependents(&["public.v0"]).unwrap().len(), 99);
    let names: Vec<String> = (0..100).map(|at| format!("v{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(it.views().find(&names).unwrap().iter().all(Option::is_some));
    it.connection().listen(None);
    assert_eq!(log.lock().unwrap().sent.len(), 3);
}
