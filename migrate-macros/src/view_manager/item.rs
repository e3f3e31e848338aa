//! What is under the attribute: a unit struct, or an `impl` of its code.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::model::Declared;
use crate::{
    diagnostics::Diagnostics,
    item::{Attributes, Tokens},
};

pub(super) enum Item {
    /// A type that can be named as a view. There may have been errors.
    View(Declared),
    /// `impl ViewManager for ..`
    Implementation,
}

/// The item, or `None` and an error when there is none that could be a view.
pub(super) fn parse(item: TokenStream, diagnostics: &mut Diagnostics) -> Option<Item> {
    let mut tokens = Tokens::new(item);
    let attributes = tokens.attributes("view_manager", diagnostics)?;
    tokens.visibility();
    let found = tokens.0.next()?;
    if let TokenTree::Ident(word) = &found {
        match word.to_string().as_str() {
            "struct" => return unit_struct(&mut tokens, attributes, diagnostics),
            "impl" => return implementation(word, &mut tokens, diagnostics),
            // A type that others may name already.
            "enum" | "union" => {
                diagnostics.error(word.span(), not_a_struct(word));
                return named(&mut tokens, attributes, diagnostics);
            }
            _ => {}
        }
    }
    let message = match &found {
        TokenTree::Ident(word) => not_a_struct(word),
        _ => "`#[view_manager]` goes on a unit struct: `struct Name;`".to_owned(),
    };
    diagnostics.error(found.span(), message);
    None
}

fn unit_struct(
    tokens: &mut Tokens,
    attributes: Attributes,
    diagnostics: &mut Diagnostics,
) -> Option<Item> {
    let item = named(tokens, attributes, diagnostics)?;
    if let Some(TokenTree::Group(fields)) = tokens.0.next() {
        let Item::View(Declared { name, .. }) = &item else {
            return None;
        };
        diagnostics.error(
            fields.span(),
            format!("a view is a unit struct, without fields: write `struct {name};`"),
        );
    }
    Some(item)
}

/// The name; a generic type cannot be a view.
fn named(
    tokens: &mut Tokens,
    attributes: Attributes,
    diagnostics: &mut Diagnostics,
) -> Option<Item> {
    let Some(TokenTree::Ident(name)) = tokens.0.next() else {
        return None;
    };
    if let Some(open) = tokens.next_if_mark('<') {
        diagnostics.error(
            open.span(),
            format!("a view cannot be generic: it is registered once; write `struct {name};`"),
        );
        return None;
    }
    Some(Item::View(Declared {
        cfg: attributes.cfg,
        description: attributes.docs.first_paragraph(),
        name,
    }))
}

/// Whether it is one of `ViewManager`. Not by the path as a whole: rustc resolves that.
fn implementation(
    word: &Ident,
    tokens: &mut Tokens,
    diagnostics: &mut Diagnostics,
) -> Option<Item> {
    let mut last = None;
    for token in tokens.0.by_ref() {
        match token {
            TokenTree::Ident(it) if it == "for" && last.is_some() => break,
            TokenTree::Ident(it) => last = Some(it),
            TokenTree::Group(it) if it.delimiter() == Delimiter::Brace => {
                last = None;
                break;
            }
            _ => {}
        }
    }
    if last.is_some_and(|it| it == "ViewManager") {
        return Some(Item::Implementation);
    }
    diagnostics.error(
        word.span(),
        "`#[view_manager]` goes on a unit struct, or on its `impl ViewManager for ..`",
    );
    None
}

fn not_a_struct(word: &Ident) -> String {
    match word.to_string().as_str() {
        "fn" => {
            "`#[view_manager]` goes on a unit struct, not on a function; for a migration write \
                 `#[migration(..)]`"
                .to_owned()
        }
        word @ ("enum" | "union" | "trait" | "mod" | "const" | "static" | "type" | "use") => {
            format!("`#[view_manager]` goes on a unit struct, found `{word}`")
        }
        _ => "`#[view_manager]` goes on a unit struct: `struct Name;`".to_owned(),
    }
}
