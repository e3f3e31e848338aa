//! [`Key`]: the types that a key range can have.

use crate::{backend::Dialect, migration::BoxError};

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

    /// As a literal.
    fn literal(&self, dialect: &Dialect) -> String;
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl KeyPart for $integer {
            const KIND: PartKind = PartKind::Integer;

            fn parse(text: &str) -> Result<Self, BoxError> {
                text.parse()
                    .map_err(|_| format!("the key `{text}` does not fit into an `{}`", stringify!($integer)).into())
            }

            fn literal(&self, _: &Dialect) -> String {
                self.to_string()
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

    fn literal(&self, dialect: &Dialect) -> String {
        (dialect.text)(self)
    }
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

    /// Its parts as literals, in order.
    fn literals(&self, dialect: &Dialect) -> Vec<String>;
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

    fn literals(&self, dialect: &Dialect) -> Vec<String> {
        vec![self.literal(dialect)]
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

            fn literals(&self, dialect: &Dialect) -> Vec<String> {
                let ($($text,)*) = self;
                vec![$($text.literal(dialect)),*]
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
