//! Bodies whose statement is still running in the server when their deployer is dead.

use migrate_diesel::prelude::*;

use crate::cases::leave;

#[migration(database = "zombie")]
pub(crate) fn zombie_body(db: &mut AnyConnection) -> QueryResult<()> {
    let sleep = match db {
        AnyConnection::Postgres(_) => "SELECT pg_sleep(1.5)",
        _ => "DO SLEEP(1.5)",
    };
    // One round trip: the server goes on from the one to the other by itself.
    db.batch_execute(&format!(
        "{sleep}; INSERT INTO effects (name) VALUES ('body')"
    ))
}

/// Its deferred trigger, which the test makes, sleeps in the commit.
#[migration(database = "zombie_commit")]
pub(crate) fn zombie_commit(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "commit")
}

/// DDL that takes long, and that MySQL commits by itself.
#[migration(database = "zombie_ddl")]
pub(crate) fn zombie_ddl(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE zombie AS SELECT SLEEP(1.5) AS slept")
}
