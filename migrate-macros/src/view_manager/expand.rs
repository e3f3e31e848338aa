//! The tokens. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::model::{Definition, Name, Registered, View};
use crate::{
    constant::parsed,
    fingerprint::Fingerprint,
    paths::{self, Runtime},
    place::place,
    unique::unique,
    values::{At, Path, Text, literals, unraw},
};

/// Bytes of a name that breaks no rule of core as long as it is an identifier.
const SHORT: usize = 60;

/// What registers the type, and by what others name it.
pub(super) fn view(view: &View) -> TokenStream {
    let View {
        runtime,
        cfg,
        name,
        registered,
    } = view;
    let private = runtime.private();
    let of_impl =
        parsed("#[automatically_derived] #[diagnostic::do_not_recommend] #[allow(deprecated)]");
    let address = match registered {
        Some(registered) => address(runtime, name, registered),
        None => quote!(#private::UNREGISTERED_VIEW),
    };
    // Where others that end can find it.
    let open = registered
        .as_ref()
        .filter(|it| it.until.is_none())
        .map(|it| {
            let called = called(it);
            quote!(#cfg #of_impl impl #private::OpenView<#name> for #private::Named<#called> {})
        });
    quote! {
        #cfg
        #of_impl
        impl #private::DeclaredView for #name {
            const VIEW: #private::ViewRef = #address;
        }
        #open
    }
}

/// The static: facts and element of the link-time slice at once, as that of a migration.
fn address(runtime: &Runtime, name: &Ident, registered: &Registered) -> TokenStream {
    let private = runtime.private();
    let mut value = name.clone();
    value.set_span(name.span().located_at(Span::call_site()));
    let link_section = paths::VIEWS.attributes();
    let unique = uniques(name, registered);
    let checks = checks(runtime, registered);
    let new = new(&private, name, registered);
    let (query, definition) = definition(runtime, name, &registered.definition);
    let keys = keys(&private, registered);
    quote! {{
        #unique
        // Else a type that only attributes name would be dead code.
        const _: #value = #value;
        #checks
        #query
        #link_section
        static __VIEW: #private::View = #new #definition #keys;
        #private::ViewRef::new(&__VIEW.descriptor)
    }}
}

fn new(private: &TokenStream, name: &Ident, registered: &Registered) -> TokenStream {
    let Registered {
        description,
        view,
        since,
        ..
    } = registered;
    let id = unraw(name);
    let view = &view.value;
    let (line, column) = place(name.span());
    quote! {
        #private::View::new(
            ::core::module_path!(),
            #id,
            #view,
            #description,
            <#since as #private::Declared>::NODE,
            (::core::file!(), #line, #column)
        )
    }
}

/// The query, as an item of its own with its check, and what the builder gets to know of it.
fn definition(
    runtime: &Runtime,
    name: &Ident,
    definition: &Definition,
) -> (TokenStream, TokenStream) {
    let (literal, query) = match definition {
        Definition::Code => return (TokenStream::new(), quote!(.code::<#name>())),
        Definition::Sql(literal) => (literal, quote!(#literal)),
        Definition::File(literal) => {
            // At the literal, which is what to change when the file is not there.
            let span = literal.span();
            let path = quote_spanned! {span=>
                ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #literal)
            };
            (literal, quote_spanned!(span=> ::core::include_str!(#path)))
        }
    };
    let span = literal.span();
    let private = runtime.private_at(span);
    let items = quote_spanned! {span=>
        const __QUERY: &::core::primitive::str = #query;
        const _: () = #private::check_query(__QUERY);
    };
    (items, quote!(.sql(__QUERY)))
}

/// The other keys that were given.
fn keys(private: &TokenStream, registered: &Registered) -> TokenStream {
    let Registered {
        until,
        uses,
        materialized,
        indexes,
        options,
        restore_unmanaged,
        databases,
        ..
    } = registered;
    let mut keys = TokenStream::new();
    if let Some(At { value: path, .. }) = until {
        keys.extend(quote!(.until(<#path as #private::Declared>::NODE)));
    }
    if let Some(At { value: paths, .. }) = uses {
        let used = paths.iter().map(|path| used(private, path));
        keys.extend(quote!(.uses(&[#(#used),*])));
    }
    if *materialized {
        keys.extend(quote!(.materialized()));
    }
    if !indexes.is_empty() {
        let indexes = literals(indexes);
        keys.extend(quote!(.indexes(&[#(#indexes),*])));
    }
    if !options.is_empty() {
        let options = options.iter().map(|it| {
            let (name, value) = (it.name, &it.value);
            quote!((#name, #value))
        });
        keys.extend(quote!(.options(&[#(#options),*])));
    }
    if *restore_unmanaged {
        keys.extend(quote!(.restore_unmanaged()));
    }
    if !databases.is_empty() {
        let databases = literals(databases);
        keys.extend(quote!(.databases(&[#(#databases),*])));
    }
    keys
}

fn used(private: &TokenStream, path: &Path) -> TokenStream {
    quote!(<#(#path)* as #private::DeclaredView>::VIEW)
}

/// Two types of one name have one id, and two views of one name that both have no end live at once.
/// rustc shows the second name, hence it says what is wrong.
fn uniques(name: &Ident, registered: &Registered) -> TokenStream {
    let mut uniques = unique("view_id", &unraw(name), name.span());
    if registered.until.is_none() {
        let mut called = registered.view.value.to_lowercase();
        for database in databases(registered) {
            called.push_str("_of_the_database_");
            called.push_str(database);
        }
        uniques.extend(unique(
            "two_open_views_called",
            &called,
            registered.view.span,
        ));
    }
    uniques
}

/// The rules, each at the key that it is about.
fn checks(runtime: &Runtime, registered: &Registered) -> TokenStream {
    let Registered {
        view,
        until,
        uses,
        indexes,
        ..
    } = registered;
    let mut checks = name_check(runtime, view);
    let private = runtime.private();
    if let Some(At { key, .. }) = until {
        let called = called(registered);
        let private = runtime.private_at(*key);
        checks.extend(quote_spanned! {*key=>
            const _: () = #private::check_until(#private::ViewRef::new(&__VIEW.descriptor));
            const _: () = {
                #[allow(unused_imports)]
                use #private::{NoneOpen as _, SomeOpen as _};
                #private::check_namesake(
                    &|| (&#private::Probe::<#called>).open(),
                    #private::ViewRef::new(&__VIEW.descriptor),
                )
            };
        });
    }
    if let Some(At { key, value: paths }) = uses {
        let at_key = runtime.private_at(*key);
        for path in paths {
            let used = used(&private, path);
            checks.extend(quote_spanned! {*key=>
                const _: () = #at_key::check_uses(#at_key::ViewRef::new(&__VIEW.descriptor), #used);
            });
        }
    }
    for Text { literal, .. } in indexes {
        let span = literal.span();
        let private = runtime.private_at(span);
        checks.extend(quote_spanned!(span=> const _: () = #private::check_index(#literal);));
    }
    checks
}

/// A name that was written; or that of a type, which can only be too long.
fn name_check(runtime: &Runtime, view: &Name) -> TokenStream {
    if let Some(literal) = &view.literal {
        let private = runtime.private_at(view.span);
        return quote_spanned!(view.span=> const _: () = #private::check_view_name(#literal););
    }
    if view.value.len() <= SHORT {
        return TokenStream::new();
    }
    // Not at the type's name, which would have a second definition to go to in an editor.
    let private = runtime.private();
    let value = &view.value;
    quote!(const _: () = #private::check_view_name(#value);)
}

/// Tells names of views apart, within one crate and the databases that were written: others are
/// compared when a program starts.
fn called(registered: &Registered) -> u64 {
    let mut hash = Fingerprint::new();
    for variable in ["CARGO_CRATE_NAME", "CARGO_BIN_NAME"] {
        hash.word(&std::env::var(variable).unwrap_or_default());
    }
    hash.word(&registered.view.value.to_lowercase());
    for database in databases(registered) {
        hash.word(database);
    }
    hash.value()
}

fn databases(registered: &Registered) -> Vec<&str> {
    let mut names: Vec<_> = registered
        .databases
        .iter()
        .map(|it| it.value.as_str())
        .collect();
    names.sort_unstable();
    names
}
