use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut String) -> QueryResult<()> {
    db.push('x');
    Ok(())
}

#[migration]
fn create_orders(db: &mut Session<String>) -> QueryResult<()> {
    let _ = db;
    Ok(())
}

fn main() {}
