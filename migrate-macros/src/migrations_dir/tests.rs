//! What is found in directories of each tool, what is written, and what is said.

use std::fs;

use super::{format, model::Format, read::Listed};

/// A directory of these files: name, text.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = scratch.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    scratch
}

/// `theirs: name, as the tool records it, files` a line, in order; then what is wrong.
fn found(format: Format, files: &[(&str, &str)]) -> Vec<String> {
    let scratch = directory(files);
    let listed = Listed::of(scratch.path()).unwrap();
    let mut errors = Vec::new();
    let mut migrations = format::migrations(format, &listed, &mut errors);
    migrations.sort_by(|a, b| a.order.cmp(&b.order));
    let lines = migrations.iter().map(|it| {
        let down = it.down.as_ref().map_or("-", |down| &down.file);
        let transaction = if it.outside_transaction {
            ", outside"
        } else {
            ""
        };
        format!(
            "{}: {}, {:?}, {} {down}{transaction}",
            it.theirs,
            super::name::of(it),
            it.recorded_as,
            it.up.file
        )
    });
    lines.chain(errors).collect()
}

#[test]
fn of_diesel() {
    assert_eq!(
        found(
            Format::Diesel,
            &[
                ("2024-01-02-000000_add-type/up.sql", ""),
                ("2024-01-02-000000_add-type/seed.sql", ""),
                ("00000000000000_setup/up.sql", ""),
                ("00000000000000_setup/down.sql", ""),
                ("2024-01-03-000000_index/up.sql", ""),
                (
                    "2024-01-03-000000_index/metadata.toml",
                    "# why\nrun_in_transaction = false # so\n"
                ),
                ("2024-01-04-000000/up.sql", ""),
                (".hidden/up.sql", ""),
                ("README.md", ""),
            ]
        ),
        [
            "00000000000000_setup: setup, \"00000000000000\", 00000000000000_setup/up.sql 00000000000000_setup/down.sql",
            "2024-01-02-000000_add-type: add_type, \"20240102000000\", 2024-01-02-000000_add-type/up.sql -",
            "2024-01-03-000000_index: index, \"20240103000000\", 2024-01-03-000000_index/up.sql -, outside",
            "2024-01-04-000000: v20240104000000, \"20240104000000\", 2024-01-04-000000/up.sql -",
        ]
    );
    let wrong = found(
        Format::Diesel,
        &[
            ("1_a/down.sql", ""),
            ("2_b/up.sql", ""),
            ("2_b/metadata.toml", "run_in_transactions = false"),
            ("3_c/more/up.sql", ""),
            ("loose.sql", ""),
        ],
    );
    assert_eq!(wrong.len(), 4, "{wrong:#?}");
    for (line, part) in wrong.iter().zip([
        "`migrations/1_a` lacks its `up.sql`",
        "says one thing: `run_in_transaction = true`",
        "too deep",
        "`migrations/loose.sql` is a file",
    ]) {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn of_refinery() {
    assert_eq!(
        found(
            Format::Refinery,
            &[
                ("V10__orders.sql", ""),
                ("V2__users.sql", "-- no-transaction\n"),
                ("later/U03__Late_one.sql", ""),
                ("mod.rs", ""),
            ]
        ),
        [
            "V2__users: users, \"V2__users\", V2__users.sql -, outside",
            "U03__Late_one: Late_one, \"V3__Late_one\", later/U03__Late_one.sql -",
            "V10__orders: orders, \"V10__orders\", V10__orders.sql -",
        ]
    );
    let wrong = found(
        Format::Refinery,
        &[
            ("V1__rust.rs", ""),
            ("V1_one.sql", ""),
            ("V2.5__x.sql", ""),
            ("x.sql", ""),
        ],
    );
    assert_eq!(wrong.len(), 4, "{wrong:#?}");
    for (line, part) in wrong.iter().zip([
        "put that text into `V1__rust.sql`",
        "`migrations/V1_one.sql` is not called as refinery has it",
        "refinery takes `2.5` for no version",
        "`migrations/x.sql` is not called",
    ]) {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn of_sqlx() {
    assert_eq!(
        found(
            Format::Sqlx,
            &[
                ("10_create orders.sql", ""),
                ("02_users.up.sql", "-- no-transaction\nSELECT 1"),
                ("02_users.down.sql", "-- no-transaction\nSELECT 1"),
                ("3_2fa.up.sql", ""),
                ("3_two_factors.down.sql", ""),
                ("sub/x.sql", ""),
            ]
        ),
        [
            "02_users: users, \"2_users\", 02_users.up.sql 02_users.down.sql, outside",
            "3_2fa: _2fa, \"3_2fa\", 3_2fa.up.sql 3_two_factors.down.sql",
            "10_create orders: create_orders, \"10_create_orders\", 10_create orders.sql -",
        ]
    );
    let wrong = found(
        Format::Sqlx,
        &[
            ("1_a.down.sql", ""),
            ("2_b.down.sql", "-- no-transaction\n"),
            ("2_b.up.sql", ""),
            ("users.sql", ""),
            ("x_users.sql", ""),
        ],
    );
    assert_eq!(wrong.len(), 4, "{wrong:#?}");
    for (line, part) in wrong.iter().zip([
        "reverts what is not there: `1_a.up.sql`",
        "`migrations/2_b.down.sql` begins with `-- no-transaction`",
        "`migrations/users.sql` is not called as sqlx has it",
        "`migrations/x_users.sql` is not called",
    ]) {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn of_no_tool() {
    assert_eq!(
        found(
            Format::Plain,
            &[
                ("10_orders.sql", ""),
                ("9-users.up.sql", ""),
                ("9-users.down.sql", ""),
                ("setup.sql", ""),
            ]
        ),
        [
            "setup: setup, \"\", setup.sql -",
            "9-users: users, \"\", 9-users.up.sql 9-users.down.sql",
            "10_orders: orders, \"\", 10_orders.sql -",
        ]
    );
    let wrong = found(Format::Plain, &[("a.down.sql", "")]);
    assert!(wrong[0].contains("`a.sql`"), "{wrong:?}");
}

/// The expansion as one would have written it, with the numbers that depend on the crate left out.
fn expand(arguments: &str) -> String {
    let tokens = super::expand(arguments.parse().unwrap());
    let text = prettyplease::unparse(&syn::parse2(tokens).unwrap());
    let lines = text.lines().map(|line| {
        let number = line.trim().strip_suffix("u64,");
        match number.filter(|it| it.bytes().all(|it| it.is_ascii_digit())) {
            Some(_) => "NUMBER,",
            None => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn two_files() {
    insta::assert_snapshot!(expand(
        r#""fixtures/sqlx", format = sqlx, requires = [a::b], prefix = "old_", backend = postgres,
           database = "x", crate = db"#
    ));
}

#[test]
fn errors_keep_the_types() {
    insta::assert_snapshot!(expand(
        r#""fixtures/sqlx", format = sqlx, rename = { "2_typo" = "x", "1_users" = "a-b" }, backend = oracle, formt = 1"#
    ));
}

#[test]
fn what_is_not_there() {
    insta::assert_snapshot!(expand(r#""fixtures/none", format = sqlx"#));
    insta::assert_snapshot!(expand(r#""fixtures/sqlx", format = sea-orm"#));
    insta::assert_snapshot!(expand(r#""fixtures/sqlx", format = diesel"#));
    insta::assert_snapshot!(expand("format = diesel"));
}
