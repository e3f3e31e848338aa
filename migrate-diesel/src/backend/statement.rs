//! [`Statement`]: SQL with its values apart, so that it is prepared once where that pays.

use std::borrow::Cow;

use super::Dialect;

/// One statement of the runner's own. A `?` in `sql` stands for a value, and for nothing else.
#[derive(Clone, Debug)]
pub struct Statement<'s> {
    /// With a `?` for each value.
    pub sql: Cow<'s, str>,
    /// As text, whatever the column's type is; every database converts.
    pub values: Vec<Option<Cow<'s, str>>>,
}

impl Statement<'_> {
    /// With the values as literals.
    #[must_use]
    pub fn literal(&self, dialect: &Dialect) -> String {
        let mut text = String::with_capacity(self.sql.len() + 32 * self.values.len());
        let mut values = self.values.iter();
        for (at, piece) in self.sql.split('?').enumerate() {
            if at > 0 {
                text.push_str(&dialect.optional_text(values.next().and_then(Option::as_deref)));
            }
            text.push_str(piece);
        }
        text
    }
}

/// The same, prepared and cached by Diesel. Only for SQLite, where preparing is most of the cost;
/// elsewhere the round trip is.
#[cfg(feature = "sqlite")]
mod prepared {
    use diesel::{
        QueryResult, RunQueryDsl, SqliteConnection,
        query_builder::{AstPass, QueryFragment, QueryId},
        sql_types::{Nullable, Text},
        sqlite::Sqlite,
    };

    use super::Statement;

    impl QueryId for Statement<'_> {
        type QueryId = ();
        // Known to the cache by its text.
        const HAS_STATIC_QUERY_ID: bool = false;
    }

    impl QueryFragment<Sqlite> for Statement<'_> {
        fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
            let mut values = self.values.iter();
            for (at, piece) in self.sql.split('?').enumerate() {
                if at > 0
                    && let Some(value) = values.next()
                {
                    out.push_bind_param::<Nullable<Text>, _>(value)?;
                }
                out.push_sql(piece);
            }
            Ok(())
        }
    }

    impl RunQueryDsl<SqliteConnection> for Statement<'_> {}
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "sqlite")]
    #[test]
    fn literals_take_the_places_of_values() {
        use diesel::Connection as _;

        use super::*;
        use crate::backend::Driver as _;

        let connection = diesel::SqliteConnection::establish(":memory:").unwrap();
        let statement = Statement {
            sql: "INSERT INTO t VALUES (?, ?)".into(),
            values: vec![Some("it's ?".into()), None],
        };
        assert_eq!(
            statement.literal(connection.dialect()),
            "INSERT INTO t VALUES ('it''s ?', NULL)"
        );
    }
}
