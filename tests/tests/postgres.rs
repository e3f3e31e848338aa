//! Every case on PostgreSQL.

migrate_tests::suite!(Postgres);
