//! What `up` does about mass migrations.

use super::{Obstacle, Plan, Step};
use crate::{Graph, Scale, frontend::MassInUp, report::Action};

impl Plan {
    /// The plan with mass migrations treated as `mass` says.
    ///
    /// Inline, they are steps like others. Else a mass migration is no step that ends in this run: what
    /// requires one, directly or not, is blocked; enqueued, it stays in the plan as something to start,
    /// and left alone it does not.
    #[must_use]
    pub fn with_mass(mut self, graph: &Graph, mass: MassInUp) -> Self {
        let is_mass = |at: usize| graph.get(at).is_some_and(|it| it.scale == Scale::Mass);
        if mass == MassInUp::Inline || !self.steps.iter().any(|step| is_mass(step.at)) {
            return self;
        }
        // Requirements come earlier in the order of the graph, whatever the phases.
        let mut waits: Vec<Option<usize>> = vec![None; graph.len()];
        let mut steps: Vec<Step> = self.steps.clone();
        steps.sort_by_key(|step| step.at);
        for step in &steps {
            let required = graph.requirements(step.at).iter();
            let on = required
                .filter_map(|&required| waits.get(required as usize).copied().flatten())
                .min();
            let on = on.or(is_mass(step.at).then_some(step.at));
            if let Some(slot) = waits.get_mut(step.at) {
                *slot = on;
            }
        }
        let mut kept = Vec::new();
        for step in std::mem::take(&mut self.steps) {
            match waits.get(step.at).copied().flatten() {
                None => kept.push(step),
                Some(on) if on == step.at => {
                    if mass == MassInUp::Enqueue {
                        kept.push(Step {
                            action: Action::Enqueue,
                            ..step
                        });
                    } else {
                        self.left.push(on);
                    }
                }
                Some(on) => self.blocked.push(Obstacle {
                    at: step.at,
                    on,
                    state: crate::State::Pending,
                    elsewhere: None,
                }),
            }
        }
        self.steps = kept;
        self.blocked.sort_by_key(|obstacle| obstacle.at);
        self
    }
}
