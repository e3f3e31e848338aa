//! One name, several views after each other, and some that live in other databases.
use migrate_diesel::{DeclaredView, prelude::*};

#[migration]
fn first(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(requires = [first], suspends = [Beside])]
fn second(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(requires = [second])]
fn third(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

/// Hands over within `second`.
#[view_manager(name = "users_now", since = first, until = second, sql = "SELECT 1")]
pub struct V1;

#[view_manager(name = "Users_Now", since = second, until = third, sql = "SELECT 2")]
pub struct V2;

#[view_manager(name = "users_now", since = third, sql = "SELECT 3")]
pub struct V3;

/// Suspended by the migration that another view begins with, and the other way round.
#[view_manager(since = first, uses = [V0], sql = "SELECT 1")]
pub struct Beside;

#[view_manager(since = first, sql = "SELECT 1")]
pub struct V0;

#[migration(database = "analytics", suspends = [OfAnalytics])]
fn elsewhere(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(name = "users_now", since = elsewhere, database = "analytics", sql = "SELECT 4")]
pub struct OfAnalytics;

/// Ends while `V3` lives, in another database.
#[view_manager(name = "users_now", since = elsewhere, until = never, sql = "SELECT 4")]
pub struct OfAnalyticsThatEnds;

#[migration(database = "analytics", requires = [elsewhere])]
fn never(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

/// The migration that it comes up with suspends a view that comes up with it too.
#[migration(requires = [third], suspends = [Mutual])]
fn mutual(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = mutual, uses = [V3], sql = "SELECT 1")]
pub struct Mutual;

fn main() {
    assert_eq!(V1::VIEW.get().until, Some(V2::VIEW.get().since));
    let [mutual] = migrate_diesel::migrations![mutual];
    assert_eq!(mutual.get().suspends, [Mutual::VIEW]);
    assert_eq!(Mutual::VIEW.get().since, mutual);
}
