//! [`Desk`]: what people and programs ask of the mass migrations of one database, apart from working on
//! them.

use migrate_core::{
    Descriptor, Graph, Scale, Standing, State,
    mass::{
        Granularity, KeySource, Live, MassFacts, MassKind, MassState, Quarantined,
        frontend::{MassDetail, MassStatus, Order, Progress, SkipTarget, StartRequest},
        progress::eta,
        schedule,
    },
    report::{Problem, ProblemKind},
};

use super::{
    Mass, MassError, Parameters, parameters,
    store::{self, Again, Change, NewRun, Ordered, Seen, Which},
};
use crate::{
    backend::Driver,
    error::Error,
    history::{Read, Sight, Store, WITH_MASS},
    migration::Migration,
};

/// How often a change is tried while workers change the same row.
const TRIES: usize = 20;

/// One database, and what of it belongs to mass migrations.
pub(crate) struct Desk<'d> {
    pub(crate) driver: &'d mut dyn Driver,
    pub(crate) graph: &'d Graph,
    pub(crate) migrations: &'d [&'static Migration],
    pub(crate) store: &'d Store,
}

/// What the database said, at one moment.
struct Look {
    read: Read,
    /// The newest of each migration.
    runs: Vec<Seen>,
}

/// A mass migration that is carried.
#[derive(Clone, Copy)]
struct Carried {
    at: usize,
    descriptor: &'static Descriptor,
    mass: &'static Mass,
}

