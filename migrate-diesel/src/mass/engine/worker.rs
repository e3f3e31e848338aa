//! What a worker does next, and the end of its work.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use migrate_core::mass::{
    MassState, Shard, ShardState,
    frontend::{MassEvent, Stay},
    schedule::{self, Decision, Sight, Wait},
};

use super::{
    Carried, ShardEnd, Shared, Work,
    line::Line,
    patience::{Patience, passes},
    shard::Left,
};
use crate::{
    error::Error,
    mass::{
        store::{self, Claimed, Seen, Which},
        throttle::Throttles,
    },
};

/// How often a worker that stays asks whether there is something to do.
const IDLE: Duration = Duration::from_secs(1);

/// How often a worker that waits for others looks at them.
const LOOK: Duration = Duration::from_millis(250);

pub(super) struct Worker<'w, 'l> {
    pub(super) shared: &'w Shared<'w>,
    pub(super) line: Line<'l>,
    /// As shards name it.
    pub(super) owner: String,
    /// By place in the graph.
    pub(super) applied: Vec<bool>,
    /// Columns of keys, by place in the graph.
    pub(super) columns: HashMap<usize, Vec<String>>,
    /// Throttle signals, by place in the graph.
    pub(super) throttles: HashMap<usize, Throttles>,
    /// Runs that it worked on.
    worked: HashSet<(i64, String)>,
}

/// How one look at the runs ended.
enum Step {
    /// Something was done: there may be more.
    Worked,
    /// There may be something after so long.
    Wait(Duration),
    Nothing,
}

impl<'w, 'l> Worker<'w, 'l> {
    pub(super) fn new(
        shared: &'w Shared<'w>,
        mut line: Line<'l>,
        number: usize,
    ) -> Result<Self, Error> {
        let applied = shared.applied(&mut *line)?;
        Ok(Self {
            shared,
            line,
            owner: format!("{} worker {number}", crate::who::whoami()),
            applied,
            columns: HashMap::new(),
            throttles: HashMap::new(),
            worked: HashSet::new(),
        })
    }

    /// Works until there is nothing to do any more, or it is asked to end.
    pub(super) fn run(mut self) -> Result<(), Error> {
        let result = self.serve();
        self.leave(result.as_ref().err());
        result
    }

    fn serve(&mut self) -> Result<(), Error> {
        let mut patience = Patience::of(self.shared.work.stay);
        while !self.shared.is_over() {
            match self.step() {
                Ok(Step::Worked) => patience.restore(),
                Ok(Step::Wait(left)) => {
                    patience.restore();
                    self.shared.interrupt.wait(left);
                }
                Ok(Step::Nothing) => match self.shared.work.stay {
                    Stay::UntilIdle => return Ok(()),
                    Stay::Forever => {
                        patience.restore();
                        self.shared.interrupt.wait(IDLE);
                    }
                },
                Err(error) => self.after(error, &mut patience)?,
            }
        }
        Ok(())
    }

    /// Waits, and connects again, after an error that passes by itself.
    pub(super) fn after(&mut self, error: Error, patience: &mut Patience) -> Result<(), Error> {
        let is_alive = self.line.roll_back(self.shared.work.store);
        if is_alive && !passes(&error) {
            return Err(error);
        }
        let mut last = error;
        loop {
            let Some(wait) = patience.next() else {
                return Err(last);
            };
            tracing::debug!(error = %last, "tried again after {wait:?}");
            if self.shared.interrupt.wait(wait) || is_alive {
                return Ok(());
            }
            match self.reconnect(&last) {
                None => return Err(last),
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => last = error,
            }
        }
    }

    /// A new connection; `None` where there is no way to have one.
    pub(super) fn reconnect(&mut self, why: &Error) -> Option<Result<(), Error>> {
        let connect = self.shared.connect.filter(|_| self.line.is_own())?;
        self.shared.tell(MassEvent::Reconnecting {
            error: super::failure::told(why),
        });
        Some(Line::open(connect, self.shared.work.store).map(|line| self.line = line))
    }

