//! Every kind of property that a view, a materialized view or a function can have.

use migrate_diesel::backend::{Aspect, Dependence, Object};

use crate::database::{Database, USERS, function, materialized, plain, words};

#[test]
fn a_plain_view_keeps_everything() {
    let mut it = Database::new(USERS);
    let (owner, reader) = (it.role("owner"), it.role("reader"));
    it.run(&format!(
        "CREATE VIEW active AS SELECT id, email, born > '2000-02-01' AS young FROM users WHERE active;
         GRANT CREATE ON SCHEMA public TO {owner};
         ALTER VIEW active OWNER TO {owner};
         ALTER VIEW active SET (security_barrier, check_option = local);
         GRANT SELECT ON active TO {reader};
         GRANT UPDATE (email, id) ON active TO {reader} WITH GRANT OPTION;
         GRANT SELECT (email) ON active TO PUBLIC;
         COMMENT ON VIEW active IS E'it''s \\\\ here;\n-- really';
         COMMENT ON COLUMN active.email IS 'where to';
         ALTER VIEW active ALTER COLUMN email SET DEFAULT 'a@b';
         CREATE FUNCTION inserted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER insert_active INSTEAD OF INSERT ON active FOR EACH ROW EXECUTE FUNCTION inserted();
         CREATE TRIGGER told AFTER UPDATE OF email ON active FOR EACH STATEMENT EXECUTE FUNCTION inserted('x');
         COMMENT ON TRIGGER told ON active IS 'tells';
         ALTER TRIGGER told ON active DEPENDS ON EXTENSION plpgsql;
         CREATE RULE gone AS ON DELETE TO active DO INSTEAD UPDATE users SET active = false WHERE id = OLD.id;
         COMMENT ON RULE gone ON active IS 'soft';
         GRANT USAGE ON TYPE active TO {reader};"
    ));
    let snapshot = it.round_trip(&[plain("public.active")]).remove(0);
    assert_eq!(snapshot.columns, ["id", "email", "young"]);
    assert_eq!(snapshot.lost, [""; 0]);
    assert_eq!(
        words(&snapshot, Aspect::Options),
        ["option check_option", "option security_barrier"]
    );
    assert_eq!(words(&snapshot, Aspect::Trigger).len(), 4);
    assert_eq!(
        words(&snapshot, Aspect::Rule),
        ["rule gone", "comment on rule gone"]
    );
    assert_eq!(
        words(&snapshot, Aspect::Grant),
        [
            "SELECT granted to everybody on column email".to_owned(),
            format!("SELECT granted to {reader}"),
            format!("UPDATE granted to {reader} on column email and may grant it"),
            format!("UPDATE granted to {reader} on column id and may grant it"),
            format!("USAGE granted to {reader} on its row type"),
        ]
    );
    let columns = |what: &str| {
        let mut properties = snapshot.properties.iter();
        properties
            .find(|it| it.what == what)
            .unwrap()
            .columns
            .clone()
    };
    assert_eq!(columns("comment on column email"), ["email"]);
    assert_eq!(columns("default of column email"), ["email"]);
    assert_eq!(columns("trigger told"), ["email"]);
    assert_eq!(columns("rule gone"), ["id"]);
    assert_eq!(columns("owner"), [""; 0]);
}