impl Desk<'_> {
    /// All, in the order of the graph.
    pub(crate) fn list(&mut self) -> Result<Vec<MassStatus>, Error> {
        let look = self.look()?;
        let standing = Standing::new(self.graph, &look.read.history);
        let carried = self.carried();
        Ok(carried
            .into_iter()
            .map(|it| self.told(it, &standing, &look))
            .collect())
    }

    /// One of them, with its shards.
    pub(crate) fn status(&mut self, id: &str) -> Result<MassDetail, Error> {
        let carried = self.find(id)?;
        let look = self.look()?;
        let standing = Standing::new(self.graph, &look.read.history);
        let status = self.told(carried, &standing, &look);
        let shards = look.of(carried).map(|seen| seen.shards.clone());
        Ok(MassDetail {
            status,
            shards: shards.unwrap_or_default(),
        })
    }

    /// Whether the tables are there.
    pub(crate) fn is_ready(&mut self) -> Result<bool, Error> {
        Ok(self.store.read(self.driver, Sight::Live)?.version >= WITH_MASS)
    }

    /// Starts a run; what is enqueued, at work or done already stays as it is. Needs the tables.
    pub(crate) fn enqueue(
        &mut self,
        request: &StartRequest,
        by: &str,
    ) -> Result<MassStatus, Error> {
        let carried = self.find(&request.id)?;
        let id = carried.descriptor.id.to_string();
        let typed = request
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let parameters = parameters::parse(carried.mass.code.fields(), typed);
        for _ in 0..TRIES {
            let look = self.look()?;
            let standing = Standing::new(self.graph, &look.read.history);
            let status = self.told(carried, &standing, &look);
            if status.state == MassState::Succeeded {
                return Ok(status);
            }
            match look.of(carried).filter(|seen| seen.is_live) {
                Some(seen) => {
                    self.join(carried, seen, &status, request, &parameters, by)?;
                    return Ok(self.status(&id)?.status);
                }
                None => {
                    if !status.waits_for.is_empty() {
                        let on = status.waits_for;
                        return Err(MassError::WaitsFor { id, on }.into());
                    }
                    if self.begin(carried, &look, request, &parameters, by)? {
                        return Ok(self.status(&id)?.status);
                    }
                }
            }
        }
        Err(MassError::Contended { id }.into())
    }

    /// Inserts the run; `false` when somebody else just has.
    fn begin(
        &mut self,
        carried: Carried,
        look: &Look,
        request: &StartRequest,
        parameters: &Parameters,
        by: &str,
    ) -> Result<bool, Error> {
        let Carried {
            descriptor, mass, ..
        } = carried;
        let id = descriptor.id.to_string();
        // Checked here, so that a worker on another host does not meet it an hour later.
        if let Err(error) = mass.code.check(parameters) {
            return Err(match error.downcast() {
                Ok(source) => MassError::Parameters {
                    id,
                    source: *source,
                },
                Err(other) => MassError::Start {
                    id,
                    why: other.to_string(),
                },
            }
            .into());
        }
        let json = serde_json::Value::Object(parameters.clone()).to_string();
        let fingerprint = descriptor.fingerprint.to_string();
        let new = NewRun {
            id: &id,
            since: look.of(carried).map_or(0, |seen| seen.run.run),
            live: store::applied(&live(&mass.facts), &request.set),
            parameters: (!parameters.is_empty()).then_some(json.as_str()),
            fingerprint: &fingerprint,
            by,
        };
        store::insert(self.store, self.driver, &new).map_err(doing("start", &id))
    }

    /// What is started already: its parameters stay, its settings may be others.
    fn join(
        &mut self,
        carried: Carried,
        seen: &Seen,
        status: &MassStatus,
        request: &StartRequest,
        parameters: &Parameters,
        by: &str,
    ) -> Result<(), Error> {
        let id = carried.descriptor.id.to_string();
        if !parameters.is_empty() && *parameters != given(seen) {
            return Err(MassError::OtherParameters { id }.into());
        }
        let why = match status.state {
            MassState::Paused | MassState::Pausing => "`mass resume` goes on",
            MassState::Failed | MassState::Cancelled | MassState::Cancelling => {
                "`mass retry` goes on from where it stopped"
            }
            _ => "",
        };
        if !why.is_empty() {
            let state = status.state;
            let source = schedule::Refused { state, why };
            return Err(MassError::Refused { id, source }.into());
        }
        if !request.set.is_empty() {
            self.control(&id, &Order::Set(request.set.clone()), None, by)?;
        }
        Ok(())
    }

    /// Changes a run, and logs who and why.
    pub(crate) fn control(
        &mut self,
        id: &str,
        order: &Order,
        reason: Option<&str>,
        by: &str,
    ) -> Result<MassStatus, Error> {
        let carried = self.find(id)?;
        let id = carried.descriptor.id.to_string();
        for _ in 0..TRIES {
            let look = self.look()?;
            let Some(seen) = look.of(carried) else {
                return Err(MassError::NoRun { id }.into());
            };
            let standing = Standing::new(self.graph, &look.read.history);
            if self.told(carried, &standing, &look).state == MassState::Pending {
                return Err(MassError::NoRun { id }.into());
            }
            let to = schedule::ordered(&seen.run, &seen.shards, order).map_err(|source| {
                MassError::Refused {
                    id: id.clone(),
                    source,
                }
            })?;
            if self.ordered(seen, order, to, reason, by)? == Ordered::Done {
                return Ok(self.status(&id)?.status);
            }
        }
        Err(MassError::Contended { id }.into())
    }

    fn ordered(
        &mut self,
        seen: &Seen,
        order: &Order,
        to: Option<MassState>,
        reason: Option<&str>,
        by: &str,
    ) -> Result<Ordered, Error> {
        let id = &seen.run.id;
        let failed = || doing("change", id);
        match order {
            Order::Set(settings) => {
                store::set(self.store, self.driver, &seen.run, settings, (by, reason))
                    .map_err(failed())
            }
            Order::Skip(target) => {
                let reason = reason
                    .filter(|reason| !reason.trim().is_empty())
                    .ok_or(MassError::NoReason)?;
                let run = (seen.run.run, id.as_str());
                let skipped = store::skip(self.store, self.driver, run, target, (by, reason))
                    .map_err(failed())?;
                match target {
                    SkipTarget::Key(key) if skipped == 0 => Err(MassError::NothingToSkip {
                        id: id.clone(),
                        key: key.clone(),
                    }
                    .into()),
                    _ => Ok(Ordered::Done),
                }
            }
            Order::Pause | Order::Resume | Order::Cancel | Order::Retry => {
                let Some(to) = to else {
                    return Ok(Ordered::Done);
                };
                let again = match order {
                    Order::Retry => Again::Yes,
                    _ => Again::No,
                };
                let change = Change {
                    run: &seen.run,
                    to,
                    reason,
                    throttled_for: None,
                    by,
                };
                store::order(self.store, self.driver, &change, again).map_err(failed())
            }
        }
    }

    /// What is or was in quarantine in the newest run.
    pub(crate) fn failures(&mut self, id: &str, limit: usize) -> Result<Vec<Quarantined>, Error> {
        let carried = self.find(id)?;
        let look = self.look()?;
        let Some(seen) = look.of(carried) else {
            return Ok(Vec::new());
        };
        store::failures(self.store, self.driver, seen.run.run, limit)
            .map_err(doing("read the failures of", &seen.run.id))
    }

    fn look(&mut self) -> Result<Look, Error> {
        let read = self.store.read(self.driver, Sight::Live)?;
        let runs = if read.version >= WITH_MASS {
            store::runs(self.store, self.driver, Which::Newest)
                .map_err(Error::database("read the runs of mass migrations"))?
        } else {
            Vec::new()
        };
        Ok(Look { read, runs })
    }

    fn carried(&self) -> Vec<Carried> {
        let nodes = self.graph.iter().enumerate();
        nodes
            .filter(|(_, descriptor)| descriptor.scale == Scale::Mass)
            .filter_map(|(at, descriptor)| self.at(at, descriptor))
            .collect()
    }

    fn at(&self, at: usize, descriptor: &'static Descriptor) -> Option<Carried> {
        let migration = self
            .migrations
            .iter()
            .find(|it| std::ptr::eq(&raw const it.descriptor, descriptor))?;
        Some(Carried {
            at,
            descriptor,
            mass: migration.mass?,
        })
    }

    fn find(&self, id: &str) -> Result<Carried, Error> {
        let at = self.graph.find(id)?;
        let descriptor = self.graph.get(at);
        let found = descriptor.and_then(|descriptor| self.at(at, descriptor));
        match (found, descriptor) {
            (Some(found), _) => Ok(found),
            (None, Some(descriptor)) => Err(MassError::NotMass {
                id: descriptor.id.to_string(),
                location: descriptor.location,
            }
            .into()),
            (None, None) => Err(MassError::NoRun { id: id.to_owned() }.into()),
        }
    }

    /// The one predicate: what the history calls applied has succeeded, and nothing else.
    fn told(&self, carried: Carried, standing: &Standing<'_>, look: &Look) -> MassStatus {
        let Carried {
            at,
            descriptor,
            mass,
        } = carried;
        let applied = standing.state(at) == State::Applied;
        let seen = look.of(carried);
        let state = match seen {
            _ if applied => MassState::Succeeded,
            // It was reverted since, or closed: what it built on was.
            Some(seen) if !seen.is_live => MassState::Pending,
            Some(seen) => schedule::effective(&seen.run, &seen.shards),
            None => MassState::Pending,
        };
        let seen = seen.filter(|_| state != MassState::Pending);
        let requires = self.graph.requirements(at).iter();
        let waits_for = requires
            .filter(|&&on| standing.state(on as usize) != State::Applied)
            .filter_map(|&on| self.graph.get(on as usize))
            .map(|on| on.id.to_string());
        let mut problems = Vec::new();
        if let Some(seen) = seen.filter(|_| !applied)
            && seen.run.fingerprint != descriptor.fingerprint.to_string()
        {
            let problem = Problem::new(
                ProblemKind::Changed,
                descriptor.id.to_string(),
                "its code changed since its run was started: what is done was done by the old one"
                    .to_owned(),
            );
            problems.push(problem.at(descriptor.location));
        }
        MassStatus {
            id: descriptor.id.to_string(),
            description: descriptor.description.to_owned(),
            over: over(&mass.facts),
            state,
            reason: seen.and_then(|seen| seen.run.reason.clone()),
            run: seen.map(|seen| {
                let mut run = seen.run.clone();
                run.parameters = shown(mass, seen);
                run
            }),
            progress: seen.map(progress).unwrap_or_default(),
            problems,
            location: descriptor.location,
            waits_for: waits_for.collect(),
        }
    }
}

