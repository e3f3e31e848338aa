//! The tokens. Nothing here can fail.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use super::{
    function::{self, Function},
    parse::{Arguments, OnMissing},
};

/// The function with the check at the beginning of its body: in the same block, so that what the body
/// returns and borrows is as before.
pub(super) fn guarded(arguments: &Arguments, function: Function) -> TokenStream {
    let Function {
        mut head,
        body,
        is_async,
        returns,
    } = function;
    let Arguments {
        required,
        on_missing,
        runtime,
    } = arguments;
    let private = runtime.private();
    let nodes = required
        .iter()
        .map(|path| quote!(<#(#path)* as #private::Declared>::NODE));
    let nodes = quote!(&[#(#nodes),*]);
    let asked = if is_async {
        quote!(#private::require_async(#nodes).await)
    } else {
        quote!(#private::require(#nodes))
    };
    let missing = function::missing();
    let otherwise = match on_missing {
        OnMissing::Return => {
            let at_type = runtime.private_at(returns);
            quote_spanned!(returns=> return #at_type::OnMissing::on_missing(#missing);)
        }
        OnMissing::Panic => quote!(#private::not_migrated(&#missing)),
    };
    let check = quote! {
        if let ::core::result::Result::Err(#missing) = #asked {
            #otherwise
        }
    };
    let mut inside = Vec::from_iter(body.stream());
    let at = function::inner_attributes(&inside);
    inside.splice(at..at, check);
    let mut block = Group::new(body.delimiter(), inside.into_iter().collect());
    block.set_span(body.span());
    head.push(TokenTree::Group(block));
    head.into_iter().collect()
}