#[test]
fn a_materialized_view_keeps_everything() {
    let mut it = Database::new(USERS);
    let owner = it.role("owner");
    it.run(&format!(
        "INSERT INTO users SELECT n, n || '@x', true FROM generate_series(1, 9) n;
         GRANT SELECT ON users TO {owner};
         CREATE MATERIALIZED VIEW totals WITH (fillfactor = 50, toast.autovacuum_enabled = false) AS SELECT id, email, count(*) FROM users GROUP BY 1;
         GRANT CREATE ON SCHEMA public TO {owner};
         ALTER MATERIALIZED VIEW totals OWNER TO {owner};
         CREATE UNIQUE INDEX by_id ON totals (id) WITH (fillfactor = 30);
         CREATE INDEX \"by lower\" ON totals (lower(email), (id + 1)) WHERE id > 3;
         COMMENT ON INDEX \"by lower\" IS 'often';
         ALTER INDEX \"by lower\" ALTER COLUMN 2 SET STATISTICS 77;
         ALTER INDEX by_id DEPENDS ON EXTENSION plpgsql;
         ALTER MATERIALIZED VIEW totals CLUSTER ON by_id;
         ALTER MATERIALIZED VIEW totals REPLICA IDENTITY FULL;
         ALTER MATERIALIZED VIEW totals ALTER email SET STATISTICS 50, ALTER email SET STORAGE EXTERNAL, ALTER email SET COMPRESSION pglz;
         ALTER MATERIALIZED VIEW totals ALTER id SET (n_distinct = -0.5, n_distinct_inherited = 7);
         ALTER MATERIALIZED VIEW totals DEPENDS ON EXTENSION plpgsql;
         CREATE STATISTICS related (dependencies) ON id, email FROM totals;
         CREATE SCHEMA \"Other\";
         CREATE STATISTICS \"Other\".\"Odd one\" ON (id + 1), email FROM totals;
         ALTER STATISTICS related SET STATISTICS 12;
         ALTER STATISTICS related OWNER TO {owner};
         COMMENT ON STATISTICS related IS 'they are';
         COMMENT ON MATERIALIZED VIEW totals IS 'counts';
         COMMENT ON COLUMN totals.count IS 'how many'"
    ));
    let snapshot = it.round_trip(&[materialized("public.totals")]).remove(0);
    assert_eq!(snapshot.lost, [""; 0]);
    assert_eq!(snapshot.properties.last().unwrap().what, "populated");
    assert_eq!(it.text("SELECT count(*) FROM totals"), "9");
    assert_eq!(
        words(&snapshot, Aspect::Index),
        [
            "index by lower",
            "index by_id",
            "clustered on index by_id",
            "comment on index by lower",
            "dependence of index by_id on extension plpgsql",
            "statistics target of column 2 of index by lower",
        ]
    );
    let index = snapshot
        .properties
        .iter()
        .find(|it| it.what == "index by lower");
    assert_eq!(index.unwrap().columns, ["email", "id"]);
}

#[test]
fn a_materialized_view_stays_where_it_was_stored() {
    let mut it = Database::new(USERS);
    let space = it.tablespace();
    it.run(&format!(
        "CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;
         CREATE MATERIALIZED VIEW m USING other TABLESPACE {space} AS SELECT id FROM users;
         CREATE INDEX i ON m (id) TABLESPACE {space};
         CREATE INDEX j ON m (id);
         ALTER MATERIALIZED VIEW m REPLICA IDENTITY NOTHING;"
    ));
    let object = materialized("public.m");
    let snapshot = it.round_trip(std::slice::from_ref(&object)).remove(0);
    let stored = ["access method", "replica identity", "tablespace"];
    assert_eq!(words(&snapshot, Aspect::Column), stored);
    assert_eq!(
        words(&snapshot, Aspect::Index),
        ["index i", "index j", "tablespace of index i"]
    );
    // One made by a statement of the program's own, where others are the default.
    it.run("DROP MATERIALIZED VIEW m; CREATE MATERIALIZED VIEW m AS SELECT id FROM users");
    let plain = it.snapshot(&object);
    it.run(&format!(
        "DROP MATERIALIZED VIEW m; SET default_tablespace = {space}; SET default_table_access_method = other;
         CREATE MATERIALIZED VIEW m AS SELECT id FROM users; RESET default_tablespace; RESET default_table_access_method"
    ));
    let elsewhere = it.snapshot(&object);
    assert_eq!(
        words(&elsewhere, Aspect::Column),
        ["access method", "tablespace"]
    );
    it.unset(&elsewhere, &plain);
    assert_eq!(it.snapshot(&object), plain);
}

