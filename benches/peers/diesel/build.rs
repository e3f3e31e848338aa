use std::path::PathBuf;

fn main() {
    let directory = bench_sources::write_sql_files(|number| {
        PathBuf::from(format!("{number:014}_t_{number}/up.sql"))
    });
    bench_sources::write_source(&format!(
        "pub const MIGRATIONS: diesel_migrations::EmbeddedMigrations = diesel_migrations::embed_migrations!({directory:?});"
    ));
}
