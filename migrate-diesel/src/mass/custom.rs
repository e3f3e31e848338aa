//! Bodies that keep a cursor of their own.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use super::{
    body::{Signature, Takes, kind},
    code::{Feed, Masked, MassCode, Opening, Parameters, Piece, Rows, Unit},
    parameters::{self, Field, MassParameters},
};
use crate::{
    backend::Driver,
    migration::{BoxError, ConnectionKind, Erased},
};

/// How far a body with a cursor of its own is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<T> {
    position: Option<T>,
    limit: u32,
}

impl<T> Cursor<T> {
    /// What the batch before this one gave as [`Next::More`]; `None` for the first batch.
    pub fn position(&self) -> Option<&T> {
        self.position.as_ref()
    }

    /// How many units this batch is to cover at most, as batch size and pace have it.
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

/// How a batch of a body with a cursor of its own ended.
///
/// The cursor is committed with what the batch did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// There is more to do.
    More {
        /// Where the next batch goes on.
        cursor: T,
        /// How many units this one covered.
        units: u64,
    },
    /// Everything is done.
    Done,
}

/// What the body of a custom mass migration returns.
#[diagnostic::on_unimplemented(
    message = "the body of a mass migration with a cursor of its own returns a `Result<Next<T>, E>`",
    label = "`{Self}` is no such result",
    note = "`T` is the type in its `&Cursor<T>`"
)]
pub trait ReturnedNext<T> {
    /// In the one form that the engine knows.
    ///
    /// # Errors
    /// The body's.
    fn into_next(self) -> Result<Next<T>, BoxError>;
}

#[diagnostic::do_not_recommend]
impl<T, E: Into<BoxError>> ReturnedNext<T> for Result<Next<T>, E> {
    fn into_next(self) -> Result<Next<T>, BoxError> {
        self.map_err(Into::into)
    }
}

/// A body that keeps a cursor: `fn(db, &Cursor<T>) -> Result<Next<T>, E>`.
#[doc(hidden)]
pub struct CustomCode<F, M>(pub F, pub PhantomData<fn() -> M>);

impl<F, M> std::fmt::Debug for CustomCode<F, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomCode")
    }
}

impl<F, T, M> MassCode for CustomCode<F, (T, M)>
where
    F: Takes<Cursor<T>, M>,
    F::Output: ReturnedNext<T>,
    T: Serialize + DeserializeOwned + 'static,
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
        Ok(Box::new(CustomFeed::<F, T, M> {
            body: &self.0,
            at: Cursor {
                position: None,
                limit: 0,
            },
            parameters: parameters::read(opening.parameters)?,
        }))
    }
}

/// What stands for a batch that is not done yet: only its end says where it ends.
const AHEAD: &str = "\"ahead\"";

struct CustomFeed<'f, F, T, M: Signature> {
    body: &'f F,
    at: Cursor<T>,
    parameters: M::Parameters,
}

impl<F, T, M> Feed for CustomFeed<'_, F, T, M>
where
    F: Takes<Cursor<T>, M>,
    F::Output: ReturnedNext<T>,
    T: Serialize + DeserializeOwned + 'static,
    M: Signature,
{
    fn cut(
        &mut self,
        _: &mut dyn Driver,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Piece>, BoxError> {
        let position = cursor.map(serde_json::from_str).transpose()?;
        self.at = Cursor { position, limit };
        Ok(Some(Piece {
            first: cursor.unwrap_or(AHEAD).to_owned(),
            last: AHEAD.to_owned(),
            units: 1,
            unit: Unit::More,
        }))
    }

    /// A batch that fails is no unit to leave out, as nobody but the body knows what comes after it.
    fn single(&mut self, _: &mut dyn Driver, _: &str) -> Result<Option<Piece>, BoxError> {
        Ok(None)
    }

    fn run(&mut self, erased: Erased<'_>, piece: &mut Piece) -> Result<Rows, BoxError> {
        let next = self
            .body
            .call(erased, &self.at, &self.parameters)?
            .into_next()?;
        match next {
            Next::More { cursor, units } => {
                piece.last = serde_json::to_string(&cursor)?;
                piece.units = units;
                piece.unit = Unit::More;
            }
            Next::Done => {
                // The cursor stays where it was: there is nothing behind it.
                piece.last = match &self.at.position {
                    Some(position) => serde_json::to_string(position)?,
                    None => "null".to_owned(),
                };
                piece.units = 0;
                piece.unit = Unit::Last;
            }
        }
        Ok(0)
    }
}
