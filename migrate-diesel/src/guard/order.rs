//! One topological order of everything that goes down, by all the edges that are known.

use std::collections::BTreeSet;

/// Positions of `0..count`, each after what it depends on; among those that may come next, the
/// first. `edges` are `(on, by)`. What is in a circle (a catalog knows none) comes last.
pub(super) fn roots_first(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut waiting = vec![0_usize; count];
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); count];
    let edges: BTreeSet<(usize, usize)> = edges.iter().copied().collect();
    for (on, by) in edges.into_iter().filter(|(on, by)| on != by) {
        if let (Some(row), Some(left)) = (users.get_mut(on), waiting.get_mut(by)) {
            row.push(by);
            *left += 1;
        }
    }
    let mut ready: BTreeSet<usize> = (0..count)
        .filter(|&at| waiting.get(at) == Some(&0))
        .collect();
    let mut order = Vec::with_capacity(count);
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for &by in users.get(at).map_or(&[][..], Vec::as_slice) {
            if let Some(left) = waiting.get_mut(by) {
                *left -= 1;
                if *left == 0 {
                    ready.insert(by);
                }
            }
        }
    }
    if order.len() < count {
        let placed: BTreeSet<usize> = order.iter().copied().collect();
        order.extend((0..count).filter(|at| !placed.contains(at)));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_comes_first() {
        // A diamond whose tip comes first in the list.
        assert_eq!(
            roots_first(4, &[(3, 1), (3, 2), (1, 0), (2, 0)]),
            [3, 1, 2, 0]
        );
        assert_eq!(roots_first(3, &[]), [0, 1, 2]);
        assert_eq!(roots_first(2, &[(0, 1), (1, 0)]), [0, 1]);
    }
}
