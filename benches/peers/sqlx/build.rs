use std::path::PathBuf;

fn main() {
    let directory = bench_sources::write_sql_files(|number| {
        PathBuf::from(format!("{number:014}_t_{number}.sql"))
    });
    bench_sources::write_source(&format!(
        "static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!({directory:?});"
    ));
}
