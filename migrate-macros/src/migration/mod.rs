//! `#[migration]`: parse, validate, expand.

mod expand;
mod model;
mod parameter;
mod parse;
mod signature;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;

/// The item, untouched, and what registers it; or the item and every error.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let written = parse::arguments(arguments, &mut diagnostics);
    let function = signature::parse(item.clone(), &mut diagnostics);
    let migration = validate::migration(written, function, &mut diagnostics);

    let mut tokens = item;
    tokens.extend(diagnostics.into_tokens());
    tokens.extend(migration.map(|migration| expand::migration(&migration)));
    tokens
}
