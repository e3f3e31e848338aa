//! `#[mass_migration]` inside of a `macro_rules!`, whose variables arrive as invisible groups.
use migrate_diesel::prelude::*;

macro_rules! fill {
    (
        $(#[$meta:meta])* $visibility:vis $name:ident, $table:literal, $keys:literal, $size:expr, $wait:literal, $added:ident,
        $connection:ty, $batch:ty, $returns:ty, $body:block
    ) => {
        $(#[$meta])*
        #[mass_migration(table = $table, key = $keys, batch = $size, pause = $wait, added = $added)]
        $visibility fn $name(db: &mut $connection, batch: &$batch) -> $returns {
            let _ = (db, batch);
            $body
        }
    };
    ($item:item) => {
        #[mass_migration(requires = [self::first], table = "users")]
        $item
    };
}

fill!(
    /// The first.
    pub first, "users", "id", 10, "5ms", ignore, SqliteConnection, Batch<i64>, QueryResult<()>, { Ok(()) }
);
fill!(second, "users", "id", 20, "1s", follow, Session<SqliteConnection>, Batch<(i64, i64)>, QueryResult<u64>, { Ok(1) });
fill!(
    fn third(_db: &mut SqliteConnection, _batch: &Batch<String>) -> QueryResult<usize> {
        Ok(0)
    }
);

fn main() {
    let [first, third] = migrate_diesel::migrations![first, third];
    assert_eq!(first.get().description, "The first.");
    assert_eq!(third.get().requires, [first]);
    let mut all = migrate_diesel::__private::MIGRATIONS.iter();
    let second = all.find(|it| it.descriptor.id.name() == "second").unwrap();
    assert_eq!(second.mass.unwrap().facts.batch, 20);
}
