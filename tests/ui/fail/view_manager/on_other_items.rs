use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, sql = "SELECT 1")]
enum Kind {
    One,
}

#[view_manager(since = create_users, sql = "SELECT 1")]
struct Fields {
    id: i32,
}

#[view_manager(since = create_users, sql = "SELECT 1")]
struct Tuple(i32);

#[view_manager(since = create_users, sql = "SELECT 1")]
struct Generic<T>(T);

#[view_manager(since = create_users, sql = "SELECT 1")]
fn function(_: &mut SqliteConnection) {}

#[view_manager(since = create_users, sql = "SELECT 1")]
mod module {}

#[view_manager]
impl Fields {}

#[view_manager]
impl Clone for Fields {
    fn clone(&self) -> Self {
        Self { id: self.id }
    }
}

// What others name is there all the same.
#[view_manager(since = create_users, uses = [Kind, Fields, Tuple], sql = "SELECT 1")]
struct Innocent;

fn main() {}
