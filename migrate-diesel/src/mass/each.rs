//! Bodies over rows that Diesel loads.

use std::{any::Any, marker::PhantomData};

use diesel::{QueryableByName, RunQueryDsl, query_builder::SqlQuery, query_dsl::LoadQuery};
use migrate_core::mass::KeySource;

use super::{
    body::{ReturnedRows, Signature, Takes, kind},
    catalog,
    code::{Feed, Masked, MassCode, Opening, Parameters, Piece, Rows},
    compare::between,
    parameters::{self, Field, MassParameters},
    range::source,
    source::{Bounds, Keys, decode},
    words::words,
};
use crate::{
    backend::Driver,
    migration::{BoxError, ConnectionKind, Erased},
};

/// A body over rows: `fn(db, &T) -> QueryResult<()>`.
#[doc(hidden)]
pub struct EachCode<F, M>(pub F, pub PhantomData<fn() -> M>);

impl<F, M> std::fmt::Debug for EachCode<F, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EachCode")
    }
}

/// What a body over rows can take: whatever Diesel loads by name.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded from a row",
    note = "write `#[derive(QueryableByName)]` above it, or take a `&Batch<K>`"
)]
pub trait LoadedRow<C>: Sized + 'static {
    /// Loads them.
    ///
    /// # Errors
    /// The database's.
    fn load(connection: &mut C, sql: String) -> diesel::QueryResult<Vec<Self>>;
}

#[diagnostic::do_not_recommend]
impl<C, T> LoadedRow<C> for T
where
    C: diesel::Connection,
    T: QueryableByName<C::Backend> + 'static,
    SqlQuery: for<'q> LoadQuery<'q, C, T>,
{
    fn load(connection: &mut C, sql: String) -> diesel::QueryResult<Vec<Self>> {
        diesel::sql_query(sql).load(connection)
    }
}

impl<F, T, M> MassCode for EachCode<F, (T, M)>
where
    F: Takes<T, M>,
    F::Output: ReturnedRows,
    T: LoadedRow<M::Connection>,
    M: Signature,
{
    fn connection(&self) -> ConnectionKind {
        kind::<M>()
    }

    fn fields(&self) -> &'static [Field] {
        M::Parameters::FIELDS
    }

    fn check(&self, given: &Parameters) -> Result<Masked, BoxError> {
        parameters::check::<M::Parameters>(given)
    }

    fn open<'f>(&'f self, opening: Opening<'f>) -> Result<Box<dyn Feed + 'f>, BoxError> {
        Ok(Box::new(EachFeed::<F, T, M> {
            body: &self.0,
            source: source(opening)?,
            columns: opening.columns,
            bounds: Bounds::of(opening.shard)?,
            keys: None,
            parameters: parameters::read(opening.parameters)?,
            row: PhantomData,
        }))
    }
}

struct EachFeed<'f, F, T, M: Signature> {
    body: &'f F,
    source: KeySource,
    columns: &'f [String],
    bounds: Bounds,
    /// In the words of the database, once it was asked what they hold.
    keys: Option<Keys>,
    parameters: M::Parameters,
    row: PhantomData<fn() -> T>,
}

impl<F, T, M: Signature> EachFeed<'_, F, T, M> {
    fn know_keys(&mut self, driver: &mut dyn Driver) -> Result<(), BoxError> {
        if self.keys.is_none() {
            self.keys = catalog::keys(driver, self.source, self.columns, &[])?;
        }
        Ok(())
    }
}

impl<F, T, M> Feed for EachFeed<'_, F, T, M>
where
    F: Takes<T, M>,
    F::Output: ReturnedRows,
    T: LoadedRow<M::Connection>,
    M: Signature,
{
    fn cut(
        &mut self,
        driver: &mut dyn Driver,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Piece>, BoxError> {
        self.know_keys(driver)?;
        match &self.keys {
            Some(keys) => keys.cut(driver, &self.bounds, cursor, limit),
            // There are no rows.
            None => Ok(None),
        }
    }

    fn single(&mut self, driver: &mut dyn Driver, key: &str) -> Result<Option<Piece>, BoxError> {
        self.know_keys(driver)?;
        match &self.keys {
            Some(keys) => keys.single(driver, key),
            None => Ok(None),
        }
    }

    fn run(&mut self, erased: Erased<'_>, piece: &mut Piece) -> Result<Rows, BoxError> {
        let Some(keys) = &self.keys else {
            return Err("a batch is cut before it is run".into());
        };
        let sql = rows(keys, self.source, piece)?;
        let Erased {
            connection,
            context,
        } = erased;
        let rows = T::load(here::<M::Connection>(connection)?, sql)?;
        let erased = Erased {
            connection,
            context,
        };
        let mut changed = 0;
        self.body.call_each(
            erased,
            &mut rows.iter(),
            &self.parameters,
            &mut |returned| {
                changed += returned.into_rows(1)?;
                Ok(())
            },
        )?;
        Ok(changed)
    }
}

/// The rows of a batch, in order. Those of a table are nobody else's until the batch is committed, so
/// that what the body writes is never based on what another one has changed meanwhile.
fn rows(keys: &Keys, source: KeySource, piece: &Piece) -> Result<String, BoxError> {
    let (first, last) = (decode(&piece.first)?, decode(&piece.last)?);
    let lock = match source {
        KeySource::Table(_) => words(keys.dialect).for_update,
        KeySource::Query(_) => "",
    };
    Ok(format!(
        "SELECT * FROM {} WHERE {} ORDER BY {}{lock}",
        keys.from,
        between(keys.dialect, &keys.columns, &keys.kinds, &first, &last),
        keys.columns.join(", ")
    ))
}

fn here<C: 'static>(connection: &mut dyn Any) -> Result<&mut C, BoxError> {
    connection
        .downcast_mut()
        .ok_or_else(|| "the body takes another connection than the runner has".into())
}
