//! Bodies that are one step.

use std::marker::PhantomData;

use super::{
    body::{Nothing, ReturnedRows, Signature, Takes, kind},
    code::{Feed, Masked, MassCode, Opening, Parameters, Piece, Rows, Unit},
    parameters::{self, Field, MassParameters},
};
use crate::{
    backend::Driver,
    migration::{BoxError, ConnectionKind, Erased},
};

/// A body that is one step: `fn(db) -> QueryResult<()>`.
#[doc(hidden)]
pub struct SimpleCode<F, M>(pub F, pub PhantomData<fn() -> M>);

impl<F, M> std::fmt::Debug for SimpleCode<F, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimpleCode")
    }
}

impl<F, M> MassCode for SimpleCode<F, M>
where
    F: Takes<Nothing, M>,
    F::Output: ReturnedRows,
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
        Ok(Box::new(SimpleFeed::<F, M> {
            body: &self.0,
            parameters: parameters::read(opening.parameters)?,
        }))
    }
}

/// The cursor of the only unit.
const DONE: &str = "\"done\"";

struct SimpleFeed<'f, F, M: Signature> {
    body: &'f F,
    parameters: M::Parameters,
}

impl<F, M> Feed for SimpleFeed<'_, F, M>
where
    F: Takes<Nothing, M>,
    F::Output: ReturnedRows,
    M: Signature,
{
    fn cut(
        &mut self,
        _: &mut dyn Driver,
        cursor: Option<&str>,
        _: u32,
    ) -> Result<Option<Piece>, BoxError> {
        Ok(cursor.is_none().then(step))
    }

    fn single(&mut self, _: &mut dyn Driver, _: &str) -> Result<Option<Piece>, BoxError> {
        Ok(Some(step()))
    }

    fn run(&mut self, erased: Erased<'_>, _: &mut Piece) -> Result<Rows, BoxError> {
        self.body
            .call(erased, &Nothing, &self.parameters)?
            .into_rows(0)
    }
}

fn step() -> Piece {
    Piece {
        first: DONE.to_owned(),
        last: DONE.to_owned(),
        units: 1,
        unit: Unit::Last,
    }
}
