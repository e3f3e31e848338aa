//! Invoices and payments: a library crate with migrations of its own.
//!
//! A program that uses it names it in `migrate_diesel::main!(.., billing)`.
#![forbid(unsafe_code)]

pub mod migrations {
    //! The migrations of this crate, in the order in which they were written.

    use migrate_diesel::prelude::*;

    /// Invoices, numbered per year.
    #[migration(down = drop_invoices)]
    pub fn create_invoices(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute(
            "CREATE TABLE invoices (
                 id INTEGER PRIMARY KEY,
                 year INTEGER NOT NULL,
                 number INTEGER NOT NULL,
                 total_cents INTEGER NOT NULL,
                 issued_at TEXT NOT NULL,
                 UNIQUE (year, number)
             )",
        )
    }

    fn drop_invoices(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("DROP TABLE invoices")
    }

    /// What customers have paid, and how.
    #[migration(requires = [create_invoices], down = drop_payments)]
    pub fn create_payments(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute(
            "CREATE TABLE payments (
                 id INTEGER PRIMARY KEY,
                 invoice_id INTEGER NOT NULL REFERENCES invoices (id),
                 amount_cents INTEGER NOT NULL CHECK (amount_cents <> 0),
                 method TEXT NOT NULL,
                 paid_at TEXT NOT NULL
             );
             CREATE INDEX payments_by_invoice ON payments (invoice_id)",
        )
    }

    fn drop_payments(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("DROP TABLE payments")
    }
}