    /// One look at the runs, and one thing done.
    fn step(&mut self) -> Result<Step, Error> {
        let mut wait: Option<Duration> = None;
        for seen in self.see()? {
            let Some(carried) = self.carried(&seen) else {
                continue;
            };
            match schedule::next(sight(&seen)) {
                Decision::Leave => {}
                Decision::Wait(Wait::Others(left)) => {
                    let left = left.min(LOOK).max(Duration::from_millis(10));
                    wait = Some(wait.map_or(left, |wait| wait.min(left)));
                }
                Decision::Wait(Wait::Throttled(left)) => {
                    let left = left.min(IDLE);
                    wait = Some(wait.map_or(left, |wait| wait.min(left)));
                }
                decision => {
                    self.take(carried, &seen, &decision)?;
                    return Ok(Step::Worked);
                }
            }
        }
        Ok(wait.map_or(Step::Nothing, Step::Wait))
    }

    /// Does what was decided. Somebody else may be faster: then nothing is done here.
    fn take(
        &mut self,
        carried: Carried,
        seen: &Seen,
        decision: &Decision,
    ) -> Result<Option<Left>, Error> {
        self.worked.insert((seen.run.run, seen.run.id.clone()));
        match decision {
            Decision::LayOut => self.lay_out(carried, seen).map(|()| None),
            Decision::Claim { shard, token } => {
                let is_it = |it: &&Shard| it.shard == *shard && it.token == *token;
                let Some(shard) = seen.shards.iter().find(is_it) else {
                    return Ok(None);
                };
                if seen.run.state == MassState::Throttled && self.still_held_back(carried, seen)? {
                    return Ok(None);
                }
                let Work { store, lease, .. } = self.shared.work;
                let claimed = {
                    let _turn = self.shared.turn();
                    store::claim(store, &mut *self.line, seen, shard, &self.owner, *lease)
                        .map_err(Error::database("claim a shard"))?
                };
                match claimed {
                    Claimed::No => Ok(None),
                    Claimed::Yes(held) => {
                        self.claimed(seen, shard);
                        let at = Shard {
                            token: held.token,
                            ..shard.clone()
                        };
                        self.hold(carried, seen, held, at).map(Some)
                    }
                }
            }
            Decision::End { state, reason } => self
                .end(carried, seen, *state, reason.as_deref())
                .map(|()| None),
            Decision::Wait(_) | Decision::Leave => Ok(None),
        }
    }

    /// Tells what a claim means.
    fn claimed(&self, seen: &Seen, shard: &Shard) {
        if seen.run.state != MassState::Running {
            self.shared.tell(MassEvent::State {
                id: seen.run.id.clone(),
                state: MassState::Running,
                reason: None,
            });
        }
        // Who gives a shard back takes its name away.
        if let Some(from) = shard.owner.clone() {
            self.shared.tell(MassEvent::TakenOver {
                id: seen.run.id.clone(),
                shard: shard.shard,
                from,
            });
        }
    }

    fn see(&mut self) -> Result<Vec<Seen>, Error> {
        let which = match self.shared.work.runs {
            Some(runs) => Which::Numbered(runs),
            None => Which::Live,
        };
        store::runs(self.shared.work.store, &mut *self.line, which)
            .map_err(Error::database("read the runs of mass migrations"))
    }

    /// One run, as it is now.
    pub(super) fn look(&mut self, run: i64) -> Result<Option<Seen>, Error> {
        let seen = store::runs(
            self.shared.work.store,
            &mut *self.line,
            Which::Numbered(&[run]),
        );
        seen.map(|seen| seen.into_iter().next())
            .map_err(Error::database("read a run"))
    }

