//! Views, declared once: the runner creates them, takes them out of the way of migrations, and
//! builds them anew when their definition changes here.

use migrate_diesel::prelude::*;

use crate::migrations::orders::{add_order_total, create_orders};

/// What was sold of each product.
#[view_manager(
    name = "product_sales",
    since = create_orders,
    sql = "SELECT products.id AS product_id, sku, title,
                  sum(quantity) AS sold, sum(quantity * order_lines.price_cents) AS revenue_cents
           FROM products JOIN order_lines ON product_id = products.id
           GROUP BY products.id, sku, title"
)]
#[derive(Debug)]
pub struct ProductSales;

/// The ten products that we earn most with.
#[view_manager(
    name = "best_sellers",
    since = create_orders,
    uses = [ProductSales],
    file = "views/best_sellers.sql"
)]
#[derive(Debug)]
pub struct BestSellers;

/// Users who have ordered something.
#[view_manager(
    name = "active_customers",
    since = create_orders,
    sql = "SELECT id AS user_id, email, name FROM users
           WHERE EXISTS (SELECT 1 FROM orders WHERE user_id = users.id)"
)]
#[derive(Debug)]
pub struct ActiveCustomers;

/// What each of them has ordered for, added up from the lines.
#[view_manager(
    name = "customer_totals",
    since = create_orders,
    until = add_order_total,
    uses = [ActiveCustomers],
    sql = "SELECT active_customers.user_id, email, sum(quantity * price_cents) AS total_cents
           FROM active_customers
           JOIN orders ON orders.user_id = active_customers.user_id
           JOIN order_lines ON order_id = orders.id
           GROUP BY active_customers.user_id, email"
)]
#[derive(Debug)]
pub struct CustomerTotalsOfLines;

/// The same, since an order knows its total: whoever selects from it notices nothing.
#[view_manager(
    name = "customer_totals",
    since = add_order_total,
    uses = [ActiveCustomers],
    sql = "SELECT active_customers.user_id, email, sum(total_cents) AS total_cents
           FROM active_customers
           JOIN orders ON orders.user_id = active_customers.user_id
           GROUP BY active_customers.user_id, email"
)]
#[derive(Debug)]
pub struct CustomerTotals;
