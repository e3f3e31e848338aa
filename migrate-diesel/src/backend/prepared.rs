//! [`Prepared`]: a statement that comes again and again with other numbers.

use diesel::{
    QueryResult, RunQueryDsl,
    backend::Backend,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, HasSqlType, Untyped},
};

use super::HOLE;

/// SQL with numbers in place of [holes](HOLE). Unlike with `sql_query`, Diesel has it prepared once for each connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared<'s> {
    pub(crate) sql: &'s str,
    pub(crate) numbers: &'s [i64],
}

impl<DB> QueryFragment<DB> for Prepared<'_>
where
    DB: Backend + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut pieces = self.sql.split(HOLE);
        out.push_sql(pieces.next().unwrap_or_default());
        for (piece, number) in pieces.zip(self.numbers) {
            out.push_bind_param::<BigInt, _>(number)?;
            out.push_sql(piece);
        }
        Ok(())
    }
}

impl QueryId for Prepared<'_> {
    type QueryId = ();

    /// By its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Prepared<'_> {
    type SqlType = Untyped;
}

impl<C> RunQueryDsl<C> for Prepared<'_> {}
