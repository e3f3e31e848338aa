//! `#[requires_migration]`: a check before the body of any function, which stays as it is.

mod expand;
mod function;
mod parse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;

/// The function with the check; or untouched, and every error.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let arguments = parse::arguments(arguments, &mut diagnostics);
    let function = function::parse(item.clone(), &mut diagnostics);
    match function {
        Some(function) if diagnostics.is_empty() => expand::guarded(&arguments, function),
        _ => {
            let mut tokens = item;
            tokens.extend(diagnostics.into_tokens());
            tokens
        }
    }
}
