//! Runs that are over though they were not at their end: what they were for is another now.

use migrate_core::{Descriptor, mass::MassState};

use crate::history::Store;

impl Store {
    /// The statements that close what is live of these migrations; for a transaction. Workers leave such a
    /// run, a batch that is under way does not commit, and the next start is a new run.
    pub(crate) fn close_runs(&self, of: &[&Descriptor], by: &str, why: &str) -> Vec<String> {
        let Self {
            mass, shards, log, ..
        } = self;
        if of.is_empty() {
            return Vec::new();
        }
        let ids: Vec<String> = of.iter().flat_map(|it| known_as(it)).collect();
        let ids: Vec<String> = ids.iter().map(|id| (self.dialect.text)(id)).collect();
        let live = format!("live IN ({})", ids.join(", "));
        let (now, state) = (self.dialect.now, MassState::Cancelled);
        let (by, why) = ((self.dialect.text)(by), (self.dialect.text)(why));
        vec![
            format!(
                "UPDATE {shards} SET token = token + 1, lease_until = NULL \
                 WHERE state = 'open' AND run IN (SELECT run FROM {mass} WHERE {live})"
            ),
            format!(
                "INSERT INTO {log} (id, event, at, attempt, duration_ms, run_by, detail) \
                 SELECT id, '{state}', {now}, 1, NULL, {by}, {why} FROM {mass} WHERE {live}"
            ),
            format!(
                "UPDATE {mass} SET state = '{state}', reason = {why}, ended_at = {now}, throttled_until = NULL, \
                 revision = revision + 1, live = NULL WHERE {live}"
            ),
        ]
    }
}

/// Its id, and the former ones.
fn known_as(descriptor: &Descriptor) -> Vec<String> {
    let package = descriptor.id.package();
    let former = descriptor.was.iter();
    let former = former.flat_map(|was| [(*was).to_owned(), format!("{package}:{was}")]);
    std::iter::once(descriptor.id.to_string())
        .chain(former)
        .collect()
}
