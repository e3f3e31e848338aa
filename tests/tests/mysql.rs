//! Every case on MySQL and MariaDB.

migrate_tests::suite!(Mysql);
