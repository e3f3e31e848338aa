//! Bodies over what an iterator yields.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    ahead::{Ahead, Entry, Tape, Units},
    body::{ReturnedRows, Signature, Takes, kind},
    code::{Feed, Masked, MassCode, Opening, Parameters, Piece, Rows},
    parameters::{self, Field, MassParameters},
};
use crate::{
    backend::Driver,
    migration::{BoxError, ConnectionKind, Erased},
};

/// An iterator of items, each with its cursor.
#[doc(hidden)]
pub type Items<P, I> = Box<dyn Iterator<Item = Result<(P, I), BoxError>>>;

/// What `items = path` may name.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`items` takes a function like `fn(cursor: Option<T>) -> Result<impl Iterator<Item = Result<(T, Item), E>>, E>`",
    label = "does not fit",
    note = "with `parameters = P` a `P` may follow as its last parameter, by value",
    note = "the iterator owns what it reads from; `T` implements `Serialize` and `Deserialize`"
)]
pub trait Source<N>: Sync + 'static {
    /// Where the items after an item begin.
    type Position: Serialize + DeserializeOwned + 'static;

    /// What a body gets.
    type Item: 'static;

    /// The items after a position.
    ///
    /// # Errors
    /// The function's.
    fn open(
        &self,
        after: Option<Self::Position>,
        parameters: &Parameters,
    ) -> Result<Items<Self::Position, Self::Item>, BoxError>;
}

#[diagnostic::do_not_recommend]
impl<F, T, I, R, E, X> Source<(T, I, R, E, X)> for F
where
    F: Fn(Option<T>) -> Result<R, E> + Sync + 'static,
    R: Iterator<Item = Result<(T, I), X>> + 'static,
    T: Serialize + DeserializeOwned + 'static,
    I: 'static,
    E: Into<BoxError>,
    X: Into<BoxError> + 'static,
{
    type Position = T;
    type Item = I;

    fn open(&self, after: Option<T>, _: &Parameters) -> Result<Items<T, I>, BoxError> {
        let items = self(after).map_err(Into::into)?;
        Ok(Box::new(items.map(|item| item.map_err(Into::into))))
    }
}

#[diagnostic::do_not_recommend]
impl<F, T, I, R, E, X, P> Source<(T, I, R, E, X, P)> for F
where
    F: Fn(Option<T>, P) -> Result<R, E> + Sync + 'static,
    R: Iterator<Item = Result<(T, I), X>> + 'static,
    T: Serialize + DeserializeOwned + 'static,
    I: 'static,
    E: Into<BoxError>,
    X: Into<BoxError> + 'static,
    P: MassParameters,
{
    type Position = T;
    type Item = I;

    fn open(&self, after: Option<T>, parameters: &Parameters) -> Result<Items<T, I>, BoxError> {
        let items = self(after, parameters::read(parameters)?).map_err(Into::into)?;
        Ok(Box::new(items.map(|item| item.map_err(Into::into))))
    }
}

/// A body over items: `fn(db, &Item) -> QueryResult<()>`, and where they come from.
#[doc(hidden)]
pub struct ItemsCode<S, F, M>(pub S, pub F, pub PhantomData<fn() -> M>);

impl<S, F, M> std::fmt::Debug for ItemsCode<S, F, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ItemsCode")
    }
}

impl<S, F, N, M> MassCode for ItemsCode<S, F, (N, M)>
where
    S: Source<N>,
    F: Takes<S::Item, M>,
    F::Output: ReturnedRows,
    M: Signature,
    N: 'static,
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
        Ok(Box::new(ItemsFeed::<_, F, M> {
            ahead: Ahead::new(ItemsTape {
                source: &self.0,
                parameters: opening.parameters,
                types: PhantomData,
            }),
            body: &self.1,
            parameters: parameters::read(opening.parameters)?,
        }))
    }
}

/// A unit's key is `[its cursor, the cursor before it]`: the first to go on behind it, the second to read
/// it alone.
struct ItemsTape<'f, S, N> {
    source: &'f S,
    parameters: &'f Parameters,
    types: PhantomData<fn() -> N>,
}

impl<S: Source<N>, N> ItemsTape<'_, S, N> {
    fn open(&self, after: Value) -> Result<Units<S::Item>, BoxError> {
        let position = match &after {
            Value::Null => None,
            position => Some(serde_json::from_value(position.clone())?),
        };
        let mut before = after;
        let items = self.source.open(position, self.parameters)?;
        Ok(Box::new(items.map(move |item| {
            let (position, item) = item?;
            let own = serde_json::to_value(&position)?;
            let before = std::mem::replace(&mut before, own.clone());
            Ok(Entry {
                key: Value::Array(vec![own, before]).to_string(),
                item: Ok(item),
            })
        })))
    }
}

fn pair(key: &str) -> Result<(Value, Value), BoxError> {
    serde_json::from_str(key).map_err(|_| {
        format!("`{key}` is no cursor of items: that is `[its own, the one before]`").into()
    })
}

impl<S: Source<N>, N> Tape for ItemsTape<'_, S, N> {
    type Item = S::Item;

    fn after(&self, cursor: Option<&str>) -> Result<Units<S::Item>, BoxError> {
        let after = cursor.map(pair).transpose()?;
        self.open(after.map_or(Value::Null, |(own, _)| own))
    }

    fn from(&self, key: &str) -> Result<Units<S::Item>, BoxError> {
        self.open(pair(key)?.1)
    }
}

/// Feeds a body from a tape.
pub(super) struct ItemsFeed<'f, T: Tape, F, M: Signature> {
    pub(super) ahead: Ahead<T>,
    pub(super) body: &'f F,
    pub(super) parameters: M::Parameters,
}

impl<T, F, M> Feed for ItemsFeed<'_, T, F, M>
where
    T: Tape,
    F: Takes<T::Item, M>,
    F::Output: ReturnedRows,
    M: Signature,
{
    fn cut(
        &mut self,
        _: &mut dyn Driver,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Piece>, BoxError> {
        self.ahead.cut(cursor, limit)
    }

    fn single(&mut self, _: &mut dyn Driver, key: &str) -> Result<Option<Piece>, BoxError> {
        self.ahead.single(key)
    }

    fn run(&mut self, erased: Erased<'_>, piece: &mut Piece) -> Result<Rows, BoxError> {
        let items = self.ahead.items(piece)?;
        let mut changed = 0;
        self.body.call_each(
            erased,
            &mut items.into_iter(),
            &self.parameters,
            &mut |returned| {
                changed += returned.into_rows(1)?;
                Ok(())
            },
        )?;
        Ok(changed)
    }
}