    /// What a run belongs to, where this program carries it, for a connection like this one.
    fn carried(&mut self, seen: &Seen) -> Option<Carried> {
        let carried = self
            .shared
            .carried
            .iter()
            .find(|it| it.is(&seen.run.id))
            .copied()?;
        let kind = carried.mass.code.connection();
        self.line.connection_mut(kind.type_id).map(|_| carried)
    }

    /// Works on one shard only.
    pub(super) fn only(mut self, run: i64, shard: u32) -> Result<ShardEnd, Error> {
        let result = self.try_only(run, shard);
        self.leave(result.as_ref().err());
        result
    }

    fn try_only(&mut self, run: i64, number: u32) -> Result<ShardEnd, Error> {
        let mut patience = Patience::default();
        while !self.shared.is_over() {
            match self.step_only(run, number) {
                Ok(Some(end)) => return Ok(end),
                Ok(None) => patience.restore(),
                Err(error) => self.after(error, &mut patience)?,
            }
        }
        Ok(ShardEnd::Interrupted)
    }

    fn step_only(&mut self, run: i64, number: u32) -> Result<Option<ShardEnd>, Error> {
        let Some(seen) = self.look(run)? else {
            return Ok(Some(ShardEnd::Unknown));
        };
        let Some(carried) = self.carried(&seen) else {
            return Ok(Some(ShardEnd::Unknown));
        };
        let decision = schedule::next(sight(&seen));
        match &decision {
            Decision::Wait(Wait::Throttled(left)) => {
                return Ok(Some(ShardEnd::Throttled(*left)));
            }
            Decision::LayOut | Decision::End { .. } => {
                self.take(carried, &seen, &decision)?;
                return Ok(None);
            }
            Decision::Wait(Wait::Others(_)) | Decision::Claim { .. } | Decision::Leave => {}
        }
        let Some(shard) = seen.shards.iter().find(|it| it.shard == number) else {
            return Ok(Some(ShardEnd::Unknown));
        };
        if shard.state == ShardState::Done {
            return Ok(Some(ShardEnd::Done));
        }
        if !seen.run.state.is_open_to_workers() {
            return Ok(Some(ShardEnd::Closed(seen.run.state)));
        }
        if let Some(left) = shard.leased_for.filter(|left| !left.is_zero()) {
            return Ok(Some(ShardEnd::Held(left)));
        }
        let claim = Decision::Claim {
            shard: number,
            token: shard.token,
        };
        self.take(carried, &seen, &claim)?;
        Ok(None)
    }

    /// Ends a run that failed for what is in quarantine, once nothing is.
    pub(super) fn settle(mut self, run: i64) -> Result<(), Error> {
        let result = match self.look(run)? {
            Some(seen) if seen.run.state == MassState::Failed && seen.open_failures == 0 => {
                let is_done = seen.run.started_at.is_some()
                    && seen.shards.iter().all(|it| it.state == ShardState::Done);
                match self.carried(&seen).filter(|_| is_done) {
                    Some(carried) => self.end(carried, &seen, MassState::Succeeded, None),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        };
        self.line.leave();
        result
    }

    /// The last worker of a run says that it is interrupted.
    fn leave(&mut self, error: Option<&Error>) {
        let reason = error.map(|error| super::failure::told(error));
        for (run, id) in std::mem::take(&mut self.worked) {
            let _turn = self.shared.turn();
            let marked = store::interrupted(
                self.shared.work.store,
                &mut *self.line,
                (run, &id),
                (&self.owner, reason.as_deref()),
            );
            match marked {
                Ok(true) => self.shared.tell(MassEvent::State {
                    id,
                    state: MassState::Interrupted,
                    reason: reason.clone(),
                }),
                Ok(false) => {}
                // It shows by its leases, too.
                Err(error) => tracing::debug!(%error, "could not say that a run is interrupted"),
            }
        }
        self.line.leave();
    }
}

pub(super) fn sight(seen: &Seen) -> Sight<'_> {
    Sight {
        run: &seen.run,
        shards: &seen.shards,
        open_failures: seen.open_failures,
    }
}
