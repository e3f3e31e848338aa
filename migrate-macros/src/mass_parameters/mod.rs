//! `#[derive(MassParameters)]`: parse, expand.

mod expand;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;

/// The implementation, or every error.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let parsed = parse::item(item, &mut diagnostics);
    let mut tokens = diagnostics.into_tokens();
    // Also beside errors, so that who takes the type as its parameters gets none.
    tokens.extend(parsed.map(|it| expand::implementation(&it)));
    tokens
}
