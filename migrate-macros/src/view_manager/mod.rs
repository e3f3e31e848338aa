//! `#[view_manager]`: parse, validate, expand.

mod expand;
mod implementation;
mod item;
mod model;
mod options;
mod parse;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro2::TokenStream;

use self::item::Item;
use crate::diagnostics::Diagnostics;

/// The item, untouched, and what registers it; or the item and every error. An `impl` gets the hash of
/// its code.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let view = match item::parse(item.clone(), &mut diagnostics) {
        None => None,
        Some(Item::Implementation) => {
            return implementation::expand(arguments, item, diagnostics);
        }
        Some(Item::View(declared)) => {
            let written = parse::arguments(arguments, &mut diagnostics);
            Some(validate::view(written, declared, &mut diagnostics))
        }
    };
    let mut tokens = item;
    tokens.extend(diagnostics.into_tokens());
    tokens.extend(view.map(|view| expand::view(&view)));
    tokens
}
