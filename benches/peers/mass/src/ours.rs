//! The mass migration, as its documentation shows it.

use migrate_diesel::{
    Program,
    core::{
        Application as _, DatabaseSettings, DatabaseUrl, Interrupt, Settings,
        mass::frontend::{Setting, StartRequest, WorkRequest},
    },
    mass::MassState,
    prelude::*,
};

use crate::{
    Result,
    hand::{backend, people},
};

// The same body three times: a database of its own name for each, so that a run meets one of them.
macro_rules! migration {
    ($name:ident, $database:literal, $connection:ty) => {
        #[mass_migration(database = $database, table = "people")]
        fn $name(db: &mut $connection, batch: &Batch<i64>) -> QueryResult<usize> {
            diesel::update(people::table.filter(people::id.between(batch.first(), batch.last())))
                .set(people::visits.eq(people::visits + 1))
                .execute(db)
        }
    };
}

migration!(visit_sqlite, "sqlite", SqliteConnection);
migration!(visit_postgres, "postgres", PgConnection);
migration!(visit_mysql, "mysql", MysqlConnection);

/// As `migrate mass run` does it.
pub fn run(url: &str, batch: u32, workers: u32) -> Result<()> {
    let backend = backend(url);
    let database = DatabaseSettings {
        name: backend.to_owned(),
        url: DatabaseUrl::new(url),
    };
    let failed = |failure: migrate_diesel::core::Failure| format!("{failure:?}");
    let mut deployment = Program::new(&[])
        .open(&Settings::default(), &database)
        .map_err(failed)?;
    let request = WorkRequest {
        runs: vec![StartRequest {
            id: format!("visit_{backend}"),
            set: vec![Setting::Batch(batch)],
            ..StartRequest::default()
        }],
        workers: usize::try_from(workers)?,
        ..WorkRequest::default()
    };
    let report = deployment
        .mass()
        .work(&request, &Interrupt::new(), &mut |_| {});
    if let Some(failure) = report.failure {
        return Err(failed(failure).into());
    }
    match report.runs.as_slice() {
        [run] if run.state == MassState::Succeeded => Ok(()),
        runs => Err(format!("the run has not succeeded: {runs:?}").into()),
    }
}
