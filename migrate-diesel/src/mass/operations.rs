//! [`MassOperations`] of an open database: what the command line calls.

use migrate_core::{
    Failure, Interrupt,
    mass::{
        Quarantined,
        frontend::{
            MassDetail, MassEvent, MassOperations, MassStatus, Order, StartRequest, WorkReport,
            WorkRequest,
        },
    },
};

use super::desk::Desk;
use crate::{application::OpenDatabase, error::Error};

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
        self.run(&mut |_| {}, |runner| runner.make_tables())?
    }

    fn start(&mut self, request: &StartRequest) -> Result<MassStatus, Error> {
        // Before the tables are made for nothing.
        self.desk().status(&request.id)?;
        self.ready()?;
        self.desk().enqueue(request, &crate::who::whoami())
    }
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
        _request: &WorkRequest,
        _interrupt: &Interrupt,
        _on_event: &mut (dyn FnMut(MassEvent) + Send),
    ) -> WorkReport {
        WorkReport::default()
    }

    fn control(
        &mut self,
        id: &str,
        order: &Order,
        reason: Option<&str>,
    ) -> Result<MassStatus, Failure> {
        Ok(self
            .desk()
            .control(id, order, reason, &crate::who::whoami())?)
    }

    fn failures(&mut self, id: &str, limit: usize) -> Result<Vec<Quarantined>, Failure> {
        Ok(self.desk().failures(id, limit)?)
    }
}
