//! The tokens. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use super::model::{Body, Granularity, Kind, MassMigration, Settings, Source};
use crate::{
    declaration::{
        Reference, Signature,
        expand::{self, Own, function_at, hook},
    },
    paths::Runtime,
    values::{At, Path, Text, literals},
};

/// The companion type, and what registers the function.
pub(super) fn migration(migration: &MassMigration) -> TokenStream {
    let MassMigration { declaration, body } = migration;
    let registered = body.as_ref().map(|it| {
        let own = own(&declaration.runtime, &declaration.name, it);
        (&it.registered, own)
    });
    expand::declaration(declaration, &[], registered)
}

/// A second static: what only mass migrations have.
fn own(runtime: &Runtime, name: &Ident, body: &Body) -> Own {
    let private = runtime.private();
    let (kind, checks) = kind(runtime, &body.kind);
    let same = parameters(body);
    let code = code(runtime, name, body);
    let settings = settings(runtime, &body.settings);
    let throttle = throttle(&body.throttle);
    Own {
        items: quote! {
            #checks
            #same
            static __MASS: #private::Mass = #private::Mass::new(#kind, #code) #settings #throttle;
        },
        calls: quote!(.mass(&__MASS)),
    }
}

/// The facts of what it goes over, and checks of what was written.
fn kind(runtime: &Runtime, kind: &Kind) -> (TokenStream, TokenStream) {
    let private = runtime.private();
    let (source, key, granularity) = match kind {
        Kind::Keys {
            source,
            key,
            granularity,
        } => (source, key, granularity),
        Kind::Items(_) | Kind::Csv(_) => {
            return (quote!(#private::MassKind::Items), TokenStream::new());
        }
        Kind::Custom => return (quote!(#private::MassKind::Custom), TokenStream::new()),
        Kind::Simple => return (quote!(#private::MassKind::Simple), TokenStream::new()),
    };
    let (text, variant, rule) = match source {
        Source::Table(text) => (text, "Table", "check_table"),
        Source::Query(text) => (text, "Query", "check_source"),
    };
    let literal = &text.literal;
    let variant = Ident::new(variant, Span::call_site());
    let columns = literals(key);
    let granularity = match granularity {
        Granularity::Range => quote!(Range),
        Granularity::Row => quote!(Row),
    };
    let kind = quote! {
        #private::MassKind::Keys {
            source: #private::KeySource::#variant(#literal),
            key: &[#(#columns),*],
            granularity: #private::Granularity::#granularity,
        }
    };
    let columns = key
        .iter()
        .map(|column| check(runtime, column, "check_column"));
    let checks = std::iter::once(check(runtime, text, rule)).chain(columns);
    (kind, checks.collect())
}

/// A rule of core on a literal.
fn check(runtime: &Runtime, text: &Text, rule: &str) -> TokenStream {
    let literal = &text.literal;
    let at = literal.span();
    let private = runtime.private_at(at);
    let rule = Ident::new(rule, at);
    quote_spanned!(at=> const _: () = #private::#rule(#literal);)
}

/// The type that `parameters` names is that of the last parameter.
fn parameters(body: &Body) -> Option<TokenStream> {
    let At { key, value } = body.parameters.as_ref()?;
    let taken = &body.signature.more.last()?.referent;
    Some(quote_spanned! {*key=>
        const _: fn(&#value) -> &#(#taken)* = |parameters| parameters;
    })
}

/// The function with the types in its signature, in what calls it. Each type is an argument of its own,
/// with its own span, so that rustc tells what is wrong with it there, and once.
fn code(runtime: &Runtime, name: &Ident, body: &Body) -> TokenStream {
    let Signature {
        connection,
        more,
        returns,
        ..
    } = &body.signature;
    let at = connection.ampersand;
    let private = runtime.private_at(at);
    let function = function_at(name, at);
    let handle = &connection.referent;
    let (subject, parameters) = match &body.parameters {
        Some(_) => (
            more.split_last().and_then(|(_, it)| it.first()),
            more.last(),
        ),
        None => (more.first(), None),
    };
    let (subject, typed) = match (subject, parameters) {
        (Some(Reference { referent, .. }), None) => (
            quote!(#(#referent)*),
            quote_spanned!(at=> MassBody::<#(#handle)*, _, _>),
        ),
        (Some(Reference { referent, .. }), Some(parameters)) => {
            let parameters = &parameters.referent;
            (
                quote!(#(#referent)*),
                quote_spanned!(at=> MassBodyWith::<#(#handle)*, _, #(#parameters)*, _>),
            )
        }
        (None, None) => (quote!(()), quote_spanned!(at=> MassStep::<#(#handle)*, _>)),
        (None, Some(parameters)) => {
            let parameters = &parameters.referent;
            (
                quote!(()),
                quote_spanned!(at=> MassStepWith::<#(#handle)*, #(#parameters)*, _>),
            )
        }
    };
    // After the three that are written, what rustc finds out.
    let (kind, caller, inferred, source) = match &body.kind {
        Kind::Keys {
            granularity: Granularity::Range,
            ..
        } => ("range", "RangeCode", 3, None),
        Kind::Keys {
            granularity: Granularity::Row,
            ..
        } => ("each", "EachCode", 2, None),
        Kind::Items(source) => ("items", "ItemsCode", 4, Some(source.value.clone())),
        Kind::Csv(path) => ("csv", "CsvCode", 2, Some(quote!(#path))),
        Kind::Custom => ("custom", "CustomCode", 3, None),
        Kind::Simple => ("simple", "SimpleCode", 2, None),
    };
    let (kind, caller) = (Ident::new(kind, at), Ident::new(caller, at));
    let inferred = std::iter::repeat_n(quote_spanned!(at=> , _), inferred);
    let source = source.map(|it| quote_spanned!(at=> #it,));
    quote_spanned! {at=>
        #private::typed::#kind::<_, #subject, #returns #(#inferred)*>(&#private::#caller(
            #source #private::typed::#typed(#function), #private::PhantomData
        ))
    }
}

fn settings(runtime: &Runtime, settings: &Settings) -> TokenStream {
    let numbers = [
        ("batch", Some("check_batch"), &settings.batch),
        ("shards", Some("check_shards"), &settings.shards),
        ("max_failures", None, &settings.max_failures),
    ];
    let numbers = numbers
        .into_iter()
        .filter_map(|(name, rule, value)| Some(number(runtime, name, rule, value.as_ref()?)));
    let durations = [("target", &settings.target), ("pause", &settings.pause)];
    let durations = durations
        .into_iter()
        .filter_map(|(name, text)| Some(duration(runtime, name, text.as_ref()?)));
    let added = settings
        .added
        .as_ref()
        .filter(|it| it.value == "ignore")
        .map(|_| quote!(.ignore_added()));
    let hooks = [
        ("before", "Down", &settings.before),
        ("after", "Down", &settings.after),
        ("on_error", "OnError", &settings.on_error),
    ];
    let hooks = hooks
        .into_iter()
        .filter_map(|(name, wrapper, path)| Some(hook(runtime, name, wrapper, path.as_ref()?)));
    quote!(#(#numbers)* #(#durations)* #added #(#hooks)*)
}

/// `.batch(1_000)`: rustc evaluates core's rule at the value.
fn number(
    runtime: &Runtime,
    name: &str,
    rule: Option<&str>,
    value: &At<TokenStream>,
) -> TokenStream {
    let At { key, value } = value;
    let at = value
        .clone()
        .into_iter()
        .next()
        .map_or(*key, |it| it.span());
    let name = Ident::new(name, Span::call_site());
    let Some(rule) = rule else {
        return quote!(.#name(#value));
    };
    let private = runtime.private_at(at);
    let rule = Ident::new(rule, at);
    quote_spanned!(at=> .#name(const { #private::#rule(#value) }))
}

/// `.target(..)`, read by core.
fn duration(runtime: &Runtime, name: &str, text: &At<Text>) -> TokenStream {
    let literal = &text.value.literal;
    let at = literal.span();
    let private = runtime.private_at(at);
    let name = Ident::new(name, Span::call_site());
    quote_spanned!(at=> .#name(const { #private::duration(#literal) }))
}

/// `.throttle(&[..])`
fn throttle(statics: &[Path]) -> Option<TokenStream> {
    let statics = statics.iter().map(|path| {
        let at = path.first().map_or_else(Span::call_site, TokenTree::span);
        quote_spanned!(at=> &#(#path)*)
    });
    (statics.len() > 0).then(|| quote!(.throttle(&[#(#statics),*])))
}
