//! Dropping, leaves first, with patience for those who read.

use std::time::{Duration, Instant};

use diesel::{QueryResult, result::Error as DieselError};

use super::{
    Down, Keeper, Mode, Node, RELEASE, ROLLBACK_TO, SAVEPOINT, ViewError, catalog, database,
};
use crate::backend::Driver;

/// First pause between two attempts; doubled up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Keeper<'_> {
    /// Drops everything that is not down yet.
    pub(super) fn drop_all(
        &self,
        driver: &mut dyn Driver,
        mode: Mode,
        down: &Down,
    ) -> Result<(), ViewError> {
        let nodes: Vec<&Node> = down.nodes.iter().rev().filter(|it| !it.is_down).collect();
        let attempt = u64::try_from(self.patience.attempt.as_millis()).unwrap_or(u64::MAX);
        let limit = catalog(driver)?.lock_timeout(attempt.max(1));
        let Some((limit, lift)) = limit else {
            return self.drop_once(driver, &nodes, &mut 0);
        };
        let began = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        // Where every statement commits, the next attempt goes on where the last one stopped.
        let mut done = 0;
        loop {
            let attempt = Instant::now();
            let result = self.attempt(driver, mode, &nodes, (&limit, &lift), &mut done);
            let Err(error) = result else { return Ok(()) };
            let is_timeout = match &error {
                ViewError::Drop { source, .. } => {
                    is_lock_timeout(source) || attempt.elapsed() >= self.patience.attempt
                }
                _ => false,
            };
            let waited = began.elapsed();
            if !is_timeout {
                return Err(error);
            }
            if waited + pause >= self.patience.budget {
                return Err(self.busy(driver, &nodes, waited));
            }
            if self.interrupt.wait(jittered(pause)) {
                return Err(ViewError::Interrupted(self.listed(&nodes)));
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn attempt(
        &self,
        driver: &mut dyn Driver,
        mode: Mode,
        nodes: &[&Node],
        (limit, lift): (&str, &str),
        done: &mut usize,
    ) -> Result<(), ViewError> {
        if mode == Mode::Each {
            driver
                .batch(limit)
                .map_err(database("limit the wait for a lock"))?;
            let result = self.drop_once(driver, nodes, done);
            let lifted = driver
                .batch(lift)
                .map_err(database("lift the limit of the wait for a lock"));
            return result.and(lifted);
        }
        let depth = driver.depth().ok().flatten().unwrap_or(0);
        // What an earlier attempt did was rolled back.
        *done = 0;
        let result = self.drop_limited(driver, nodes, limit, lift);
        if result.is_err() && driver.depth().is_ok() {
            driver
                .batch(ROLLBACK_TO)
                .map_err(database("roll back to the savepoint"))?;
            driver.set_depth(depth);
        }
        result
    }

    /// In a savepoint; where nothing is hand-written, all in one message.
    fn drop_limited(
        &self,
        driver: &mut dyn Driver,
        nodes: &[&Node],
        limit: &str,
        lift: &str,
    ) -> Result<(), ViewError> {
        let is_plain = nodes.iter().all(|node| self.code(driver, node).is_none());
        if !is_plain {
            driver
                .batch(&format!("{SAVEPOINT}; {limit}"))
                .map_err(database("limit the wait for a lock"))?;
            self.drop_once(driver, nodes, &mut 0)?;
            return driver
                .batch(&format!("{lift}; {RELEASE}"))
                .map_err(database("lift the limit of the wait for a lock"));
        }
        let catalog = catalog(driver)?;
        let mut script = vec![SAVEPOINT.to_owned(), limit.to_owned()];
        script.extend(nodes.iter().map(|node| catalog.drop(&node.snapshot.object)));
        script.push(lift.to_owned());
        script.push(RELEASE.to_owned());
        driver
            .batch(&script.join(";\n"))
            .map_err(|source| ViewError::Drop {
                what: self.listed(nodes),
                source,
            })
    }

    /// One after the other, from `done` on.
    fn drop_once(
        &self,
        driver: &mut dyn Driver,
        nodes: &[&Node],
        done: &mut usize,
    ) -> Result<(), ViewError> {
        while let Some(node) = nodes.get(*done) {
            let by_code = self.code(driver, node).and_then(|view| {
                let connection = driver.connection_mut(view.connection().type_id)?;
                view.down(connection)
            });
            let dropped: QueryResult<()> = match by_code {
                Some(result) => result,
                None => {
                    let statement = catalog(driver)?.drop(&node.snapshot.object);
                    driver.batch(&statement)
                }
            };
            dropped.map_err(|source| ViewError::Drop {
                what: self.describe(node),
                source,
            })?;
            *done += 1;
        }
        Ok(())
    }

    /// The hand-written code of a view, where this connection can run it.
    fn code(
        &self,
        driver: &mut dyn Driver,
        node: &Node,
    ) -> Option<&'static dyn crate::view::ViewCode> {
        let code = self.declared.get(node.managed?)?.code?;
        // Of a changed one, the code that made it is gone.
        let is_its_own =
            node.as_declared && driver.connection_mut(code.connection().type_id).is_some();
        is_its_own.then_some(code)
    }

    fn busy(&self, driver: &mut dyn Driver, nodes: &[&Node], waited: Duration) -> ViewError {
        let objects: Vec<_> = nodes.iter().map(|node| &node.snapshot.object).collect();
        // Only for the message.
        let blockers = catalog(driver)
            .ok()
            .and_then(|catalog| catalog.blockers(&objects).ok())
            .unwrap_or_default();
        ViewError::Busy {
            what: self.listed(nodes),
            waited: Duration::from_millis(u64::try_from(waited.as_millis()).unwrap_or(u64::MAX)),
            blockers,
        }
    }

    fn listed(&self, nodes: &[&Node]) -> String {
        let names: Vec<String> = nodes.iter().map(|node| self.describe(node)).collect();
        match names.as_slice() {
            [first, second, third, rest @ ..] if !rest.is_empty() => {
                format!("{first}, {second}, {third} and {} more", rest.len())
            }
            names => names.join(", "),
        }
    }
}

/// PostgreSQL's 55P03 and MySQL's 1205; Diesel has no kind for them.
fn is_lock_timeout(error: &DieselError) -> bool {
    let text = error.to_string().to_lowercase();
    text.contains("lock timeout") || text.contains("lock wait timeout")
}

/// Between a half and the whole, so that two who wait for each other do not stay in step.
fn jittered(pause: Duration) -> Duration {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
        .subsec_nanos();
    pause / 2 + pause.mul_f64(f64::from(nanos % 1_000) / 2_000.0)
}
