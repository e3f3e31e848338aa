//! Every case on SQLite.

migrate_tests::suite!(Sqlite);
