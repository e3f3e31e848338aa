//! Views that use each other, in const code, within a budget.

use super::message::Message;
use crate::{node::ViewRef, view::ViewDescriptor};

/// Views that one search looks at.
const BUDGET: usize = 64;

/// The message about a circle that leads from `view` through `used` back to it. It is told at one of
/// its members only, the one that comes first by its place.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the loops"
)]
pub(super) const fn circle(view: ViewRef, used: ViewRef) -> Option<Message> {
    let start = view.get();
    let mut queue: [Option<&'static ViewDescriptor>; BUDGET] = [None; BUDGET];
    // Through which one it was met.
    let mut from = [0_usize; BUDGET];
    queue[0] = Some(used.get());
    let mut queued = 1;
    let mut at = 0;
    while at < queued {
        let Some(it) = queue[at] else { break };
        if same(it, start) {
            return told(start, &queue, &from, at);
        }
        let mut edge = 0;
        while edge < it.uses.len() {
            let next = it.uses[edge].get();
            edge += 1;
            let mut met = 0;
            while met < queued {
                if let Some(other) = queue[met]
                    && same(other, next)
                {
                    break;
                }
                met += 1;
            }
            if met == queued {
                if queued == BUDGET {
                    return None;
                }
                queue[queued] = Some(next);
                from[queued] = at;
                queued += 1;
            }
        }
        at += 1;
    }
    None
}

/// The way to the view at `end`, which is `start` again.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; positions within the queue"
)]
const fn told(
    start: &ViewDescriptor,
    queue: &[Option<&'static ViewDescriptor>; BUDGET],
    from: &[usize; BUDGET],
    end: usize,
) -> Option<Message> {
    let mut way = [0_usize; BUDGET];
    let mut length = 0;
    let mut at = end;
    while at != 0 {
        way[length] = at;
        length += 1;
        at = from[at];
    }
    way[length] = 0;
    let mut message = Message::new("views use each other in a circle: ").view(start);
    loop {
        if let Some(member) = queue[way[length]] {
            if comes_before(member, start) {
                return None;
            }
            message = message.text(" uses ").view(member);
        }
        if length == 0 {
            return Some(message);
        }
        length -= 1;
    }
}

const fn comes_before(one: &ViewDescriptor, other: &ViewDescriptor) -> bool {
    one.location.line < other.location.line
        || (one.location.line == other.location.line && one.location.column < other.location.column)
}

/// Whether it is the same view. Numbers first: const code takes long to compare texts.
const fn same(one: &ViewDescriptor, other: &ViewDescriptor) -> bool {
    one.location.line == other.location.line
        && one.location.column == other.location.column
        && one.since.get().key == other.since.get().key
        && same_text(one.id.name(), other.id.name())
        && same_text(one.location.file, other.location.file)
}

#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the loop"
)]
pub(super) const fn same_text(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
