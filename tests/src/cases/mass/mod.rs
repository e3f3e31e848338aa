//! Mass migrations: the same promises on every database.

pub mod keys;
pub mod kinds;
pub mod losses;
pub mod orders;
pub mod signals;
pub mod types;
pub mod workers;

use std::time::Duration;

use migrate_diesel::{
    core::{
        Interrupt,
        frontend::Deployment,
        mass::{
            MassState,
            frontend::{MassEvent, MassStatus, Order, Setting, StartRequest, WorkRequest},
        },
    },
    prelude::*,
};

use crate::{database::Scratch, program};

/// Rows with a counter; one that is bad cannot be counted.
fn items(scratch: &Scratch, rows: u32) {
    scratch.sql(
        "CREATE TABLE mass_items (id INTEGER NOT NULL PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0, \
         bad INTEGER NOT NULL DEFAULT 0, CHECK (n = 0 OR bad = 0))",
    );
    // MariaDB counts no further in one query.
    for first in (1..=rows).step_by(1_000) {
        let last = rows.min(first + 999);
        scratch.sql(&format!(
            "INSERT INTO mass_items (id) WITH RECURSIVE k(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM k WHERE i < {last}) \
             SELECT i FROM k"
        ));
    }
}

/// Counts every row it gets.
#[mass_migration(
    database = "mass_items",
    table = "mass_items",
    batch = 20,
    shards = 6,
    max_failures = 5
)]
pub(crate) fn mass_count(db: &mut AnyConnection, batch: &Batch<i32>) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "UPDATE mass_items SET n = n + 1 WHERE {}",
        batch.filter()
    ))
    .execute(db)
}

/// One mass migration of a scratch database.
struct Mass<'s> {
    scratch: &'s Scratch,
    database: &'static str,
    id: &'static str,
}

impl<'s> Mass<'s> {
    fn new(scratch: &'s Scratch, database: &'static str, id: &'static str) -> Self {
        Self {
            scratch,
            database,
            id,
        }
    }

    fn program(&self) -> Box<dyn Deployment> {
        program::open(self.database, self.scratch.url()).unwrap()
    }

    fn start(&self) -> StartRequest {
        StartRequest {
            id: self.id.to_owned(),
            ..StartRequest::default()
        }
    }

    fn enqueue(&self, set: &[Setting]) -> MassStatus {
        let request = StartRequest {
            set: set.to_vec(),
            ..self.start()
        };
        self.program().mass().enqueue(&request).unwrap()
    }

    /// Works it off with a program of its own, and tells how that ended.
    fn run(&self, workers: usize) -> MassStatus {
        self.work(
            workers,
            Duration::from_secs(15),
            &Interrupt::new(),
            &mut |_| {},
        )
    }

    fn work(
        &self,
        workers: usize,
        lease: Duration,
        interrupt: &Interrupt,
        on_event: &mut (dyn FnMut(MassEvent) + Send),
    ) -> MassStatus {
        let mut program = self.program();
        let request = WorkRequest {
            runs: vec![self.start()],
            workers,
            lease,
            ..WorkRequest::default()
        };
        let report = program.mass().work(&request, interrupt, on_event);
        assert!(report.failure.is_none(), "{:?}", report.failure);
        report.runs.into_iter().next().unwrap()
    }

    fn status(&self) -> MassStatus {
        let detail = self.program().mass().status(self.id);
        detail.unwrap().status
    }

    fn control(&self, order: &Order) -> MassStatus {
        self.program()
            .mass()
            .control(self.id, order, Some("because"))
            .unwrap()
    }

    /// Waits for what workers do meanwhile.
    fn wait_for(&self, what: impl Fn(&MassStatus) -> bool) -> MassStatus {
        for _ in 0..2_000 {
            let status = self.status();
            if what(&status) {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{:?}", self.status());
    }
}

/// How often rows were counted, and how many of each.
fn counted(scratch: &Scratch) -> Vec<String> {
    scratch.texts(
        "SELECT CONCAT(n, ' times: ', count(*)) AS value FROM mass_items GROUP BY n ORDER BY n",
    )
}

fn succeeded(status: &MassStatus) {
    assert_eq!(status.state, MassState::Succeeded, "{status:?}");
}
