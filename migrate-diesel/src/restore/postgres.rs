//! PostgreSQL: `psql` reads the dump, in one transaction that ends only with our last word.

use std::process::Command;

use migrate_core::{DatabaseUrl, percent_decode, restore::Dump};

use super::{Restoration, RestoreError, client::Client};
use crate::error::Error;

/// Not `--single-transaction`: that commits when the input ends, also when it ends because we died.
const BEGIN: &str = "BEGIN";
/// A COMMIT in the dump fails: what `half` refers to comes only with our own last word.
const GUARD: &str = "CREATE TEMPORARY TABLE migrate_restore_whole (id integer PRIMARY KEY); \
    CREATE TEMPORARY TABLE migrate_restore_half (id integer REFERENCES migrate_restore_whole DEFERRABLE INITIALLY DEFERRED); \
    INSERT INTO migrate_restore_half VALUES (1)";
/// `psql` says it after our COMMIT.
const DONE: &str = "migrate: the restore is committed";
/// Before the names of what is not there.
const LACKS: &str = "migrate: the dump lacks ";

impl Restoration<'_> {
    pub(super) fn postgres(&mut self, dump: &mut dyn Dump) -> Result<(), Error> {
        let mut client =
            Client::start("PostgreSQL", vec![("psql", psql(self.url))], self.interrupt)?;
        let all = client.feed(dump)?;
        if all {
            client.say(&self.last_word());
        }
        let ended = client.end()?;
        if ended.status.success() && ended.output.lines().any(|line| line.trim() == DONE) {
            return Ok(());
        }
        Err(self.why(&ended).into())
    }

    fn why(&self, ended: &super::client::Ended) -> RestoreError {
        if let Some((_, lacking)) = ended.errors.split_once(LACKS) {
            let lacking = lacking.lines().next().unwrap_or_default();
            return RestoreError::Lacking(lacking.split(", ").map(str::to_owned).collect());
        }
        if ended.errors.contains("migrate_restore_half") {
            return RestoreError::Partial(
                "it ends the transaction that it is restored in (COMMIT), so that a part of it could stay"
                    .to_owned(),
            );
        }
        if ended.status.success() {
            // Our last word was taken for a part of a text or of data.
            return RestoreError::Partial(
                "it ends in the middle of a statement, or of the data of a COPY".to_owned(),
            );
        }
        ended.refused(self.url)
    }

    /// Ends a statement that the dump left open, sees to it that everything is there, and commits.
    fn last_word(&self) -> String {
        let dialect = self.driver.dialect();
        let found: Vec<String> = self
            .expects
            .iter()
            .map(|table| {
                let (name, regclass) = (
                    (dialect.text)(table),
                    (dialect.text)(&dialect.identifier(table)),
                );
                format!("({name}, pg_catalog.to_regclass({regclass}))")
            })
            .collect();
        let check = if found.is_empty() {
            String::new()
        } else {
            format!(
                "DO $migrate$ DECLARE lacking text; BEGIN \
                 SELECT pg_catalog.string_agg(name, ', ') INTO lacking FROM (VALUES {}) AS found (name, there) WHERE there IS NULL; \
                 IF lacking IS NOT NULL THEN RAISE EXCEPTION '{LACKS}%', lacking; END IF; END $migrate$;\n",
                found.join(", ")
            )
        };
        // pg_dump leaves an empty search path behind.
        format!(
            "\n;\nRESET search_path;\n{check}INSERT INTO pg_temp.migrate_restore_whole VALUES (1);\nCOMMIT;\n\\echo '{DONE}'\n"
        )
    }
}

/// The password travels in the environment: arguments can be read by everybody on the machine.
fn psql(url: &DatabaseUrl) -> Command {
    let (url, password) = without_password(url);
    let mut command = Command::new("psql");
    command
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
        .args(["-c", BEGIN, "-c", GUARD, "-f", "-"])
        .arg(url);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    command
}

/// The URL that may be seen, and its password.
fn without_password(url: &DatabaseUrl) -> (String, Option<String>) {
    let text = url.reveal();
    let (start, query) = match text.split_once('?') {
        Some((start, query)) => (start, Some(query)),
        None => (text, None),
    };
    let mut password = None;
    let mut shown = String::new();
    match start.split_once("://") {
        Some((scheme, rest)) => {
            shown.push_str(scheme);
            shown.push_str("://");
            match rest.rsplit_once('@') {
                Some((user, host)) => {
                    let user = match user.split_once(':') {
                        Some((user, secret)) => {
                            password = Some(percent_decode(secret));
                            user
                        }
                        None => user,
                    };
                    shown.push_str(user);
                    shown.push('@');
                    shown.push_str(host);
                }
                None => shown.push_str(rest),
            }
        }
        None => shown.push_str(start),
    }
    let mut rest = Vec::new();
    for pair in query.unwrap_or_default().split('&') {
        match pair.strip_prefix("password=") {
            Some(secret) => password = Some(percent_decode(secret)),
            None if pair.is_empty() => {}
            None => rest.push(pair),
        }
    }
    if !rest.is_empty() {
        shown.push('?');
        shown.push_str(&rest.join("&"));
    }
    (shown, password.filter(|password| !password.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_no_argument() {
        for (url, shown, password) in [
            (
                "postgres://me:p%40ss@db:5433/shop",
                "postgres://me@db:5433/shop",
                Some("p@ss"),
            ),
            (
                "postgres://me:s3cret@db/shop?sslmode=require&connect_timeout=3",
                "postgres://me@db/shop?sslmode=require&connect_timeout=3",
                Some("s3cret"),
            ),
            (
                "postgres://db/shop?user=me&password=s3cret",
                "postgres://db/shop?user=me",
                Some("s3cret"),
            ),
            ("postgres://me@db/shop", "postgres://me@db/shop", None),
            (
                "postgres:///shop?host=/run/postgresql",
                "postgres:///shop?host=/run/postgresql",
                None,
            ),
        ] {
            let url = DatabaseUrl::new(url);
            assert_eq!(
                without_password(&url),
                (shown.to_owned(), password.map(str::to_owned))
            );
            let command = format!("{:?}", psql(&url).get_args().collect::<Vec<_>>());
            assert!(
                !command.contains("s3cret") && !command.contains("ss@"),
                "{command}"
            );
        }
    }
}
