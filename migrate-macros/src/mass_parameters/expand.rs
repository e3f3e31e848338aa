//! The tokens. Nothing here can fail.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::parse::{Field, Item, Kind};
use crate::{
    paths::Runtime,
    values::{At, literals},
};

pub(super) fn implementation(item: &Item) -> TokenStream {
    let Item {
        name,
        fields,
        validate,
        runtime,
    } = item;
    let private = runtime.private();
    let fields = fields.iter().map(|it| field(runtime, it));
    let validate = validate.as_ref().map(|At { value, .. }| {
        let at = value
            .clone()
            .into_iter()
            .next()
            .map_or_else(Span::call_site, |it| it.span());
        let call = quote_spanned!(at=> #value(self));
        quote! {
            fn validate(&self) -> ::core::result::Result<(), #private::String> {
                #call
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #private::MassParameters for #name {
            const FIELDS: &'static [#private::Field] = &[#(#fields),*];
            #validate
        }
    }
}

fn field(runtime: &Runtime, field: &Field) -> TokenStream {
    let private = runtime.private();
    let Field {
        name,
        help,
        kind,
        default,
        choices,
        is_masked,
    } = field;
    let kind = match kind {
        Kind::Text => "Text",
        Kind::Integer => "Integer",
        Kind::Number => "Number",
        Kind::Switch => "Switch",
        Kind::Json => "Json",
    };
    let kind = Ident::new(kind, Span::call_site());
    let help = (!help.is_empty()).then(|| quote!(.help(#help)));
    let default = default.as_ref().map(|it| quote!(.default(#it)));
    let chosen = literals(choices);
    let choices = (!choices.is_empty()).then(|| quote!(.choices(&[#(#chosen),*])));
    let masked = is_masked.then(|| quote!(.masked()));
    quote!(#private::Field::new(#name, #private::FieldKind::#kind) #help #default #choices #masked)
}
