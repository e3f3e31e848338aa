fn main() {
    let connection = match bench_sources::Backend::of_this_build() {
        bench_sources::Backend::Sqlite => "SqliteConnection",
        bench_sources::Backend::Postgres => "PgConnection",
    };
    // Each requires the one before it: what the others call the order of their files.
    let functions = bench_sources::per_migration(|number, sql| {
        let requires = match number {
            1 => String::new(),
            _ => format!("(requires = [t_{}])", number - 1),
        };
        format!(
            "#[migration{requires}]\n\
             pub fn t_{number}(db: &mut {connection}) -> QueryResult<()> {{ db.batch_execute(\"{sql}\") }}"
        )
    });
    bench_sources::write_source(&functions);
}