#[test]
fn what_is_too_much_can_be_taken_away() {
    let mut it = Database::new(USERS);
    let reader = it.role("reader");
    it.run(
        "CREATE VIEW v AS SELECT id, email FROM users;
         CREATE MATERIALIZED VIEW m AS SELECT id, email FROM users;",
    );
    let objects = [plain("public.v"), materialized("public.m")];
    let before = it.snapshots(&objects);
    let catalog = it.catalog();
    it.run(&format!(
        "ALTER VIEW v SET (security_barrier, security_invoker = false, check_option = cascaded);
         GRANT SELECT, DELETE ON v TO {reader} WITH GRANT OPTION;
         GRANT UPDATE (id) ON v TO PUBLIC;
         GRANT INSERT ON v TO CURRENT_USER WITH GRANT OPTION;
         REVOKE TRUNCATE ON v FROM CURRENT_USER;
         REVOKE USAGE ON TYPE v FROM PUBLIC;
         COMMENT ON VIEW v IS 'x'; COMMENT ON COLUMN v.id IS 'y';
         ALTER VIEW v ALTER id SET DEFAULT 1;
         ALTER MATERIALIZED VIEW m SET (autovacuum_enabled = false, toast.autovacuum_enabled = false);
         ALTER MATERIALIZED VIEW m REPLICA IDENTITY FULL;
         ALTER MATERIALIZED VIEW m ALTER email SET STATISTICS 5, ALTER email SET STORAGE PLAIN, ALTER email SET COMPRESSION pglz,
           ALTER id SET (n_distinct = 3);
         COMMENT ON MATERIALIZED VIEW m IS 'x';"
    ));
    let decorated = it.snapshots(&objects);
    assert_eq!(
        decorated
            .iter()
            .map(|it| it.properties.len())
            .sum::<usize>(),
        23
    );
    for (now, before) in decorated.iter().zip(&before) {
        it.unset(now, before);
    }
    assert_eq!(it.snapshots(&objects), before);
    assert_eq!(it.catalog(), catalog);
    for (now, before) in decorated.iter().zip(&before) {
        it.set(now, before);
    }
    assert_eq!(it.snapshots(&objects), decorated);
}

#[test]
fn an_empty_materialized_view_stays_empty() {
    let mut it = Database::new("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a WITH NO DATA");
    let snapshot = it.round_trip(&[materialized("public.m")]).remove(0);
    assert_eq!(words(&snapshot, Aspect::Populated), [""; 0]);
    assert!(
        it.fails("SELECT * FROM m")
            .contains("has not been populated")
    );
    // One that its declaration filled.
    it.run("REFRESH MATERIALIZED VIEW m");
    let filled = it.snapshot(&materialized("public.m"));
    it.run(&filled.properties.last().unwrap().unset);
    assert_eq!(it.snapshot(&materialized("public.m")), snapshot);
}

#[test]
fn functions_on_rows_of_a_view_come_back() {
    let mut it = Database::new(USERS);
    let reader = it.role("reader");
    it.run(&format!(
        "CREATE VIEW v AS SELECT id, email FROM users;
         CREATE FUNCTION address(v) RETURNS text LANGUAGE sql STABLE SET search_path = public AS $$SELECT $1.email || ';'$$;
         CREATE FUNCTION all_of(lowest int = 1, OUT v) RETURNS SETOF v LANGUAGE sql BEGIN ATOMIC SELECT * FROM v WHERE id >= lowest; END;
         CREATE PROCEDURE work(v[]) LANGUAGE plpgsql AS 'BEGIN END';
         GRANT EXECUTE ON FUNCTION address TO {reader} WITH GRANT OPTION;
         REVOKE EXECUTE ON FUNCTION address FROM PUBLIC;
         COMMENT ON FUNCTION address IS 'where to';
         ALTER FUNCTION address DEPENDS ON EXTENSION plpgsql;
         CREATE VIEW w AS SELECT address(v) FROM v;"
    ));
    let mut edges = it.views().dependents(&["public.v"]).unwrap();
    edges.sort();
    let edge = |on: &str, by: Object| Dependence {
        on: on.to_owned(),
        by,
    };
    assert_eq!(
        edges,
        [
            edge("public.address(public.v)", plain("public.w")),
            edge("public.v", function("public.address(public.v)")),
            edge("public.v", function("public.all_of(integer)")),
            edge("public.v", plain("public.w")),
            edge("public.v", function("public.work(public.v[])")),
        ]
    );
    it.round_trip(&[
        plain("public.v"),
        function("public.address(public.v)"),
        function("public.all_of(integer)"),
        function("public.work(public.v[])"),
        plain("public.w"),
    ]);
}
