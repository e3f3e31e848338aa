//! `migrations_dir!`: parse, read the directory, validate, expand.

mod expand;
mod format;
mod model;
mod name;
mod parse;
mod read;
#[cfg(test)]
mod tests;
mod text;
mod validate;

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;

/// A node for each migration of the directory; or every error, and the nodes that have a name, so that
/// those who require them get none of their own.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let written = parse::arguments(input, &mut diagnostics);
    let found = read::directory(&written, &mut diagnostics);
    let directory = validate::directory(written, found, &mut diagnostics);

    let mut tokens = diagnostics.into_tokens();
    tokens.extend(directory.map(|directory| expand::directory(&directory)));
    tokens
}
