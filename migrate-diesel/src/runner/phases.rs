//! Repeatable migrations around those that run once.

use migrate_core::{
    Interrupt, Phase, Plan, Standing, TransactionMode, error_chain,
    frontend::{OnFailure, UpRequest},
};

use super::{Bodies, Progress, Runner};
use crate::{backend::ImplicitCommit, error::Error};

impl Runner<'_> {
    /// What runs before, what runs once, what runs after.
    ///
    /// - Before: all or nothing where the database can, so that a failure leaves nothing half done.
    /// - After: also when one of the others failed, because it brings back what `before` took away;
    ///   the first error is the run's.
    pub(super) fn run_phases(
        &mut self,
        plan: &Plan,
        standing: &Standing<'_>,
        request: &UpRequest,
        migrations: &Bodies,
    ) -> Result<Progress, Error> {
        let before = plan.of_phase(self.graph, Some(Phase::Before));
        let once = plan.of_phase(self.graph, None);
        let after = plan.of_phase(self.graph, Some(Phase::After));
        if before.is_empty() && after.is_empty() {
            return self.run_each(plan, standing, request.on_failure, migrations);
        }
        let result = self.run_before(&before, standing, migrations);
        let failed_whole = result.is_err() && self.is_groupable(&before);
        let result = match result {
            Ok(Progress::Done) => self.run_each(&once, standing, request.on_failure, migrations),
            other => other,
        };
        match result {
            Ok(Progress::Done) => self.run_after(&after, standing, migrations),
            // Nothing was done, so that there is nothing to bring back.
            Err(error) if failed_whole => Err(error),
            Err(error) => {
                if let Err(second) = self.run_after(&after, standing, migrations) {
                    let chain = error_chain(&second).join(": ");
                    tracing::error!(error = %chain, "after a failure, a repeatable migration failed as well");
                }
                Err(error)
            }
            replan => replan,
        }
    }

    fn run_before(
        &mut self,
        before: &Plan,
        standing: &Standing<'_>,
        migrations: &Bodies,
    ) -> Result<Progress, Error> {
        if before.steps.len() > 1 && self.is_groupable(before) {
            self.run_grouped(before, standing, migrations)
        } else {
            self.run_each(before, standing, OnFailure::Stop, migrations)
        }
    }

    /// Those whose requirements are applied.
    fn run_after(
        &mut self,
        after: &Plan,
        standing: &Standing<'_>,
        migrations: &Bodies,
    ) -> Result<Progress, Error> {
        if after.is_empty() || self.driver.depth().is_err() {
            return Ok(Progress::Done);
        }
        let mut plan = Plan::default();
        for step in &after.steps {
            let is_there = |at: u32| {
                let at = at as usize;
                self.state.applied.get(at).copied().unwrap_or_default()
                    || plan.steps.iter().any(|step| step.at == at)
            };
            let missing = self
                .graph
                .requirements(step.at)
                .iter()
                .copied()
                .find(|&at| !is_there(at));
            match (missing, self.graph.get(step.at)) {
                (Some(on), Some(descriptor)) => self.skip(descriptor, on as usize),
                _ => plan.steps.push(*step),
            }
        }
        // They bring back what `before` took away: who interrupted the others waits for that.
        let interrupt = self.state.interrupt.clone();
        if interrupt.requested() {
            self.state.interrupt = Interrupt::new();
        }
        // One that fails keeps no other from bringing back its part.
        let result = self.run_each(&plan, standing, OnFailure::KeepGoing, migrations);
        self.state.interrupt = interrupt;
        result
    }

    fn is_groupable(&self, plan: &Plan) -> bool {
        self.driver.dialect().implicit_commit == ImplicitCommit::Never
            && plan
                .steps
                .iter()
                .filter_map(|step| self.graph.get(step.at))
                .all(|it| it.transaction == TransactionMode::Atomic)
    }
}
