//! The migrations, by subject. Modules and files are for people: moving a function between them
//! changes nothing for a database that has applied it.

pub mod accounts;
pub mod catalog;
pub mod orders;
pub mod visits;
