//! `#[view_manager]` inside of a `macro_rules!`, whose variables arrive as invisible groups.
use migrate_diesel::{DeclaredView, prelude::*};

macro_rules! views {
    ($($(#[$meta:meta])* $visibility:vis $name:ident = $view:literal, $since:path, [$($uses:path),*], $sql:literal;)*) => {
        $(
            $(#[$meta])*
            #[view_manager(name = $view, since = $since, uses = [$($uses),*], sql = $sql)]
            $visibility struct $name;
        )*
    };
    ($item:item, $suspended:ty, $connection:ty) => {
        #[view_manager(since = first)]
        $item

        #[view_manager]
        impl ViewManager for ByHand {
            type Connection = $connection;
            fn up(_: &mut $connection) -> QueryResult<()> {
                Ok(())
            }
            fn down(_: &mut $connection) -> QueryResult<()> {
                Ok(())
            }
        }

        #[migration(requires = [first], suspends = [$suspended])]
        fn suspending(db: &mut $connection) -> QueryResult<()> {
            db.batch_execute("SELECT 1")
        }
    };
}

#[migration]
fn first(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

views! {
    /// The one.
    pub One = "one", first, [], "SELECT 1";
    Two = "other.two", crate::first, [One, crate::One], "SELECT 1";
}
views!(
    /// By hand.
    pub(crate) struct ByHand;,
    Two,
    SqliteConnection
);

fn main() {
    assert_eq!(One::VIEW.get().description, "The one.");
    assert_eq!(Two::VIEW.get().name, "other.two");
    assert_eq!(Two::VIEW.get().uses, [One::VIEW, One::VIEW]);
    assert_eq!(ByHand::VIEW.get().description, "By hand.");
    let [suspending] = migrate_diesel::migrations![suspending];
    assert_eq!(suspending.get().suspends, [Two::VIEW]);
}
