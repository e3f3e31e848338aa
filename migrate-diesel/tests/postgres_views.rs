//! PostgreSQL's views: nothing that hangs on one is lost when it goes down and comes up again.
//!
//! Needs a server: `MIGRATE_TEST_POSTGRES_URL`, which `cargo xtask servers -- cargo test` sets.
#![forbid(unsafe_code)]
#![cfg(feature = "postgres")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, from one end to the other"
)]

use std::{
    collections::BTreeSet,
    env, process,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _, sql_types,
};
use migrate_diesel::{
    __private::UNREGISTERED,
    View,
    backend::{
        Aspect, Dependence, Driver as _, Object, ObjectKind, Property, ReadersError, Snapshot,
        StatementLog, ViewCatalog,
    },
    core::ViewKind,
};

/// A database of one test's own, gone with the test, and the roles that the test made.
struct Database {
    db: Option<PgConnection>,
    admin: String,
    name: String,
    roles: Vec<String>,
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    value: Option<String>,
}

impl Database {
    fn new(sql: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let admin = env::var("MIGRATE_TEST_POSTGRES_URL").unwrap_or_else(|_| {
            panic!("MIGRATE_TEST_POSTGRES_URL is not set; run `cargo xtask servers -- cargo test`")
        });
        let name = format!("views{}_{}", process::id(), NEXT.fetch_add(1, Relaxed));
        let (server, _) = admin.rsplit_once('/').unwrap();
        let mut first = PgConnection::establish(&admin).unwrap();
        first
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        let mut db = PgConnection::establish(&format!("{server}/{name}")).unwrap();
        // DDL without notices.
        db.batch_execute("SET client_min_messages = warning")
            .unwrap();
        let mut database = Self {
            db: Some(db),
            admin,
            name,
            roles: Vec::new(),
        };
        if !sql.is_empty() {
            database.run(sql);
        }
        database
    }

    fn connection(&mut self) -> &mut PgConnection {
        self.db.as_mut().unwrap()
    }

    /// Another session.
    fn another(&self) -> PgConnection {
        let (server, _) = self.admin.rsplit_once('/').unwrap();
        PgConnection::establish(&format!("{server}/{}", self.name)).unwrap()
    }

    /// A role, for roles belong to the whole server; its name ends in `suffix`.
    fn role(&mut self, suffix: &str) -> String {
        let role = format!("{}{suffix}", self.name);
        self.run(&format!("CREATE ROLE {}", quoted(&role)));
        self.roles.push(role.clone());
        role
    }

