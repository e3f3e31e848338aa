//! Mass migrations in memory: what was asked, and scripted answers.

use migrate_core::{
    Failure, FailureKind, Interrupt, Location,
    mass::{
        Live, MassRun, MassState, Quarantined,
        frontend::{
            MassDetail, MassEvent, MassOperations, MassStatus, Order, Progress, StartRequest,
            WorkReport, WorkRequest,
        },
    },
};

use super::FakeDeployment;

/// What a front end asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    Enqueue(StartRequest),
    Work(WorkRequest),
    Order(String, Order, Option<String>),
}

/// What there is, what it says while it works, and what was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeMass {
    pub(crate) all: Vec<MassStatus>,
    pub(crate) shards: Vec<migrate_core::mass::Shard>,
    pub(crate) failures: Vec<Quarantined>,
    pub(crate) events: Vec<MassEvent>,
    /// The state that `work` leaves what it runs in.
    pub(crate) ends: Option<MassState>,
    pub(crate) asked: super::Shared<Vec<Asked>>,
}

/// One at work, 640 of 1,000 done.
pub(crate) fn mass(id: &str, state: MassState) -> MassStatus {
    let run = (state != MassState::Pending).then(|| MassRun {
        run: 1,
        id: id.to_owned(),
        state,
        reason: None,
        revision: 3,
        live: Live {
            batch: 100,
            target: Some(std::time::Duration::from_millis(500)),
            pause: std::time::Duration::ZERO,
            max_failures: 10,
        },
        parameters: Some(r#"{"domain":"example.org","token":"***"}"#.to_owned()),
        total: Some(1_000),
        fingerprint: "0011223344556677".to_owned(),
        created_at: "2026-11-20T09:30:00Z".to_owned(),
        started_at: Some("2026-11-20T09:30:01Z".to_owned()),
        ended_at: None,
        throttled_for: None,
        by: "me@here pid 1".to_owned(),
    });
    MassStatus {
        id: id.to_owned(),
        description: "Fills what was added.".to_owned(),
        over: "users by id".to_owned(),
        state,
        reason: None,
        progress: match &run {
            Some(_) => Progress {
                units: 640,
                total: Some(1_000),
                rows: 600,
                batches: 7,
                failures: 1,
                shards: (1, 3),
                workers: 2,
                rate: Some(123.4),
                eta: Some(std::time::Duration::from_secs(3)),
            },
            None => Progress::default(),
        },
        run,
        problems: Vec::new(),
        location: Location {
            file: "src/migrations.rs",
            line: 12,
            column: 1,
        },
        waits_for: Vec::new(),
    }
}

impl FakeDeployment {
    fn named(&self, id: &str) -> Result<MassStatus, Failure> {
        let all = &self.app.mass.all;
        let found = all
            .iter()
            .find(|it| it.id == id || it.id.ends_with(&format!(":{id}")));
        found.cloned().ok_or_else(|| {
            Failure::new(
                FailureKind::Usage,
                format!("there is no mass migration `{id}`"),
            )
        })
    }
}

impl MassOperations for FakeDeployment {
    fn list(&mut self) -> Result<Vec<MassStatus>, Failure> {
        Ok(self.app.mass.all.clone())
    }

    fn status(&mut self, id: &str) -> Result<MassDetail, Failure> {
        Ok(MassDetail {
            status: self.named(id)?,
            shards: self.app.mass.shards.clone(),
        })
    }

    fn enqueue(&mut self, request: &StartRequest) -> Result<MassStatus, Failure> {
        let status = self.named(&request.id)?;
        let asked = Asked::Enqueue(request.clone());
        self.app.mass.asked.borrow_mut().push(asked);
        Ok(MassStatus {
            state: MassState::Enqueued,
            ..status
        })
    }

    fn work(
        &mut self,
        request: &WorkRequest,
        _: &Interrupt,
        on_event: &mut (dyn FnMut(MassEvent) + Send),
    ) -> WorkReport {
        let asked = Asked::Work(request.clone());
        self.app.mass.asked.borrow_mut().push(asked);
        self.app.mass.events.iter().cloned().for_each(on_event);
        let runs = request.runs.iter().filter_map(|run| {
            let status = self.named(&run.id).ok()?;
            let state = self.app.mass.ends.unwrap_or(MassState::Succeeded);
            Some(MassStatus { state, ..status })
        });
        WorkReport {
            runs: runs.collect(),
            failure: None,
        }
    }

    fn control(
        &mut self,
        id: &str,
        order: &Order,
        reason: Option<&str>,
    ) -> Result<MassStatus, Failure> {
        let status = self.named(id)?;
        let asked = Asked::Order(status.id.clone(), order.clone(), reason.map(str::to_owned));
        self.app.mass.asked.borrow_mut().push(asked);
        Ok(status)
    }

    fn failures(&mut self, id: &str, _: usize) -> Result<Vec<Quarantined>, Failure> {
        self.named(id)?;
        Ok(self.app.mass.failures.clone())
    }
}
