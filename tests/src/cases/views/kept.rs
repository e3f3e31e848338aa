//! What hangs on a view is there again after it was out of the way: told by a dump of the catalog
//! that does not ask as the runner does.

use migrate_diesel::{migrations, prelude::*, view_manager};

use super::{retype, retype_in, table, view_states, views_of};
use crate::{
    database::{Backend, Scratch},
    run::{Told, migrator, up},
    views::{
        dress::{OWNER, Options, READER, WRITER, dress, dress_materialized, quoted, roles},
        dump::{assert_same, dump_but_types},
    },
};

#[migration]
pub(crate) fn kept_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "kept")
}

#[view_manager(since = kept_create, sql = "SELECT id, email FROM kept")]
pub(crate) struct KeptBase;

#[view_manager(since = kept_create, uses = [KeptBase], sql = "SELECT id FROM kept_base")]
pub(crate) struct KeptTop;

#[migration(requires = [kept_create], suspends = [KeptBase])]
pub(crate) fn kept_suspended(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "kept")
}

#[migration(requires = [kept_create])]
pub(crate) fn kept_block(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend(KeptBase, |db| retype_in(db, "kept"))
}

#[migration(requires = [kept_create])]
pub(crate) fn kept_by_catalog(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend_dependents_of("kept.email", |db| retype_in(db, "kept"))
}

#[migration(requires = [kept_create], suspends = [KeptBase], transaction = none)]
pub(crate) fn kept_outside(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "kept")
}

#[migration(requires = [kept_create], transaction = none)]
pub(crate) fn kept_block_outside(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend(KeptBase, |db| retype_in(db, "kept"))
}

fn ready(scratch: &Scratch, options: Options) {
    up(scratch, &migrator(migrations![kept_create])).done();
    dress(scratch, "kept", "kept_base", "kept_top", options);
}

/// Runs, and compares what the database knew before with what it knows now.
fn kept_by(scratch: &Scratch, run: impl FnOnce() -> Told, moves: &str) {
    let before = dump_but_types(scratch);
    let told = run();
    assert_eq!(views_of(&told.events).replace("public.", ""), moves);
    told.done();
    assert_same(&before, &dump_but_types(scratch), moves);
}

const BOTH: &str = "down kept_top, down kept_base, up kept_base, up kept_top";

/// `suspends`.
pub fn a_guard_keeps_everything(scratch: &Scratch) {
    ready(scratch, Options::ByHand);
    let migrator = migrator(migrations![kept_create, kept_suspended]);
    kept_by(scratch, || up(scratch, &migrator), BOTH);
}

/// `session.suspend`.
pub fn a_block_keeps_everything(scratch: &Scratch) {
    ready(scratch, Options::ByHand);
    let migrator = migrator(migrations![kept_create, kept_block]);
    kept_by(scratch, || up(scratch, &migrator), BOTH);
}

/// `session.suspend_dependents_of`.
pub fn what_the_catalog_finds_keeps_everything(scratch: &Scratch) {
    ready(scratch, Options::ByHand);
    let migrator = migrator(migrations![kept_create, kept_by_catalog]);
    kept_by(scratch, || up(scratch, &migrator), BOTH);
}

/// From what was written down before the drop.
pub fn outside_a_transaction_everything_is_kept(scratch: &Scratch) {
    ready(scratch, Options::ByHand);
    let migrator = migrator(migrations![kept_create, kept_outside, kept_block_outside]);
    kept_by(
        scratch,
        || up(scratch, &migrator),
        &format!("{BOTH}, {BOTH}"),
    );
}

/// A changed definition; the declaration decides about options alone.
pub fn a_rebuild_keeps_everything(scratch: &Scratch) {
    ready(scratch, Options::AsDeclared);
    let migrator = migrator(migrations![kept_create]);
    scratch.sql(
        "UPDATE migrate_history_views SET fingerprint = '0000000000000001' WHERE name = 'kept_base'",
    );
    kept_by(scratch, || up(scratch, &migrator), BOTH);
    assert_eq!(view_states(scratch, &migrator), "kept_base up, kept_top up");
}

#[migration]
pub(crate) fn hand_over_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "handed")
}

#[migration(requires = [hand_over_create])]
pub(crate) fn hand_over(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "handed")
}

#[view_manager(name = "over_base", since = hand_over_create, until = hand_over, sql = "SELECT id, email FROM handed")]
pub(crate) struct OverBase;

#[view_manager(name = "over_top", since = hand_over_create, until = hand_over, uses = [OverBase], sql = "SELECT id FROM over_base")]
pub(crate) struct OverTop;

