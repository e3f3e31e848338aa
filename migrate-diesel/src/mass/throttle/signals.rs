//! Signals that come with this crate.

use std::{fs, time::Duration};

use super::Throttle;
use crate::{backend::Driver, mass::source::six, migration::BoxError};

/// The first text of the first row.
fn one(ask: &mut dyn Driver, expression: &str, from: &str) -> Result<Option<String>, BoxError> {
    let rows = ask.rows(&format!("SELECT {}{from}", six([expression.to_owned()])))?;
    let first = rows.into_iter().next();
    Ok(first.and_then(|row| {
        let [text, ..] = row.into_columns();
        text
    }))
}

fn number(ask: &mut dyn Driver, expression: &str, from: &str) -> Result<f64, BoxError> {
    let as_text = ask.dialect().number_as_text.replace("{}", expression);
    let text = one(ask, &as_text, from)?;
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| "the database did not answer with a number".into())
}

fn unknown(what: &str, ask: &dyn Driver) -> BoxError {
    format!("{} knows no {what}", ask.dialect().name).into()
}

/// Holds back while a replica is so far behind.
///
/// On PostgreSQL the primary is asked for all its replicas (`pg_stat_replication`, for which the user
/// needs the role `pg_monitor`), on MySQL and MariaDB the replica itself, of which one has to say where
/// it is.
#[derive(Clone, Debug)]
pub struct ReplicaLag {
    above: Duration,
    url_variable: Option<&'static str>,
}

impl ReplicaLag {
    /// Longer than that.
    #[must_use]
    pub const fn above(above: Duration) -> Self {
        Self {
            above,
            url_variable: None,
        }
    }

    /// Of the replica whose URL is in this environment variable.
    #[must_use]
    pub const fn of(mut self, url_variable: &'static str) -> Self {
        self.url_variable = Some(url_variable);
        self
    }

    fn url(&self) -> Result<Option<String>, BoxError> {
        let url = |name: &str| {
            std::env::var(name).map_err(|_| {
                format!("the environment variable `{name}` does not say where the replica is")
            })
        };
        Ok(self.url_variable.map(url).transpose()?)
    }
}

impl Throttle for ReplicaLag {
    fn check(&self, ask: &mut dyn Driver) -> Result<Option<String>, BoxError> {
        let behind = match (ask.dialect().name, self.url()?) {
            ("postgres", None) => Some(number(
                ask,
                "coalesce(max(extract(epoch FROM replay_lag)), 0)",
                " FROM pg_stat_replication",
            )?),
            #[cfg(feature = "postgres")]
            ("postgres", Some(url)) => replicas::postgres(&url)?,
            #[cfg(feature = "mysql")]
            ("mysql", Some(url)) => replicas::mysql(&url)?,
            ("mysql", None) => {
                return Err("`ReplicaLag` needs `.of(\"VARIABLE\")` with the replica's URL".into());
            }
            _ => return Err(unknown("replicas", ask)),
        };
        let above = self.above.as_secs_f64();
        Ok(match behind {
            None => Some("the replica is not replicating".to_owned()),
            Some(behind) if behind > above => Some(format!(
                "a replica is {behind:.1}s behind, more than {above}s"
            )),
            Some(_) => None,
        })
    }
}

mod replicas {
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    use crate::migration::BoxError;

    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn connect<C: diesel::Connection>(url: &str) -> Result<C, BoxError> {
        let url = migrate_core::DatabaseUrl::new(url);
        C::establish(&crate::url::for_driver(&url, &Default::default()))
            .map_err(|error| crate::error::Error::connect(&url, &error).into())
    }

    /// Seconds behind; `None` when it does not replicate.
    #[cfg(feature = "postgres")]
    pub(super) fn postgres(url: &str) -> Result<Option<f64>, BoxError> {
        let mut replica: diesel::PgConnection = connect(url)?;
        // All that was received is replayed: then nothing is behind, however long nothing came.
        let text = super::one(
            &mut replica,
            "CASE WHEN NOT pg_is_in_recovery() THEN NULL \
             WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN '0' \
             ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::text END",
            "",
        )?;
        Ok(text.and_then(|text| text.parse().ok()))
    }

    #[cfg(feature = "mysql")]
    #[derive(diesel::QueryableByName)]
    struct Status {
        #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
        #[diesel(column_name = "Seconds_Behind_Master")]
        behind: Option<i64>,
    }

    #[cfg(feature = "mysql")]
    #[derive(diesel::QueryableByName)]
    struct NewStatus {
        #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
        #[diesel(column_name = "Seconds_Behind_Source")]
        behind: Option<i64>,
    }

