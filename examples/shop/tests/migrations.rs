//! What a program should test of its migrations: that they fit together, that those which can be
//! reverted lead back, and that one which changes rows does so with the rows that are there.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use diesel::{dsl::sql, sql_types::BigInt};
use migrate_diesel::{
    Migrator,
    prelude::*,
    testing::{self, TestDatabase, TestError},
};
use shop::migrations::{
    orders::{add_order_total, number_order_lines},
    visits::time_in_milliseconds,
};

fn number(db: &mut TestDatabase, query: &str) -> i64 {
    let query = format!("({query})");
    let number = diesel::select(sql::<BigInt>(&query)).get_result(db.connection());
    number.unwrap()
}

/// Two orders of one customer: three lines, and none.
const ORDERS: &str = "
    INSERT INTO users (id, email, name) VALUES (1, 'ada@example.com', 'Ada');
    INSERT INTO addresses (id, user_id, street, city, country) VALUES (1, 1, 'Rue 1', 'Paris', 'FR');
    INSERT INTO products (id, sku, title, price_cents) VALUES (1, 'tea', 'Tea', 450), (2, 'cup', 'Cup', 900), (3, 'pot', 'Pot', 2000);
    INSERT INTO orders (id, user_id, address_id) VALUES (1, 1, 1), (2, 1, 1);
    INSERT INTO order_lines (order_id, product_id, quantity, price_cents) VALUES (1, 1, 2, 400), (1, 2, 1, 900), (1, 3, 1, 2000)";

#[test]
fn they_fit_together() {
    Migrator::linked().unwrap();
}

#[test]
fn those_that_can_be_reverted_lead_back() {
    testing::assert_all_reversible();
}

#[test]
fn orders_get_the_total_of_their_lines() -> Result<(), TestError> {
    let mut db = TestDatabase::before::<add_order_total>()?;
    db.connection().batch_execute(ORDERS).unwrap();
    db.apply::<add_order_total>()?;
    let of = |id| format!("SELECT total_cents FROM orders WHERE id = {id}");
    assert_eq!(number(&mut db, &of(1)), 2 * 400 + 900 + 2000);
    assert_eq!(number(&mut db, &of(2)), 0);
    Ok(())
}

#[test]
fn lines_are_numbered_within_their_order_and_the_views_are_back() -> Result<(), TestError> {
    let mut db = TestDatabase::before::<number_order_lines>()?;
    db.connection().batch_execute(ORDERS).unwrap();
    let revenue = "SELECT sum(revenue_cents) FROM best_sellers";
    let before = number(&mut db, revenue);
    db.apply::<number_order_lines>()?;
    assert_eq!(
        number(
            &mut db,
            "SELECT sum(line) FROM order_lines WHERE order_id = 1"
        ),
        1 + 2 + 3
    );
    assert_eq!(number(&mut db, revenue), before);
    Ok(())
}

#[test]
fn visits_are_timed_in_milliseconds_once() -> Result<(), TestError> {
    let mut db = TestDatabase::before::<time_in_milliseconds>()?;
    db.connection()
        .batch_execute("INSERT INTO visits (id, page, duration) VALUES (1, '/', 7)")
        .unwrap();
    db.apply::<time_in_milliseconds>()?;
    assert_eq!(
        number(&mut db, "SELECT duration FROM visits WHERE id = 1"),
        7_000
    );
    let others = "SELECT count(*) FROM visits WHERE id > 1 AND duration BETWEEN 60000 AND 599000";
    assert_eq!(number(&mut db, others), 1_000);
    Ok(())
}
