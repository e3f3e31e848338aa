//! What accounting asks for, in a PostgreSQL database of its own. With `--features postgres`, the
//! deploy program takes care of that one as well: `[databases.reporting]` in `migrate.toml` says where
//! it is.

use migrate_diesel::prelude::*;

/// What was sold, copied from the shop every night.
#[migration(database = "reporting", down = drop_sales)]
pub fn create_sales(db: &mut PgConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE sales (
             id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
             sku text NOT NULL,
             sold_on date NOT NULL,
             revenue_cents integer NOT NULL
         )",
    )
}

fn drop_sales(db: &mut PgConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE sales")
}

/// Revenue of each day; its rows are kept, because to add up years takes its time.
#[view_manager(
    name = "daily_revenue",
    since = create_sales,
    materialized,
    sql = "SELECT sold_on, sum(revenue_cents)::bigint AS revenue_cents FROM sales GROUP BY sold_on",
    indexes = ["CREATE UNIQUE INDEX daily_revenue_by_day ON daily_revenue (sold_on)"]
)]
#[derive(Debug)]
pub struct DailyRevenue;

/// The same for each month, from the days.
#[view_manager(
    name = "monthly_revenue",
    since = create_sales,
    uses = [DailyRevenue],
    sql = "SELECT date_trunc('month', sold_on)::date AS month, sum(revenue_cents)::bigint AS revenue_cents
           FROM daily_revenue GROUP BY 1"
)]
#[derive(Debug)]
pub struct MonthlyRevenue;

/// One sale may be of more than twenty million.
///
/// PostgreSQL refuses to change the type of a column that a view uses. Which ones do, the catalog
/// knows: here `daily_revenue`, and on top of it `monthly_revenue`.
#[migration(requires = [create_sales], database = "reporting")]
pub fn widen_revenue(db: &mut Session<PgConnection>) -> QueryResult<()> {
    db.suspend_dependents_of("sales.revenue_cents", |db| {
        db.batch_execute("ALTER TABLE sales ALTER revenue_cents TYPE bigint")
    })
}
