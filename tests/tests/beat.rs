//! Defects of edwh-migrate and flux that no other test here is about. The numbers are those of our list of
//! them: the others are in the suite, in `crash.rs`, `deployers.rs` and `startup/`, and in the tests of the
//! command line.
#![forbid(unsafe_code)]

use migrate_diesel::{AnyConnection, core::frontend::DownTarget, migrations, prelude::*};
use migrate_tests::{
    commander::Commander,
    database::{Backend, Scratch, number},
    run::{migrator, up},
};

const SERVERS: [Backend; 2] = [Backend::Postgres, Backend::Mysql];
const ALL: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::Mysql];

/// Sessions of this database that hold a transaction open and do nothing.
const IDLE: &str = "SELECT count(*) AS value FROM pg_stat_activity WHERE datname = current_database() \
                    AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'";

#[migration]
fn at_the_history(db: &mut AnyConnection) -> QueryResult<()> {
    if let AnyConnection::Postgres(_) = db {
        db.batch_execute("LOCK TABLE migrate_history IN ACCESS EXCLUSIVE MODE")?;
        assert_eq!(number(db, IDLE), 0);
    }
    db.batch_execute("UPDATE migrate_history SET detail = detail")?;
    db.batch_execute("INSERT INTO effects (name) VALUES ('at the history')")
}

#[migration(requires = [at_the_history])]
fn beside_the_history(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("INSERT INTO effects (name) VALUES ('beside it')")
}

/// edwh 15: the session that kept the books was idle in a transaction; who touched the table waited for
/// itself.
#[test]
fn no_session_of_ours_is_in_the_way_of_a_body() {
    for backend in ALL {
        let scratch = Scratch::new(backend);
        let migrator = migrator(migrations![at_the_history, beside_the_history]);
        assert_eq!(up(&scratch, &migrator).done().applied, 2, "{backend:?}");
        assert_eq!(scratch.effects(), ["at the history", "beside it"]);
    }
}

/// As a URL has to write it, and what it is.
const ENCODED: &str = "p%40ss%2Fw%3Ard%25%20%23%3F";
const PASSWORD: &str = "p@ss/w:rd% #?";

/// edwh 21: one path decoded a password, the other did not. Here: that of the driver, and that of the
/// server's client program, which restores.
#[test]
fn an_encoded_password_is_the_same_everywhere() {
    for backend in SERVERS {
        let scratch = Scratch::new(backend);
        let (user, name) = (format!("b_{}", scratch.name()), scratch.name());
        let (create, drop) = match backend {
            Backend::Postgres => (
                format!(
                    "CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'; GRANT ALL ON SCHEMA public TO {user}"
                ),
                format!("DROP OWNED BY {user}; DROP ROLE {user}"),
            ),
            _ => (
                format!(
                    "CREATE USER {user}@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON {name}.* TO {user}@'%'"
                ),
                format!("DROP USER {user}@'%'"),
            ),
        };
        scratch.sql("DROP TABLE effects");
        scratch.sql("DROP TABLE switches");
        scratch.sql(&create);
        std::fs::write(
            scratch.directory().join("dump.sql"),
            "CREATE TABLE effects (name VARCHAR(99));\nINSERT INTO effects VALUES ('restored');\n",
        )
        .unwrap();
        std::fs::write(
            scratch.directory().join("migrate.toml"),
            "restore_expects = \"effects\"\n",
        )
        .unwrap();
        let url = scratch.url_as(&user, ENCODED);
        let line = format!("restore dump.sql --database-url {}", url.reveal());
        let program = env!("CARGO_BIN_EXE_commander");
        let ended = Commander::types(program, &scratch, "signals", &line).ends();
        assert_eq!(ended.code, Some(0), "{backend:?}: {ended:?}");
        AnyConnection::open(&url).unwrap();
        AnyConnection::open(&scratch.url_as(&user, "p%40ss")).unwrap_err();
        assert_eq!(texts(&scratch), ["restored"], "{backend:?}");
        scratch.sql(&drop);
    }
}

fn texts(scratch: &Scratch) -> Vec<String> {
    scratch.texts("SELECT name AS value FROM effects")
}

mod words {
    migrate_diesel::migrations_dir!("sql/words", format = plain);
}

/// flux 10: `:word` was a parameter, and a literal of JSON arrived altered.
#[test]
fn a_file_reaches_the_database_as_it_is() {
    for backend in ALL {
        let scratch = Scratch::new(backend);
        let migrator = migrator(migrations![words::sql_as_it_is]);
        assert_eq!(up(&scratch, &migrator).done().applied, 1, "{backend:?}");
        assert_eq!(
            scratch.effects(),
            [
                "one; -- two",
                "{\"at\": \"12:30:00\", \"to\": \":word\", \"q\": \"? $1 %s {} @x\"}"
            ]
        );
        // flux 5: the row went, and the schema stayed.
        let mut connection = scratch.connect();
        migrator
            .down(&mut connection, DownTarget::Steps(1))
            .unwrap_err();
        let status = migrator.status(&mut connection).unwrap();
        assert_eq!(
            status.migrations.first().unwrap().state.as_str(),
            "applied",
            "{backend:?}"
        );
    }
}