impl Look {
    /// The newest run, under the present id or a former one.
    fn of(&self, carried: Carried) -> Option<&Seen> {
        let descriptor = carried.descriptor;
        let package = descriptor.id.package();
        let is_it = |id: &str| {
            id == descriptor.id.to_string()
                || descriptor
                    .was
                    .iter()
                    .any(|was| id == *was || id == format!("{package}:{was}"))
        };
        self.runs
            .iter()
            .filter(|seen| is_it(&seen.run.id))
            .max_by_key(|seen| seen.run.run)
    }
}

fn doing(what: &'static str, id: &str) -> impl FnOnce(diesel::result::Error) -> Error + use<> {
    Error::database(format!("{what} `{id}`"))
}

/// The parameters that a run was started with.
fn given(seen: &Seen) -> Parameters {
    let parsed = seen
        .run
        .parameters
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    parsed.unwrap_or_default()
}

/// Those that may be shown, as JSON.
fn shown(mass: &Mass, seen: &Seen) -> Option<String> {
    let given = given(seen);
    if given.is_empty() {
        return None;
    }
    let masked = parameters::masked(mass.code.fields());
    let shown = parameters::shown(&given, &masked);
    Some(serde_json::Value::Object(shown).to_string())
}

/// What the declaration says of what may be changed.
pub(crate) fn live(facts: &MassFacts) -> Live {
    Live {
        batch: facts.batch.max(1),
        target: facts.target,
        pause: facts.pause,
        max_failures: facts.max_failures,
    }
}

