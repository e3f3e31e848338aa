//! A database in memory, and workers that do one atomic thing at a time.
//!
//! Each method that stands for a statement or a transaction is atomic, and what happens between two of
//! them is up to the test. Workers have no clock: whatever they believe, only what the database compares
//! counts.

use std::{collections::BTreeMap, time::Duration};

use migrate_core::mass::{
    Live, MassRun, MassState, Shard, ShardState,
    frontend::{Order, Setting},
    legal,
    pace::{AfterFailure, Probe},
    schedule::{self, Decision, Sight},
};

/// Milliseconds for which a claim, a batch or a heartbeat holds a shard.
pub(crate) const LEASE: u64 = 100;

/// A row of the table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row {
    /// How often a body that committed has met it.
    pub(crate) counter: u32,
    /// The body cannot do it.
    pub(crate) poison: bool,
}

#[derive(Clone, Debug)]
struct StoredShard {
    shard: u32,
    after: Option<i64>,
    through: Option<i64>,
    cursor: Option<i64>,
    state: ShardState,
    token: i64,
    owner: Option<usize>,
    lease_until: u64,
}

/// The database.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) rows: BTreeMap<i64, Row>,
    pub(crate) run: MassRun,
    shards: Vec<StoredShard>,
    throttled_until: u64,
    /// Open: what failed alone.
    pub(crate) quarantine: BTreeMap<i64, u32>,
    pub(crate) skipped: Vec<i64>,
    /// Every state that was written, to be checked against the table of changes.
    pub(crate) log: Vec<MassState>,
    /// The history row.
    pub(crate) applied: bool,
    pub(crate) workers: Vec<Worker>,
    shards_wanted: i64,
}

/// Where a worker is in its loop.
#[derive(Clone, Debug, Default)]
pub(crate) enum Worker {
    #[default]
    Idle,
    /// Has looked, and is about to try it.
    Decided {
        decision: Decision,
        revision: i64,
    },
    Holds(Hold),
    /// Has cut a batch, and is about to run it.
    HasCut {
        hold: Hold,
        piece: Option<Vec<i64>>,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    shard: u32,
    token: i64,
    probe: Probe,
}

impl World {
    pub(crate) fn new(rows: BTreeMap<i64, Row>, workers: usize, live: Live, shards: i64) -> Self {
        Self {
            now: 0,
            rows,
            run: MassRun {
                run: 1,
                id: "shop:fill".to_owned(),
                state: MassState::Enqueued,
                reason: None,
                revision: 0,
                live,
                parameters: None,
                total: None,
                fingerprint: String::new(),
                created_at: String::new(),
                started_at: None,
                ended_at: None,
                throttled_for: None,
                by: String::new(),
            },
            shards: Vec::new(),
            throttled_until: 0,
            quarantine: BTreeMap::new(),
            skipped: Vec::new(),
            log: Vec::new(),
            applied: false,
            workers: vec![Worker::Idle; workers],
            shards_wanted: shards,
        }
    }

    /// What a reader sees: leases as what is left of them by the database's clock.
    pub(crate) fn sees(&self) -> (MassRun, Vec<Shard>) {
        let mut run = self.run.clone();
        run.throttled_for = (self.throttled_until > self.now)
            .then(|| Duration::from_millis(self.throttled_until - self.now));
        let json = |key: i64| format!("[\"{key}\"]");
        let shards = self.shards.iter().map(|it| Shard {
            shard: it.shard,
            after: it.after.map(json),
            through: it.through.map(json),
            cursor: it.cursor.map(json),
            state: it.state,
            units: 0,
            rows: 0,
            batches: 0,
            token: it.token,
            owner: it.owner.map(|owner| owner.to_string()),
            leased_for: (it.lease_until > self.now)
                .then(|| Duration::from_millis(it.lease_until - self.now)),
            batch: None,
            rate: None,
        });
        (run, shards.collect())
    }

    pub(crate) fn effective(&self) -> MassState {
        let (run, shards) = self.sees();
        schedule::effective(&run, &shards)
    }

