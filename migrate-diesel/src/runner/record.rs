//! `mark`, `baseline`, `accept` and `adopt`: what is said about migrations without running them.

use std::time::{Duration, SystemTime};

use migrate_core::{
    Graph, History, Phase, Standing,
    adopt::{AdoptRequest, Adoption, adopt},
    record::{self, AcceptRequest, MarkRequest},
};

use super::Runner;
use crate::{
    error::Error,
    history::{Recorded, Sight},
    reports::Reader,
};

/// What stands in the history beside something that was marked.
const MARKED: &str = "recorded without running it";

impl Reader<'_> {
    /// What [`Runner::mark`] would record.
    pub(crate) fn plan_mark(&mut self, request: &MarkRequest) -> Result<Vec<String>, Error> {
        let read = self.store.read(self.driver, Sight::Live)?;
        let positions = record::mark(self.graph, &read.history, &request.marked)?;
        Ok(ids(self.graph, &positions))
    }

    /// What [`Runner::adopt`] would record.
    pub(crate) fn plan_adoption(&mut self, request: &AdoptRequest) -> Result<Adoption, Error> {
        let theirs = crate::adopt::read(self.driver, request)?;
        let read = self.store.read(self.driver, Sight::Live)?;
        Ok(adopt(self.graph, &read.history, &theirs, request)?)
    }
}

impl Runner<'_> {
    /// Records migrations as applied. Returns their full ids.
    pub(crate) fn mark(self, request: &MarkRequest) -> Result<Vec<String>, Error> {
        self.decide(
            request.wait,
            |graph, history| Ok(record::mark(graph, history, &request.marked)?),
            |runner, history, positions| {
                let now = SystemTime::now();
                runner.record_all(history, positions, "marked", |_| (now, MARKED.to_owned()))
            },
        )
    }

    /// Takes what changed for unchanged. Returns the full ids.
    pub(crate) fn accept(self, request: &AcceptRequest) -> Result<Vec<String>, Error> {
        self.decide(
            request.wait,
            |graph, history| Ok(record::accept(graph, history, request)?),
            |runner, history, positions| {
                let standing = Standing::new(runner.graph, history);
                let mut statements = Vec::new();
                for &at in positions {
                    if let (Some(descriptor), Some(row)) = (runner.graph.get(at), standing.row(at))
                    {
                        statements.extend(runner.store.accept(descriptor, row, &request.reason));
                    }
                }
                statements
            },
        )
    }

    /// Takes over another tool's history.
    pub(crate) fn adopt(self, request: &AdoptRequest) -> Result<Adoption, Error> {
        let theirs = crate::adopt::read(self.driver, request)?;
        let (graph, now) = (self.graph, SystemTime::now());
        let decide = |history: &History| adopt(graph, history, &theirs, request);
        let read = self.store.read(self.driver, Sight::Live)?;
        let mut adoption = decide(&read.history)?;
        self.decide(
            request.wait,
            |_, history| Ok(decide(history)?.positions()),
            |runner, history, positions| {
                // As it was decided a moment ago, with the lock.
                if let Ok(decided) = decide(history) {
                    adoption = decided;
                }
                runner.record_all(history, positions, "adopted", |at| {
                    let row = adoption.row_of(at);
                    let theirs = row.map_or("", |row| row.theirs.as_str());
                    (
                        row.and_then(|row| row.at).unwrap_or(now),
                        format!("as `{theirs}` of {}", request.tool.as_str()),
                    )
                })
            },
        )?;
        Ok(adoption)
    }

    /// Refuses without the lock what can be, decides again with it, and writes all or nothing.
    pub(super) fn decide(
        mut self,
        wait: Option<Duration>,
        decide: impl Fn(&Graph, &History) -> Result<Vec<usize>, Error>,
        statements: impl FnOnce(&mut Self, &History, &[usize]) -> Vec<String>,
    ) -> Result<Vec<String>, Error> {
        self.check_ready()?;
        let read = self.store.read(self.driver, Sight::Live)?;
        if decide(self.graph, &read.history)?.is_empty() {
            return Ok(Vec::new());
        }
        let mut decided = Vec::new();
        self.locked(wait, |runner| {
            runner.store.ensure(runner.driver)?;
            let read = runner.store.read(runner.driver, Sight::Settled)?;
            decided = decide(runner.graph, &read.history)?;
            if decided.is_empty() {
                return Ok(());
            }
            let statements = statements(runner, &read.history, &decided);
            runner
                .write(statements)
                .map_err(Error::database("write the history"))
        })?;
        Ok(ids(self.graph, &decided))
    }

    /// The statements that record these; `known` tells when each was applied, and what to say of it.
    pub(super) fn record_all(
        &self,
        history: &History,
        positions: &[usize],
        event: &'static str,
        known: impl Fn(usize) -> (SystemTime, String),
    ) -> Vec<String> {
        let standing = Standing::new(self.graph, history);
        let mut statements = Vec::new();
        let mut descriptors: Vec<_> = positions
            .iter()
            .filter_map(|&at| Some((at, self.graph.get(at)?)))
            .collect();
        // As an `up` would have: none is owed then.
        descriptors.sort_by_key(|(_, it)| it.repeat.phase() == Some(Phase::After));
        for (at, descriptor) in descriptors {
            let (when, detail) = known(at);
            statements.extend(self.store.record(&Recorded {
                descriptor,
                replaces: standing.row(at),
                at: when,
                event,
                detail: &detail,
                by: &self.state.by,
            }));
        }
        // Nobody is to work on what is applied.
        statements.extend(self.close_mass(positions, MARKED));
        statements
    }
}

/// Full ids of positions.
fn ids(graph: &Graph, positions: &[usize]) -> Vec<String> {
    let descriptors = positions.iter().filter_map(|&at| graph.get(at));
    descriptors.map(|it| it.id.to_string()).collect()
}
