//! Orders, their lines, and the invoices that the crate `billing` makes of them.

use migrate_diesel::prelude::*;

use super::{accounts, catalog};

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

/// Statistics for the planner. SQLite keeps them outside of what a transaction protects well, and
/// gathering them again does no harm.
#[migration(requires = [link_invoices, add_order_total], transaction = none)]
pub fn gather_statistics(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("ANALYZE")
}