    fn write_state(&mut self, state: MassState) {
        if self.run.state != state {
            let effective = self.effective();
            assert!(
                legal(self.run.state, state) || legal(effective, state),
                "{} (in effect {effective}) became {state}",
                self.run.state
            );
            self.run.state = state;
            self.log.push(state);
        }
        self.run.revision += 1;
    }

    /// A person asks; refused orders change nothing.
    pub(crate) fn order(&mut self, order: &Order) {
        let (run, shards) = self.sees();
        let Ok(to) = schedule::ordered(&run, &shards, order) else {
            return;
        };
        match order {
            Order::Set(settings) => {
                for setting in settings {
                    if let Setting::Batch(units) = setting {
                        self.run.live.batch = *units;
                    }
                }
            }
            Order::Skip(_) => {
                self.skipped.extend(self.quarantine.keys());
                self.quarantine.clear();
            }
            Order::Retry if !self.quarantine.is_empty() => self.reopen_quarantine(),
            _ => {}
        }
        if let Some(to) = to {
            self.write_state(to);
        }
        self.run.revision += 1;
    }

    /// The units in quarantine become the work of shard 0.
    fn reopen_quarantine(&mut self) {
        if let Some(zero) = self.shards.iter_mut().find(|it| it.shard == 0) {
            zero.state = ShardState::Open;
            zero.cursor = None;
        }
    }

    /// A throttle signal holds the run back.
    pub(crate) fn throttle(&mut self, ms: u64) {
        if matches!(self.run.state, MassState::Running | MassState::Throttled) {
            self.throttled_until = self.now + ms;
            self.write_state(MassState::Throttled);
        }
    }

    /// Extends the lease of what a worker holds, if it still does.
    pub(crate) fn heartbeat(&mut self, worker: usize) {
        let hold = match &self.workers[worker] {
            Worker::Holds(hold) | Worker::HasCut { hold, .. } => *hold,
            _ => return,
        };
        let until = self.now + LEASE;
        if let Some(shard) = self.mine(hold) {
            shard.lease_until = until;
        }
    }

    /// The shard, while its token is the worker's: the fence of every write.
    fn mine(&mut self, hold: Hold) -> Option<&mut StoredShard> {
        self.shards.iter_mut().find(|it| {
            it.shard == hold.shard && it.token == hold.token && it.state == ShardState::Open
        })
    }

    /// The process dies: whatever it had not committed is gone, and nobody is told.
    pub(crate) fn kill(&mut self, worker: usize) {
        self.workers[worker] = Worker::Idle;
    }

    /// The worker does its next atomic thing.
    pub(crate) fn step(&mut self, worker: usize) {
        let next = match std::mem::take(&mut self.workers[worker]) {
            Worker::Idle => self.look(),
            Worker::Decided { decision, revision } => self.attempt(worker, &decision, revision),
            Worker::Holds(hold) => self.cut(hold),
            Worker::HasCut { hold, piece } => self.run_batch(hold, piece),
        };
        self.workers[worker] = next;
    }

    fn look(&self) -> Worker {
        let (run, shards) = self.sees();
        let decision = schedule::next(Sight {
            run: &run,
            shards: &shards,
            open_failures: self.quarantine.len() as u64,
        });
        match decision {
            Decision::Wait(_) | Decision::Leave => Worker::Idle,
            decision => Worker::Decided {
                decision,
                revision: run.revision,
            },
        }
    }

    /// Each as one conditional statement: it holds only while what was seen does.
    fn attempt(&mut self, worker: usize, decision: &Decision, revision: i64) -> Worker {
        match decision {
            Decision::LayOut => {
                if self.run.revision == revision && self.run.started_at.is_none() {
                    self.lay_out();
                }
            }
            Decision::Claim { shard, token } => {
                let now = self.now;
                let open = self.run.state.is_open_to_workers();
                let found = self.shards.iter_mut().find(|it| {
                    it.shard == *shard
                        && it.token == *token
                        && it.state == ShardState::Open
                        && it.lease_until <= now
                });
                if let Some(found) = found.filter(|_| open) {
                    found.token += 1;
                    found.owner = Some(worker);
                    found.lease_until = now + LEASE;
                    let hold = Hold {
                        shard: *shard,
                        token: found.token,
                        probe: Probe::default(),
                    };
                    if self.run.state != MassState::Running {
                        self.write_state(MassState::Running);
                    }
                    return Worker::Holds(hold);
                }
            }
            Decision::End { state, .. } => {
                let leased = self.shards.iter().any(|it| it.lease_until > self.now);
                if self.run.revision == revision && !leased {
                    self.write_state(*state);
                    self.applied = *state == MassState::Succeeded;
                }
            }
            Decision::Wait(_) | Decision::Leave => {}
        }
        Worker::Idle
    }

