//! The tokens. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use super::model::{Migration, Registered, Repeat, Reversal, Signature};
use crate::{
    constant::parsed,
    paths::{self, Runtime},
    place::{key, place},
    unique::unique,
    values::{At, Path, literals},
};

/// The companion type, and what registers the function.
///
/// The type has the function's name and visibility, but lives in the namespace of types, so that a
/// path in `requires` finds it wherever the function can be named, renamed imports included. Of the
/// parts that look odd, each answers an error of rustc:
/// - one field per requirement (and per migration that it replaces) makes a cycle E0072, with all its members in one message;
/// - `__Any`: a lint computes the layout of structs without generics, recursively, and overflows at a
///   chain of 128;
/// - `_end` keeps the search for the last field's type from doing so.
pub(crate) fn migration(migration: &Migration) -> TokenStream {
    let Migration {
        runtime,
        cfg,
        visibility,
        name,
        requires,
        replaces,
        registered,
    } = migration;
    let private = runtime.private();
    let node = match registered {
        Some(registered) => node(runtime, name, requires, replaces, registered),
        None => quote!(#private::UNREGISTERED),
    };
    let named = requires.iter().chain(replaces);
    let fields = named.enumerate().map(|(at, path)| {
        let field = Ident::new(&format!("_{at}"), Span::call_site());
        quote!(#field: #path,)
    });
    // At the name, so that rustc shows the function when it speaks of the type.
    let companion = quote_spanned! {name.span()=>
        struct #name<__Any = ()> { #(#fields)* _end: fn() -> __Any }
    };
    let of_type = parsed(
        "#[doc(hidden)] \
         #[allow(non_camel_case_types, dead_code, missing_debug_implementations)]",
    );
    let of_impl =
        parsed("#[automatically_derived] #[diagnostic::do_not_recommend] #[allow(deprecated)]");
    quote! {
        #cfg
        #of_type
        #visibility #companion
        #cfg
        #of_impl
        impl #private::Declared for #name {
            const NODE: #private::NodeRef = #node;
        }
    }
}

/// The static: node of the graph and element of the link-time slice at once. A `NodeRef` holds its
/// address and no reference, which rustc would follow through the whole graph, again for each node.
fn node(
    runtime: &Runtime,
    name: &Ident,
    requires: &[TokenStream],
    replaces: &[TokenStream],
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
        suspends,
        restore_unmanaged,
        repeat,
    } = registered;
    let private = runtime.private();
    let link_section = paths::MIGRATIONS.attributes();
    let unique = unique("migration_id", &id.value, id.span);
    let fingerprint = signature.fingerprint;
    let id_text = &id.value;
    let check = id.literal.as_ref().map(|literal| {
        let private = runtime.private_at(id.span);
        quote_spanned!(id.span=> const _: () = #private::check_name(#literal);)
    });
    let body = body(runtime, name, signature);
    let (line, column) = place(name.span());
    let key = key(name.span(), id_text, &name.to_string(), fingerprint);
    let arguments = quote! {
        ::core::module_path!(),
        #id_text,
        #description,
        #fingerprint,
        &[#(<#requires as #private::Declared>::NODE),*],
        (::core::file!(), #line, #column),
        #key
    };
    let new = quote!(#private::Migration::new(#arguments));
    let was = list("was", literals(was));
    let reversal = match reversal {
        Reversal::Unspecified => None,
        Reversal::Down(path) => Some(down(runtime, path)),
        Reversal::Irreversible(reason) => Some(quote!(.irreversible(#reason))),
    };
    let transaction = transaction_none.then(|| quote!(.without_transaction()));
    let databases = list("databases", literals(databases));
    let (suspends, checks) = match suspends {
        Some(suspends) => guard(runtime, suspends),
        None => Default::default(),
    };
    let unmanaged = restore_unmanaged.then(|| quote!(.restore_unmanaged()));
    let replaces = (!replaces.is_empty())
        .then(|| quote!(.replaces(&[#(<#replaces as #private::Declared>::NODE),*])));
    let repeat = repeat.as_ref().map(|repeat| again(runtime, repeat));
    quote! {{
        #unique
        #check
        #checks
        #link_section
        static __MIGRATION: #private::Migration =
            #new #body #was #reversal #transaction #databases #suspends #unmanaged #replaces #repeat;
        #private::NodeRef::new(&__MIGRATION.descriptor)
    }}
}

/// The function with the types of its parameter and of what it returns. rustc meets a type that is no parameter in several
/// parts of this; they have one span, so that it tells it once, and on that parameter. The span is
/// that of `&`: on a name it would give the name two definitions to go to in an editor.
fn body(runtime: &Runtime, name: &Ident, signature: &Signature) -> TokenStream {
    let Signature {
        parameter,
        ampersand,
        returns,
        ..
    } = signature;
    let private = runtime.private_at(*ampersand);
    let mut function = name.clone();
    function.set_span(name.span().located_at(*ampersand));
    quote_spanned! {*ampersand=>
        .up::<_, #returns>(&#private::Typed::<#parameter, _>(#function))
    }
}

/// `.method(&[..])`, unless there is nothing in it.
fn list<'a>(method: &str, elements: impl Iterator<Item = &'a TokenTree>) -> Option<TokenStream> {
    let mut elements = elements.peekable();
    elements.peek()?;
    let method = Ident::new(method, Span::call_site());
    Some(quote!(.#method(&[#(#elements),*])))
}

/// `.suspends(..)`, and a check of each view at the key.
fn guard(runtime: &Runtime, suspends: &At<Vec<Path>>) -> (TokenStream, TokenStream) {
    let private = runtime.private();
    let at_key = runtime.private_at(suspends.key);
    let views = suspends
        .value
        .iter()
        .map(|path| quote!(<#(#path)* as #private::DeclaredView>::VIEW));
    let views: Vec<_> = views.collect();
    let checks = views.iter().map(|view| {
        quote_spanned! {suspends.key=>
            const _: () = #at_key::check_suspends(#at_key::NodeRef::new(&__MIGRATION.descriptor), #view);
        }
    });
    let checks = checks.collect();
    (quote!(.suspends(&[#(#views),*])), checks)
}

/// `.repeat(..)`
fn again(runtime: &Runtime, repeat: &Repeat) -> TokenStream {
    let private = runtime.private();
    let when = Ident::new(repeat.when, Span::call_site());
    let phase = Ident::new(repeat.phase, Span::call_site());
    quote!(.repeat(#private::Repeat::#when(#private::Phase::#phase)))
}

/// `.down(..)`, at the key rather than at the path, for the same reason.
fn down(runtime: &Runtime, path: &At<TokenStream>) -> TokenStream {
    let private = runtime.private_at(path.key);
    let function = &path.value;
    quote_spanned!(path.key=> .down(&#private::Down(#function, #private::PhantomData)))
}
