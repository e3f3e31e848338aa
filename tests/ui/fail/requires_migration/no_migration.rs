use migrate_diesel::{NotMigrated, requires_migration};

struct Users;

#[requires_migration(Users)]
fn users() -> Result<u64, NotMigrated> {
    Ok(1)
}

fn main() {
    let _ = users();
}
