//! What depends on views, and what reads a table.

use diesel::connection::SimpleConnection as _;
use migrate_diesel::backend::{Dependence, Object, ObjectKind, ReadersError};

use crate::database::{Database, USERS, materialized, plain};

#[test]
fn dependents_go_through_diamonds_once() {
    let mut it = Database::new(USERS);
    it.run(
        "CREATE VIEW a AS SELECT id, email FROM users;
         CREATE VIEW b AS SELECT id FROM a;
         CREATE VIEW c AS SELECT id, email FROM a;
         CREATE MATERIALIZED VIEW d AS SELECT b.id, c.email FROM b JOIN c USING (id) JOIN a USING (id);
         CREATE UNIQUE INDEX ON d (id);
         CREATE VIEW e AS SELECT d.id, (SELECT count(*) FROM b) FROM d;
         CREATE VIEW aside AS SELECT * FROM users;
         CREATE RULE r AS ON INSERT TO b DO INSTEAD INSERT INTO a VALUES (NEW.id);
         CREATE RULE own AS ON UPDATE TO a DO INSTEAD DELETE FROM users WHERE id = OLD.id;
         COMMENT ON VIEW a IS 'x';",
    );
    let mut edges = it
        .views()
        .dependents(&["public.a", "public.b", "public.nothing"])
        .unwrap();
    edges.sort();
    let edge = |on: &str, by: Object| Dependence {
        on: on.to_owned(),
        by,
    };
    assert_eq!(
        edges,
        [
            edge("public.a", plain("public.b")),
            edge("public.a", plain("public.c")),
            edge("public.a", materialized("public.d")),
            edge("public.b", materialized("public.d")),
            edge("public.b", plain("public.e")),
            edge("public.c", materialized("public.d")),
            edge("public.d", plain("public.e")),
        ]
    );
    assert_eq!(it.views().dependents(&["public.aside"]).unwrap(), []);
}

#[test]
fn whatever_else_would_stop_a_drop_is_named() {
    let mut it = Database::new(USERS);
    it.run(
        "CREATE VIEW v AS SELECT id, email FROM users;
         CREATE TABLE t (x int, y v, z v[]);
         CREATE VIEW on_t AS SELECT x FROM t;
         ALTER TABLE t ENABLE ROW LEVEL SECURITY;
         CREATE POLICY p ON t USING (EXISTS (SELECT FROM v));
         CREATE RULE r AS ON INSERT TO users DO ALSO INSERT INTO t SELECT id FROM v;
         CREATE DOMAIN d AS v;
         CREATE FUNCTION f(v) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
         ALTER TABLE users ADD CHECK (f(NULL) > 0);
         CREATE AGGREGATE newest(v) (SFUNC = coalesced, STYPE = v);"
            .replace(
                "CREATE AGGREGATE",
                "CREATE FUNCTION coalesced(v, v) RETURNS v LANGUAGE sql AS 'SELECT $2'; CREATE AGGREGATE",
            )
            .as_str(),
    );
    it.run("CREATE SCHEMA \"dotted.one\"; CREATE VIEW \"dotted.one\".v AS SELECT * FROM v");
    let mut stranger = it.another();
    stranger
        .batch_execute("CREATE TEMPORARY VIEW passing AS SELECT * FROM v")
        .unwrap();
    let edges = it.views().dependents(&["public.v"]).unwrap();
    let mut others: Vec<(String, String)> = edges
        .into_iter()
        .filter(|edge| matches!(edge.by.kind, ObjectKind::Other(_)))
        .map(|edge| (edge.on, edge.by.to_string()))
        .collect();
    others.sort();
    let others: Vec<(&str, &str)> = others
        .iter()
        .map(|(on, by)| (on.as_str(), by.as_str()))
        .collect();
    let temporary = others.iter().find(|it| it.1.contains("passing")).unwrap().1;
    assert!(temporary.starts_with("view pg_temp_"), "{temporary}");
    assert_eq!(
        others,
        [
            ("public.coalesced(public.v, public.v)", "function newest(v)"),
            (
                "public.f(public.v)",
                "constraint users_check on table users"
            ),
            ("public.v", "column y of table t"),
            ("public.v", "column z of table t"),
            ("public.v", "constraint users_check on table users"),
            ("public.v", "function newest(v)"),
            ("public.v", "policy p on table t"),
            ("public.v", "rule r on table users"),
            ("public.v", "type d"),
            ("public.v", "view \"dotted.one\".v"),
            ("public.v", temporary),
        ]
    );
    let sql = it.views().drop(&Object {
        identity: String::new(),
        kind: ObjectKind::Other("policy p on table t".to_owned()),
    });
    assert!(it.fails(&sql).contains("not dropped: policy p on table t"));
}