    fn lay_out(&mut self) {
        let keys: Vec<i64> = self.rows.keys().copied().collect();
        let (first, last) = match (keys.first(), keys.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (0, 0),
        };
        let width = ((last - first) / self.shards_wanted).max(1);
        let shard = |shard: u32, after, through, state| StoredShard {
            shard,
            after,
            through,
            cursor: None,
            state,
            token: 0,
            owner: None,
            lease_until: 0,
        };
        self.shards = vec![shard(0, None, None, ShardState::Done)];
        let mut after = None;
        for at in 1..=self.shards_wanted {
            let through = (at < self.shards_wanted).then_some(first + width * at);
            let number = u32::try_from(at).unwrap();
            self.shards
                .push(shard(number, after, through, ShardState::Open));
            after = through;
        }
        self.run.started_at = Some("now".to_owned());
        self.write_state(MassState::Running);
    }

    fn cut(&mut self, hold: Hold) -> Worker {
        // The small question before each batch: may I go on?
        if !self.run.state.is_open_to_workers() || self.throttled_until > self.now {
            if let Some(shard) = self.mine(hold) {
                shard.lease_until = 0;
                shard.owner = None;
            }
            return Worker::Idle;
        }
        let limit = hold.probe.limit(self.run.live.batch) as usize;
        let Some(shard) = self.shards.iter().find(|it| it.shard == hold.shard) else {
            return Worker::Idle;
        };
        let piece: Vec<i64> = if hold.shard == 0 {
            let after = shard.cursor.unwrap_or(i64::MIN);
            self.quarantine
                .keys()
                .copied()
                .find(|key| *key > after)
                .into_iter()
                .collect()
        } else {
            let after = shard.cursor.or(shard.after).unwrap_or(i64::MIN);
            let through = shard.through.unwrap_or(i64::MAX);
            let ahead = self
                .rows
                .keys()
                .copied()
                .filter(|key| *key > after && *key <= through);
            ahead.take(limit).collect()
        };
        Worker::HasCut {
            hold,
            piece: (!piece.is_empty()).then_some(piece),
        }
    }

    /// The transaction of a batch: the body, and the shard's row under its fence.
    fn run_batch(&mut self, hold: Hold, piece: Option<Vec<i64>>) -> Worker {
        let until = self.now + LEASE;
        let Some(shard) = self.mine(hold) else {
            // No row: whatever the body did is rolled back.
            return Worker::Idle;
        };
        let Some(piece) = piece else {
            shard.state = ShardState::Done;
            shard.lease_until = 0;
            return Worker::Idle;
        };
        let (first, last) = (piece[0], piece[piece.len() - 1]);
        let alone = hold.shard == 0;
        let fails = self.rows.range(first..=last).any(|(_, row)| row.poison);
        let mut hold = hold;
        let units = piece.len() as u64;
        if fails {
            match hold.probe.failed(units) {
                AfterFailure::Smaller => return Worker::Holds(hold),
                AfterFailure::Quarantine => {
                    *self.quarantine.entry(first).or_default() += 1;
                }
            }
        } else {
            for row in self.rows.range_mut(first..=last).map(|(_, row)| row) {
                row.counter += 1;
            }
            if alone {
                self.quarantine.remove(&first);
            }
        }
        if let Some(shard) = self.mine(hold) {
            shard.cursor = Some(last);
            shard.lease_until = until;
        }
        hold.probe.moved(units);
        Worker::Holds(hold)
    }
}
