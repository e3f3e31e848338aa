//! Roles, and what can hang on a view.

use crate::database::{Backend, Scratch};

/// Roles of the server that all tests share, because they outlive databases. The last one takes quotes.
pub const READER: &str = "migrate_tests_reader";
/// As [`READER`].
pub const WRITER: &str = "migrate_tests_writer";
/// As [`READER`].
pub const OWNER: &str = "migrate_tests \"Odd\" owner";

/// Whether options are set by hand as well, which a new declaration would decide about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Options {
    /// They are.
    ByHand,
    /// They are not.
    AsDeclared,
}

/// A name in the quotes of the backend.
#[must_use]
pub fn quoted(backend: Backend, name: &str) -> String {
    let quote = if backend == Backend::Mysql { '`' } else { '"' };
    let inside = name.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{inside}{quote}")
}

/// A text literal without backslashes in it.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Makes the roles, where they are not there yet, and lets them read what there is.
pub fn roles(scratch: &Scratch) {
    match scratch.backend {
        Backend::Sqlite => {}
        Backend::Postgres => {
            for role in [READER, WRITER, OWNER] {
                let name = quoted(Backend::Postgres, role);
                // Tests run at the same time.
                scratch.sql(&format!(
                    "DO $$ BEGIN CREATE ROLE {name}; \
                     EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
                ));
            }
            let owner = quoted(Backend::Postgres, OWNER);
            scratch.sql(&format!(
                "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {owner}; \
                 GRANT CREATE ON SCHEMA public TO {owner}"
            ));
        }
        Backend::Mysql => {
            for role in [READER, WRITER, OWNER] {
                let name = quoted(Backend::Mysql, role);
                scratch.sql(&format!("CREATE USER IF NOT EXISTS {name}@'%'"));
            }
            let owner = quoted(Backend::Mysql, OWNER);
            scratch.sql(&format!("GRANT ALL ON {}.* TO {owner}@'%'", scratch.name()));
        }
    }
}

/// Hangs on the view `base`, which is `SELECT id, email FROM table`, and on `top`, `SELECT id FROM
/// base`, all that the backend can hang there. Names are quoted already.
pub fn dress(scratch: &Scratch, table: &str, base: &str, top: &str, options: Options) {
    roles(scratch);
    match scratch.backend {
        Backend::Sqlite => sqlite(scratch, table, base, top),
        Backend::Postgres => {
            postgres(scratch, base, top);
            if options == Options::ByHand {
                scratch.sql(&format!(
                    "ALTER VIEW {base} SET (security_barrier = true, check_option = local); \
                     ALTER VIEW {top} SET (security_invoker = true)"
                ));
            }
        }
        Backend::Mysql => mysql(scratch, table, base, top),
    }
}

fn sqlite(scratch: &Scratch, table: &str, base: &str, top: &str) {
    scratch.sql(&format!(
        "CREATE TRIGGER {table}_in INSTEAD OF INSERT ON {base} BEGIN \
         INSERT INTO {table} (id, email) VALUES (new.id, new.email); SELECT ';'; END"
    ));
    scratch.sql(&format!(
        "CREATE TRIGGER \"Odd \"\"one\" INSTEAD OF UPDATE OF email ON {base} WHEN new.id > 1\n\
         BEGIN -- END; of it\n UPDATE {table} SET email = new.email WHERE id = old.id; END"
    ));
    scratch.sql(&format!(
        "CREATE TRIGGER {table}_out INSTEAD OF DELETE ON {top} BEGIN \
         DELETE FROM {base} WHERE id = old.id; END"
    ));
}

fn mysql(scratch: &Scratch, table: &str, base: &str, top: &str) {
    let owner = quoted(Backend::Mysql, OWNER);
    for sql in [
        format!(
            "ALTER ALGORITHM=MERGE DEFINER={owner}@'%' SQL SECURITY INVOKER VIEW {base} AS \
             SELECT id, email FROM {table} WITH LOCAL CHECK OPTION"
        ),
        format!(
            "ALTER ALGORITHM=TEMPTABLE DEFINER={owner}@'%' SQL SECURITY DEFINER VIEW {top} AS \
             SELECT id FROM {base}"
        ),
        format!("GRANT SELECT, UPDATE ON {base} TO {READER}@'%'"),
        format!("GRANT SELECT ON {base} TO {WRITER}@'%' WITH GRANT OPTION"),
        format!("GRANT SELECT (id), INSERT (id, email) ON {base} TO {owner}@'%'"),
        format!("GRANT SHOW VIEW ON {top} TO {READER}@'%'"),
    ] {
        scratch.sql(&sql);
    }
}

