//! The tokens. Nothing here can fail.

use std::{env, path::Path};

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{
    model::{Directory, Node, Sql},
    text,
};
use crate::{
    constant::parsed,
    paths,
    place::{key, place},
    unique::unique,
    values::{literals, unraw},
};

/// Bytes of an id that breaks no rule of core as long as it is an identifier.
const SHORT: usize = 100;

/// For each migration what `#[migration]` writes for a function: see there why the type looks as it does.
pub(super) fn directory(directory: &Directory) -> TokenStream {
    let mut tokens = TokenStream::new();
    let mut before: Option<&Ident> = None;
    for node in &directory.nodes {
        let requires: Vec<TokenStream> = match before {
            None => directory.first_requires.clone(),
            Some(before) => vec![quote!(#before)],
        };
        tokens.extend(declared(directory, node, &requires));
        before = Some(&node.name);
    }
    if directory.registers {
        tokens.extend(watched(directory));
    }
    tokens
}

fn declared(directory: &Directory, node: &Node, requires: &[TokenStream]) -> TokenStream {
    let private = directory.runtime.private();
    let name = &node.name;
    let address = if directory.registers {
        address(directory, node, requires)
    } else {
        quote!(#private::UNREGISTERED)
    };
    let fields = requires.iter().enumerate().map(|(at, path)| {
        let field = Ident::new(&format!("_{at}"), Span::call_site());
        quote!(#field: #path,)
    });
    let of_type = parsed(
        "#[doc(hidden)] \
         #[allow(non_camel_case_types, dead_code, missing_debug_implementations, unreachable_pub)]",
    );
    let of_impl =
        parsed("#[automatically_derived] #[diagnostic::do_not_recommend] #[allow(deprecated)]");
    let companion = quote_spanned! {name.span()=>
        pub struct #name<__Any = ()> { #(#fields)* _end: fn() -> __Any }
    };
    quote! {
        #of_type
        #companion
        #of_impl
        impl #private::Declared for #name {
            const NODE: #private::NodeRef = #address;
        }
    }
}

fn address(directory: &Directory, node: &Node, requires: &[TokenStream]) -> TokenStream {
    let private = directory.runtime.private();
    let migration = &node.migration;
    let id = format!("{}{}", directory.prefix, unraw(&node.name));
    let unique = unique("migration_id", &id, node.name.span());
    let check = (id.len() > SHORT || !directory.prefix.is_empty()).then(|| {
        let private = directory.runtime.private_at(directory.span);
        quote_spanned!(directory.span=> const _: () = #private::check_name(#id);)
    });
    let fingerprint = text::fingerprint(&migration.up.text);
    let key = key(directory.span, &id, &migration.theirs, fingerprint);
    let description = text::description(&migration.up.text);
    let file = place_of(directory, &migration.up.file);
    let recorded_as = &migration.recorded_as;
    let link_section = paths::MIGRATIONS.attributes();
    let (up_tracked, up) = statements(directory, &migration.up);
    let down = migration.down.as_ref();
    // What reverts nothing does not revert it.
    let down = down.filter(|down| !text::is_empty(&down.text));
    let (down_tracked, down) = down.map(|down| statements(directory, down)).unzip();
    let untracked = [
        migration
            .down
            .as_ref()
            .filter(|_| down.is_none())
            .map(|it| &it.file),
        migration.metadata.as_ref(),
    ];
    let tracked = untracked
        .into_iter()
        .flatten()
        .map(|file| tracked(directory, file));
    let down = down.map(|down| quote!(.down_sql(#down)));
    let transaction = migration
        .outside_transaction
        .then(|| quote!(.without_transaction()));
    let mut databases = literals(&directory.databases).peekable();
    let databases = databases
        .peek()
        .is_some()
        .then(|| quote!(.databases(&[#(#databases),*])));
    quote! {{
        #unique
        #check
        #up_tracked
        #down_tracked
        #(#tracked)*
        #link_section
        static __MIGRATION: #private::Migration = #private::Migration::new(
            ::core::module_path!(),
            #id,
            #description,
            #fingerprint,
            &[#(<#requires as #private::Declared>::NODE),*],
            (#file, 1u32, 1u32),
            #key
        )
        .sql(#recorded_as, #up) #down #transaction #databases;
        #private::NodeRef::new(&__MIGRATION.descriptor)
    }}
}

/// The text as a body; and what makes rustc read the file, where the body does not.
fn statements(directory: &Directory, sql: &Sql) -> (Option<TokenStream>, TokenStream) {
    let private = directory.runtime.private();
    let backends = directory.backend.iter();
    let (tracked, text) = if text::is_empty(&sql.text) {
        (Some(tracked(directory, &sql.file)), quote!(""))
    } else {
        (None, included(directory, &sql.file))
    };
    (
        tracked,
        quote!(&#private::SqlText::new(#text, &[#(#backends),*])),
    )
}

/// The text of a file, read again by rustc, which tells Cargo of it.
fn included(directory: &Directory, file: &str) -> TokenStream {
    let path = format!("/{}/{file}", directory.written);
    quote_spanned! {directory.span=>
        ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #path))
    }
}

fn tracked(directory: &Directory, file: &str) -> TokenStream {
    let included = included(directory, file);
    quote!(const _: &::core::primitive::str = #included;)
}

/// As `file!()` would say it: rustc runs in the workspace's directory.
fn place_of(directory: &Directory, file: &str) -> String {
    let inside = || {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")?;
        let workspace = env::current_dir().ok()?;
        let package = Path::new(&manifest).strip_prefix(workspace).ok()?;
        Some(package.to_str()?.replace('\\', "/"))
    };
    let parts = [inside().unwrap_or_default(), directory.written.clone()];
    let mut place = String::new();
    for part in parts.iter().filter(|it| !it.is_empty()) {
        place.push_str(part);
        place.push('/');
    }
    place.push_str(file);
    place
}

/// What was found, to compare with what is there when the program starts: files that are added are nothing that
/// Cargo would hear of.
fn watched(directory: &Directory) -> TokenStream {
    let private = directory.runtime.private();
    let Directory { written, files, .. } = directory;
    let absolute = format!("/{written}");
    let (line, column) = place(directory.span);
    let link_section = paths::DIRECTORIES.attributes();
    quote! {
        #[cfg(debug_assertions)]
        const _: () = {
            #link_section
            static __DIRECTORY: #private::Directory = #private::Directory {
                module_path: ::core::module_path!(),
                absolute: ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #absolute),
                written: #written,
                files: &[#(#files),*],
                location: (::core::file!(), #line, #column),
            };
        };
    }
}