    fn run(&mut self, sql: &str) {
        self.connection()
            .batch_execute(sql)
            .unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    fn fails(&mut self, sql: &str) -> String {
        self.connection()
            .batch_execute(sql)
            .unwrap_err()
            .to_string()
    }

    fn text(&mut self, sql: &str) -> String {
        let row: Text = diesel::sql_query(format!("SELECT ({sql})::text AS value"))
            .get_result(self.connection())
            .unwrap();
        row.value.unwrap_or_default()
    }

    fn views(&mut self) -> &mut dyn ViewCatalog {
        self.connection().views().unwrap()
    }

    fn snapshots(&mut self, objects: &[Object]) -> Vec<Snapshot> {
        let objects: Vec<&Object> = objects.iter().collect();
        self.views().snapshots(&objects).unwrap()
    }

    fn snapshot(&mut self, object: &Object) -> Snapshot {
        self.snapshots(std::slice::from_ref(object)).remove(0)
    }

    /// Everything that the catalogs say about relations, functions and what belongs to them, in words
    /// of its own: a second opinion on what a snapshot says.
    fn catalog(&mut self) -> BTreeSet<String> {
        let rows: Vec<Text> = diesel::sql_query(CATALOG).load(self.connection()).unwrap();
        rows.into_iter().filter_map(|row| row.value).collect()
    }

    /// Down, leaves first, and up again, roots first, as the runner does it. `objects` are roots
    /// first.
    fn round_trip(&mut self, objects: &[Object]) -> Vec<Snapshot> {
        let catalog = self.catalog();
        let before = self.snapshots(objects);
        for snapshot in before.iter().rev() {
            let sql = self.views().drop(&snapshot.object);
            self.run(&sql);
        }
        assert_ne!(self.catalog(), catalog);
        self.restore(&before);
        let after = self.snapshots(objects);
        assert_eq!(after, before);
        let now = self.catalog();
        let lost: Vec<_> = catalog.difference(&now).collect();
        let gained: Vec<_> = now.difference(&catalog).collect();
        assert!(
            lost.is_empty() && gained.is_empty(),
            "lost {lost:#?}\ngained {gained:#?}"
        );
        before
    }

    fn restore(&mut self, snapshots: &[Snapshot]) {
        for old in snapshots {
            self.run(&old.create);
            let new = self.snapshot(&old.object);
            for property in new.properties.iter().filter(|it| !has(old, it)) {
                // What is always there is set again.
                if !property.unset.is_empty() {
                    self.run(&property.unset);
                }
            }
            for property in old.properties.iter().filter(|it| !has(&new, it)) {
                self.run(&property.set);
            }
        }
    }
}

/// Equal properties do the same.
fn has(snapshot: &Snapshot, property: &Property) -> bool {
    let mut properties = snapshot.properties.iter();
    properties.any(|it| (&it.what, &it.set) == (&property.what, &property.set))
}

impl Drop for Database {
    fn drop(&mut self) {
        self.db = None;
        let mut admin = PgConnection::establish(&self.admin).unwrap();
        let mut run = |sql: String| admin.batch_execute(&sql);
        let database = run(format!("DROP DATABASE {} WITH (FORCE)", self.name));
        let roles: Vec<_> = self
            .roles
            .iter()
            .map(|role| run(format!("DROP ROLE {}", quoted(role))))
            .collect();
        // A second panic would hide the first.
        if !std::thread::panicking() {
            database.unwrap();
            roles.into_iter().for_each(Result::unwrap);
        }
    }
}

const CATALOG: &str = "
WITH ns AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
rel AS (SELECT c.*, format('%s.%s', nspname, relname) AS id FROM pg_class c JOIN ns ON ns.oid = relnamespace)
SELECT concat_ws(' | ', 'relation', id, relkind, relowner::regrole, ARRAY(SELECT o FROM unnest(reloptions) o ORDER BY o), relispopulated, relreplident, relhasrules,
  relhastriggers, relhasindex, reltablespace, relam, relpersistence,
  CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END,
  (SELECT reloptions FROM pg_class t WHERE t.oid = rel.reltoastrelid),
  (SELECT count(*) FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = rel.oid AND d.deptype IN ('e', 'x'))) AS value FROM rel
UNION ALL SELECT concat_ws(' | ', 'grant', id, a.grantor::regrole, a.grantee::regrole, a.privilege_type, a.is_grantable)
  FROM rel, aclexplode(coalesce(relacl, acldefault('r', relowner))) a
UNION ALL SELECT concat_ws(' | ', 'column', id, attnum, attname, atttypid::regtype, atttypmod, nullif(attstattarget, -1), attstorage, attcompression, ARRAY(SELECT o FROM unnest(attoptions) o WHERE o !~ '^pg_' ORDER BY o), attcollation,
  ARRAY(SELECT concat_ws('|', a.grantor::regrole, a.grantee::regrole, a.privilege_type, a.is_grantable) FROM aclexplode(attacl) a ORDER BY 1),
  (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum),
  col_description(attrelid, attnum)) FROM rel JOIN pg_attribute ON attrelid = rel.oid AND attnum > 0
UNION ALL SELECT concat_ws(' | ', 'type', id, t.typname, t.typacl::text, obj_description(t.oid, 'pg_type')) FROM rel JOIN pg_type t ON t.oid = reltype
UNION ALL SELECT concat_ws(' | ', 'comment', id, obj_description(oid, 'pg_class')) FROM rel
UNION ALL SELECT concat_ws(' | ', 'trigger', id, pg_get_triggerdef(t.oid), tgenabled, obj_description(t.oid, 'pg_trigger'),
  (SELECT count(*) FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'x')) FROM rel JOIN pg_trigger t ON tgrelid = rel.oid
UNION ALL SELECT concat_ws(' | ', 'rule', id, pg_get_ruledef(r.oid), ev_enabled, obj_description(r.oid, 'pg_rewrite')) FROM rel JOIN pg_rewrite r ON ev_class = rel.oid
UNION ALL SELECT concat_ws(' | ', 'index', rel.id, pg_get_indexdef(indexrelid), indisclustered, indisreplident, indisunique, indisvalid, obj_description(indexrelid, 'pg_class'))
  FROM rel JOIN pg_index ON indrelid = rel.oid
UNION ALL SELECT concat_ws(' | ', 'statistics', id, pg_get_statisticsobjdef(s.oid), stxowner::regrole, nullif(stxstattarget, -1), obj_description(s.oid, 'pg_statistic_ext'))
  FROM rel JOIN pg_statistic_ext s ON stxrelid = rel.oid
UNION ALL SELECT concat_ws(' | ', 'function', f.oid::regprocedure, proowner::regrole, pg_get_functiondef(f.oid), obj_description(f.oid, 'pg_proc'),
  ARRAY(SELECT concat_ws('|', a.grantor::regrole, a.grantee::regrole, a.privilege_type, a.is_grantable) FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) a ORDER BY 1))
  FROM pg_proc f JOIN ns ON ns.oid = pronamespace WHERE prokind <> 'a'";

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn plain(identity: &str) -> Object {
    Object::view(identity, ViewKind::Plain)
}

