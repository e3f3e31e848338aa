use migrate_diesel::prelude::*;

#[mass_migration(items = letters)]
fn other_items(db: &mut SqliteConnection, item: &String) -> QueryResult<()> {
    let _ = (db, item);
    Ok(())
}

fn letters(_after: Option<u32>) -> Result<std::vec::IntoIter<Result<(u32, char), String>>, String> {
    Ok(Vec::new().into_iter())
}

struct User;

#[mass_migration(table = "users")]
fn not_loaded(db: &mut SqliteConnection, user: &User) -> QueryResult<()> {
    let _ = (db, user);
    Ok(())
}

#[mass_migration]
fn not_next(db: &mut SqliteConnection, at: &Cursor<i64>) -> QueryResult<usize> {
    let _ = (db, at);
    Ok(0)
}

fn main() {}
