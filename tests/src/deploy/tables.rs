//! What many deployers apply at once: tables, and a row per migration that shows what ran twice.

use migrate_diesel::prelude::*;

use crate::cases::leave;

macro_rules! tables {
    ($($name:ident requires $requires:tt)*) => {
        $(
            #[migration(database = "deployers", requires = $requires)]
            pub(crate) fn $name(db: &mut AnyConnection) -> QueryResult<()> {
                db.batch_execute(concat!("CREATE TABLE ", stringify!($name), " (id INTEGER)"))?;
                leave(db, stringify!($name))
            }
        )*

        /// Their names, sorted.
        pub const TABLES: &[&str] = &[$(stringify!($name)),*];
    };
}

tables! {
    deployers_1 requires []
    deployers_2 requires [deployers_1]
    deployers_3 requires []
    deployers_4 requires [deployers_3, deployers_2]
    deployers_5 requires [deployers_1]
    deployers_6 requires [deployers_4]
}
