//! [`Database`]: one of a test's own, and how views go down and up in it.

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
    backend::{Aspect, Driver as _, Object, ObjectKind, Property, Snapshot, ViewCatalog},
    core::ViewKind,
};

pub(crate) const USERS: &str =
    "CREATE TABLE users (id int PRIMARY KEY, email text, active bool, born date);";

/// A database of one test's own, gone with the test, and the roles and tablespaces that the test made.
pub(crate) struct Database {
    db: Option<PgConnection>,
    admin: String,
    name: String,
    /// What belongs to the whole server: how to get rid of it.
    leftovers: Vec<String>,
}

#[derive(QueryableByName)]
pub(crate) struct Text {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) value: Option<String>,
}

impl Database {
    pub(crate) fn new(sql: &str) -> Self {
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
            leftovers: Vec::new(),
        };
        if !sql.is_empty() {
            database.run(sql);
        }
        database
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.db.as_mut().unwrap()
    }

    /// Another session.
    pub(crate) fn another(&self) -> PgConnection {
        let (server, _) = self.admin.rsplit_once('/').unwrap();
        PgConnection::establish(&format!("{server}/{}", self.name)).unwrap()
    }

    /// A role, for roles belong to the whole server; its name ends in `suffix`.
    pub(crate) fn role(&mut self, suffix: &str) -> String {
        let role = format!("{}{suffix}", self.name);
        self.run(&format!("CREATE ROLE {}", quoted(&role)));
        self.leftovers.push(format!("DROP ROLE {}", quoted(&role)));
        role
    }

    pub(crate) fn run(&mut self, sql: &str) {
        self.connection()
            .batch_execute(sql)
            .unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// A tablespace inside the server's own directory.
    pub(crate) fn tablespace(&mut self) -> String {
        let name = format!("{}space", self.name);
        self.run("SET allow_in_place_tablespaces = on");
        self.run(&format!("CREATE TABLESPACE {name} LOCATION ''"));
        self.leftovers.push(format!("DROP TABLESPACE {name}"));
        name
    }

    pub(crate) fn fails(&mut self, sql: &str) -> String {
        self.connection()
            .batch_execute(sql)
            .unwrap_err()
            .to_string()
    }

    pub(crate) fn text(&mut self, sql: &str) -> String {
        let row: Text = diesel::sql_query(format!("SELECT ({sql})::text AS value"))
            .get_result(self.connection())
            .unwrap();
        row.value.unwrap_or_default()
    }

    pub(crate) fn views(&mut self) -> &mut dyn ViewCatalog {
        self.connection().views().unwrap()
    }

    pub(crate) fn snapshots(&mut self, objects: &[Object]) -> Vec<Snapshot> {
        let objects: Vec<&Object> = objects.iter().collect();
        self.views().snapshots(&objects).unwrap()
    }

    pub(crate) fn snapshot(&mut self, object: &Object) -> Snapshot {
        self.snapshots(std::slice::from_ref(object)).remove(0)
    }

    /// Everything that the catalogs say about relations, functions and what belongs to them, in words
    /// of its own: a second opinion on what a snapshot says.
    pub(crate) fn catalog(&mut self) -> BTreeSet<String> {
        let rows: Vec<Text> = diesel::sql_query(CATALOG).load(self.connection()).unwrap();
        rows.into_iter().filter_map(|row| row.value).collect()
    }

    /// Down, leaves first, and up again, roots first, as the runner does it. `objects` are roots
    /// first.
    pub(crate) fn round_trip(&mut self, objects: &[Object]) -> Vec<Snapshot> {
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

    pub(crate) fn restore(&mut self, snapshots: &[Snapshot]) {
        for old in snapshots {
            self.run(&old.create);
            let new = self.snapshot(&old.object);
            self.unset(&new, old);
            self.set(old, &new);
        }
    }

    /// Takes away what `is` has and `wanted` has not.
    pub(crate) fn unset(&mut self, is: &Snapshot, wanted: &Snapshot) {
        for property in is.properties.iter().filter(|it| !has(wanted, it)) {
            // What is always there is set again.
            if !property.unset.is_empty() {
                self.run(&property.unset);
            }
        }
    }

    /// Sets what `wanted` has and `is` has not.
    pub(crate) fn set(&mut self, wanted: &Snapshot, is: &Snapshot) {
        for property in wanted.properties.iter().filter(|it| !has(is, it)) {
            self.run(&property.set);
        }
    }
}

/// Equal properties do the same.
pub(crate) fn has(snapshot: &Snapshot, property: &Property) -> bool {
    let mut properties = snapshot.properties.iter();
    properties.any(|it| (&it.what, &it.set) == (&property.what, &property.set))
}

impl Drop for Database {
    fn drop(&mut self) {
        self.db = None;
        let mut admin = PgConnection::establish(&self.admin).unwrap();
        let mut run = |sql: String| admin.batch_execute(&sql);
        let database = run(format!("DROP DATABASE {} WITH (FORCE)", self.name));
        let leftovers: Vec<_> = self.leftovers.drain(..).map(run).collect();
        // A second panic would hide the first.
        if !std::thread::panicking() {
            database.unwrap();
            leftovers.into_iter().for_each(Result::unwrap);
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
UNION ALL SELECT concat_ws(' | ', 'type', id, t.typname, ARRAY(SELECT concat_ws('|', a.grantor::regrole, a.grantee::regrole, a.is_grantable)
  FROM aclexplode(coalesce(typacl, acldefault('T', typowner))) a ORDER BY 1), obj_description(t.oid, 'pg_type')) FROM rel JOIN pg_type t ON t.oid = reltype
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

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn plain(identity: &str) -> Object {
    Object::view(identity, ViewKind::Plain)
}

pub(crate) fn materialized(identity: &str) -> Object {
    Object::view(identity, ViewKind::Materialized)
}

pub(crate) fn function(identity: &str) -> Object {
    Object {
        identity: identity.to_owned(),
        kind: ObjectKind::Function,
    }
}

/// What of this aspect it has, in words.
pub(crate) fn words(snapshot: &Snapshot, aspect: Aspect) -> Vec<&str> {
    let properties = snapshot.properties.iter();
    let of_aspect = properties.filter(|property| property.aspect == aspect);
    of_aspect.map(|property| property.what.as_str()).collect()
}
