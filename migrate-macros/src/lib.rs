//! The attributes of `migrate-diesel`: syntax only. What they mean is documented where users meet
//! them, on the re-exports of that crate.
#![forbid(unsafe_code)]

mod attrs;
mod constant;
mod declaration;
mod diagnostics;
mod docs;
mod fingerprint;
mod item;
mod literal;
mod mass_migration;
mod mass_parameters;
mod migration;
mod migrations_dir;
mod paths;
mod place;
mod requires_migration;
mod unique;
mod values;
mod view_manager;

use proc_macro::TokenStream;

/// Declares a mass migration. Documented in `migrate-diesel`, which re-exports it.
#[proc_macro_attribute]
pub fn mass_migration(arguments: TokenStream, item: TokenStream) -> TokenStream {
    mass_migration::expand(arguments.into(), item.into()).into()
}

/// The parameters of a mass migration. Documented in `migrate-diesel`, which re-exports it.
#[proc_macro_derive(MassParameters, attributes(parameter, parameters))]
pub fn mass_parameters(item: TokenStream) -> TokenStream {
    mass_parameters::expand(item.into()).into()
}

/// Declares a migration. Documented in `migrate-diesel`, which re-exports it.
#[proc_macro_attribute]
pub fn migration(arguments: TokenStream, item: TokenStream) -> TokenStream {
    migration::expand(arguments.into(), item.into()).into()
}

/// Declares the migrations of a directory of SQL files. Documented in `migrate-diesel`, which re-exports it.
#[proc_macro]
pub fn migrations_dir(input: TokenStream) -> TokenStream {
    migrations_dir::expand(input.into()).into()
}

/// Guards a function. Documented in `migrate-diesel`, which re-exports it.
#[proc_macro_attribute]
pub fn requires_migration(arguments: TokenStream, item: TokenStream) -> TokenStream {
    requires_migration::expand(arguments.into(), item.into()).into()
}

/// Declares a view. Documented in `migrate-diesel`, which re-exports it.
#[proc_macro_attribute]
pub fn view_manager(arguments: TokenStream, item: TokenStream) -> TokenStream {
    view_manager::expand(arguments.into(), item.into()).into()
}
