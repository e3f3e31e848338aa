//! [`MassOperations`] of an open database: what the command line calls.

use migrate_core::{
    Failure, FailureKind, Interrupt,
    mass::{
        Quarantined,
        frontend::{
            MassDetail, MassEvent, MassOperations, MassStatus, Order, StartRequest, Stay,
            WorkReport, WorkRequest,
        },
    },
};

use super::{
    desk::Desk,
    engine::{self, Work},
};
use crate::{
    application::{OpenDatabase, connect},
    backend::Driver,
    error::Error,
};

impl OpenDatabase {
    fn desk(&mut self) -> Desk<'_> {
        Desk {
            driver: &mut self.connection,
            graph: &self.resolved.graph,
            migrations: &self.migrations,
            store: &self.store,
        }
    }

    /// The tables are made under the deploy lock, like every other change of them.
    fn ready(&mut self) -> Result<(), Error> {
        if self.desk().is_ready()? {
            return Ok(());
        }
        self.run(&mut |_| {}, |runner| runner.make_tables(None))?
    }

    fn start(&mut self, request: &StartRequest) -> Result<MassStatus, Error> {
        // Before the tables are made for nothing.
        self.desk().status(&request.id)?;
        self.ready()?;
        self.desk().enqueue(request, &crate::who::whoami())
    }

    /// Where a migration stands after hours in which only the workers' connections were used: this one may
    /// have been lost, and the run is none the worse for that.
    fn stands(&mut self, id: &str) -> Result<MassDetail, Error> {
        match self.desk().status(id) {
            Err(error) if error.kind() == FailureKind::Unreachable => {
                self.connection = connect(&self.database.url, &self.settings.session)?;
                self.desk().status(id)
            }
            other => other,
        }
    }

    /// Works; `touched` gets the ids of what it worked on.
    fn work_off(
        &mut self,
        request: &WorkRequest,
        interrupt: &Interrupt,
        on_event: &mut (dyn FnMut(MassEvent) + Send),
        touched: &mut Vec<String>,
    ) -> Result<(), Error> {
        let mut runs = Vec::new();
        for start in &request.runs {
            let status = self.start(start)?;
            touched.push(status.id);
            runs.extend(status.run.map(|run| run.run));
        }
        let serves = request.runs.is_empty();
        if serves {
            if request.stay == Stay::UntilIdle && !self.desk().is_ready()? {
                return Ok(());
            }
            self.ready()?;
        }
        let work = Work {
            store: &self.store,
            resolved: &self.resolved,
            migrations: &self.migrations,
            settings: &self.settings,
            runs: (!serves).then_some(runs.as_slice()),
            workers: request.workers,
            stay: if serves {
                request.stay
            } else {
                Stay::UntilIdle
            },
            lease: request.lease,
        };
        let (url, session) = (&self.database.url, &self.settings.session);
        let connect =
            || -> Result<Box<dyn Driver + Send>, Error> { Ok(Box::new(connect(url, session)?)) };
        engine::work(&work, &connect, interrupt, &mut |event| {
            let id = match &event {
                MassEvent::State { id, .. }
                | MassEvent::Progress { id, .. }
                | MassEvent::Quarantined { id, .. }
                | MassEvent::TakenOver { id, .. } => Some(id),
                MassEvent::Reconnecting { .. } => None,
            };
            if let Some(id) = id.filter(|id| !touched.contains(id)) {
                touched.push(id.clone());
            }
            on_event(event);
        })
    }

    fn change(
        &mut self,
        id: &str,
        order: &Order,
        reason: Option<&str>,
    ) -> Result<MassStatus, Error> {
        let by = crate::who::whoami();
        let status = self.desk().control(id, order, reason, &by)?;
        let Some(run) = status
            .run
            .as_ref()
            .filter(|_| matches!(order, Order::Skip(_)))
        else {
            return Ok(status);
        };
        // What was skipped may have been the last that kept it from its end.
        let work = Work {
            store: &self.store,
            resolved: &self.resolved,
            migrations: &self.migrations,
            settings: &self.settings,
            runs: None,
            workers: 1,
            stay: Stay::UntilIdle,
            lease: WorkRequest::default().lease,
        };
        let interrupt = Interrupt::new();
        engine::settle(
            &work,
            &mut self.connection,
            run.run,
            &interrupt,
            &mut |_| {},
        )?;
        Ok(self.desk().status(&status.id)?.status)
    }
}

/// What a worker cannot get over is no mistake in what was asked for.
fn gave_up(error: Error) -> Failure {
    let is_work = matches!(error, Error::Database { .. });
    let mut failure = Failure::from(error);
    if is_work && failure.kind == FailureKind::Usage {
        failure.kind = FailureKind::Migration;
    }
    failure
}

impl MassOperations for OpenDatabase {
    fn list(&mut self) -> Result<Vec<MassStatus>, Failure> {
        Ok(self.desk().list()?)
    }

    fn status(&mut self, id: &str) -> Result<MassDetail, Failure> {
        Ok(self.desk().status(id)?)
    }

    fn enqueue(&mut self, request: &StartRequest) -> Result<MassStatus, Failure> {
        Ok(self.start(request)?)
    }

    fn work(
        &mut self,
        request: &WorkRequest,
        interrupt: &Interrupt,
        on_event: &mut (dyn FnMut(MassEvent) + Send),
    ) -> WorkReport {
        let mut touched = Vec::new();
        let result = self.work_off(request, interrupt, on_event, &mut touched);
        let mut report = WorkReport {
            runs: Vec::new(),
            failure: result.err().map(gave_up),
        };
        for id in touched {
            match self.stands(&id) {
                Ok(detail) => report.runs.push(detail.status),
                Err(error) => {
                    report.failure.get_or_insert_with(|| error.into());
                }
            }
        }
        report
    }

    fn control(
        &mut self,
        id: &str,
        order: &Order,
        reason: Option<&str>,
    ) -> Result<MassStatus, Failure> {
        Ok(self.change(id, order, reason)?)
    }

    fn failures(&mut self, id: &str, limit: usize) -> Result<Vec<Quarantined>, Failure> {
        Ok(self.desk().failures(id, limit)?)
    }
}
