//! The reporting database of the example, on a real PostgreSQL.
#![forbid(unsafe_code)]
#![cfg(feature = "postgres")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use diesel::{dsl::sql, sql_types::Text};
use migrate_diesel::{
    Migrator,
    core::{
        frontend::{Target, UpRequest},
        report::ViewState,
    },
    prelude::*,
};
use shop as _;

fn text(db: &mut PgConnection, query: &str) -> String {
    let query = format!("(SELECT ({query})::text)");
    diesel::select(sql::<Text>(&query)).get_result(db).unwrap()
}

#[test]
fn a_column_under_two_views_changes_its_type_and_they_are_as_before() {
    let url = std::env::var("MIGRATE_TEST_POSTGRES_URL")
        .expect("`cargo xtask servers -- cargo test ..` sets MIGRATE_TEST_POSTGRES_URL");
    let name = format!("shop_reporting_{}", std::process::id());
    let mut server = PgConnection::establish(&url).unwrap();
    server
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .unwrap();
    let (server_url, _) = url.rsplit_once('/').unwrap();
    let mut db = PgConnection::establish(&format!("{server_url}/{name}")).unwrap();

    let migrator = Migrator::linked().unwrap().database("reporting");
    let first = UpRequest {
        target: Target::Steps(1),
        ..UpRequest::default()
    };
    migrator.up_with(&mut db, &first, &mut |_| {}).unwrap();
    db.batch_execute(
        "INSERT INTO sales (sku, sold_on, revenue_cents)
             VALUES ('tea', '2026-11-01', 300), ('tea', '2026-11-02', 450);
         REFRESH MATERIALIZED VIEW daily_revenue;
         COMMENT ON VIEW monthly_revenue IS 'for accounting'",
    )
    .unwrap();

    let widened = migrator.up(&mut db).unwrap();
    assert_eq!((widened.applied, widened.pending), (1, 0));
    for (query, expected) in [
        (
            "SELECT data_type FROM information_schema.columns
             WHERE table_name = 'sales' AND column_name = 'revenue_cents'",
            "bigint",
        ),
        ("SELECT sum(revenue_cents) FROM monthly_revenue", "750"),
        (
            "SELECT obj_description('monthly_revenue'::regclass)",
            "for accounting",
        ),
        (
            "SELECT indexname FROM pg_indexes WHERE tablename = 'daily_revenue'",
            "daily_revenue_by_day",
        ),
    ] {
        assert_eq!(text(&mut db, query), expected, "{query}");
    }
    let status = migrator.status(&mut db).unwrap();
    assert_eq!(status.views.len(), 2);
    for view in &status.views {
        assert_eq!(view.state, ViewState::Up, "{}", view.id);
    }

    drop(db);
    server
        .batch_execute(&format!("DROP DATABASE {name}"))
        .unwrap();
}
