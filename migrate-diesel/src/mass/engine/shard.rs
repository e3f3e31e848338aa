//! One shard, from the claim until it is done or lost.

use std::time::{Duration, Instant};

use migrate_core::mass::{
    MassRun, MassState, Shard, ShardState,
    pace::{self, Probe},
    progress::Speedometer,
    schedule,
};

use super::{
    Carried, Shared,
    batch::Attempt,
    lock,
    patience::{Patience, passes},
    worker::{Worker, sight},
};
use crate::{
    error::Error,
    mass::{
        Feed, Opening, Parameters, Piece, Unit,
        store::{self, Held},
    },
};

/// How the work on a shard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// All of it is done.
    Done,
    /// It is somebody else's now.
    Lost,
    /// Its run is not to be worked on any more; it was given back.
    Closed,
    /// It was asked to end, and gave it back.
    Stopped,
}

/// A shard that this worker holds.
pub(super) struct Hold<'h> {
    pub(super) carried: Carried,
    pub(super) run: MassRun,
    pub(super) held: Held,
    /// As the database has it.
    pub(super) at: Shard,
    /// Units in a batch, while nothing fails.
    pub(super) size: u32,
    pub(super) probe: Probe,
    pub(super) patience: Patience,
    pub(super) fresh: Fresh,
    speed: Speedometer,
    began: Instant,
    registration: Registration<'h>,
}

/// Says to the heartbeat what is held, for as long as it is.
struct Registration<'r> {
    shared: &'r Shared<'r>,
    held: Held,
}

impl<'r> Registration<'r> {
    fn new(shared: &'r Shared<'r>, held: Held) -> Self {
        lock(&shared.held).push(held);
        Self { shared, held }
    }

    fn renew(&mut self, held: Held) {
        let mut all = lock(&self.shared.held);
        all.retain(|it| *it != self.held);
        all.push(held);
        self.held = held;
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        lock(&self.shared.held).retain(|it| *it != self.held);
    }
}

impl Hold<'_> {
    /// What the shard is after a batch of `units`, `rows` of which were changed.
    pub(super) fn moved(
        &mut self,
        cursor: Option<String>,
        units: u64,
        rows: u64,
        state: ShardState,
    ) {
        self.at.cursor = cursor;
        self.at.units += units;
        self.at.rows += rows;
        self.at.batches += 1;
        self.at.state = state;
    }

    /// What the shard is once a batch is done: its last key may be the one that the shard ends with.
    pub(super) fn after(&self, piece: &Piece) -> ShardState {
        if piece.unit == Unit::Last || self.at.through.as_ref() == Some(&piece.last) {
            ShardState::Done
        } else {
            ShardState::Open
        }
    }

    /// Units per second of late, if `units` more are done now.
    pub(super) fn rate(&mut self, units: u64) -> Option<f64> {
        // The rest after a batch belongs to it: the first batches of a shard would else be as fast as no run is.
        let at = self.began.elapsed() + self.run.live.pause;
        self.speed.sample(at, self.at.units + units);
        self.speed.rate()
    }

    /// A new token, and the shard as it is.
    pub(super) fn renew(&mut self, held: Held, at: Shard) {
        self.registration.renew(held);
        self.held = held;
        self.at = at;
    }
}

impl Worker<'_, '_> {
    /// Works on a shard that was claimed.
    pub(super) fn hold(
        &mut self,
        carried: Carried,
        seen: &store::Seen,
        held: Held,
        at: Shard,
    ) -> Result<Left, Error> {
        let registration = Registration::new(self.shared, held);
        let live = &seen.run.live;
        let size = match (live.target, at.batch) {
            (Some(_), Some(size)) => size,
            _ => live.batch,
        };
        let mut hold = Hold {
            carried,
            run: seen.run.clone(),
            held,
            size: size.max(1),
            probe: Probe::default(),
            patience: Patience::default(),
            fresh: if seen.run.state == MassState::Running {
                Fresh::Lately(Instant::now())
            } else {
                // The claim has changed it.
                Fresh::No
            },
            speed: Speedometer::default(),
            began: Instant::now(),
            registration,
            at,
        };
        let units = hold.at.units;
        hold.speed.sample(Duration::ZERO, units);
        let result = self.open(&mut hold);
        if result.is_err() {
            // The error that counts is the first; without this the lease ends by itself.
            let _ = self.give_back(&hold);
        }
        result
    }

    fn open(&mut self, hold: &mut Hold<'_>) -> Result<Left, Error> {
        let Carried { mass, .. } = hold.carried;
        let opened = hold.at.clone();
        let parameters = match parameters(&hold.run) {
            Ok(parameters) => parameters,
            Err(error) => return self.fail(hold, &error),
        };
        let columns = match self.columns_of(hold.carried) {
            Ok(columns) => columns,
            Err(error) if passes(&*error) => return Err(self.source_failed(error)),
            Err(error) => return self.fail(hold, &super::failure::told(&*error)),
        };
        let feed = mass.code.open(Opening {
            facts: &mass.facts,
            columns: &columns,
            shard: &opened,
            parameters: &parameters,
        });
        let mut feed = match feed {
            Ok(feed) => feed,
            Err(error) => return self.fail(hold, &super::failure::told(&*error)),
        };
        if hold.at.shard == 0 {
            self.again(hold, &mut *feed)
        } else {
            self.batches(hold, &mut *feed)
        }
    }

