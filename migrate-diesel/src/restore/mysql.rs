//! MySQL and MariaDB: their client reads the dump. DDL commits by itself there, so that a table
//! says that a restore was begun until it has ended well.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::PathBuf,
    process::{self, Command},
    time::{SystemTime, UNIX_EPOCH},
};

use migrate_core::{DatabaseUrl, percent_decode, restore::Dump};

use super::{Restoration, RestoreError, begun_table, client::Client, held};
use crate::error::Error;

impl Restoration<'_> {
    pub(super) fn mysql(&mut self, dump: &mut dyn Dump) -> Result<(), Error> {
        let table = begun_table(&self.store.table);
        let begun = self.driver.dialect().identifier(&table);
        let server = self.server()?;
        let address = Address::of(self.url);
        let options = OptionFile::write(&address.options(server)).map_err(unusable)?;
        let commands = server
            .programs()
            .map(|program| (program, options.command(program, &address.database)));
        let client = Client::start("MySQL", Vec::from(commands), self.interrupt)?;
        self.driver
            .batch(&format!("CREATE TABLE IF NOT EXISTS {begun} (id INTEGER)"))
            .map_err(Error::database("note that a restore was begun"))?;
        let fed = self.fed(client, dump);
        // Also where nothing of it came that far.
        if fed.is_ok() || held(self.driver)? == [table] {
            self.driver
                .batch(&format!("DROP TABLE {begun}"))
                .map_err(Error::database("note that the restore has ended"))?;
        }
        fed
    }

    fn fed(&mut self, mut client: Client, dump: &mut dyn Dump) -> Result<(), Error> {
        // What it did not want, it says at its end.
        client.feed(dump)?;
        let ended = client.end()?;
        if !ended.status.success() {
            return Err(ended.refused(self.url).into());
        }
        let lacking = self.lacking()?;
        if lacking.is_empty() {
            Ok(())
        } else {
            Err(RestoreError::Lacking(lacking).into())
        }
    }

    fn server(&mut self) -> Result<Server, Error> {
        let sql =
            "SELECT VERSION() AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5";
        let rows = self
            .driver
            .rows(sql)
            .map_err(Error::database("ask for the server's version"))?;
        let version = rows.into_iter().next().and_then(|row| row.c0);
        Ok(match version {
            Some(version) if version.contains("MariaDB") => Server::MariaDb,
            _ => Server::Mysql,
        })
    }
}

fn unusable(source: io::Error) -> RestoreError {
    RestoreError::Client {
        program: "mysql".to_owned(),
        source,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Mysql,
    MariaDb,
}

impl Server {
    /// Its own client first: each knows some things that the other does not.
    fn programs(self) -> [&'static str; 2] {
        match self {
            Self::Mysql => ["mysql", "mariadb"],
            Self::MariaDb => ["mariadb", "mysql"],
        }
    }
}

/// What a URL says, as Diesel reads it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Address {
    user: String,
    password: String,
    host: String,
    port: String,
    database: String,
    query: Vec<(String, String)>,
}

impl Address {
    fn of(url: &DatabaseUrl) -> Self {
        let text = url.reveal();
        let (_, rest) = text.split_once("://").unwrap_or(("", text));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = match rest.rsplit_once('@') {
            // A slash in a password that nobody encoded is none before the database.
            Some((user, rest)) => {
                let (host, database) = rest.split_once('/').unwrap_or((rest, ""));
                (format!("{user}@{host}"), database)
            }
            None => {
                let (host, database) = rest.split_once('/').unwrap_or((rest, ""));
                (host.to_owned(), database)
            }
        };
        let (user, address) = authority.rsplit_once('@').unwrap_or(("", &authority));
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (address, ""),
        };
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        Self {
            user: percent_decode(user),
            password: percent_decode(password),
            host: host.trim_matches(['[', ']']).to_owned(),
            port: port.to_owned(),
            database: database.to_owned(),
            query: query
                .map(|(key, value)| (key.to_owned(), percent_decode(value)))
                .collect(),
        }
    }

    /// The text of an option file.
    fn options(&self, server: Server) -> String {
        let mut text = String::from("[client]\n");
        let mut option = |name: &str, value: &str| {
            if !value.is_empty() {
                text.push_str(&format!("{name}={}\n", quoted(value)));
            }
        };
        option("user", &self.user);
        option("password", &self.password);
        option("host", &self.host);
        option("port", &self.port);
        option("default-character-set", "utf8mb4");
        let mut lines = Vec::new();
        for (key, value) in &self.query {
            match key.as_str() {
                "unix_socket" => option("socket", value),
                "ssl_ca" => option("ssl-ca", value),
                "ssl_cert" => option("ssl-cert", value),
                "ssl_key" => option("ssl-key", value),
                "ssl_mode" => lines.push(tls(server, value)),
                _ => {}
            }
        }
        for line in lines {
            text.push_str(&line);
        }
        // mysqldump writes rows into statements of up to 16 MiB and more; 1 GiB is the most there is.
        text.push_str("[mysql]\nmax_allowed_packet=1G\n[mariadb-client]\nmax_allowed_packet=1G\n");
        text
    }
}

