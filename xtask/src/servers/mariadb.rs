//! MariaDB: `mariadb-install-db` and `mariadbd`, without any file of `/etc/mysql`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use super::account::hermetic;
use super::engine::{Durability, Engine, Home};
use crate::error::{Error, IoContext as _};
use crate::process;

const USER: &str = "migrate";
const DATABASE: &str = "migrate_test";

/// MariaDB.
#[derive(Debug)]
pub(super) struct MariaDb;

impl Engine for MariaDb {
    fn name(&self) -> &'static str {
        "MariaDB"
    }

    fn variable(&self) -> &'static str {
        "MIGRATE_TEST_MYSQL_URL"
    }

    fn accounts(&self) -> &'static [&'static str] {
        &["mysql", "nobody"]
    }

    fn stop_signal(&self) -> (Signal, &'static str) {
        (Signal::TERM, "TERM")
    }

    fn prepare(&self, home: &Home) -> Result<Option<Command>, Error> {
        let start = home.directory.join("start.sql");
        fs::write(&start, start_sql(&home.password)).context("write", &start)?;
        home.account.own(&start)?;
        // Of its own: a server that starts takes the temporary files that it finds for its own old ones.
        let temporary = temporary(home);
        fs::create_dir_all(&temporary).context("create", &temporary)?;
        home.account.own(&temporary)?;
        let mut command =
            home.account
                .command("KILL", program("mariadb-install-db")?, &home.directory);
        command
            .arg("--no-defaults")
            .arg(option("datadir", data(home)));
        // root may come in through the socket only, which nobody uses; start.sql creates our own account.
        command.args([
            "--auth-root-authentication-method=socket",
            "--auth-root-socket-user=root",
        ]);
        command.args([
            "--skip-test-db",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=0",
        ]);
        Ok(Some(command))
    }

    fn serve(&self, home: &Home, port: u16) -> Result<Command, Error> {
        let (_, signal) = self.stop_signal();
        let mut command = home
            .account
            .command(signal, program("mariadbd")?, &home.directory);
        command
            .arg("--no-defaults")
            .arg(option("datadir", data(home)));
        // Relative to the data directory: the name of a socket may have 107 bytes only, and TMPDIR may be long.
        command.arg("--socket=socket");
        command.arg(option("tmpdir", temporary(home)));
        command.arg(option("pid-file", home.directory.join("pid")));
        command.arg(option("init-file", home.directory.join("start.sql")));
        command
            .arg(format!("--port={port}"))
            .arg("--bind-address=127.0.0.1");
        // Without name lookups 127.0.0.1 does not turn into `localhost`, for which other accounts may exist.
        command.args([
            "--skip-name-resolve",
            "--max-connections=200",
            "--skip-log-bin",
        ]);
        command.args([
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_general_ci",
        ]);
        command.arg(match home.durability {
            Durability::Relaxed => "--innodb-flush-log-at-trx-commit=0",
            Durability::Durable => "--innodb-flush-log-at-trx-commit=1",
        });
        if home.durability == Durability::Relaxed {
            command.args([
                "--innodb-flush-method=nosync",
                "--innodb-doublewrite=0",
                "--sync-frm=0",
            ]);
        }
        Ok(command)
    }

    fn probe(&self, home: &Home, port: u16) -> Result<Command, Error> {
        let mut command = Command::new(program("mariadb")?);
        hermetic(&mut command, &home.directory);
        command.env("MYSQL_PWD", &home.password);
        command.args([
            "--no-defaults",
            "--protocol=tcp",
            "--host=127.0.0.1",
            "--connect-timeout=5",
        ]);
        command
            .arg(format!("--port={port}"))
            .arg(format!("--user={USER}"));
        command.args(["--execute=SELECT 1", DATABASE]);
        Ok(command)
    }

    fn url(&self, home: &Home, port: u16) -> String {
        format!(
            "mysql://{USER}:{}@127.0.0.1:{port}/{DATABASE}",
            home.password
        )
    }
}

/// Run at every start, before the first client: one statement per line, each safe to repeat.
fn start_sql(password: &str) -> String {
    format!(
        "CREATE OR REPLACE USER '{USER}'@'%' IDENTIFIED BY '{password}';\n\
         GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n\
         DELETE FROM mysql.global_priv WHERE User = '';\n\
         FLUSH PRIVILEGES;\n\
         CREATE DATABASE IF NOT EXISTS {DATABASE};\n"
    )
}

fn option(name: &str, path: PathBuf) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(format!("--{name}="));
    option.push(path);
    option
}

fn temporary(home: &Home) -> PathBuf {
    home.directory.join("tmp")
}

fn data(home: &Home) -> PathBuf {
    home.directory.join("data")
}

/// Is a complete server installed?
pub(crate) fn installed() -> bool {
    ["mariadb-install-db", "mariadbd", "mariadb"]
        .into_iter()
        .all(|name| program(name).is_ok())
}

fn program(name: &'static str) -> Result<PathBuf, Error> {
    process::find(&[name]).ok_or(Error::NoProgram { program: name })
}
