//! Snapshots of what is written, and of every error where it matters that they come together.

use proc_macro2::TokenStream;

use crate::{constant, paths};

/// The expansion as one would have written it, without the key: that depends on the crate and on
/// the file, which here is a text that was parsed.
fn expand(arguments: &str, item: &str) -> String {
    let tokens = super::expand(arguments.parse().unwrap(), item.parse().unwrap());
    let text = prettyplease::unparse(&syn::parse2(tokens).unwrap());
    let Some((before, after)) = text.split_once("(::core::file!(), ") else {
        return text;
    };
    let (place, after) = after.split_once("u64,").unwrap();
    let place = place.trim_end_matches(|it: char| it.is_ascii_digit());
    format!("{before}(::core::file!(), {place}KEY,{after}")
}

#[test]
fn plain() {
    insta::assert_snapshot!(expand(
        "",
        "/// Accounts.
         #[inline]
         pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> { db.f() }",
    ));
}

#[test]
fn every_key() {
    insta::assert_snapshot!(expand(
        r#"requires = [a, b::c], id = "2026-x", was = ["old"], down = undo, transaction = none,
           databases = ["a", "b"], suspends = [V, w::V], unmanaged = restore, statement_timeout = "5m", lock_timeout = "2s",
           crate = db"#,
        "#[cfg(feature = \"x\")]
         fn r#type<'a>(db: &mut Session<'a, PgConnection>) -> Result<(), E<'a>> where E<'a>: F { x }",
    ));
}

#[test]
fn errors_keep_the_item_and_the_type() {
    insta::assert_snapshot!(expand(
        r#"requires = ["x", a], id = 3, down = a, irreversible = "b", repeat = always"#,
        "pub(crate) async fn broken(db: &C, more: u8) {}",
    ));
}

#[test]
fn errors_without_a_function_keep_the_item() {
    insta::assert_snapshot!(expand("", "struct Views;"));
}

#[test]
fn an_item_from_a_macro_is_read_through_its_groups() {
    use proc_macro2::{Delimiter, Group, TokenTree};

    let item: TokenStream = "pub fn f(db: &mut C) -> R { x }".parse().unwrap();
    let grouped = TokenStream::from(TokenTree::Group(Group::new(Delimiter::None, item.clone())));
    let plain = super::expand(TokenStream::new(), item).to_string();
    let through = super::expand(TokenStream::new(), grouped).to_string();
    assert_eq!(plain.replace(' ', ""), through.replace(' ', ""));
}

#[test]
fn constant_parts_are_tokens() {
    assert!(!paths::MIGRATIONS.attributes().is_empty());
    assert!(!paths::VIEWS.attributes().is_empty());
    assert!(!constant::parsed("#[used]").is_empty());
}
