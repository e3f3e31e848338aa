//! [`Ahead`]: units that come from an iterator, read ahead in bounded memory.

use std::collections::VecDeque;

use super::code::{Piece, Unit as Place};
use crate::migration::BoxError;

/// Where units come from.
pub(super) trait Tape {
    /// What a unit is.
    type Item;

    /// Those after a cursor; all of them for `None`.
    fn after(&self, cursor: Option<&str>) -> Result<Units<Self::Item>, BoxError>;

    /// Those from the one with this key on.
    fn from(&self, key: &str) -> Result<Units<Self::Item>, BoxError>;
}

/// Units in their order. An error is the source's, which cannot go on.
pub(super) type Units<I> = Box<dyn Iterator<Item = Result<Entry<I>, BoxError>>>;

/// A unit.
pub(super) struct Entry<I> {
    /// As JSON: the cursor behind it.
    pub(super) key: String,
    /// What it is; or why it is nothing that a body could take, which is this unit's fault alone.
    pub(super) item: Result<I, String>,
}

/// Units that were read and are not done yet.
pub(super) struct Ahead<T: Tape> {
    tape: T,
    units: Option<Units<T::Item>>,
    read: VecDeque<Entry<T::Item>>,
    /// The cursor that `read` begins behind.
    at: Option<String>,
    /// The one unit that is tried alone.
    alone: Option<Entry<T::Item>>,
    end: bool,
}

impl<T: Tape> Ahead<T> {
    pub(super) fn new(tape: T) -> Self {
        Self {
            tape,
            units: None,
            read: VecDeque::new(),
            at: None,
            alone: None,
            end: false,
        }
    }

    /// As [`Feed::cut`](super::Feed::cut).
    pub(super) fn cut(
        &mut self,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Piece>, BoxError> {
        self.alone = None;
        self.go_to(cursor)?;
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        while self.read.len() < limit && !self.end {
            match self.units.as_mut().and_then(Iterator::next) {
                Some(Ok(entry)) => self.read.push_back(entry),
                None => self.end = true,
                // What came before it can be done; after that it is met again.
                Some(Err(_)) if !self.read.is_empty() => {
                    self.units = None;
                    break;
                }
                Some(Err(error)) => {
                    self.units = None;
                    return Err(error);
                }
            }
        }
        let units = self.read.len().min(limit);
        let (Some(first), Some(last)) = (
            self.read.front(),
            units.checked_sub(1).and_then(|at| self.read.get(at)),
        ) else {
            return Ok(None);
        };
        Ok(Some(Piece {
            first: first.key.clone(),
            last: last.key.clone(),
            units: units as u64,
            unit: if self.end && units == self.read.len() {
                Place::Last
            } else {
                Place::More
            },
        }))
    }

    /// Makes `read` begin behind a cursor.
    fn go_to(&mut self, cursor: Option<&str>) -> Result<(), BoxError> {
        let here = self.units.is_some() || self.end;
        if here && self.at.as_deref() == cursor {
            return Ok(());
        }
        let behind = self
            .read
            .iter()
            .position(|it| Some(it.key.as_str()) == cursor);
        self.at = cursor.map(str::to_owned);
        match behind {
            Some(at) if here => {
                self.read.drain(..=at);
            }
            _ => {
                self.read.clear();
                self.end = false;
                self.units = Some(self.tape.after(cursor)?);
            }
        }
        Ok(())
    }

    /// As [`Feed::single`](super::Feed::single).
    pub(super) fn single(&mut self, key: &str) -> Result<Option<Piece>, BoxError> {
        let found = self.tape.from(key)?.next().transpose()?;
        self.alone = found.filter(|it| it.key == key);
        Ok(self.alone.as_ref().map(|it| Piece {
            first: it.key.clone(),
            last: it.key.clone(),
            units: 1,
            unit: Place::More,
        }))
    }

    /// The units of the batch that was cut last.
    pub(super) fn items(&self, piece: &Piece) -> Result<Vec<&T::Item>, BoxError> {
        let entries = match &self.alone {
            Some(alone) => vec![alone],
            None => {
                let units = usize::try_from(piece.units).unwrap_or(usize::MAX);
                self.read.iter().take(units).collect()
            }
        };
        entries
            .into_iter()
            .map(|it| it.item.as_ref().map_err(|error| error.clone().into()))
            .collect()
    }
}
