//! Who requires whom, in const code, within a budget.
//!
//! Const evaluation interprets unoptimised MIR, microseconds for each migration that is visited. Hence
//! loops without functions in them, keys instead of names, and an end to the search: what it does not
//! settle, the start of the program does.

use crate::{descriptor::Descriptor, node::NodeRef};

/// Whether one migration requires another, directly or not, or is it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// The budget was spent, or a declaration with errors was met.
    Unknown,
}

/// Migrations that one search looks at. Half a thousand of them take about five milliseconds.
const BUDGET: usize = 512;

/// Whether `below` requires `above`, or is it. Nearest first.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the budget and the masks"
)]
pub(super) const fn reaches(below: NodeRef, above: NodeRef) -> Answer {
    let first = below.get();
    let target = above.get().key;
    if first.key == 0 || target == 0 {
        return Answer::Unknown;
    }
    if first.key == target {
        return Answer::Yes;
    }
    let mut answer = Answer::No;
    let mut queue: [Option<&'static Descriptor>; BUDGET] = [None; BUDGET];
    // Who was met, each in one place: whoever is put out of it may be visited again, which costs less
    // than a search for another place. A literal mask: a constant would be looked up each time.
    let mut met = [u64::MAX; 2048];
    queue[0] = Some(first);
    let mut queued = 1;
    let mut at = 0;
    while let Some(node) = queue[at] {
        at += 1;
        let mut rest = node.requires;
        while let [required, tail @ ..] = rest {
            let required = required.get();
            let key = required.key;
            if key == target {
                return Answer::Yes;
            }
            rest = tail;
            if met[key as usize & 2047] != key {
                met[key as usize & 2047] = key;
                if key == 0 {
                    answer = Answer::Unknown;
                }
                queue[queued] = Some(required);
                queued += 1;
                if queued == BUDGET {
                    return Answer::Unknown;
                }
            }
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Fingerprint, Location, MigrationId, Repeat, Reversal, TransactionMode, view::Unmanaged,
    };

    /// Migrations by their requirements, which come before them; 0 is one with errors.
    fn statics(requires: &[Vec<usize>], keys: impl Fn(usize) -> u64) -> Vec<NodeRef> {
        let mut nodes: Vec<NodeRef> = Vec::new();
        for (at, row) in requires.iter().enumerate() {
            let row: Vec<_> = row.iter().map(|&it| nodes[it]).collect();
            let node = Descriptor {
                id: MigrationId::new("app", "any"),
                was: &[],
                description: "",
                location: Location {
                    file: "",
                    line: 0,
                    column: 0,
                },
                requires: row.leak(),
                transaction: TransactionMode::Atomic,
                databases: &[],
                reversal: Reversal::Unspecified,
                fingerprint: Fingerprint(0),
                limits: crate::Limits::NONE,
                suspends: &[],
                unmanaged: Unmanaged::Refuse,
                sql: None,
                repeat: Repeat::Never,
                replaces: &[],
                scale: crate::Scale::Step,
                key: keys(at),
            };
            nodes.push(NodeRef::new(Box::leak(Box::new(node))));
        }
        nodes
    }

    fn exactly(requires: &[Vec<usize>], below: usize, above: usize) -> bool {
        below == above
            || requires[below]
                .iter()
                .any(|&it| exactly(requires, it, above))
    }

    fn graph() -> impl Strategy<Value = Vec<Vec<usize>>> {
        (1_usize..14).prop_flat_map(|size| {
            let row =
                |at: usize| prop::collection::vec(0..at.max(1), 0..if at == 0 { 1 } else { 4 });
            (0..size).map(row).collect::<Vec<_>>()
        })
    }

    proptest! {
        /// Also where all keys want the same place of the table.
        #[test]
        fn small_graphs_have_exact_answers(requires in graph(), step in prop::sample::select(vec![1, 2048])) {
            let nodes = statics(&requires, |at| (at as u64 + 1) * step);
            for below in 0..nodes.len() {
                for above in 0..nodes.len() {
                    let answer = reaches(nodes[below], nodes[above]);
                    let exact = exactly(&requires, below, above);
                    prop_assert_eq!(answer, if exact { Answer::Yes } else { Answer::No });
                }
            }
        }
    }

    #[test]
    fn what_has_errors_answers_nothing() {
        // 0 <- 1 <- 2, and 3 on its own; 1 has errors. Key 2048 and key 0 want the same place.
        let requires = [vec![], vec![], vec![1], vec![]];
        let nodes = statics(
            &requires,
            |at| if at == 1 { 0 } else { 2048 * (at as u64 + 1) },
        );
        assert_eq!(reaches(nodes[2], nodes[1]), Answer::Unknown);
        assert_eq!(reaches(nodes[1], nodes[0]), Answer::Unknown);
        assert_eq!(reaches(nodes[2], nodes[0]), Answer::Unknown);
        assert_eq!(reaches(nodes[3], nodes[0]), Answer::No);
    }

    #[test]
    fn a_long_way_is_left_to_the_start_of_the_program() {
        let size = 2 * BUDGET;
        let chain: Vec<_> = (0..size)
            .map(|at| at.checked_sub(1).into_iter().collect())
            .collect();
        let nodes = statics(&chain, |at| at as u64 + 1);
        let last = nodes[size - 1];
        assert_eq!(reaches(last, nodes[size - BUDGET]), Answer::Yes);
        assert_eq!(reaches(last, nodes[0]), Answer::Unknown);
        assert_eq!(reaches(nodes[BUDGET / 2], last), Answer::No);
    }
}