fn postgres(scratch: &Scratch, base: &str, top: &str) {
    let owner = quoted(Backend::Postgres, OWNER);
    // What follows a line end looks like the marks of a saved view.
    let text = literal("It's \"one\"; and\n-- migrate: view public.other\nÄ\t\\");
    scratch.sql(&format!(
        "ALTER VIEW {base} OWNER TO {owner}; \
         GRANT SELECT, INSERT ON {base} TO {READER}; \
         GRANT SELECT ON {base} TO {WRITER} WITH GRANT OPTION; \
         GRANT SELECT (email), UPDATE (email) ON {base} TO {READER}; \
         REVOKE TRUNCATE, REFERENCES ON {base} FROM {owner}; \
         GRANT SELECT ON {top} TO PUBLIC; \
         REVOKE USAGE ON TYPE {top} FROM PUBLIC; \
         GRANT USAGE ON TYPE {top} TO {READER}; \
         COMMENT ON VIEW {base} IS {text}; \
         COMMENT ON COLUMN {base}.email IS {text}; \
         COMMENT ON VIEW {top} IS 'top'; \
         ALTER VIEW {base} ALTER COLUMN email SET DEFAULT 'no''body'; \
         SET ROLE {WRITER}; GRANT SELECT ON {base} TO {READER}, PUBLIC; RESET ROLE"
    ));
    scratch.sql(&format!(
        "CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
         CREATE TRIGGER \"Odd \"\"one\" INSTEAD OF INSERT OR UPDATE ON {base} FOR EACH ROW EXECUTE FUNCTION stay('a;b'); \
         CREATE TRIGGER each INSTEAD OF DELETE ON {top} FOR EACH ROW EXECUTE FUNCTION stay(); \
         COMMENT ON TRIGGER each ON {top} IS {text}; \
         CREATE RULE \"Odd rule\" AS ON DELETE TO {base} DO INSTEAD DELETE FROM effects WHERE name = old.email; \
         COMMENT ON RULE \"Odd rule\" ON {base} IS {text}"
    ));
    // From here on new views have grants of their own, which those that come back do not want.
    scratch.sql(&format!(
        "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {WRITER} WITH GRANT OPTION; \
         ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; \
         ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM CURRENT_USER; \
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO {READER}"
    ));
}

/// Hangs on a materialized view `(id, email)` what only those have.
pub fn dress_materialized(scratch: &Scratch, view: &str) {
    roles(scratch);
    scratch.sql(&format!(
        "CREATE UNIQUE INDEX \"Kept by id\" ON {view} (id) WITH (fillfactor = 70); \
         CREATE INDEX kept_by_email ON {view} (lower(email), id DESC) WHERE id > 0; \
         ALTER INDEX kept_by_email ALTER COLUMN 1 SET STATISTICS 321; \
         COMMENT ON INDEX kept_by_email IS 'It''s; one'; \
         ALTER MATERIALIZED VIEW {view} CLUSTER ON \"Kept by id\"; \
         ALTER MATERIALIZED VIEW {view} SET (fillfactor = 80, autovacuum_enabled = false, toast.autovacuum_enabled = false); \
         ALTER MATERIALIZED VIEW {view} ALTER COLUMN email SET STATISTICS 17; \
         ALTER MATERIALIZED VIEW {view} ALTER COLUMN email SET STORAGE EXTERNAL; \
         ALTER MATERIALIZED VIEW {view} ALTER COLUMN email SET COMPRESSION pglz; \
         ALTER MATERIALIZED VIEW {view} ALTER COLUMN id SET (n_distinct = -0.5); \
         CREATE STATISTICS \"Kept both\" (dependencies, mcv) ON id, email FROM {view}; \
         ALTER STATISTICS \"Kept both\" SET STATISTICS 23; \
         COMMENT ON STATISTICS \"Kept both\" IS 'both'; \
         COMMENT ON MATERIALIZED VIEW {view} IS 'its rows'; \
         GRANT SELECT ON {view} TO {READER}; GRANT SELECT (id) ON {view} TO {WRITER}"
    ));
}
