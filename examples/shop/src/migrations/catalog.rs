//! Products and what we have of them.

use migrate_diesel::prelude::*;

/// What we sell. Prices are cents, so that sums are exact.
#[migration(down = drop_products)]
pub fn create_products(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE products (
             id INTEGER PRIMARY KEY,
             sku TEXT NOT NULL UNIQUE,
             title TEXT NOT NULL,
             price_cents INTEGER NOT NULL CHECK (price_cents >= 0)
         )",
    )
}

fn drop_products(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE products")
}

/// Categories, in a tree.
#[migration(requires = [create_products])]
pub fn create_categories(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE categories (
             id INTEGER PRIMARY KEY,
             parent_id INTEGER REFERENCES categories (id),
             name TEXT NOT NULL
         );
         CREATE TABLE product_categories (
             product_id INTEGER NOT NULL REFERENCES products (id),
             category_id INTEGER NOT NULL REFERENCES categories (id),
             PRIMARY KEY (product_id, category_id)
         )",
    )
}

mod then {
    //! The table as it is at this point of history: a migration keeps a picture of its own, so that
    //! it still compiles when the application's has moved on.

    diesel::table! {
        categories (id) {
            id -> Integer,
            parent_id -> Nullable<Integer>,
            name -> Text,
        }
    }
}

/// The categories that every shop starts with; written with Diesel's query builder.
#[migration(requires = [create_categories])]
pub fn seed_categories(db: &mut Session<SqliteConnection>) -> QueryResult<()> {
    const NAMES: [&str; 4] = ["Books", "Games", "Garden", "Kitchen"];
    for (done, name) in (0..).zip(NAMES) {
        db.progress(done, 4);
        diesel::insert_into(then::categories::table)
            .values(then::categories::name.eq(name))
            .execute(db)?;
    }
    Ok(())
}

/// How many we have, and where.
#[migration(requires = [create_products], down = drop_stock)]
pub fn create_stock(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE stock (
             product_id INTEGER NOT NULL REFERENCES products (id),
             warehouse TEXT NOT NULL,
             quantity INTEGER NOT NULL DEFAULT 0 CHECK (quantity >= 0),
             PRIMARY KEY (product_id, warehouse)
         ) WITHOUT ROWID",
    )
}

fn drop_stock(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE stock")
}
