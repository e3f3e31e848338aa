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

/// Migrations that one search looks at.
const BUDGET: usize = 512;

/// Slots of the table of those that were met: a power of two, and never more than half full.
const SLOTS: usize = 2 * BUDGET;

/// Whether `below` requires `above`, or is it. Nearest first.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the loops and the mask"
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
    let mut met = [0_u64; SLOTS];
    queue[0] = Some(first);
    let mut queued = 1;
    let mut at = 0;
    while at < queued {
        let Some(node) = queue[at] else { break };
        at += 1;
        let requires = node.requires;
        let mut edge = requires.len();
        // The last first: the one that was added last is the nearest.
        while edge > 0 {
            edge -= 1;
            let required = requires[edge].get();
            let key = required.key;
            if key == target {
                return Answer::Yes;
            }
            if key == 0 {
                answer = Answer::Unknown;
                continue;
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "some bits of a hash are as good as others"
            )]
            let mut slot = key as usize & (SLOTS - 1);
            while met[slot] != 0 && met[slot] != key {
                slot = (slot + 1) & (SLOTS - 1);
            }
            if met[slot] == 0 {
                if queued == BUDGET {
                    return Answer::Unknown;
                }
                met[slot] = key;
                queue[queued] = Some(required);
                queued += 1;
            }
        }
    }
    answer
}
