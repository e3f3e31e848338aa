//! Names from other modules, renamed ones, raw ones, and types of all visibilities.
use migrate_diesel::{DeclaredView, prelude::*};

mod tables {
    pub mod deep {
        use migrate_diesel::prelude::*;

        #[migration]
        pub fn r#type(db: &mut SqliteConnection) -> QueryResult<()> {
            db.batch_execute("SELECT 1")
        }
    }
    pub use deep::r#type as renamed;
}

pub mod views {
    use migrate_diesel::prelude::*;

    #[view_manager(since = super::tables::deep::r#type, sql = "SELECT 1")]
    pub(crate) struct r#HTTPStats2;

    pub(super) mod inner {
        use migrate_diesel::prelude::*;

        #[view_manager(since = crate::tables::renamed, uses = [super::HTTPStats2], sql = "SELECT 1")]
        pub(in crate::views) struct Private;

        #[view_manager(since = crate::tables::renamed, uses = [Private], sql = "SELECT 1")]
        #[allow(non_camel_case_types)]
        pub(crate) struct r#struct;
    }
    pub(crate) use inner::r#struct as Other;
}

use views::Other as Renamed;

#[migration(requires = [tables::renamed], suspends = [Renamed, views::HTTPStats2])]
fn change(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

// Crates may depend on each other's views.
#[view_manager(since = needs_billing, sql = "SELECT 1")]
struct OfAnotherCratesMigration;

#[migration(requires = [billing::migrations::create_invoices])]
fn needs_billing(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(
    since = billing::migrations::create_invoices,
    until = needs_billing,
    name = "of_another_crate",
    sql = "SELECT 1"
)]
struct SinceAnotherCrate;

fn main() {
    // In the body of a function, where nothing outside can name them.
    #[migration]
    fn local(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }

    #[view_manager(since = local, uses = [], sql = "SELECT 1")]
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    struct Local;

    assert_eq!(Local::VIEW.get().name, "local");
    assert_eq!(views::HTTPStats2::VIEW.get().name, "http_stats2");
    assert_eq!(views::HTTPStats2::VIEW.get().id.name(), "HTTPStats2");
    assert_eq!(Renamed::VIEW.get().name, "struct");
    let [change] = migrate_diesel::migrations![change];
    assert_eq!(
        change.get().suspends,
        [views::inner::r#struct::VIEW, views::HTTPStats2::VIEW]
    );
}
