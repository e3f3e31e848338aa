//! Names that need quotes, and definitions that mean the same in any session.

use migrate_diesel::backend::ObjectKind;

use crate::database::{Database, USERS, function, materialized, plain, quoted};

#[test]
fn odd_names_are_quoted_everywhere() {
    let mut it = Database::new(
        "CREATE SCHEMA \"My \"\"Schema\"\"\";
         SET search_path = \"My \"\"Schema\"\"\", public;
         CREATE TABLE \"T'able\" (\"Select\" int, \"e \"\"mail\" text);
         CREATE VIEW \"V'i\\e\"\"w ;\" AS SELECT * FROM \"T'able\";
         CREATE MATERIALIZED VIEW \"M \"\"x\" AS SELECT * FROM \"V'i\\e\"\"w ;\";
         CREATE FUNCTION \"f \"\"n\"(\"M \"\"x\") RETURNS int LANGUAGE sql AS 'SELECT 1';",
    );
    let role = quoted(&it.role("O'dd \"one\" \\"));
    it.run(&format!(
        "GRANT CREATE ON SCHEMA \"My \"\"Schema\"\"\" TO {role};
         ALTER VIEW \"V'i\\e\"\"w ;\" OWNER TO {role};
         ALTER FUNCTION \"f \"\"n\" OWNER TO {role};
         ALTER VIEW \"V'i\\e\"\"w ;\" ALTER \"e \"\"mail\" SET DEFAULT 'it''s \\ x';
         GRANT SELECT (\"e \"\"mail\"), UPDATE ON \"M \"\"x\" TO {role};
         GRANT SELECT (\"e \"\"mail\") ON \"V'i\\e\"\"w ;\" TO PUBLIC;
         GRANT SELECT ON \"T'able\" TO {role};
         COMMENT ON COLUMN \"V'i\\e\"\"w ;\".\"e \"\"mail\" IS 'x';
         COMMENT ON COLUMN \"M \"\"x\".\"e \"\"mail\" IS 'x';
         CREATE RULE \"R \"\"x\" AS ON INSERT TO \"V'i\\e\"\"w ;\" DO INSTEAD INSERT INTO \"T'able\" VALUES (NEW.\"Select\", 'a''b\\');
         COMMENT ON RULE \"R \"\"x\" ON \"V'i\\e\"\"w ;\" IS 'x';
         CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER \"T \"\"x\" INSTEAD OF UPDATE ON \"V'i\\e\"\"w ;\" FOR EACH ROW EXECUTE FUNCTION t();
         COMMENT ON TRIGGER \"T \"\"x\" ON \"V'i\\e\"\"w ;\" IS 'x';
         CREATE INDEX \"I \"\"x\" ON \"M \"\"x\" (\"e \"\"mail\");
         COMMENT ON INDEX \"I \"\"x\" IS 'x';
         ALTER MATERIALIZED VIEW \"M \"\"x\" CLUSTER ON \"I \"\"x\";
         ALTER MATERIALIZED VIEW \"M \"\"x\" ALTER \"e \"\"mail\" SET STATISTICS 3;
         CREATE STATISTICS \"S \"\"x\" ON \"Select\", \"e \"\"mail\" FROM \"M \"\"x\";
         COMMENT ON STATISTICS \"S \"\"x\" IS 'x';
         COMMENT ON FUNCTION \"f \"\"n\" IS 'x';"
    ));
    let found = it
        .views()
        .find(&[
            "V'i\\e\"w ;",
            "My \"Schema\".M \"x",
            "T'able",
            "v",
            "a.b.c",
            "",
        ])
        .unwrap();
    let (view, matview) = ("My \"Schema\".V'i\\e\"w ;", "My \"Schema\".M \"x");
    assert_eq!(
        found,
        [
            Some(view.to_owned()),
            Some(matview.to_owned()),
            None,
            None,
            None,
            None
        ]
    );
    let edges = it.views().dependents(&[view]).unwrap();
    let function = edges
        .iter()
        .find(|it| it.by.kind == ObjectKind::Function)
        .unwrap();
    let objects = [plain(view), materialized(matview), function.by.clone()];
    it.round_trip(&objects);
    // Nor does it matter where one is looked for, or how literals are written.
    it.run("SET search_path = ''; SET standard_conforming_strings = off; SET quote_all_identifiers = on");
    it.run("SET backslash_quote = off; SET escape_string_warning = off");
    it.round_trip(&objects);
    assert_eq!(it.text("current_setting('search_path')"), "\"\"");
}

#[test]
fn a_definition_means_the_same_in_any_session() {
    let mut it = Database::new(USERS);
    it.run(
        "CREATE SCHEMA app;
         CREATE FUNCTION app.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT 1::text';
         CREATE TABLE app.users (LIKE users);
         SET search_path = app, public; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = sql_standard; SET extra_float_digits = -3;
         CREATE VIEW v AS SELECT id, born > '2/1/2000' AS young, interval '-1 2:00' AS i, 0.1::float8 + 0.2 AS f, '1.2345678901234567'::float8 AS g,
           '2020-01-02 03:04+05'::timestamptz AS t, app.lower(email) AS l FROM users",
    );
    let object = plain("app.v");
    let snapshot = it.snapshot(&object);
    let settings = "ARRAY[current_setting('search_path'), current_setting('DateStyle'), current_setting('IntervalStyle'), \
                    current_setting('TimeZone'), current_setting('extra_float_digits'), current_setting('quote_all_identifiers')]";
    let said = it.text(settings);
    assert!(
        said.contains("\"app, public\",\"SQL, DMY\",sql_standard"),
        "{said}"
    );
    let row = it.text("SELECT array_agg(row_to_json(v)) FROM v");
    it.run("DROP VIEW v; SET search_path = public; SET DateStyle = 'German'; SET IntervalStyle = iso_8601; SET TimeZone = 'Asia/Tokyo'");
    it.run(&snapshot.create);
    assert_eq!(it.snapshot(&object), snapshot);
    assert!(
        snapshot.create.contains("'2000-01-02'"),
        "{}",
        snapshot.create
    );
    assert!(
        snapshot.create.contains("1.2345678901234567"),
        "{}",
        snapshot.create
    );
    assert!(
        snapshot.create.contains("FROM app.users"),
        "{}",
        snapshot.create
    );
    assert!(
        snapshot.create.contains("app.lower("),
        "{}",
        snapshot.create
    );
    it.run("SET search_path = app, public; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = sql_standard; RESET TimeZone");
    assert_eq!(it.text("SELECT array_agg(row_to_json(v)) FROM v"), row);
    // Inside a transaction as well, whose own settings end with it.
    it.run("SET search_path = public; BEGIN; SET LOCAL search_path = pg_catalog, app");
    it.snapshot(&object);
    assert_eq!(it.text("current_setting('search_path')"), "pg_catalog, app");
    it.run("COMMIT");
    assert_eq!(it.text("current_setting('search_path')"), "public");
}

#[test]
fn a_snapshot_of_nothing_is_an_error() {
    let mut it = Database::new(USERS);
    let missing = [
        (plain("public.v"), "there is no view public.v"),
        (
            materialized("public.v.x.y"),
            "there is no materialized view public.v.x.y",
        ),
        (plain("public.users"), "there is no view public.users"),
        (
            function("public.f(integer)"),
            "there is no function public.f(integer)",
        ),
    ];
    for (object, message) in missing {
        let error = it.views().snapshots(&[&object]).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    assert_eq!(it.views().snapshots(&[]).unwrap(), []);
}
