//! [`Key`]: the types that a key range can have.

use crate::migration::BoxError;

/// What the text of bytes begins with, in a cursor.
pub(crate) const BYTES: &str = r"\x";

/// What a part of a key is in the database, for its text and its literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// An integer of at most eight bytes.
    Integer,
    /// A text; also a date or whatever the database compares with a quoted literal.
    Text,
    /// A UUID: a quoted literal where the database has the type, bytes or text as it is stored where not.
    Uuid,
    /// Bytes, as hexadecimal digits.
    Bytes,
}

/// A part of a key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    note = "`i16`, `i32`, `i64`, `String` and `Vec<u8>` can, and `uuid::Uuid` with the feature `uuid`"
)]
pub trait KeyPart: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// What it is in the database.
    const KIND: PartKind;

    /// From its text.
    ///
    /// # Errors
    /// When it is none.
    fn parse(text: &str) -> Result<Self, BoxError>;
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl KeyPart for $integer {
            const KIND: PartKind = PartKind::Integer;

            fn parse(text: &str) -> Result<Self, BoxError> {
                text.parse()
                    .map_err(|_| format!("the key `{text}` does not fit into an `{}`", stringify!($integer)).into())
            }
        }
    )*};
}
integers!(i16, i32, i64);

impl KeyPart for String {
    const KIND: PartKind = PartKind::Text;

    fn parse(text: &str) -> Result<Self, BoxError> {
        Ok(text.to_owned())
    }
}

impl KeyPart for Vec<u8> {
    const KIND: PartKind = PartKind::Bytes;

    fn parse(text: &str) -> Result<Self, BoxError> {
        text.strip_prefix(BYTES)
            .and_then(bytes)
            .ok_or_else(|| format!("the key `{text}` is not what a column of bytes has").into())
    }
}

#[cfg(feature = "uuid")]
impl KeyPart for uuid::Uuid {
    const KIND: PartKind = PartKind::Uuid;

    fn parse(text: &str) -> Result<Self, BoxError> {
        let stored_as_bytes = text
            .strip_prefix(BYTES)
            .and_then(bytes)
            .and_then(|bytes| Self::from_slice(&bytes).ok());
        stored_as_bytes
            .or_else(|| Self::parse_str(text).ok())
            .ok_or_else(|| format!("the key `{text}` is not a UUID").into())
    }
}

/// From hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|it| it.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

/// What a [`Batch`](super::Batch) is a range of: a part, or up to four of them as a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key",
    note = "a key is an `i16`, `i32`, `i64`, `String`, `Vec<u8>`, with the feature `uuid` a `uuid::Uuid`, or a tuple of two to four of them"
)]
pub trait Key: Clone + std::fmt::Debug + Send + Sync + Sized + 'static {
    /// What its parts are in the database, in order.
    const PARTS: &'static [PartKind];

    /// From the texts of its parts.
    ///
    /// # Errors
    /// When one of them does not fit.
    fn parse(parts: &[String]) -> Result<Self, BoxError>;
}

#[diagnostic::do_not_recommend]
impl<P: KeyPart> Key for P {
    const PARTS: &'static [PartKind] = &[P::KIND];

    fn parse(parts: &[String]) -> Result<Self, BoxError> {
        match parts {
            [part] => P::parse(part),
            _ => Err(wrong_number(1, parts)),
        }
    }
}

macro_rules! tuples {
    ($($count:literal: $($part:ident $text:ident),*;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($part: KeyPart),*> Key for ($($part,)*) {
            const PARTS: &'static [PartKind] = &[$($part::KIND),*];

            fn parse(parts: &[String]) -> Result<Self, BoxError> {
                match parts {
                    [$($text),*] => Ok(($($part::parse($text)?,)*)),
                    _ => Err(wrong_number($count, parts)),
                }
            }
        }
    )*};
}
tuples! {
    2: A a, B b;
    3: A a, B b, C c;
    4: A a, B b, C c, D d;
}

fn wrong_number(wanted: usize, parts: &[String]) -> BoxError {
    format!(
        "the key has {} columns, and the body takes {wanted}",
        parts.len()
    )
    .into()
}
