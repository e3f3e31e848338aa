//! [`Turns`]: whose turn it is, among several databases.

use migrate_core::{databases::Order, frontend::Waiting};

/// Whose turn it is.
///
/// A database begins when those that it requires something of are at their end. Where they require
/// something of each other in a circle, they take turns: each applies what it can and gives way, until
/// all have had a turn in which nothing was done.
#[derive(Debug)]
pub(super) struct Turns {
    order: Order,
    /// Not begun, or gave way; in the order of their turns.
    queue: Vec<usize>,
    running: Vec<usize>,
    /// Turns in a row in which nothing was done, by who gave way.
    idle: usize,
    failures: usize,
    stop_after: usize,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Done,
    Failed,
    /// Something waits for other databases, after so many were applied.
    GaveWay(usize),
}

impl Turns {
    pub(super) fn new(order: Order, stop_after: usize) -> Self {
        Self {
            queue: order.sorted(),
            order,
            running: Vec::new(),
            idle: 0,
            failures: 0,
            stop_after,
        }
    }

    /// Who begins now, if anybody may; and what becomes of what waits for others.
    pub(super) fn next(&mut self) -> Option<(usize, Waiting)> {
        if self.failures >= self.stop_after {
            return None;
        }
        let unfinished = [self.queue.as_slice(), &self.running].concat();
        let (at, waiting) = match self.order.ready(&self.queue, &unfinished) {
            // Nobody will come who could do what it waits for.
            Some(at) => (at, Waiting::Refuse),
            None if !self.running.is_empty() => return None,
            None if self.idle >= self.queue.len() => {
                (self.queue.first().copied()?, Waiting::Refuse)
            }
            None => (self.queue.first().copied()?, Waiting::Leave),
        };
        self.queue.retain(|&it| it != at);
        self.running.push(at);
        Some((at, waiting))
    }

    pub(super) fn ended(&mut self, at: usize, how: Ended) {
        self.running.retain(|&it| it != at);
        match how {
            Ended::GaveWay(applied) => {
                self.queue.push(at);
                self.idle = if applied == 0 { self.idle + 1 } else { 0 };
            }
            Ended::Failed => self.failures += 1,
            Ended::Done => self.idle = 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use migrate_core::{
        Location, Scale,
        report::{GraphNode, GraphReport},
    };

    use super::*;

    /// `a>b`: a migration of `a` requires one of `b`.
    fn turns(names: &[&str], edges: &[&str], stop_after: usize) -> Turns {
        let mut graph = GraphReport::default();
        for edge in edges {
            let (from, to) = edge.split_once('>').unwrap();
            for name in [from, to] {
                let location = Location {
                    file: "",
                    line: 1,
                    column: 1,
                };
                graph.nodes.push(GraphNode {
                    id: format!("{edge}:{name}"),
                    description: String::new(),
                    location,
                    databases: vec![name.to_owned()],
                    scale: Scale::Step,
                    state: None,
                });
            }
            let of = |name: &str| format!("{edge}:{name}");
            graph.edges.push((of(from), of(to)));
        }
        Turns::new(Order::new(&graph, names), stop_after)
    }

    #[test]
    fn what_is_needed_ends_before_what_needs_it_begins() {
        let mut turns = turns(&["a", "b", "c"], &["a>b"], 1);
        assert_eq!(turns.next(), Some((1, Waiting::Refuse)));
        assert_eq!(turns.next(), Some((2, Waiting::Refuse)), "beside it");
        assert_eq!(turns.next(), None, "a waits for b");
        turns.ended(2, Ended::Done);
        assert_eq!(turns.next(), None);
        turns.ended(1, Ended::Done);
        assert_eq!(turns.next(), Some((0, Waiting::Refuse)));
        turns.ended(0, Ended::Done);
        assert_eq!(turns.next(), None);
    }

    #[test]
    fn nothing_new_begins_after_so_many_failures() {
        let mut turns = turns(&["a", "b", "c", "d"], &[], 2);
        for at in 0..3 {
            assert_eq!(turns.next(), Some((at, Waiting::Refuse)));
        }
        turns.ended(1, Ended::Failed);
        turns.ended(0, Ended::Done);
        turns.ended(2, Ended::Failed);
        assert_eq!(turns.next(), None);
    }

    #[test]
    fn a_circle_takes_turns_until_nothing_is_done_any_more() {
        let mut turns = turns(&["a", "b"], &["a>b", "b>a"], 5);
        assert_eq!(turns.next(), Some((0, Waiting::Leave)));
        assert_eq!(turns.next(), None, "one at a time");
        turns.ended(0, Ended::GaveWay(1));
        assert_eq!(turns.next(), Some((1, Waiting::Leave)));
        turns.ended(1, Ended::GaveWay(0));
        assert_eq!(turns.next(), Some((0, Waiting::Leave)));
        turns.ended(0, Ended::GaveWay(0));
        assert_eq!(turns.next(), Some((1, Waiting::Refuse)), "and says why");
        turns.ended(1, Ended::Failed);
        assert_eq!(turns.next(), Some((0, Waiting::Refuse)));
        turns.ended(0, Ended::Failed);
        assert_eq!(turns.next(), None);
    }
}
