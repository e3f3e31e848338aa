use super::{
    tokens::{MYSQL, SQLITE},
    *,
};

fn names(sql: &str, flavor: Flavor) -> Vec<String> {
    ViewText::new(sql, flavor)
        .references()
        .iter()
        .map(|it| match &it.schema {
            Some(schema) => format!("{schema}.{}", it.name),
            None => it.name.clone(),
        })
        .collect()
}

#[track_caller]
fn reads(sql: &str, expected: &[&str]) {
    assert_eq!(names(sql, SQLITE), expected, "{sql}");
}

#[test]
fn names_in_the_place_of_tables() {
    reads("SELECT a FROM t", &["t"]);
    reads("CREATE VIEW v AS SELECT a FROM t", &["t"]);
    reads("CREATE VIEW v(a, \"as\") AS SELECT a FROM t", &["t"]);
    reads(
        "SELECT t.a, other FROM main.t AS x, [u] y, `w`",
        &["main.t", "u", "w"],
    );
    reads(
        "SELECT 1 FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x), d",
        &["a", "b", "c", "d"],
    );
    reads(
        "SELECT 1 FROM a NATURAL JOIN b CROSS JOIN \"c d\"",
        &["a", "b", "c d"],
    );
    reads(
        "SELECT 1 FROM (a JOIN (b) ON f(a.x, b.y)), c",
        &["a", "b", "c"],
    );
    reads(
        "SELECT 1 FROM (SELECT x, y FROM a), b WHERE c IN (d, e)",
        &["a", "b"],
    );
    reads("SELECT (SELECT max(x) FROM a), b FROM c", &["a", "c"]);
    reads(
        "SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b) ORDER BY c, d",
        &["a", "b"],
    );
    reads(
        "SELECT 1 FROM a UNION SELECT x, y FROM b GROUP BY p, q HAVING r",
        &["a", "b"],
    );
    reads("SELECT 1 FROM a LIMIT 1, 2", &["a"]);
    reads("SELECT 1 FROM/**/a--b\n,c", &["a", "c"]);
    reads("VALUES (1, 2)", &[]);
}

#[test]
fn only_sqlite_writes_so() {
    reads(
        "SELECT 1 FROM a WHERE x IN b OR x IN main.c",
        &["a", "b", "main.c"],
    );
    reads("SELECT 1 FROM 'a b', 'main'.'c'", &["a b", "main.c"]);
    // A table-valued function is no view.
    reads("SELECT 1 FROM json_each(x), b", &["b"]);
    reads("SELECT 1 FROM a INDEXED BY b, c", &["a", "c"]);
}

#[test]
fn never_a_name_in_a_literal_or_a_comment() {
    reads(
        "SELECT 'FROM a', \"FROM b\", [FROM c] FROM t -- FROM d",
        &["t"],
    );
    reads("SELECT 'it''s FROM a' /* FROM b */ FROM t", &["t"]);
    reads("SELECT x'00' FROM t WHERE c = 'FROM ' || 'JOIN a'", &["t"]);
}

#[test]
fn columns_and_aliases_are_no_tables() {
    reads("SELECT sum(x) AS totals FROM t GROUP BY totals", &["t"]);
    reads("SELECT users.id FROM orders AS users", &["orders"]);
    reads(
        "SELECT users.id FROM orders users, other",
        &["orders", "other"],
    );
    reads("SELECT a IS NOT DISTINCT FROM b FROM t", &["t"]);
    reads("SELECT DISTINCT a FROM t", &["t"]);
}

#[test]
fn common_table_expressions() {
    reads(
        "WITH a AS (SELECT 1 FROM t) SELECT 1 FROM a, b",
        &["t", "b"],
    );
    reads(
        "WITH RECURSIVE a(x, y) AS (SELECT 1 FROM t UNION SELECT 2 FROM A), b AS MATERIALIZED (SELECT 1 FROM a) SELECT 1 FROM b",
        &["t"],
    );
    // A later one may be named before it is written.
    reads(
        "WITH a AS (SELECT 1 FROM b), b AS (SELECT 1) SELECT 1 FROM a",
        &[],
    );
    // With the schema, it is the table.
    reads(
        "WITH a AS (SELECT 1 FROM main.a) SELECT 1 FROM a",
        &["main.a"],
    );
    // It ends with its parentheses.
    reads(
        "SELECT 1 FROM (WITH a AS (SELECT 1) SELECT 1 FROM a), a",
        &["a"],
    );
    // And is known in those within.
    reads(
        "WITH a AS (SELECT 1) SELECT 1 FROM t WHERE x IN (SELECT 1 FROM (SELECT 1 FROM a))",
        &["t"],
    );
    // Two of one name: the inner one.
    reads(
        "WITH a AS (SELECT 1) SELECT (WITH b AS (SELECT 1 FROM a) SELECT 1 FROM b) FROM b",
        &["b"],
    );
    reads(
        "CREATE VIEW v AS WITH a AS (SELECT 1 FROM v2) SELECT 1 FROM a",
        &["v2"],
    );
}

