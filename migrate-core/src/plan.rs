//! [`Plan`]: what is to be done, from a graph, a history and a target.

mod down;
mod error;
mod mass;
mod up;

pub use error::{Irreversible, PlanError, Unsettled};

use crate::{
    Graph, History, Phase, Scale, Standing, State,
    elsewhere::Unmet,
    frontend::{DownTarget, Repeats, Target},
    report::Action,
};

/// What is to be done, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// What is not applied and cannot be a step now, in the order of the graph.
    pub blocked: Vec<Obstacle>,
    /// Mass migrations that are not finished, and that `up` leaves alone.
    pub left: Vec<usize>,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Position in the graph.
    pub at: usize,
    /// What is done.
    pub action: Action,
    /// State before the step.
    pub state: State,
}

/// Why a migration cannot be a step now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The migration: position in the graph.
    pub at: usize,
    /// What it waits for: itself, or else the first in order that it requires, directly or not.
    pub on: usize,
    /// The state of that: interrupted or running, unless it waits for another database.
    pub state: State,
    /// What that waits for in another database, if so.
    pub elsewhere: Option<Unmet>,
}

impl Obstacle {
    /// The reason in words: what it waits for, and in which state that is.
    #[must_use]
    pub fn because(&self, graph: &Graph) -> String {
        if let Some(unmet) = &self.elsewhere {
            return match graph.get(self.on) {
                Some(on) if self.on != self.at => {
                    format!("requires `{}`, which {}", on.id, unmet.because())
                }
                _ => unmet.because(),
            };
        }
        let state = match self.state {
            State::Running => "being run by another process",
            state => state.as_str(),
        };
        match graph.get(self.on) {
            Some(on) if on.scale == Scale::Mass && self.on != self.at => format!(
                "requires `{}`, a mass migration that is not finished",
                on.id
            ),
            Some(on) if self.on != self.at => format!("requires `{}`, which is {state}", on.id),
            _ => format!("is {state}"),
        }
    }
}

impl Plan {
    /// What `up` is to do: everything that is pending, failed or deferred, in the order of the
    /// graph, as far as `target` goes.
    ///
    /// Something interrupted or running is never a step, nor is what requires something of another
    /// database that is not applied there, nor what requires one of these, directly or not: all of them
    /// are [`blocked`](Self::blocked). Repeatable migrations with `phase = before` come before
    /// all others, those with `phase = after` after them; `repeat = always` is a step where there is
    /// another one. What was squashed is none: its squash is.
    ///
    /// # Errors
    /// [`PlanError::Lookup`] with every id of the target that names no migration.
    pub fn up(
        graph: &Graph,
        standing: &Standing<'_>,
        target: &Target,
        repeats: Repeats,
    ) -> Result<Self, PlanError> {
        up::plan(graph, standing, target, repeats)
    }

    /// The part of a phase: of what runs once for `None`.
    #[must_use]
    pub fn of_phase(&self, graph: &Graph, phase: Option<Phase>) -> Self {
        let of_phase = |step: &&Step| {
            graph
                .get(step.at)
                .is_some_and(|it| it.repeat.phase() == phase)
        };
        Self {
            steps: self.steps.iter().filter(of_phase).copied().collect(),
            ..Self::default()
        }
    }

    /// What `down` is to do. A migration is reverted after everything applied that requires it,
    /// directly or not; apart from that the one applied last goes first.
    ///
    /// - `Steps(n)`: the `n` applied last, and what is applied and requires one of them.
    /// - `Id(x)`: `x`, and what is applied and requires it.
    /// - `To(x)`: what was applied after `x`, and what is applied and requires one of those. `x`
    ///   stays, and so does what `x` requires.
    ///
    /// # Errors
    /// When the target names no migration, or one that is not applied; when something on the way
    /// cannot be reverted, is not carried, or is required by something interrupted or running: all
    /// of them are named.
    pub fn down(
        graph: &Graph,
        standing: &Standing<'_>,
        target: &DownTarget,
        history: &History,
    ) -> Result<Self, PlanError> {
        down::plan(graph, standing, target, history)
    }

    /// Leaves out what waits for another database, and tells how many these are.
    pub fn leave_waiting(&mut self) -> usize {
        let before = self.blocked.len();
        self.blocked.retain(|it| it.elsewhere.is_none());
        before - self.blocked.len()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