/// The two have different words for it; `loose-` because some clients of each lack one.
fn tls(server: Server, mode: &str) -> String {
    let mode = mode.to_ascii_uppercase();
    match server {
        Server::Mysql => format!("loose-ssl-mode={mode}\n"),
        Server::MariaDb => match mode.as_str() {
            "DISABLED" => "loose-skip-ssl\n".to_owned(),
            "REQUIRED" => "loose-ssl\n".to_owned(),
            "VERIFY_CA" | "VERIFY_IDENTITY" => {
                "loose-ssl\nloose-ssl-verify-server-cert\n".to_owned()
            }
            _ => String::new(),
        },
    }
}

/// <https://dev.mysql.com/doc/refman/8.4/en/option-files.html>: quotes, and escapes in them.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// Options in a file that only we can read, and that goes with this value: arguments can be read by
/// everybody on the machine.
struct OptionFile(PathBuf);

impl OptionFile {
    fn write(text: &str) -> io::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = now.map_or(0, |since| since.as_nanos());
        let name = format!(".migrate-{}-{nanos}.cnf", process::id());
        let path = std::env::temp_dir().join(name);
        let mut options = OpenOptions::new();
        // Not one that somebody else laid there.
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&path)?;
        let file_of_ours = Self(path);
        file.write_all(text.as_bytes())?;
        Ok(file_of_ours)
    }

    /// `--defaults-file`, not `--defaults-extra-file`: after that one, `~/.my.cnf` could still say
    /// another user and password than the URL.
    fn command(&self, program: &str, database: &str) -> Command {
        let mut first = OsString::from("--defaults-file=");
        first.push(&self.0);
        let mut command = Command::new(program);
        command.arg(first).arg("--batch").arg(database);
        command
    }
}

impl Drop for OptionFile {
    fn drop(&mut self) {
        // Readable by us alone, also if it stays.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let of = |url: &str| Address::of(&DatabaseUrl::new(url));
        let address = of("mysql://me:p%40s%22s@db:3307/shop?ssl_mode=required&unix_socket=/run/x");
        assert_eq!(address.user, "me");
        assert_eq!(address.password, "p@s\"s");
        assert_eq!((&*address.host, &*address.port), ("db", "3307"));
        assert_eq!(address.database, "shop");
        let options = address.options(Server::MariaDb);
        for line in [
            "password=\"p@s\\\"s\"\n",
            "port=\"3307\"\n",
            "socket=\"/run/x\"\n",
            "loose-ssl\n",
        ] {
            assert!(options.contains(line), "{line} is not in {options}");
        }
        assert_eq!(of("mysql://me:a/b@db/shop").password, "a/b");
        assert_eq!(of("mysql://me:a/b@db/shop").database, "shop");
        assert_eq!(of("mysql://db/shop").host, "db");
        let six = of("mysql://me@[::1]:3306/shop");
        assert_eq!((&*six.host, &*six.port), ("::1", "3306"));
        assert_eq!(of("mysql://[::1]/shop").host, "::1");
    }

    #[test]
    fn the_file_is_ours_alone_and_goes() {
        let file = OptionFile::write("[client]\npassword=\"s3cret\"\n").unwrap();
        let path = file.0.clone();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let command = format!("{:?}", file.command("mysql", "shop"));
        assert!(!command.contains("s3cret"), "{command}");
        drop(file);
        assert!(!path.exists());
    }
}
