//! [`Fingerprint`]: what of a migration is hashed, to notice that applied code was edited.

use std::{fmt, str::FromStr};

/// A 64-bit hash of a body's tokens: parameters, return type and block, without comments, doc
/// comments, spacing or trailing commas, so that formatting changes nothing.
///
/// `#[migration]` computes it (64-bit FNV-1a, <https://datatracker.ietf.org/doc/html/rfc9923>). It
/// sees neither the functions that the body calls nor the constants that it uses: a difference is
/// a question to a person, not proof of an error, and equality is no proof of the contrary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text was not sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is sixteen hexadecimal digits")]
pub struct ParseFingerprintError;

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 16 {
            return Err(ParseFingerprintError);
        }
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| ParseFingerprintError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for value in [0, 1, u64::MAX] {
            assert_eq!(
                Fingerprint(value).to_string().parse(),
                Ok(Fingerprint(value))
            );
        }
        assert_eq!("12".parse::<Fingerprint>(), Err(ParseFingerprintError));
    }
}