/// How far a run is, by what its shards say.
pub(crate) fn progress(seen: &Seen) -> Progress {
    let mut progress = Progress {
        total: seen.run.total,
        failures: seen.open_failures,
        ..Progress::default()
    };
    let mut rate = 0.0;
    for shard in seen.shards.iter().filter(|it| it.shard != 0) {
        progress.units += shard.units;
        progress.rows += shard.rows;
        progress.batches += shard.batches;
        progress.shards.1 += 1;
        if shard.state == migrate_core::mass::ShardState::Done {
            progress.shards.0 += 1;
        }
        if shard.leased_for.is_some_and(|left| !left.is_zero()) {
            progress.workers += 1;
            rate += shard.rate.unwrap_or(0.0);
        }
    }
    progress.rate = (rate > 0.0).then_some(rate);
    progress.eta = eta(progress.units, progress.total, progress.rate);
    progress
}

/// What it goes over, in words.
fn over(facts: &MassFacts) -> String {
    match facts.kind {
        MassKind::Keys {
            source,
            key,
            granularity,
        } => {
            let key = match key {
                [] => "its primary key".to_owned(),
                key => key.join(", "),
            };
            let (what, of) = match (source, granularity) {
                (KeySource::Table(table), Granularity::Range) => (table, "ranges of"),
                (KeySource::Table(table), Granularity::Row) => (table, "rows of"),
                (KeySource::Query(_), Granularity::Range) => ("a query", "ranges of"),
                (KeySource::Query(_), Granularity::Row) => ("a query", "rows of"),
            };
            format!("{of} {what} by {key}")
        }
        MassKind::Items => "items".to_owned(),
        MassKind::Custom => "a cursor of its own".to_owned(),
        MassKind::Simple => "one step".to_owned(),
    }
}