#[view_manager(name = "over_base", since = hand_over, sql = "SELECT id, email FROM handed")]
pub(crate) struct OverBaseNext;

#[view_manager(name = "over_top", since = hand_over, uses = [OverBaseNext], sql = "SELECT id FROM over_base")]
pub(crate) struct OverTopNext;

/// What hung on the first of a name goes on to the second.
pub fn who_takes_a_name_takes_what_hung_on_it(scratch: &Scratch) {
    up(scratch, &migrator(migrations![hand_over_create])).done();
    dress(
        scratch,
        "handed",
        "over_base",
        "over_top",
        Options::AsDeclared,
    );
    let migrator = migrator(migrations![hand_over_create, hand_over]);
    kept_by(
        scratch,
        || up(scratch, &migrator),
        "down over_top, down over_base, up over_base, up over_top",
    );
    assert_eq!(
        view_states(scratch, &migrator),
        "over_base down, over_top down, over_base up, over_top up"
    );
}

#[migration]
pub(crate) fn stored_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "stored")
}

#[view_manager(since = stored_create, sql = "SELECT id, email FROM stored")]
pub(crate) struct StoredBase;

#[view_manager(since = stored_create, uses = [StoredBase], materialized, sql = "SELECT id, email FROM stored_base",
    indexes = ["CREATE INDEX stored_declared ON stored_rows (email)"])]
pub(crate) struct StoredRows;

#[view_manager(since = stored_create, uses = [StoredRows], sql = "SELECT id FROM stored_rows")]
pub(crate) struct StoredTop;

#[migration(requires = [stored_create], suspends = [StoredBase])]
pub(crate) fn stored_suspended(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "stored")
}

#[migration(requires = [stored_create], transaction = none)]
pub(crate) fn stored_outside(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend(StoredBase, |db| retype_in(db, "stored"))
}

const THREE: &str = "down stored_top, down stored_rows, down stored_base, up stored_base, up stored_rows, up stored_top";

fn stored(scratch: &Scratch) {
    up(scratch, &migrator(migrations![stored_create])).done();
    dress_materialized(scratch, "stored_rows");
    dress(
        scratch,
        "stored",
        "stored_base",
        "stored_top",
        Options::AsDeclared,
    );
}

/// Indexes, statistics, storage, the mark of CLUSTER, rows.
pub fn a_materialized_view_keeps_everything(scratch: &Scratch) {
    stored(scratch);
    let guarded = migrator(migrations![stored_create, stored_suspended]);
    kept_by(scratch, || up(scratch, &guarded), THREE);
    let outside = migrator(migrations![stored_create, stored_suspended, stored_outside]);
    kept_by(scratch, || up(scratch, &outside), THREE);
}

/// Its rows are not asked for where nobody had asked for them.
pub fn one_without_rows_stays_without(scratch: &Scratch) {
    stored(scratch);
    scratch.sql("REFRESH MATERIALIZED VIEW stored_rows WITH NO DATA");
    let guarded = migrator(migrations![stored_create, stored_suspended]);
    kept_by(scratch, || up(scratch, &guarded), THREE);
    let outside = migrator(migrations![stored_create, stored_suspended, stored_outside]);
    kept_by(scratch, || up(scratch, &outside), THREE);
    scratch.sql(
        "UPDATE migrate_history_views SET fingerprint = '0000000000000001' WHERE name = 'stored_rows'",
    );
    // What was made by hand on it is not declared; this is about the rows.
    scratch.sql("ALTER MATERIALIZED VIEW stored_rows RESET (fillfactor, autovacuum_enabled, toast.autovacuum_enabled)");
    kept_by(
        scratch,
        || up(scratch, &outside),
        "down stored_top, down stored_rows, up stored_rows, up stored_top",
    );
}

#[migration]
pub(crate) fn odd_create(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE SCHEMA \"Odd; schema\"")?;
    table(db, "\"Odd Table\"")
}

#[view_manager(name = "Odd; schema.Odd; view -- 1", since = odd_create, unmanaged = restore, sql = "SELECT id, email FROM \"Odd Table\"")]
pub(crate) struct OddBase;

#[view_manager(name = "UPPER", since = odd_create, unmanaged = restore, uses = [OddBase], sql = "SELECT id FROM \"Odd; schema\".\"Odd; view -- 1\"")]
pub(crate) struct OddTop;

#[migration(requires = [odd_create], unmanaged = restore)]
pub(crate) fn odd_retype(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend_dependents_of("Odd Table.email", |db| retype_in(db, "\"Odd Table\""))
}

