//! The order rule, and the circles that forbid one, on plain numbers.
//!
//! A node's number is its rank: among nodes that are equally ready, the lower number comes first.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use super::csr::{Csr, count};

/// Circles told of one tangle: more would be noise, and finding them all takes quadratic time.
const CYCLES_PER_TANGLE: usize = 16;

/// Every node after what it requires. Among those that are ready, first those that require
/// something, so that a dependant follows its last requirement at once; then by rank.
///
/// Nodes on a circle, and those behind one, are left out.
#[expect(
    clippy::indexing_slicing,
    reason = "hot; `waiting` has one entry per row, and rows hold numbers of rows"
)]
pub(super) fn order(requires: &Csr, dependants: &Csr) -> Vec<u32> {
    let mut waiting: Vec<u32> = (0..requires.len())
        .map(|at| count(requires.row(at).len()))
        .collect();
    // Those without requirements are ready from the start and stand in rank order already.
    let mut independent =
        (0..count(requires.len())).filter(|&at| requires.row(at as usize).is_empty());
    let mut dependent = BinaryHeap::new();
    let mut order = Vec::with_capacity(requires.len());
    loop {
        let next = dependent.pop().map(|Reverse(at)| at);
        let Some(next) = next.or_else(|| independent.next()) else {
            return order;
        };
        order.push(next);
        for &at in dependants.row(next as usize) {
            let left = &mut waiting[at as usize];
            *left -= 1;
            if *left == 0 {
                dependent.push(Reverse(at));
            }
        }
    }
}

/// A circle, and how many more nodes are in circles with it that are not told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    /// Each requires the next, the last the first. Begins with the lowest rank.
    pub(super) nodes: Vec<u32>,
    /// Zero but for a tangle of very many circles.
    pub(super) untold: usize,
}

/// Circles that together name every node that lies on one, and no other node.
#[expect(
    clippy::indexing_slicing,
    reason = "every array has one entry per row, and rows hold numbers of rows"
)]
pub(super) fn cycles(requires: &Csr) -> Vec<Cycle> {
    let tangle_of = components(requires);
    let mut tangles: Vec<Vec<u32>> = vec![Vec::new(); requires.len()];
    for (at, &tangle) in tangle_of.iter().enumerate() {
        tangles[tangle as usize].push(count(at));
    }
    let mut search = Search {
        requires,
        tangle_of: &tangle_of,
        met: vec![NONE; requires.len()],
        round: 0,
    };
    let mut covered = vec![false; requires.len()];
    let mut found = Vec::new();
    for members in &tangles {
        let before = found.len();
        for &start in members {
            if covered[start as usize] || found.len() - before == CYCLES_PER_TANGLE {
                continue;
            }
            let Some(nodes) = search.shortest(start) else {
                continue;
            };
            for &at in &nodes {
                covered[at as usize] = true;
            }
            found.push(Cycle { nodes, untold: 0 });
        }
        if let Some(last) = found.get_mut(before..).and_then(<[_]>::last_mut) {
            last.untold = members.iter().filter(|&&at| !covered[at as usize]).count();
        }
    }
    found.sort_by(|a, b| a.nodes.cmp(&b.nodes));
    found
}

const NONE: (u32, u32) = (u32::MAX, u32::MAX);

/// Breadth-first searches that share one array, so that many small circles stay linear.
struct Search<'a> {
    requires: &'a Csr,
    tangle_of: &'a [u32],
    /// In which search a node was met, and from where.
    met: Vec<(u32, u32)>,
    round: u32,
}

impl Search<'_> {
    /// A shortest way from `start` back to itself; among those the one of lowest ranks.
    #[expect(
        clippy::indexing_slicing,
        reason = "every array has one entry per row, and rows hold numbers of rows"
    )]
    fn shortest(&mut self, start: u32) -> Option<Vec<u32>> {
        self.round += 1;
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for &next in self.requires.row(at as usize) {
                if next == start {
                    return Some(self.way(start, at));
                }
                let inside = self.tangle_of[next as usize] == self.tangle_of[start as usize];
                let met = &mut self.met[next as usize];
                if inside && met.0 != self.round {
                    *met = (self.round, at);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    /// The nodes from `start` to `last`, turned so that the lowest comes first.
    #[expect(
        clippy::indexing_slicing,
        reason = "every array has one entry per row, and rows hold numbers of rows"
    )]
    fn way(&self, start: u32, last: u32) -> Vec<u32> {
        let mut nodes = vec![last];
        let mut at = last;
        while at != start {
            at = self.met[at as usize].1;
            nodes.push(at);
        }
        nodes.reverse();
        let lowest = nodes.iter().enumerate().min_by_key(|(_, at)| **at);
        let turn = lowest.map_or(0, |(turn, _)| turn);
        nodes.rotate_left(turn);
        nodes
    }
}

/// For each node a number that it shares with exactly those that it lies on a circle with
/// (Tarjan's strongly connected components, with a stack of its own: chains may be long).
#[expect(
    clippy::indexing_slicing,
    reason = "every array has one entry per row, and rows hold numbers of rows"
)]
fn components(requires: &Csr) -> Vec<u32> {
    const UNSEEN: u32 = u32::MAX;
    let rows = requires.len();
    let mut component = vec![UNSEEN; rows];
    let mut index = vec![UNSEEN; rows];
    let mut low = vec![UNSEEN; rows];
    let mut open: Vec<u32> = Vec::new();
    let mut calls: Vec<(u32, usize)> = Vec::new();
    let (mut clock, mut components) = (0, 0);
    for root in 0..count(rows) {
        if index[root as usize] == UNSEEN {
            calls.push((root, 0));
        }
        while let Some((node, edge)) = calls.pop() {
            let at = node as usize;
            if edge == 0 {
                index[at] = clock;
                low[at] = clock;
                clock += 1;
                open.push(node);
            }
            if let Some(&next) = requires.row(at).get(edge) {
                calls.push((node, edge + 1));
                if index[next as usize] == UNSEEN {
                    calls.push((next, 0));
                } else if component[next as usize] == UNSEEN {
                    low[at] = low[at].min(index[next as usize]);
                }
                continue;
            }
            if low[at] == index[at] {
                while let Some(member) = open.pop() {
                    component[member as usize] = components;
                    if member == node {
                        break;
                    }
                }
                components += 1;
            }
            if let Some(&(caller, _)) = calls.last() {
                low[caller as usize] = low[caller as usize].min(low[at]);
            }
        }
    }
    component
}

#[cfg(test)]
mod tests;