    /// Batch after batch.
    fn batches(&mut self, hold: &mut Hold<'_>, feed: &mut dyn Feed) -> Result<Left, Error> {
        loop {
            if let Some(left) = self.before_batch(hold)? {
                return Ok(left);
            }
            let limit = hold.probe.limit(hold.size);
            let began = Instant::now();
            let piece = match feed.cut(&mut *self.line, hold.at.cursor.as_deref(), limit) {
                Ok(Some(piece)) => piece,
                Ok(None) => return self.finish(hold),
                Err(error) => match self.stumbled(hold, error)? {
                    Some(left) => return Ok(left),
                    None => continue,
                },
            };
            match self.attempt(hold, feed, piece)? {
                Attempt::Moved { units } => {
                    hold.patience.restore();
                    if hold.probe.is_splitting() {
                        hold.probe.moved(units);
                    } else {
                        hold.size = pace::next_size(&hold.run.live, limit, units, began.elapsed());
                    }
                    if hold.at.state == ShardState::Done {
                        return Ok(Left::Done);
                    }
                    self.tell_progress();
                    if let Some(left) = self.rest(hold)? {
                        return Ok(left);
                    }
                }
                Attempt::Changed => hold.fresh = Fresh::No,
                Attempt::Failed { piece, error } => {
                    if let Some(left) = self.split(hold, &piece, error)? {
                        return Ok(left);
                    }
                }
                other => {
                    if let Some(left) = self.other(hold, other)? {
                        return Ok(left);
                    }
                }
            }
        }
    }

    /// What an attempt can come to besides success and failure of its units.
    pub(super) fn other(
        &mut self,
        hold: &mut Hold<'_>,
        attempt: Attempt,
    ) -> Result<Option<Left>, Error> {
        match attempt {
            Attempt::Passing(error) => self.recover(hold, error),
            Attempt::Unsafe(reason) => self.fail(hold, &reason).map(Some),
            Attempt::Lost => Ok(Some(Left::Lost)),
            Attempt::Stopped => self.give_back(hold).map(|()| Some(Left::Stopped)),
            Attempt::Moved { .. } | Attempt::Changed | Attempt::Failed { .. } => Ok(None),
        }
    }

    /// Looks whether there is anything to do before the next batch: orders, signals, what the last body
    /// left in the session.
    pub(super) fn before_batch(&mut self, hold: &mut Hold<'_>) -> Result<Option<Left>, Error> {
        if self.shared.is_over() {
            self.give_back(hold)?;
            return Ok(Some(Left::Stopped));
        }
        let store = self.shared.work.store;
        let asks = match hold.fresh {
            Fresh::No => true,
            // Where statements travel together, the batch's first ones ask.
            Fresh::Lately(then) => !store.dialect.pipelined && then.elapsed() > LATELY,
        };
        if asks {
            match self.refresh(hold) {
                Ok(Some(left)) => return Ok(Some(left)),
                Ok(None) => {}
                Err(error) => return self.recover(hold, error),
            }
        }
        match self.held_back(hold) {
            Ok(None) => {}
            Ok(Some(left)) => return Ok(Some(left)),
            Err(error) => return self.recover(hold, error),
        }
        if let Err(error) = self.line.bring_back(self.shared.connect, store) {
            return self.recover(hold, error);
        }
        Ok(None)
    }

    /// The run as it is now, if it changed: settings are taken over, orders obeyed.
    pub(super) fn refresh(&mut self, hold: &mut Hold<'_>) -> Result<Option<Left>, Error> {
        let run = hold.run.run;
        let now = Instant::now();
        if hold.fresh != Fresh::No {
            let glance = store::glance(self.shared.work.store, &mut *self.line, run)
                .map_err(Error::database("read a run"))?;
            if glance.is_some_and(|glance| glance.revision == hold.run.revision) {
                hold.fresh = Fresh::Lately(now);
                return Ok(None);
            }
        }
        let Some(seen) = self.look(run)? else {
            return Ok(Some(Left::Lost));
        };
        let closed = seen.run.state != MassState::Running
            || (hold.at.shard != 0 && schedule::too_many_failures(sight(&seen)).is_some());
        if closed {
            self.give_back(hold)?;
            return Ok(Some(Left::Closed));
        }
        let live = &seen.run.live;
        if live.target.is_none() || live.batch != hold.run.live.batch {
            hold.size = live.batch.max(1);
        }
        hold.run = seen.run;
        hold.fresh = Fresh::Lately(now);
        Ok(None)
    }
}

/// Whether the run is known as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fresh {
    /// It was, at that moment.
    Lately(Instant),
    /// It has changed, or may have.
    No,
}

/// For so long a run is taken for what it was: an order takes effect with the next batch, or that much
/// later where batches are shorter than that.
const LATELY: Duration = Duration::from_millis(20);

/// What a run was started with.
pub(super) fn parameters(run: &MassRun) -> Result<Parameters, String> {
    match run.parameters.as_deref() {
        None => Ok(Parameters::new()),
        Some(text) => serde_json::from_str(text)
            .map_err(|error| format!("its parameters cannot be read: {error}")),
    }
}
