//! Bodies over ranges of keys.

use std::marker::PhantomData;

use super::{
    batch::Batch,
    body::{ReturnedRows, Signature, Takes, kind},
    code::{Feed, Masked, MassCode, Opening, Parameters, Piece, Rows},
    key::{Key, PartKind},
    parameters::{self, Field, MassParameters},
    source::{Bounds, Keys, decode},
};
use crate::{
    backend::Driver,
    migration::{BoxError, ConnectionKind, Erased},
};
use migrate_core::mass::{KeySource, MassKind};

/// A body over ranges of keys: `fn(db, &Batch<K>) -> QueryResult<usize>`.
#[doc(hidden)]
pub struct RangeCode<F, M>(pub F, pub PhantomData<fn() -> M>);

impl<F, M> std::fmt::Debug for RangeCode<F, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RangeCode")
    }
}

impl<F, K, M> MassCode for RangeCode<F, (K, M)>
where
    F: Takes<Batch<K>, M>,
    F::Output: ReturnedRows,
    K: Key,
    M: Signature,
{
    fn connection(&self) -> ConnectionKind {
        kind::<M>()
    }

    fn key(&self) -> &'static [PartKind] {
        K::PARTS
    }

    fn fields(&self) -> &'static [Field] {
        M::Parameters::FIELDS
    }

    fn check(&self, given: &Parameters) -> Result<Masked, BoxError> {
        parameters::check::<M::Parameters>(given)
    }

    fn open<'f>(&'f self, opening: Opening<'f>) -> Result<Box<dyn Feed + 'f>, BoxError> {
        Ok(Box::new(RangeFeed::<F, K, M> {
            body: &self.0,
            source: source(opening)?,
            columns: opening.columns,
            bounds: Bounds::of(opening.shard)?,
            keys: None,
            parameters: parameters::read(opening.parameters)?,
            key: PhantomData,
        }))
    }
}

/// What a body over keys goes over.
pub(crate) fn source(opening: Opening<'_>) -> Result<KeySource, BoxError> {
    match opening.facts.kind {
        MassKind::Keys { source, .. } => Ok(source),
        _ => Err("it goes over keys, and neither a table nor a query is declared".into()),
    }
}

struct RangeFeed<'f, F, K, M: Signature> {
    body: &'f F,
    source: KeySource,
    columns: &'f [String],
    bounds: Bounds,
    /// In the words of the database, once it is known.
    keys: Option<Keys>,
    parameters: M::Parameters,
    key: PhantomData<fn() -> K>,
}

impl<F, K: Key, M: Signature> RangeFeed<'_, F, K, M> {
    fn keys(&mut self, driver: &dyn Driver) -> &Keys {
        let Self {
            keys,
            source,
            columns,
            ..
        } = self;
        keys.get_or_insert_with(|| Keys::new(driver.dialect(), *source, columns, K::PARTS))
    }
}

impl<F, K, M> Feed for RangeFeed<'_, F, K, M>
where
    F: Takes<Batch<K>, M>,
    F::Output: ReturnedRows,
    K: Key,
    M: Signature,
{
    fn cut(
        &mut self,
        driver: &mut dyn Driver,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Piece>, BoxError> {
        self.keys(driver);
        let Self {
            keys: Some(keys),
            bounds,
            ..
        } = self
        else {
            return Ok(None);
        };
        let piece = keys.cut(driver, bounds, cursor, limit)?;
        // A key that the body's type cannot hold is no fault of a row's: it must not end in quarantine.
        if let Some(piece) = &piece {
            K::parse(&decode(&piece.first)?)?;
            K::parse(&decode(&piece.last)?)?;
        }
        Ok(piece)
    }

    fn single(&mut self, driver: &mut dyn Driver, key: &str) -> Result<Option<Piece>, BoxError> {
        self.keys(driver).single(driver, key)
    }

    fn run(&mut self, erased: Erased<'_>, piece: &mut Piece) -> Result<Rows, BoxError> {
        let Some(keys) = &self.keys else {
            return Err("a batch is cut before it is run".into());
        };
        let batch = Batch::<K>::new(
            decode(&piece.first)?,
            decode(&piece.last)?,
            piece.units,
            self.columns,
            keys.dialect,
        )?;
        self.body
            .call(erased, &batch, &self.parameters)?
            .into_rows(0)
    }
}
