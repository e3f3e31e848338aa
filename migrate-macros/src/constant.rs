//! Tokens that are the same in every expansion.

use proc_macro2::TokenStream;

/// The tokens of a text of ours. One call into rustc, which is optimised, where `quote!` makes one
/// for many of the tokens and is not: in the dev profile procedural macros are built without.
pub(crate) fn parsed(text: &'static str) -> TokenStream {
    let parsed = text.parse();
    debug_assert!(parsed.is_ok(), "not tokens: {text}");
    parsed.unwrap_or_default()
}
