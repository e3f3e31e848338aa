//! Where an item is, and a number that no other item has.

use proc_macro2::Span;

use crate::fingerprint::Fingerprint;

/// Line and column, counted from 1. `line!()` would be that of the attribute.
pub(crate) fn place(span: Span) -> (u32, u32) {
    let start = span.start();
    let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    (number(start.line), number(start.column).saturating_add(1))
}

/// A number by which const evaluation tells declarations apart, of this crate and of others: it can
/// compare neither addresses nor, in reasonable time, texts. Nothing stores it.
pub(crate) fn key(span: Span, id: &str, name: &str, fingerprint: u64) -> u64 {
    // Of the crate that is compiled now: Cargo tells rustc, and macros run inside of rustc.
    let package = std::env::var("CARGO_CRATE_NAME").unwrap_or_default();
    let (line, column) = place(span);
    let mut key = Fingerprint::new();
    for text in [&package, id, name, &span.file()] {
        key.word(text);
    }
    for number in [u64::from(line), u64::from(column), fingerprint] {
        key.word(&number.to_string());
    }
    key.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_counts() {
        let span = Span::call_site();
        let keys = [
            key(span, "a", "b", 1),
            key(span, "a", "c", 1),
            key(span, "b", "b", 1),
            key(span, "ab", "", 1),
            key(span, "a", "b", 2),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(
                keys.iter().skip(at + 1).all(|other| other != one),
                "{keys:?}"
            );
        }
    }
}
