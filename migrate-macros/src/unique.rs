//! Names that a crate can define once, so that rustc finds what is there twice.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::constant::parsed;

/// A macro that is exported, hence at the root of the crate: two declarations of one text are two
/// definitions of one name, wherever they are.
pub(crate) fn unique(prefix: &str, text: &str, span: Span) -> TokenStream {
    let name = Ident::new(&macro_name(prefix, text), span);
    let definition = quote_spanned!(span=> macro_rules! #name { () => {}; });
    let attributes = parsed("#[doc(hidden)] #[allow(non_local_definitions)] #[macro_export]");
    quote!(#attributes #definition)
}

/// Different for different texts. The second form never is one of the first, which does not begin
/// with `_`.
fn macro_name(prefix: &str, text: &str) -> String {
    use std::fmt::Write;

    if text
        .bytes()
        .all(|it| it.is_ascii_alphanumeric() || it == b'_')
    {
        return format!("{prefix}_{text}");
    }
    let mut name = format!("_{prefix}_");
    for character in text.chars() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_texts_have_different_macros() {
        let texts = [
            "a_b", "a-b", "a_2d_b", "a__b", "a.b", "A_b", "_id_a", "__id_a", "a\u{e9}", "a_e9_",
            "-", "_", "_2d_", "id_a-", "a-_", "a_-", "a-2d_",
        ];
        let names: std::collections::BTreeSet<_> =
            texts.iter().map(|it| macro_name("prefix", it)).collect();
        assert_eq!(names.len(), texts.len(), "{names:?}");
        for name in names {
            assert!(syn::parse_str::<syn::Ident>(&name).is_ok(), "{name}");
        }
    }
}
