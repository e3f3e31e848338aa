//! Snapshots of what is written, and of every error where it matters that they come together.

/// The expansion as one would have written it, without what depends on the crate's name.
fn expand(arguments: &str, item: &str) -> String {
    let tokens = super::expand(arguments.parse().unwrap(), item.parse().unwrap());
    let text = prettyplease::unparse(&syn::parse2(tokens).unwrap());
    ["Named<", "Probe::<"].iter().fold(text, |text, before| {
        let Some((head, tail)) = text.split_once(before) else {
            return text;
        };
        let tail = tail.trim_start_matches(|it: char| it.is_ascii_digit());
        format!("{head}{before}HASH{}", tail.trim_start_matches("u64"))
    })
}

#[test]
fn plain() {
    insta::assert_snapshot!(expand(
        "since = create_users, sql = \"SELECT 1\"",
        "/// Who is active.
         #[derive(Debug)]
         pub struct ActiveUsers;",
    ));
}

#[test]
fn every_key() {
    insta::assert_snapshot!(expand(
        r#"since = a::create, until = b, uses = [W, c::X], name = "reporting.active",
           file = "views/active.sql", options = [security_barrier, security_invoker = false,
           check_option = "LOCAL", definer = "root@localhost"], unmanaged = restore,
           databases = ["y", "x"], crate = db"#,
        "#[cfg(feature = \"x\")] struct r#Type;",
    ));
}

#[test]
fn materialized() {
    insta::assert_snapshot!(expand(
        r#"since = a, sql = "TABLE users", materialized, indexes = ["CREATE INDEX i ON v (id)"]"#,
        "struct V;",
    ));
}

#[test]
fn by_hand() {
    insta::assert_snapshot!(expand("since = a", "struct V;"));
    insta::assert_snapshot!(expand(
        "",
        "impl ViewManager for V { type Connection = C; fn up(db: &mut C) -> R { x } }",
    ));
}

#[test]
fn errors_keep_the_item_and_the_name() {
    insta::assert_snapshot!(expand(
        r#"until = "x", uses = [V], sql = "SELECT 1", file = "x", options = [barrier],
           materialized = true, indexes = []"#,
        "struct V { field: u8 }",
    ));
}

#[test]
fn errors_without_a_type_keep_the_item() {
    insta::assert_snapshot!(expand("since = a", "fn f() {}"));
}
