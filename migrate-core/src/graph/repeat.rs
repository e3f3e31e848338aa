//! What repeatable migrations may require, and be required by.

use super::csr::Csr;
use crate::{
    Descriptor, Phase,
    report::{Problem, ProblemKind},
};

/// Requirements that no order can keep: of something that runs once on something repeatable, and of
/// `phase = before` on anything that comes later.
pub(super) fn problems(ranked: &[&'static Descriptor], requires: &Csr) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (rank, &descriptor) in ranked.iter().enumerate() {
        for &required in requires.row(rank) {
            let Some(&required) = ranked.get(required as usize) else {
                continue;
            };
            let why = match (descriptor.repeat.phase(), required.repeat.phase()) {
                (None, Some(_)) => {
                    "that is repeatable: it runs again and again, so that nothing can rely on its having run; \
                     let it be one of `requires` of other repeatable migrations only"
                }
                (Some(Phase::Before), None | Some(Phase::After)) => {
                    "that comes later: `phase = before` runs before all others; say `phase = after`"
                }
                _ => continue,
            };
            let message = format!(
                "`{}` requires `{}` ({}), and {why}",
                descriptor.id, required.id, required.location
            );
            problems.push(
                Problem::new(ProblemKind::Phase, descriptor.id.to_string(), message)
                    .at(descriptor.location),
            );
        }
    }
    problems
}
