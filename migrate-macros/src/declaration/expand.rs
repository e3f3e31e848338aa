//! The tokens of every declaration. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use super::{Declaration, Registered, Reversal};
use crate::{
    constant::parsed,
    paths::{self, Runtime},
    place::{key, place},
    unique::unique,
    values::{At, literals},
};

/// What an attribute adds to what is registered.
#[derive(Default)]
pub(crate) struct Own {
    /// Items beside the static: checks, other statics.
    pub(crate) items: TokenStream,
    /// Calls of `Migration`'s builder.
    pub(crate) calls: TokenStream,
}

/// The companion type, and what registers the function; `edges` are migrations beside those required.
///
/// The type has the function's name and visibility, but lives in the namespace of types, so that a
/// path in `requires` finds it wherever the function can be named, renamed imports included. Of the
/// parts that look odd, each answers an error of rustc:
/// - one field per requirement (and other edge) makes a cycle E0072, with all its members in one message;
/// - `__Any`: a lint computes the layout of structs without generics, recursively, and overflows at a
///   chain of 128;
/// - `_end` keeps the search for the last field's type from doing so.
///
/// Without `registered` there were errors: then the type alone is written, so that those who require
/// it get none of their own.
pub(crate) fn declaration(
    declaration: &Declaration,
    edges: &[TokenStream],
    registered: Option<(&Registered, Own)>,
) -> TokenStream {
    let Declaration {
        runtime,
        cfg,
        visibility,
        name,
        requires,
    } = declaration;
    let private = runtime.private();
    let node = match registered {
        Some((registered, own)) => node(runtime, name, requires, registered, &own),
        None => quote!(#private::UNREGISTERED),
    };
    let fields = requires.iter().chain(edges).enumerate().map(|(at, path)| {
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
    registered: &Registered,
    own: &Own,
) -> TokenStream {
    let Registered {
        id,
        description,
        fingerprint,
        was,
        reversal,
        databases,
    } = registered;
    let private = runtime.private();
    let link_section = paths::MIGRATIONS.attributes();
    let unique = unique("migration_id", &id.value, id.span);
    let id_text = &id.value;
    let check = id.literal.as_ref().map(|literal| {
        let private = runtime.private_at(id.span);
        quote_spanned!(id.span=> const _: () = #private::check_name(#literal);)
    });
    let (line, column) = place(name.span());
    let key = key(name.span(), id_text, &name.to_string(), *fingerprint);
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
        Reversal::Down(path) => Some(hook(runtime, "down", "Down", path)),
        Reversal::Irreversible(reason) => Some(quote!(.irreversible(#reason))),
    };
    let databases = list("databases", literals(databases));
    let Own { items, calls } = own;
    quote! {{
        #unique
        #check
        #items
        #link_section
        static __MIGRATION: #private::Migration = #new #calls #was #reversal #databases;
        #private::NodeRef::new(&__MIGRATION.descriptor)
    }}
}

/// `.method(&[..])`, unless there is nothing in it.
fn list<'a>(method: &str, elements: impl Iterator<Item = &'a TokenTree>) -> Option<TokenStream> {
    let mut elements = elements.peekable();
    elements.peek()?;
    let method = Ident::new(method, Span::call_site());
    Some(quote!(.#method(&[#(#elements),*])))
}

/// `.down(..)` and the like, at the key rather than at the path: on a path rustc would tell it again
/// for each part of this. `wrapper` is what calls the function.
pub(crate) fn hook(
    runtime: &Runtime,
    method: &str,
    wrapper: &str,
    path: &At<TokenStream>,
) -> TokenStream {
    let private = runtime.private_at(path.key);
    let function = &path.value;
    let method = Ident::new(method, path.key);
    let wrapper = Ident::new(wrapper, path.key);
    quote_spanned!(path.key=> .#method(&#private::#wrapper(#function, #private::PhantomData)))
}

/// The name of the function as an expression at `span`, which is that of a `&`: on a name it would
/// give the name two definitions to go to in an editor.
pub(crate) fn function_at(name: &Ident, span: Span) -> Ident {
    let mut function = name.clone();
    function.set_span(name.span().located_at(span));
    function
}
