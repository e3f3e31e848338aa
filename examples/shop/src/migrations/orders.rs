//! Orders, their lines, and the invoices that the crate `billing` makes of them.

use migrate_diesel::prelude::*;

use super::{accounts, catalog};
use crate::views::ProductSales;

/// Orders and their lines; a line keeps the price of its day.
#[migration(requires = [accounts::create_addresses, catalog::create_stock])]
pub fn create_orders(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE orders (
             id INTEGER PRIMARY KEY,
             user_id INTEGER NOT NULL REFERENCES users (id),
             address_id INTEGER NOT NULL REFERENCES addresses (id),
             placed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
         );
         CREATE TABLE order_lines (
             order_id INTEGER NOT NULL REFERENCES orders (id),
             product_id INTEGER NOT NULL REFERENCES products (id),
             quantity INTEGER NOT NULL CHECK (quantity > 0),
             price_cents INTEGER NOT NULL,
             PRIMARY KEY (order_id, product_id)
         )",
    )
}

/// An order knows its invoice, once there is one.
#[migration(requires = [create_orders, billing::migrations::create_invoices])]
pub fn link_invoices(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("ALTER TABLE orders ADD COLUMN invoice_id INTEGER REFERENCES invoices (id)")
}

/// The total of an order, so that lists need not add up lines.
#[migration(requires = [create_orders])]
pub fn add_order_total(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "ALTER TABLE orders ADD COLUMN total_cents INTEGER NOT NULL DEFAULT 0;
         UPDATE orders SET total_cents = coalesce(
             (SELECT sum(quantity * price_cents) FROM order_lines WHERE order_id = orders.id), 0)",
    )
}

/// An order may have a product on several lines: as a gift, or at another price.
///
/// SQLite changes a primary key by building the table anew, and cannot rename the new one while a
/// view selects from the old one. So the views on it go down for the time: the one that is named, and
/// with it the one that uses it.
#[migration(requires = [add_order_total], suspends = [ProductSales])]
pub fn number_order_lines(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE numbered_lines (
             order_id INTEGER NOT NULL REFERENCES orders (id),
             line INTEGER NOT NULL,
             product_id INTEGER NOT NULL REFERENCES products (id),
             quantity INTEGER NOT NULL CHECK (quantity > 0),
             price_cents INTEGER NOT NULL,
             PRIMARY KEY (order_id, line)
         );
         INSERT INTO numbered_lines
             SELECT order_id, row_number() OVER (PARTITION BY order_id ORDER BY product_id),
                    product_id, quantity, price_cents
             FROM order_lines;
         DROP TABLE order_lines;
         ALTER TABLE numbered_lines RENAME TO order_lines",
    )
}

/// Statistics for the planner. SQLite keeps them outside of what a transaction protects well, and
/// gathering them again does no harm.
#[migration(requires = [link_invoices, add_order_total], transaction = none)]
pub fn gather_statistics(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("ANALYZE")
}
