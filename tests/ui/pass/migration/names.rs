//! A migration can be named in `requires` however its function can be named in code.
#![forbid(unsafe_code)]

mod accounts {
    use migrate_diesel::prelude::*;

    #[migration]
    pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("CREATE TABLE users (id INTEGER)")
    }

    // Public, and requires a private one.
    #[migration(requires = [hidden])]
    pub fn shown(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }

    #[migration]
    fn hidden(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }

    #[migration]
    pub(crate) fn r#type(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }
}

mod orders {
    use super::accounts::{create_users as users, *};
    use migrate_diesel::prelude::*;

    #[migration(requires = [users, shown, r#type, users])]
    pub(super) fn renamed_import_glob_and_duplicate(db: &mut SqliteConnection) -> QueryResult<()> {
        users(db)
    }

    #[migration(requires = [super::accounts::create_users, crate::accounts::shown, self::later])]
    fn absolute_and_relative(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }

    #[migration(requires = [::billing::migrations::create_invoices])]
    fn later(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }
}

mod both {
    //! A module with the name of the function.
    pub mod create {
        use migrate_diesel::prelude::*;

        #[migration]
        pub fn create(db: &mut SqliteConnection) -> QueryResult<()> {
            db.batch_execute("SELECT 1")
        }
    }
}

use migrate_diesel::prelude::*;

#[migration(requires = [both::create::create])]
fn by_module(db: &mut SqliteConnection) -> QueryResult<()> {
    let create = 1; // The companion type is no pattern.
    db.batch_execute(&format!("SELECT {create}"))
}

fn main() {
    #[migration(requires = [by_module])]
    fn inside_a_function(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }

    let all = migrate_diesel::migrations![
        inside_a_function,
        by_module,
        orders::renamed_import_glob_and_duplicate,
        billing::migrations::create_invoices,
    ];
    let ids: Vec<_> = all.iter().map(|it| it.get().id.name()).collect();
    assert_eq!(
        ids,
        ["inside_a_function", "by_module", "renamed_import_glob_and_duplicate", "create_invoices"]
    );
    let [first, ..] = all;
    assert_eq!(first.get().requires, migrate_diesel::migrations![by_module]);
    let [raw] = migrate_diesel::migrations![accounts::r#type];
    assert_eq!(raw.get().id.name(), "type");
}
