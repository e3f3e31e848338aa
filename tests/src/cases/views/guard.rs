//! What goes down for a change, and in what order.

use migrate_diesel::{migrations, prelude::*, view_manager};

use super::{retype, retype_in, table, view_states, views_of};
use crate::{
    database::{Backend, Scratch},
    run::{chain, migrator, up},
};

#[migration]
pub(crate) fn guard_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "guarded")?;
    table(db, "other")
}

// A chain A <- B <- C, with a diamond A <- (B, L) <- D beside it, and one apart.
#[view_manager(name = "g_a", since = guard_create, sql = "SELECT id, email FROM guarded")]
pub(crate) struct A;
#[view_manager(name = "g_b", since = guard_create, uses = [A], sql = "SELECT id, email FROM g_a")]
pub(crate) struct B;
#[view_manager(name = "g_c", since = guard_create, uses = [B], sql = "SELECT id FROM g_b")]
pub(crate) struct C;
#[view_manager(name = "g_l", since = guard_create, uses = [A], sql = "SELECT id FROM g_a")]
pub(crate) struct L;
#[view_manager(name = "g_d", since = guard_create, uses = [B, L, A], sql = "SELECT g_b.id FROM g_b, g_l, g_a")]
pub(crate) struct D;
#[view_manager(name = "g_apart", since = guard_create, sql = "SELECT id, email FROM other")]
pub(crate) struct Apart;

#[migration(requires = [guard_create], suspends = [A])]
pub(crate) fn guard_all(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "guarded")
}

#[migration(requires = [guard_create], suspends = [B])]
pub(crate) fn guard_partly(_: &mut AnyConnection) -> QueryResult<()> {
    Ok(())
}

#[migration(requires = [guard_create], suspends = [L, C])]
pub(crate) fn guard_two_roots(_: &mut AnyConnection) -> QueryResult<()> {
    Ok(())
}

#[migration(requires = [guard_create])]
pub(crate) fn guard_nested(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend((B, Apart), |db| {
        db.suspend((A, B), |db| retype_in(db, "guarded"))?;
        db.suspend(A, |db| retype_in(db, "guarded"))
    })
}

#[migration(requires = [guard_create])]
pub(crate) fn guard_by_catalog(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend_dependents_of("guarded.email", |db| retype_in(db, "guarded"))
}

#[migration(requires = [guard_create])]
pub(crate) fn guard_unknown(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend_dependents_of("guarded.emial", |_| Ok(()))
}

fn ready(scratch: &Scratch) {
    let migrator = migrator(migrations![guard_create]);
    let told = up(scratch, &migrator);
    assert_eq!(
        views_of(&told.events),
        "up g_a, up g_apart, up g_b, up g_c, up g_l, up g_d"
    );
    told.done();
}

/// V-chain, V-triangle-once, V-diamond-topo: leaves first, roots first, each once.
pub fn everything_on_it_goes_down_once(scratch: &Scratch) {
    ready(scratch);
    let migrator = migrator(migrations![guard_create, guard_all]);
    let told = up(scratch, &migrator);
    assert_eq!(
        views_of(&told.events),
        "down g_d, down g_l, down g_c, down g_b, down g_a, up g_a, up g_b, up g_c, up g_l, up g_d"
    );
    told.done();
    assert!(
        view_states(scratch, &migrator)
            .split(", ")
            .all(|it| it.ends_with(" up"))
    );
    assert_eq!(scratch.number("SELECT count(*) AS value FROM g_d"), 1);
}

/// V-partial: what it uses stays.
pub fn what_it_uses_stays_up(scratch: &Scratch) {
    ready(scratch);
    let told = up(scratch, &migrator(migrations![guard_create, guard_partly]));
    assert_eq!(
        views_of(&told.events),
        "down g_d, down g_c, down g_b, up g_b, up g_c, up g_d"
    );
    told.done();
}

/// V-multi-root.
pub fn several_roots_are_one_pass(scratch: &Scratch) {
    ready(scratch);
    let told = up(
        scratch,
        &migrator(migrations![guard_create, guard_two_roots]),
    );
    assert_eq!(
        views_of(&told.events),
        "down g_d, down g_l, down g_c, up g_c, up g_l, up g_d"
    );
    told.done();
}

/// V-nested-same: a guard in a guard takes down what is still up, and brings back only that.
pub fn guards_nest(scratch: &Scratch) {
    ready(scratch);
    let told = up(scratch, &migrator(migrations![guard_create, guard_nested]));
    assert_eq!(
        views_of(&told.events),
        "down g_d, down g_c, down g_b, down g_apart, \
         down g_l, down g_a, up g_a, up g_l, \
         down g_l, down g_a, up g_a, up g_l, \
         up g_apart, up g_b, up g_c, up g_d"
    );
    told.done();
}

/// The catalog knows what reads a column.
pub fn dependents_of_a_column(scratch: &Scratch) {
    ready(scratch);
    let told = up(
        scratch,
        &migrator(migrations![guard_create, guard_by_catalog]),
    );
    assert_eq!(
        views_of(&told.events),
        "down g_d, down g_l, down g_c, down g_b, down g_a, up g_a, up g_b, up g_c, up g_l, up g_d"
    );
    told.done();
}

/// A column that is not there is an error.
pub fn dependents_of_what_is_not_there(scratch: &Scratch) {
    ready(scratch);
    let error = up(scratch, &migrator(migrations![guard_create, guard_unknown])).error();
    assert!(chain(&error).contains("emial"), "{}", chain(&error));
}

/// A view in the middle that is not there hides nobody (V-inactive-middle), and comes back first.
/// PostgreSQL does not let one drop it.
pub fn what_is_missing_in_the_middle_hides_nobody(scratch: &Scratch) {
    assert_ne!(scratch.backend, Backend::Postgres);
    ready(scratch);
    scratch.sql("DROP VIEW g_b");
    let told = up(scratch, &migrator(migrations![guard_create, guard_all]));
    assert_eq!(
        views_of(&told.events),
        "up g_b, down g_d, down g_l, down g_c, down g_b, down g_a, up g_a, up g_b, up g_c, up g_l, up g_d"
    );
    told.done();
}
