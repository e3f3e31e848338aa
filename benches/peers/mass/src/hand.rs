//! What a person would write: a loop over the primary key in plain Diesel, one transaction for each batch.

use diesel::{
    Connection as _, MysqlConnection, PgConnection, QueryResult, SqliteConnection, prelude::*,
};

use crate::{Result, contestant::Keeps, table::sqlite_file};

diesel::table! {
    people (id) {
        id -> BigInt,
        visits -> BigInt,
    }
}

diesel::table! {
    place (id) {
        id -> Integer,
        after -> BigInt,
    }
}

/// By the scheme of a URL.
pub fn backend(url: &str) -> &'static str {
    match url.split_once("://") {
        Some(("postgres", _)) => "postgres",
        Some(("mysql", _)) => "mysql",
        _ => "sqlite",
    }
}

// Once for each connection: the types of Diesel's queries fit one database each.
macro_rules! looping {
    ($name:ident, $connection:ty) => {
        /// The highest key of the next batch comes from the index, then an update of everything up to it. Both
        /// statements are prepared once, as Diesel does by itself.
        fn $name(db: &mut $connection, batch: i64, keeps: Keeps) -> QueryResult<()> {
            let mut after = i64::MIN;
            loop {
                let last = db.transaction(|db| {
                    let last: Option<i64> = people::table
                        .select(people::id)
                        .filter(people::id.gt(after))
                        .order(people::id)
                        .offset(batch - 1)
                        .first(db)
                        .optional()?;
                    let through = last.unwrap_or(i64::MAX);
                    diesel::update(
                        people::table.filter(people::id.gt(after).and(people::id.le(through))),
                    )
                    .set(people::visits.eq(people::visits + 1))
                    .execute(db)?;
                    if keeps == Keeps::Place {
                        diesel::update(place::table.filter(place::id.eq(1)))
                            .set(place::after.eq(through))
                            .execute(db)?;
                    }
                    QueryResult::Ok(last)
                })?;
                match last {
                    Some(last) => after = last,
                    None => return Ok(()),
                }
            }
        }
    };
}

looping!(sqlite, SqliteConnection);
looping!(postgres, PgConnection);
looping!(mysql, MysqlConnection);

/// From the connection to the last commit.
pub fn run(url: &str, batch: u32, keeps: Keeps) -> Result<()> {
    let batch = i64::from(batch);
    match backend(url) {
        "postgres" => postgres(&mut PgConnection::establish(url)?, batch, keeps)?,
        "mysql" => mysql(&mut MysqlConnection::establish(url)?, batch, keeps)?,
        _ => sqlite(
            &mut SqliteConnection::establish(sqlite_file(url))?,
            batch,
            keeps,
        )?,
    }
    Ok(())
}