#[migration(requires = [odd_create], unmanaged = restore, transaction = none)]
pub(crate) fn odd_outside(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend(OddBase, |db| retype_in(db, "\"Odd Table\""))
}

/// Upper case, blanks, quotes, what looks like a comment; in declared views and in others.
pub fn names_of_all_kinds(scratch: &Scratch) {
    up(scratch, &migrator(migrations![odd_create])).done();
    let base = "\"Odd; schema\".\"Odd; view -- 1\"";
    roles(scratch);
    scratch.sql(&format!(
        "GRANT USAGE ON SCHEMA \"Odd; schema\" TO {READER}, {WRITER}"
    ));
    dress(scratch, "unused", base, "\"UPPER\"", Options::ByHand);
    scratch.sql(&format!(
        "CREATE VIEW \"Odd; schema\".\"It's \"\"hers\"\"; -- migrate: view\" AS SELECT email AS \"E; \"\"mail\" FROM {base}; \
         COMMENT ON COLUMN \"Odd; schema\".\"It's \"\"hers\"\"; -- migrate: view\".\"E; \"\"mail\" IS 'It''s'; \
         GRANT SELECT (\"E; \"\"mail\") ON \"Odd; schema\".\"It's \"\"hers\"\"; -- migrate: view\" TO {READER}; \
         CREATE MATERIALIZED VIEW \"Odd; schema\".\"Rows\" AS SELECT * FROM \"UPPER\"; \
         CREATE UNIQUE INDEX \"Odd; \"\"index\" ON \"Odd; schema\".\"Rows\" (id)"
    ));
    let before = dump_but_types(scratch);
    let inside = migrator(migrations![odd_create, odd_retype]);
    up(scratch, &inside).done();
    assert_same(&before, &dump_but_types(scratch), "inside");
    let outside = migrator(migrations![odd_create, odd_retype, odd_outside]);
    let told = up(scratch, &outside);
    assert!(views_of(&told.events).contains("It's \"hers\""), "{told:?}");
    told.done();
    assert_same(&before, &dump_but_types(scratch), "outside");
}

#[migration]
pub(crate) fn typed_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "typed")
}

#[view_manager(since = typed_create, unmanaged = restore, sql = "SELECT id, email FROM typed")]
pub(crate) struct TypedBase;

#[migration(requires = [typed_create], suspends = [TypedBase])]
pub(crate) fn typed_suspended(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "typed")
}

#[migration(requires = [typed_create], suspends = [TypedBase], transaction = none)]
pub(crate) fn typed_outside(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "typed")
}

/// Functions that take, return or read the rows of a view, and a view on top of one.
pub fn functions_on_its_rows(scratch: &Scratch) {
    up(scratch, &migrator(migrations![typed_create])).done();
    roles(scratch);
    let owner = quoted(Backend::Postgres, OWNER);
    scratch.sql(&format!(
        "CREATE FUNCTION mail_of(it typed_base, \"odd; arg\" text DEFAULT 'a;b') RETURNS text LANGUAGE sql IMMUTABLE \
           AS $f$ SELECT it.email || ';' $f$; \
         CREATE FUNCTION all_of() RETURNS SETOF typed_base LANGUAGE sql AS 'SELECT * FROM typed_base'; \
         CREATE FUNCTION list_of(typed_base[]) RETURNS int LANGUAGE sql RETURN cardinality($1); \
         CREATE PROCEDURE do_with(it typed_base) LANGUAGE plpgsql AS 'BEGIN NULL; END'; \
         CREATE VIEW mails AS SELECT mail_of(t) AS mail FROM typed_base t; \
         COMMENT ON FUNCTION mail_of(typed_base, text) IS 'It''s'; \
         REVOKE EXECUTE ON FUNCTION mail_of(typed_base, text) FROM PUBLIC; \
         GRANT EXECUTE ON FUNCTION mail_of(typed_base, text) TO {READER}; \
         ALTER FUNCTION all_of() OWNER TO {owner}; \
         ALTER FUNCTION all_of() SET search_path = public, pg_temp; \
         GRANT EXECUTE ON PROCEDURE do_with(typed_base) TO {READER} WITH GRANT OPTION; \
         GRANT SELECT ON mails TO {READER}; \
         ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; \
         ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {READER}"
    ));
    let before = dump_but_types(scratch);
    up(
        scratch,
        &migrator(migrations![typed_create, typed_suspended]),
    )
    .done();
    assert_same(&before, &dump_but_types(scratch), "inside");
    let outside = migrator(migrations![typed_create, typed_suspended, typed_outside]);
    up(scratch, &outside).done();
    assert_same(&before, &dump_but_types(scratch), "outside");
}
