migrate_diesel::migrations_dir!("migrations", format = plain);

fn main() {}
