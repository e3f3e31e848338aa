//! What a migration of a directory is called in Rust, and so in history.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

use super::model::Migration;

/// Its name without the number, as an identifier; the number where there is nothing else.
pub(super) fn of(migration: &Migration) -> String {
    let mut name: String = migration
        .words
        .chars()
        .map(|it| if it.is_alphanumeric() { it } else { '_' })
        .collect();
    name = name.trim_matches('_').to_owned();
    if name.is_empty() {
        name = format!("v{}", migration.number);
    }
    if name.starts_with(|it: char| it.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// The identifier, if it can be one.
pub(super) fn identifier(name: &str, span: Span) -> Option<Ident> {
    if matches!(name, "_" | "self" | "Self" | "super" | "crate") {
        return None;
    }
    // What is one is for rustc to say: `Ident::new` panics where there is a doubt.
    let tokens: Vec<TokenTree> = name.parse::<TokenStream>().ok()?.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(_)] if KEYWORDS.contains(&name) => Some(Ident::new_raw(name, span)),
        [TokenTree::Ident(ident)] => {
            let mut ident = ident.clone();
            ident.set_span(span);
            Some(ident)
        }
        _ => None,
    }
}

/// <https://doc.rust-lang.org/reference/keywords.html>, strict and reserved ones.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref",
    "return", "static", "struct", "trait", "true", "type", "unsafe", "use", "where", "while",
    "abstract", "become", "box", "do", "final", "gen", "macro", "override", "priv", "try",
    "typeof", "unsized", "virtual", "yield",
];
