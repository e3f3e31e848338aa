//! What could not be brought back as it was stays up: the run is refused before the drop.

use migrate_diesel::{Error, ViewError, core::Failure, migrations, prelude::*, view_manager};

use super::{retype, retype_in, table, views_of};
use crate::{
    database::{Backend, Scratch},
    run::{chain, migrator, up_with},
    views::{
        dress::{OWNER, quoted, roles},
        dump::{assert_same, dump, dump_but_types},
    },
};

#[migration]
pub(crate) fn lossy_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "lossy")
}

#[view_manager(since = lossy_create, sql = "SELECT id, email FROM lossy")]
pub(crate) struct LossyBase;

#[view_manager(since = lossy_create, uses = [LossyBase], sql = "SELECT id FROM lossy_base")]
pub(crate) struct LossyTop;

#[migration(requires = [lossy_create], suspends = [LossyBase])]
pub(crate) fn lossy_suspended(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "lossy")
}

#[migration(requires = [lossy_create])]
pub(crate) fn lossy_block(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend(LossyBase, |db| retype_in(db, "lossy"))
}

/// Deploys as `user`, who could drop the view but not bring it back as it was; says what it needs.
fn refused(scratch: &Scratch, user: &str, needle: &str) {
    let before = dump(scratch);
    for migrator in [
        migrator(migrations![lossy_create, lossy_suspended]),
        migrator(migrations![lossy_create, lossy_block]),
    ] {
        let url = scratch.url_as(user, SECRET);
        let mut db = AnyConnection::open(&url).unwrap();
        let told = up_with(&mut db, &migrator, &Default::default());
        assert_eq!(views_of(&told.events), "");
        let error = told.error();
        let text = chain(&error);
        assert!(
            text.contains("LossyBase") && text.contains(needle) && text.contains("loss"),
            "{text}"
        );
        if let Error::View(error) = &error {
            assert!(matches!(**error, ViewError::Lossy { .. }), "{error:?}");
        }
        let next = Failure::from(error).next_step.unwrap();
        assert!(next.contains("run as a user"), "{next}");
        assert_same(&before, &dump(scratch), "refused");
    }
}

const SECRET: &str = "k3pt";

/// The owner of the schema may drop what others have in it, and not give it back to them.
pub fn a_role_that_nobody_can_take_on(scratch: &Scratch) {
    let user = format!("{}_deployer", scratch.name());
    roles(scratch);
    scratch.sql(&format!(
        "CREATE ROLE {user} LOGIN PASSWORD '{SECRET}'; ALTER SCHEMA public OWNER TO {user}"
    ));
    let url = scratch.url_as(&user, SECRET);
    let mut db = AnyConnection::open(&url).unwrap();
    up_with(
        &mut db,
        &migrator(migrations![lossy_create]),
        &Default::default(),
    )
    .done();
    drop(db);
    let owner = quoted(Backend::Postgres, OWNER);
    scratch.sql(&format!(
        "GRANT SELECT ON lossy TO {owner}; ALTER VIEW lossy_base OWNER TO {owner}; \
         GRANT SELECT ON lossy_base TO {user}"
    ));
    refused(scratch, &user, OWNER);
    // It is a question of rights alone.
    scratch.sql(&format!("GRANT {owner} TO {user}"));
    let mut db = AnyConnection::open(&url).unwrap();
    let before = dump_but_types(scratch);
    let migrator = migrator(migrations![lossy_create, lossy_suspended, lossy_block]);
    up_with(&mut db, &migrator, &Default::default()).done();
    assert_same(&before, &dump_but_types(scratch), "with the right");
    drop(db);
    scratch.sql(&format!(
        "REASSIGN OWNED BY {user} TO CURRENT_USER; DROP OWNED BY {user}; DROP ROLE {user}"
    ));
}

/// Another user's name can be put to a view by few.
pub fn a_definer_that_nobody_may_name(scratch: &Scratch) {
    let user = format!("{}_deployer", scratch.name());
    roles(scratch);
    scratch.sql(&format!(
        "CREATE USER {user}@'%' IDENTIFIED BY '{SECRET}'; GRANT ALL ON {}.* TO {user}@'%'",
        scratch.name()
    ));
    let url = scratch.url_as(&user, SECRET);
    let mut db = AnyConnection::open(&url).unwrap();
    up_with(
        &mut db,
        &migrator(migrations![lossy_create]),
        &Default::default(),
    )
    .done();
    drop(db);
    let owner = quoted(Backend::Mysql, OWNER);
    scratch.sql(&format!(
        "ALTER DEFINER={owner}@'%' SQL SECURITY INVOKER VIEW lossy_base AS SELECT id, email FROM lossy"
    ));
    refused(scratch, &user, OWNER);
    scratch.sql(&format!("GRANT SET USER ON *.* TO {user}@'%'"));
    let mut db = AnyConnection::open(&url).unwrap();
    let before = dump_but_types(scratch);
    let migrator = migrator(migrations![lossy_create, lossy_suspended, lossy_block]);
    up_with(&mut db, &migrator, &Default::default()).done();
    assert_same(&before, &dump_but_types(scratch), "with the right");
    drop(db);
    scratch.sql(&format!("DROP USER {user}@'%'"));
}
