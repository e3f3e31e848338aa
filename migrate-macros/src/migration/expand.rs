//! The tokens. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::model::{Body, Migration, Repeat};
use crate::{
    declaration::{
        Signature,
        expand::{self, Own, function_at},
    },
    paths::Runtime,
    values::{At, Path, Text},
};

/// The companion type, and what registers the function.
pub(crate) fn migration(migration: &Migration) -> TokenStream {
    let Migration {
        declaration,
        replaces,
        body,
    } = migration;
    let registered = body.as_ref().map(|it| {
        let own = own(&declaration.runtime, &declaration.name, replaces, it);
        (&it.registered, own)
    });
    expand::declaration(declaration, replaces, registered)
}

fn own(runtime: &Runtime, name: &Ident, replaces: &[TokenStream], of: &Body) -> Own {
    let private = runtime.private();
    let body = body(runtime, name, &of.signature);
    let transaction = of.transaction_none.then(|| quote!(.without_transaction()));
    let (suspends, items) = match &of.suspends {
        Some(suspends) => guard(runtime, suspends),
        None => Default::default(),
    };
    let statement = limit(runtime, "statement_timeout", of.statement_timeout.as_ref());
    let lock = limit(runtime, "lock_timeout", of.lock_timeout.as_ref());
    let unmanaged = of.restore_unmanaged.then(|| quote!(.restore_unmanaged()));
    let replaces = (!replaces.is_empty())
        .then(|| quote!(.replaces(&[#(<#replaces as #private::Declared>::NODE),*])));
    let repeat = of.repeat.as_ref().map(|repeat| again(runtime, repeat));
    Own {
        items,
        calls: quote!(#body #transaction #statement #lock #suspends #unmanaged #replaces #repeat),
    }
}

/// The function with the types of its parameter and of what it returns. rustc meets a type that is no parameter in several
/// parts of this; they have one span, so that it tells it once, and on that parameter. The span is
/// that of `&`: on a name it would give the name two definitions to go to in an editor.
fn body(runtime: &Runtime, name: &Ident, signature: &Signature) -> TokenStream {
    let Signature {
        connection,
        returns,
        ..
    } = signature;
    let at = connection.ampersand;
    let parameter = &connection.referent;
    let private = runtime.private_at(at);
    let function = function_at(name, at);
    quote_spanned! {at=>
        .up::<_, #returns>(&#private::Typed::<#(#parameter)*, _>(#function))
    }
}

/// `.lock_timeout(..)`: core reads the duration, on the literal's span.
fn limit(runtime: &Runtime, method: &str, text: Option<&At<Text>>) -> Option<TokenStream> {
    let literal = &text?.value.literal;
    let at = literal.span();
    let private = runtime.private_at(at);
    let method = Ident::new(method, Span::call_site());
    Some(quote_spanned!(at=> .#method(const { #private::duration(#literal) })))
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
