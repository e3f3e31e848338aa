//! `#[mass_migration]`: parse, validate, expand.

mod expand;
mod model;
mod parse;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro2::TokenStream;

use crate::{
    declaration::{Parameters, Subject, function},
    diagnostics::Diagnostics,
};

const SUBJECT: Subject = Subject {
    attribute: "mass_migration",
    noun: "a mass migration",
    parameters: Parameters::Several,
    returns: "QueryResult<usize>",
    last: "Ok(rows)",
};

/// The item, untouched, and what registers it; or the item and every error.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let written = parse::arguments(arguments, &mut diagnostics);
    let function = function::parse(item.clone(), SUBJECT, &mut diagnostics);
    let migration = validate::migration(written, function, &mut diagnostics);

    let mut tokens = item;
    tokens.extend(diagnostics.into_tokens());
    tokens.extend(migration.map(|migration| expand::migration(&migration)));
    tokens
}
