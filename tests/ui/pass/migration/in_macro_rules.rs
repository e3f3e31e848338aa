//! `#[migration]` inside of a `macro_rules!`, whose variables arrive as invisible groups.
use migrate_diesel::prelude::*;

macro_rules! table {
    ($(#[$meta:meta])* $visibility:vis $name:ident, $id:literal, $connection:ty, $returns:ty, [$($requires:path),*], $body:block) => {
        $(#[$meta])*
        #[migration(id = $id, requires = [$($requires),*])]
        $visibility fn $name(db: &mut $connection) -> $returns {
            let _ = db;
            $body
        }
    };
    ($item:item) => {
        #[migration(requires = [self::first])]
        $item
    };
}

table!(
    /// The first.
    pub first, "one", SqliteConnection, QueryResult<()>, [], { Ok(()) }
);
table!(second, "two", Session<SqliteConnection>, QueryResult<()>, [first, crate::first], { Ok(()) });
table!(
    fn third(_db: &mut SqliteConnection) -> QueryResult<()> {
        Ok(())
    }
);

fn main() {
    let [first, second, third] = migrate_diesel::migrations![first, second, third];
    assert_eq!(first.get().id.name(), "one");
    assert_eq!(first.get().description, "The first.");
    assert_eq!(second.get().requires, [first, first]);
    assert_eq!(third.get().requires, [first]);
}