#[test]
fn as_the_server_writes_it() {
    assert_eq!(
        names(
            "select `d`.`a`.`id` AS `id`,'from `d`.`no`' AS `it\\'s` from (`d`.`a` join `e`.`b` on(`d`.`a`.`id` = `e`.`b`.`id`)) where `d`.`a`.`x` in (select `d`.`c`.`x` from `d`.`c`)",
            MYSQL
        ),
        ["d.a", "e.b", "d.c"]
    );
    assert_eq!(
        names(
            "with `a` as (select `d`.`t`.`x` AS `x` from `d`.`t`)select `a`.`x` AS `x` from `a`",
            MYSQL
        ),
        ["d.t"]
    );
}

#[test]
fn columns() {
    let reads =
        |sql: &str| ViewText::new(sql, SQLITE).reads_column("email", |it| it.name == "users");
    for sql in [
        "SELECT email FROM users",
        "SELECT u.\"EMAIL\" FROM users u",
        "SELECT id FROM users WHERE [email] > ''",
        "SELECT * FROM users",
        "SELECT DISTINCT * FROM users",
        "SELECT id, * FROM users",
        "SELECT users.* FROM users",
        "SELECT u.* FROM users AS u",
        "SELECT u.* FROM users \"u\"",
        "SELECT u.* FROM (SELECT * FROM users) u",
        "SELECT users.id FROM users NATURAL JOIN orders",
        "SELECT users.id FROM users JOIN orders USING (email)",
        "WITH w AS (SELECT * FROM users) SELECT id FROM w",
    ] {
        assert!(reads(sql), "{sql}");
    }
    for sql in [
        "SELECT id FROM users",
        "SELECT id FROM users -- email",
        "SELECT 'email' FROM users",
        "SELECT count(*), 2 * id FROM users",
        "SELECT o.*, u.id FROM users u JOIN orders o",
        "SELECT email FROM orders",
        "SELECT * FROM orders AS users",
        "CREATE VIEW v(email) AS SELECT id FROM users",
    ] {
        assert!(!reads(sql), "{sql}");
    }
}

#[test]
fn a_users_query() {
    for (written, taken) in [
        ("SELECT 1", "SELECT 1"),
        (" SELECT 1 ; ;\n", "SELECT 1"),
        ("SELECT 1; -- all", "SELECT 1"),
        ("SELECT ';' -- all; of it", "SELECT ';'"),
        ("-- first\nSELECT 1 /* ; */ ;", "-- first\nSELECT 1"),
    ] {
        assert_eq!(query(written, SQLITE), Ok(taken), "{written}");
    }
    assert!(query("SELECT 1; DROP TABLE t", SQLITE).is_err());
    assert!(query(" ; -- nothing", SQLITE).is_err());
}

#[test]
fn what_a_target_can_mean() {
    let said = |target| -> Vec<_> {
        meanings(target)
            .into_iter()
            .map(|it| (it.schema, it.table, it.column))
            .collect()
    };
    assert_eq!(said("a"), [(None, "a", None)]);
    assert_eq!(
        said("a.b"),
        [(None, "a", Some("b")), (Some("a"), "b", None)]
    );
    assert_eq!(said("a.b.c"), [(Some("a"), "b", Some("c"))]);
    assert_eq!(
        not_there("users.emial", Some("users")),
        "table `users` has no column `emial`"
    );
    assert_eq!(
        not_there("a.b", None),
        "there is no table and no column `a.b`"
    );
    assert_eq!(not_there("a", None), "there is no table `a`");
}
