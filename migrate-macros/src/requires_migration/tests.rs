//! Snapshots of what is written, and of errors that come together.

fn expand(arguments: &str, item: &str) -> String {
    let tokens = super::expand(arguments.parse().unwrap(), item.parse().unwrap());
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

#[test]
fn sync() {
    insta::assert_snapshot!(expand(
        "accounts::widen_email",
        "/// Doc.
         pub fn change<F: Fn() -> u8>(f: F, x: &str) -> Result<u8, E> where F: Send {
             #![allow(unused)]
             let y = x;
             Ok(f())
         }",
    ));
}

#[test]
fn asynchronous() {
    insta::assert_snapshot!(expand(
        "a, b::c, crate = db",
        "async fn f() -> Result<(), E> { g().await }"
    ));
}

#[test]
fn panicking() {
    insta::assert_snapshot!(expand("a, on_missing = panic", "fn f() {}"));
}

#[test]
fn errors_keep_the_item() {
    insta::assert_snapshot!(expand(
        "\"a\", on_missing = abort, on_mising = panic",
        "const fn f() {}"
    ));
}

#[test]
fn without_a_migration() {
    insta::assert_snapshot!(expand("", "fn f() {}"));
    insta::assert_snapshot!(expand("on_missing = panic", "struct S;"));
}
