use migrate_diesel::requires_migration;

#[requires_migration("create_users", on_mising = panic)]
const fn count() -> u64 {
    1
}

#[requires_migration]
fn greet() {}

#[requires_migration(greet)]
struct Users;

trait Counts {
    #[requires_migration(greet)]
    fn count() -> u64;
}

fn main() {}