fn materialized(identity: &str) -> Object {
    Object::view(identity, ViewKind::Materialized)
}

fn function(identity: &str) -> Object {
    Object {
        identity: identity.to_owned(),
        kind: ObjectKind::Function,
    }
}

/// What of this aspect it has, in words.
fn words(snapshot: &Snapshot, aspect: Aspect) -> Vec<&str> {
    let properties = snapshot.properties.iter();
    let of_aspect = properties.filter(|property| property.aspect == aspect);
    of_aspect.map(|property| property.what.as_str()).collect()
}

const USERS: &str = "CREATE TABLE users (id int PRIMARY KEY, email text, active bool, born date);";

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
fn an_index_may_identify_replicas() {
    let mut it = Database::new(
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
         CREATE TABLE r (a int NOT NULL);",
    );
    it.run("CREATE UNIQUE INDEX i ON m (a); ALTER MATERIALIZED VIEW m REPLICA IDENTITY NOTHING");
    let snapshot = it.round_trip(&[materialized("public.m")]).remove(0);
    assert_eq!(words(&snapshot, Aspect::Options), ["replica identity"]);
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
fn what_default_privileges_give_a_new_view_is_taken_away() {
    let mut it = Database::new(USERS);
    let (owner, reader) = (it.role("owner"), it.role("reader"));
    it.run(&format!(
        "GRANT CREATE ON SCHEMA public TO {owner};
         CREATE VIEW a AS SELECT * FROM users;
         CREATE VIEW b AS SELECT * FROM a;
         ALTER VIEW b OWNER TO {owner};
         CREATE VIEW c AS SELECT * FROM a;
         GRANT INSERT ON c TO {reader};
         REVOKE DELETE ON c FROM postgres;
         CREATE FUNCTION f(a) RETURNS int LANGUAGE sql AS 'SELECT 1';
         REVOKE EXECUTE ON FUNCTION f FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
         ALTER DEFAULT PRIVILEGES GRANT INSERT, UPDATE ON TABLES TO {reader} WITH GRANT OPTION;
         ALTER DEFAULT PRIVILEGES GRANT TRUNCATE ON TABLES TO {owner};
         ALTER DEFAULT PRIVILEGES REVOKE TRIGGER, DELETE ON TABLES FROM postgres;
         ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {reader};"
    ));
    let objects = [
        plain("public.a"),
        plain("public.b"),
        plain("public.c"),
        function("public.f(public.a)"),
    ];
    let snapshots = it.round_trip(&objects);
    assert_eq!(words(&snapshots[0], Aspect::Grant), [""; 0]);
    assert_eq!(words(&snapshots[1], Aspect::Grant), [""; 0]);
    assert_eq!(
        words(&snapshots[2], Aspect::Grant),
        [
            "DELETE revoked from postgres".to_owned(),
            format!("INSERT granted to {reader}")
        ]
    );
    assert_eq!(
        words(&snapshots[3], Aspect::Grant),
        ["EXECUTE revoked from everybody"]
    );
}

#[test]
fn grants_are_made_again_by_those_who_made_them() {
    let mut it = Database::new(USERS);
    // The chain goes against the alphabet.
    let (first, second, third) = (it.role("c's"), it.role("B \"q\""), it.role("=a/"));
    let [one, two, three] = [&first, &second, &third].map(|role| quoted(role));
    it.run(&format!(
        "CREATE VIEW v AS SELECT * FROM users;
         GRANT SELECT, UPDATE (email) ON v TO {one} WITH GRANT OPTION;
         SET ROLE {one}; GRANT SELECT, UPDATE (email) ON v TO {two} WITH GRANT OPTION;
         SET ROLE {two}; GRANT SELECT, UPDATE (email) ON v TO {three};
         RESET ROLE;"
    ));
    let snapshot = it.round_trip(&[plain("public.v")]).remove(0);
    assert_eq!(words(&snapshot, Aspect::Grant).len(), 6);
    assert_eq!(it.text("current_setting('role')"), "none");
    // In a transaction of somebody who had taken on a role.
    it.run("ALTER ROLE postgres SET statement_timeout = 0");
    let other = it.role("other");
    it.run(&format!("GRANT {} TO {}", one, quoted(&other)));
    it.run(&format!("BEGIN; SET ROLE {}", quoted(&other)));
    let set = &snapshot
        .properties
        .iter()
        .find(|it| it.what.contains(" by "))
        .unwrap()
        .set;
    it.run(set);
    assert_eq!(it.text("current_setting('role')"), other);
    it.run("ROLLBACK; ALTER ROLE postgres RESET statement_timeout");
}

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
fn what_would_be_lost_is_said() {
    let mut it = Database::new(USERS);
    let (owner, deployer, stranger) = (it.role("owner"), it.role("deployer"), it.role("stranger"));
    it.run(&format!(
        "CREATE VIEW v AS SELECT id FROM users;
         CREATE SEQUENCE s OWNED BY v.id;
         ALTER EXTENSION plpgsql ADD VIEW v;
         CREATE VIEW w AS SELECT id FROM users;
         ALTER VIEW w OWNER TO {owner};
         CREATE VIEW x AS SELECT id FROM users;
         ALTER VIEW x OWNER TO {deployer};
         GRANT SELECT ON x TO {stranger} WITH GRANT OPTION;
         SET ROLE {stranger}; GRANT SELECT ON x TO {owner}; RESET ROLE;
         CREATE FUNCTION f(x) RETURNS int LANGUAGE internal AS 'int4abs';
         CREATE FUNCTION g(x) RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1';"
    ));
    assert_eq!(
        it.snapshot(&plain("public.v")).lost,
        [
            "it owns sequence public.s, which would go with it",
            "it belongs to the extension `plpgsql`",
        ]
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
    );
    let stale = it.snapshot(&plain("public.w"));
    assert_eq!(stale.lost, [""; 0]);
    it.run(&format!("SET SESSION AUTHORIZATION {deployer}"));
    assert_eq!(
        it.snapshot(&plain("public.w")).lost,
        [
            format!("it belongs to `{owner}`, a role that you are no member of"),
            "you may not create anything in the schema public".to_owned(),
            format!("its owner `{owner}` may not create anything in the schema public"),
        ]
    );
    let lost = it.snapshot(&plain("public.x")).lost;
    assert_eq!(
        lost.last().unwrap(),
        &format!("`{stranger}`, a role that you are no member of, granted privileges on it")
    );
    let functions = it.snapshots(&[
        function("public.f(public.x)"),
        function("public.g(public.x)"),
    ]);
    assert!(
        functions[0].lost[0].starts_with("its language `internal` is for superusers"),
        "{functions:?}"
    );
    assert_eq!(
        functions[1].lost[0],
        "it is leakproof, which only a superuser may say"
    );
    it.run("RESET SESSION AUTHORIZATION; ALTER EXTENSION plpgsql DROP VIEW v");
    it.run(&format!(
        "GRANT {owner} TO {deployer}; GRANT {stranger} TO {deployer}; GRANT CREATE ON SCHEMA public TO {owner};
         DROP FUNCTION f; DROP FUNCTION g;
         SET SESSION AUTHORIZATION {deployer}"
    ));
    it.round_trip(&[plain("public.w"), plain("public.x")]);
    it.run("RESET SESSION AUTHORIZATION");
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

fn declared(name: &'static str) -> View {
    let place = (file!(), line!(), column!());
    View::new("app::views", "It", name, "", UNREGISTERED, place)
}

fn create(it: &mut Database, view: &View) -> Result<Vec<String>, String> {
    it.views().create(&view.descriptor, None)
}

#[test]
fn declared_views_are_created() {
    let mut it = Database::new(USERS);
    it.run("CREATE SCHEMA \"My schema\"; INSERT INTO users VALUES (1, 'a', true)");
    let plain_one = declared("My schema.V \"x")
        .sql("\n  SELECT id FROM public.users -- all of them; really\n ;\n")
        .options(&[("security_barrier", "true"), ("check_option", "local")]);
    let created = create(&mut it, &plain_one).unwrap();
    assert_eq!(
        created,
        [
            "CREATE VIEW \"My schema\".\"V \"\"x\" WITH (security_barrier = true, check_option = local) AS\n\
          SELECT id FROM public.users"
        ]
    );
    // As the runner sends it: with something behind it.
    it.run(&format!("{}; SELECT 1", created.join("; ")));
    assert_eq!(
        words(&it.snapshot(&plain("My schema.V \"x")), Aspect::Options),
        ["option check_option", "option security_barrier"]
    );
    let matview = declared("totals")
        .sql("SELECT id, count(*) FROM users GROUP BY id")
        .materialized()
        .indexes(&["CREATE UNIQUE INDEX by_id ON totals (id)"]);
    let created = create(&mut it, &matview).unwrap();
    assert_eq!(created.len(), 2);
    it.run(&created.join("; "));
    let snapshot = it.snapshot(&materialized("public.totals"));
    assert_eq!(words(&snapshot, Aspect::Index), ["index by_id"]);
    assert_eq!(words(&snapshot, Aspect::Populated), ["populated"]);
    assert_eq!(
        it.views().find(&["totals"]).unwrap(),
        [Some("public.totals".to_owned())]
    );
    // What is in the text after the query's end does not matter.
    for sql in [
        "SELECT 1 AS a;",
        "SELECT 1 AS a; -- done",
        "SELECT 1 AS a /* ; */ ; /* x */",
    ] {
        let view = declared("v").sql(sql);
        let created = create(&mut it, &view).unwrap().join("; ");
        it.run(&format!("{created}; DROP VIEW v"));
    }
}

#[test]
fn what_a_view_cannot_have_is_said() {
    let mut it = Database::new("");
    let mut error = |view: View| create(&mut it, &view).unwrap_err();
    let view = || declared("v").sql("SELECT 1 AS a");
    assert_eq!(
        error(view().options(&[("algorithm", "merge")])),
        "PostgreSQL has no option `algorithm` for views"
    );
    assert_eq!(
        error(
            view()
                .materialized()
                .options(&[("security_barrier", "true")])
        ),
        "PostgreSQL has the option `security_barrier` for plain views, not for materialized ones"
    );
    assert_eq!(error(declared("v").sql(" ; ")), "its query is empty");
    assert_eq!(
        error(declared("v").sql("SELECT 1; DROP TABLE x")),
        "its query is more than one statement"
    );
    assert_eq!(
        error(declared("v")),
        "it is created by code, not from a query"
    );
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

#[test]
fn locks_are_waited_for_no_longer_than_said() {
    let mut it = Database::new(USERS);
    it.run(
        "CREATE VIEW v AS SELECT * FROM users; CREATE MATERIALIZED VIEW m AS SELECT * FROM users",
    );
    let mut reader = it.another();
    reader
        .batch_execute("SET application_name = 'the report'; BEGIN; SELECT * FROM v")
        .unwrap();
    let (limit, lift) = it.views().lock_timeout(50).unwrap();
    it.run("SET lock_timeout = '7s'");
    it.run(&format!("BEGIN; SAVEPOINT s; {limit}"));
    assert_eq!(it.text("current_setting('lock_timeout')"), "50ms");
    assert!(it.fails("DROP VIEW v").contains("lock timeout"));
    it.run("ROLLBACK TO s");
    assert_eq!(it.text("current_setting('lock_timeout')"), "7s");
    let blockers = it
        .views()
        .blockers(&[&plain("public.v"), &materialized("public.m")])
        .unwrap();
    let pid: Text = diesel::sql_query("SELECT pg_backend_pid()::text AS value")
        .get_result(&mut reader)
        .unwrap();
    let begin = format!(
        "pid {} (application `the report`, user `postgres`, idle in transaction for ",
        pid.value.unwrap()
    );
    let [blocker] = blockers.as_slice() else {
        panic!("{blockers:?}");
    };
    assert!(
        blocker.starts_with(&begin) && blocker.ends_with(" s)"),
        "{blocker}"
    );
    reader.batch_execute("ROLLBACK").unwrap();
    assert_eq!(it.views().blockers(&[&plain("public.v")]).unwrap(), [""; 0]);
    it.run(&format!("{limit}; DROP VIEW v; {lift}"));
    assert_eq!(it.text("current_setting('lock_timeout')"), "7s");
    it.run("COMMIT");
}

#[test]
fn a_hundred_views_are_one_question() {
    let mut it = Database::new(USERS);
    let (log, mut objects) = (StatementLog::default(), vec![plain("public.v0")]);
    it.run("CREATE VIEW v0 AS SELECT * FROM users");
    for at in 1..100 {
        it.run(&format!(
            "CREATE VIEW v{at} AS SELECT * FROM v{}; COMMENT ON VIEW v{at} IS 'x'",
            at - 1
        ));
        objects.push(plain(&format!("public.v{at}")));
    }
    it.connection().listen(Some(log.clone()));
    assert_eq!(it.snapshots(&objects).len(), 100);
    assert_eq!(it.views().dependents(&["public.v0"]).unwrap().len(), 99);
    let names: Vec<String> = (0..100).map(|at| format!("v{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(it.views().find(&names).unwrap().iter().all(Option::is_some));
    it.connection().listen(None);
    assert_eq!(log.lock().unwrap().len(), 3);
}
