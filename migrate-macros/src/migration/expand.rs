//! The tokens. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::model::{Id, Migration, Registered, Reversal};
use crate::paths::{self, Runtime};

/// The companion type, and what registers the function.
///
/// The type has the function's name and visibility, but lives in the namespace of types, so that a
/// path in `requires` finds it wherever the function can be named, renamed imports included. Of the
/// parts that look odd, each answers an error of rustc:
/// - one field per requirement makes a cycle E0072, with all its members in one message;
/// - `__MIGRATION`: a lint computes the layout of structs without generics, recursively, and
///   overflows at a chain of 128;
/// - `_end: ()` keeps the search for the last field's type from doing so.
pub(crate) fn migration(migration: &Migration) -> TokenStream {
    let Migration {
        runtime,
        cfg,
        visibility,
        name,
        requires,
        registered,
    } = migration;
    let private = runtime.private();
    let unique = registered.as_ref().map(|it| unique(&it.id, cfg));
    let node = match registered {
        Some(registered) => node(runtime, name, requires, registered),
        None => quote!(#private::UNREGISTERED),
    };
    let fields = requires.iter().enumerate().map(|(at, path)| {
        let field = Ident::new(&format!("_{at}"), Span::call_site());
        quote!(#field: #path,)
    });
    let span = name.span().resolved_at(Span::call_site());
    let companion = quote_spanned! {span=>
        struct #name<const __MIGRATION: bool = true> { #(#fields)* _end: () }
    };
    quote! {
        #unique
        #cfg
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations)]
        #visibility #companion
        #cfg
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        #[allow(deprecated)]
        impl #private::Declared for #name {
            const NODE: #private::NodeRef = #node;
        }
    }
}

/// A macro that is exported, hence at the root of the crate: two migrations with one id are two
/// definitions of one name, wherever they are.
fn unique(id: &Id, cfg: &TokenStream) -> TokenStream {
    let name = Ident::new(&macro_name(&id.value), id.span);
    quote! {
        #cfg
        #[doc(hidden)]
        #[allow(non_local_definitions)]
        #[macro_export]
        macro_rules! #name { () => {}; }
    }
}

/// Different for different ids. The second form never is one of the first: those have no `_` after
/// `migration_`.
pub(super) fn macro_name(id: &str) -> String {
    use std::fmt::Write;

    if id
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || it == b'_')
    {
        return format!("migration_id_{id}");
    }
    let mut name = String::from("migration__id_");
    for character in id.chars() {
        match character {
            '_' => name.push_str("__"),
            plain if plain.is_ascii_alphanumeric() => name.push(plain),
            other => {
                // Writing into a string cannot fail.
                let _ = write!(name, "_{:x}_", u32::from(other));
            }
        }
    }
    name
}

/// The static: node of the graph and element of the link-time slice at once. A `NodeRef` holds its
/// address and no reference, which rustc would follow through the whole graph, again for each node.
fn node(
    runtime: &Runtime,
    name: &Ident,
    requires: &[TokenStream],
    registered: &Registered,
) -> TokenStream {
    let Registered {
        id,
        description,
        signature,
        was,
        reversal,
        transaction_none,
        databases,
    } = registered;
    let private = runtime.private();
    let private_here = runtime.private_at(name.span());
    let link_section = paths::link_section();
    let (parameter, returns) = (&signature.parameter, &signature.returns);
    let fingerprint = signature.fingerprint;
    let id_text = &id.value;
    let check = id
        .literal
        .as_ref()
        .map(|literal| quote_spanned!(id.span=> const _: () = #private::check_name(#literal);));
    let arguments = quote! {
        ::core::module_path!(),
        #id_text,
        #description,
        #fingerprint,
        &[#(<#requires as #private::Declared>::NODE),*],
        &#private::Typed::<#parameter, #returns>(#name)
    };
    let new = quote_spanned!(name.span()=> #private_here::Migration::new(#arguments));
    let was = (!was.is_empty()).then(|| quote!(.was(&[#(#was),*])));
    let reversal = match reversal {
        Reversal::Unspecified => None,
        Reversal::Down(path) => Some(quote!(.down(&const { #private::Down::new(#path) }))),
        Reversal::Irreversible(reason) => Some(quote!(.irreversible(#reason))),
    };
    let transaction = transaction_none.then(|| quote!(.without_transaction()));
    let databases = (!databases.is_empty()).then(|| quote!(.databases(&[#(#databases),*])));
    quote! {{
        #check
        #link_section
        static __MIGRATION: #private::Migration = #new #was #reversal #transaction #databases;
        #private::NodeRef::new(&__MIGRATION.descriptor)
    }}
}
