//! Snapshots of what is written, and of every error where it matters that they come together.

/// The expansion as one would have written it, without the key, which depends on the crate.
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
fn a_range_with_every_key() {
    insta::assert_snapshot!(expand(
        r#"table = "shop.users", key = ["tenant", "id"], batch = 500, target = "500ms",
           pause = "1s", shards = SHARDS, max_failures = 3, added = ignore, before = a::b, after = c,
           on_error = d, throttle = [LAG, e::LOAD], parameters = P, requires = [first],
           down = undo, database = "x", crate = db"#,
        "/// Domains.
         pub fn fill_domain<'a>(db: &mut Session<'a, PgConnection>, batch: &Batch<(i64, String)>, p: &P)
             -> QueryResult<usize> { x }",
    ));
}

#[test]
fn the_other_kinds() {
    for (name, arguments, parameters) in [
        (
            "rows",
            r#"query = "SELECT id FROM users", key = "id""#,
            "row: &User",
        ),
        ("items", "items = source", "item: &Item"),
        ("csv", r#"csv = "zips.csv""#, "(zip): &'_ Zip"),
        ("custom", "", "at: &migrate_diesel::mass::Cursor<Page>"),
        ("simple", "parameters = P", "p: &P"),
    ] {
        let item = format!("fn f(db: &mut C, {parameters}) -> R {{ x }}");
        insta::assert_snapshot!(name, expand(arguments, &item));
    }
}

#[test]
fn errors_keep_the_item_and_the_type() {
    insta::assert_snapshot!(expand(
        r#"table = 5, qery = "x", key = 1, batch = -1, repeat = always, requires = [broken]"#,
        "pub(crate) fn broken(db: &C, more: u8, cursor: &mut Cursor<u8>) {}",
    ));
}

#[test]
fn what_contradicts_what() {
    let takes = |parameters: &str| format!("fn f(db: &mut C{parameters}) -> R {{ x }}");
    for (arguments, parameters, wanted) in [
        ("", ", batch: &Batch<i64>", "a batch of what?"),
        ("", ", row: &User", "`parameters = User`"),
        (r#"table = "t""#, "", "write `batch: &Batch<i64>` or"),
        (r#"csv = "t""#, "", "write `item: &Item` here"),
        (
            r#"items = s"#,
            ", batch: &Batch<i64>",
            "takes one item after the other",
        ),
        (r#"table = "t""#, ", at: &Cursor<i64>", "remove `table`"),
        (
            r#"table = "t", items = s"#,
            ", it: &T",
            "`items` contradicts `table`",
        ),
        (r#"query = "SELECT 1""#, ", it: &T", "no primary key"),
        (r#"key = "id""#, "", "`key` is for what goes over the keys"),
        (
            "shards = 3",
            ", at: &Cursor<i64>",
            "`shards` is for what goes over the keys",
        ),
        ("batch = 3", "", "remove `batch`"),
        ("parameters = P", "", "write `parameters: &Type` here"),
        (r#"table = "t""#, ", it: &T, p: &P", "`parameters = P`"),
        (
            r#"table = "t", parameters = P"#,
            ", a: &T, b: &T, p: &P",
            "remove the others",
        ),
        ("down = a, irreversible = \"b\"", "", "contradicts `down`"),
        (
            "requires = [f]",
            "",
            "a mass migration cannot require itself",
        ),
    ] {
        let text = expand(arguments, &takes(parameters));
        let errors = text.matches("compile_error!").count();
        assert!(text.contains(wanted), "{arguments}: {text}");
        assert_eq!(errors, 1, "{arguments}: {text}");
        assert!(text.contains("UNREGISTERED"), "{arguments}: {text}");
    }
}