    /// Seconds behind; `None` when it does not replicate.
    #[cfg(feature = "mysql")]
    pub(super) fn mysql(url: &str) -> Result<Option<f64>, BoxError> {
        use diesel::RunQueryDsl as _;

        let mut replica: diesel::MysqlConnection = connect(url)?;
        // MySQL since 8.4 knows only the new words, MariaDB and older ones only the old.
        let new = diesel::sql_query("SHOW REPLICA STATUS").load::<NewStatus>(&mut replica);
        let behind = match new {
            Ok(rows) => rows.into_iter().map(|row| row.behind).next(),
            Err(_) => diesel::sql_query("SHOW SLAVE STATUS")
                .load::<Status>(&mut replica)?
                .into_iter()
                .map(|row| row.behind)
                .next(),
        };
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        Ok(behind.flatten().map(|seconds| seconds as f64))
    }
}

/// Holds back while so many statements wait for locks.
#[derive(Clone, Debug)]
pub struct LockWaits {
    above: u32,
}

impl LockWaits {
    /// More than that.
    #[must_use]
    pub const fn above(above: u32) -> Self {
        Self { above }
    }
}

impl Throttle for LockWaits {
    fn check(&self, ask: &mut dyn Driver) -> Result<Option<String>, BoxError> {
        let from = match ask.dialect().name {
            // Advisory locks are waited for on purpose.
            "postgres" => " FROM pg_locks WHERE NOT granted AND locktype <> 'advisory'",
            "mysql" => " FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
            _ => return Err(unknown("lock waits", ask)),
        };
        let waiting = number(ask, "count(*)", from)?;
        Ok((waiting > f64::from(self.above)).then(|| {
            format!(
                "{waiting} statements wait for locks, more than {}",
                self.above
            )
        }))
    }
}

/// Holds back while so many sessions of the server are busy, beside the one that asks.
#[derive(Clone, Debug)]
pub struct Sessions {
    above: u32,
}

impl Sessions {
    /// More than that.
    #[must_use]
    pub const fn above(above: u32) -> Self {
        Self { above }
    }
}

impl Throttle for Sessions {
    fn check(&self, ask: &mut dyn Driver) -> Result<Option<String>, BoxError> {
        let from = match ask.dialect().name {
            "postgres" => {
                " FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            }
            "mysql" => {
                " FROM information_schema.processlist WHERE command IN ('Query', 'Execute') AND id <> CONNECTION_ID()"
            }
            _ => return Err(unknown("sessions", ask)),
        };
        let busy = number(ask, "count(*)", from)?;
        Ok((busy > f64::from(self.above))
            .then(|| format!("{busy} sessions are busy, more than {}", self.above)))
    }
}

/// Holds back while the load of the worker's host is so high: for a database on the same one.
#[derive(Clone, Debug)]
pub struct Load {
    above: f64,
}

impl Load {
    /// Higher than that, on average over a minute.
    #[must_use]
    pub const fn above(above: f64) -> Self {
        Self { above }
    }
}

impl Throttle for Load {
    fn check(&self, _: &mut dyn Driver) -> Result<Option<String>, BoxError> {
        let text = fs::read_to_string("/proc/loadavg")
            .map_err(|error| format!("this host does not tell its load: {error}"))?;
        let load: f64 = text
            .split(' ')
            .next()
            .and_then(|first| first.parse().ok())
            .ok_or("this host does not tell its load")?;
        Ok((load > self.above).then(|| format!("the load is {load}, more than {}", self.above)))
    }
}

/// Holds back while a query of your own says so: by a row whose only value is neither NULL, nor false, nor
/// 0, nor an empty text. A text is the reason.
#[derive(Clone, Debug)]
pub struct Query {
    sql: &'static str,
}

impl Query {
    /// This one.
    #[must_use]
    pub const fn new(sql: &'static str) -> Self {
        Self { sql }
    }
}

impl Throttle for Query {
    fn check(&self, ask: &mut dyn Driver) -> Result<Option<String>, BoxError> {
        let value = format!("(SELECT * FROM ({}) AS asked LIMIT 1)", self.sql);
        let as_text = ask.dialect().number_as_text.replace("{}", &value);
        let says = one(ask, &as_text, "")?;
        Ok(match says.as_deref() {
            None | Some("" | "0" | "false" | "f") => None,
            Some("1" | "true" | "t") => Some(format!("`{}` says so", self.sql)),
            Some(reason) => Some(reason.to_owned()),
        })
    }
}
