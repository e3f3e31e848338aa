use std::path::PathBuf;

/// Beyond this the macro's code, one function with a line per migration, does not compile in reasonable time
/// (1,000: a minute; 5,000: more than eight).
const MACRO_LIMIT: usize = 1000;

fn main() {
    let directory = bench_sources::write_sql_files(|number| {
        PathBuf::from(format!("V{number}__t_{number}.sql"))
    });
    let source = if bench_sources::size() <= MACRO_LIMIT {
        format!(
            "mod embedded {{ refinery::embed_migrations!({directory:?}); }}\n\
             use embedded::migrations::runner;"
        )
    } else {
        // The same data in a static, and what the macro does with it in a loop.
        let list = bench_sources::per_migration(|number, sql| {
            format!("(\"V{number}__t_{number}\", \"{sql};\\n\"),")
        });
        format!(
            "static MIGRATIONS: &[(&str, &str)] = &[{list}];\n\
             fn runner() -> refinery::Runner {{\n\
                 let migrations: Vec<refinery::Migration> = MIGRATIONS.iter()\n\
                     .map(|(name, sql)| refinery::Migration::unapplied(name, sql).unwrap()).collect();\n\
                 refinery::Runner::new(&migrations)\n\
             }}"
        )
    };
    bench_sources::write_source(&source);
}