#[test]
fn readers_of_a_table_or_a_column() {
    let mut it = Database::new(USERS);
    it.run(
        "CREATE SCHEMA app;
         CREATE TABLE app.users (id int, email text, name text) PARTITION BY LIST (id);
         CREATE TABLE app.one PARTITION OF app.users FOR VALUES IN (1);
         CREATE TABLE app (users int);
         CREATE VIEW by_email AS SELECT id FROM users WHERE email <> '';
         CREATE VIEW by_id AS SELECT id FROM users;
         CREATE VIEW counted AS SELECT count(*) FROM users;
         CREATE VIEW whole AS SELECT users, id FROM users;
         CREATE VIEW cast_to AS SELECT NULL::users;
         CREATE VIEW second AS SELECT id FROM by_email;
         CREATE MATERIALIZED VIEW m AS SELECT email FROM users;
         CREATE VIEW ruled AS SELECT 1 AS a;
         CREATE RULE r AS ON INSERT TO ruled DO INSTEAD INSERT INTO users (email) VALUES (NEW.a);
         CREATE VIEW of_part AS SELECT name FROM app.one;
         CREATE VIEW of_app AS SELECT email FROM app.users;
         CREATE VIEW of_table AS SELECT users FROM app;",
    );
    let mut names = |target: &str| {
        let readers = it.views().readers(target).unwrap();
        readers
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(
        names("users"),
        "view public.by_email, view public.by_id, view public.cast_to, view public.counted, materialized view public.m, \
         view public.ruled, view public.whole"
    );
    assert_eq!(names("users"), names("public.users"));
    // That `counted` does not need the column, the catalog does not tell.
    assert_eq!(
        names("users.email"),
        "view public.by_email, view public.cast_to, view public.counted, materialized view public.m, view public.ruled, \
         view public.whole"
    );
    assert_eq!(
        names("public.users.born"),
        "view public.cast_to, view public.counted, view public.whole"
    );
    assert_eq!(names("by_email"), "view public.second");
    assert_eq!(names("by_email.id"), "view public.second");
    // A table of that schema comes before a column of a table of that name.
    assert_eq!(
        names("app.users"),
        "view public.of_app, view public.of_part"
    );
    assert_eq!(names("public.app.users"), "view public.of_table");
    assert_eq!(names("app.users.name"), "view public.of_part");
    assert_eq!(names("app.users.email"), "view public.of_app");
    assert_eq!(names("app.one"), "view public.of_part");
    let mut error = |target: &str| match it.views().readers(target) {
        Err(ReadersError::NotThere(message)) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(error("userz"), "there is no table `userz`");
    assert_eq!(
        error("Users"),
        "there is no table `Users`; there is `app.users`, `public.users`"
    );
    assert_eq!(error("one"), "there is no table `one`; there is `app.one`");
    assert_eq!(error("users.emial"), "table `users` has no column `emial`");
    assert_eq!(
        error("users.Email"),
        "table `users` has no column `Email`; there is `email`"
    );
    assert_eq!(
        error("a.b"),
        "there is no table `a.b`, nor a table that has it as a column"
    );
    assert_eq!(
        error("a.b.c.d"),
        "`a.b.c.d` is no name of a table or a column"
    );
    assert_eq!(error(""), "`` is no name of a table or a column");
}
