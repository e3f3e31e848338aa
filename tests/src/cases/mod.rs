//! What every backend has to do alike: a function per case, a file per subject.
//!
//! Ids are unique in a crate, and so the names of migrations begin with a word for their case.

pub mod adopt;
pub mod cost;
pub mod fence;
pub mod history;
pub mod limits;
pub mod lock;
pub mod mass;
pub mod mysql;
pub mod outcome;
pub mod outside;
pub mod postgres;
pub mod record;
pub mod refusal;
pub mod rehearsal;
pub mod repeat;
pub mod revert;
pub mod session;
pub mod sql_files;
pub mod sqlite;
pub mod transaction;
pub mod views;

use diesel::{QueryResult, connection::SimpleConnection};
use migrate_diesel::AnyConnection;

use crate::database::number;

/// The tables of a scratch database, for typed queries.
pub(crate) mod schema {
    diesel::table! {
        effects (name) {
            name -> Text,
        }
    }
}

/// Leaves an effect that can be counted, without DDL.
pub(crate) fn leave(db: &mut impl SimpleConnection, name: &str) -> QueryResult<()> {
    db.batch_execute(&format!("INSERT INTO effects (name) VALUES ('{name}')"))
}

/// Whether the test has turned a switch on.
pub(crate) fn is_on(db: &mut AnyConnection, name: &str) -> bool {
    let sql = format!("SELECT count(*) AS value FROM switches WHERE name = '{name}'");
    number(db, &sql) > 0
}
