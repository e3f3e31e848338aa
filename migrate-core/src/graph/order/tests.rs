use proptest::prelude::*;

use super::*;

fn csr(rows: &[Vec<u32>]) -> Csr {
    let mut csr = Csr::default();
    for row in rows {
        let mut row = row.clone();
        row.sort_unstable();
        row.dedup();
        csr.push(row);
    }
    csr
}

fn found(rows: &[Vec<u32>]) -> Vec<Vec<u32>> {
    cycles(&csr(rows)).into_iter().map(|it| it.nodes).collect()
}

#[test]
fn only_members_in_the_order_of_the_circle() {
    // 3 is behind the circle, 4 before it; neither is a member.
    let rows = [vec![1], vec![2], vec![0, 4], vec![0], vec![]];
    assert_eq!(found(&rows), [[0, 1, 2]]);
    assert_eq!(order(&csr(&rows), &csr(&rows).transpose()), [4]);
}

#[test]
fn one_for_each_circle() {
    let rows = [vec![0], vec![2], vec![1], vec![4], vec![3, 2]];
    assert_eq!(found(&rows), [vec![0], vec![1, 2], vec![3, 4]]);
}

#[test]
fn circles_that_share_a_node_are_both_told() {
    let rows = [vec![1], vec![0, 2], vec![1]];
    assert_eq!(found(&rows), [[0, 1], [1, 2]]);
}

#[test]
fn a_long_circle_does_not_overflow_the_stack() {
    let rows: Vec<Vec<u32>> = (0..200_000).map(|at| vec![(at + 1) % 200_000]).collect();
    let found = found(&rows);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].len(), 200_000);
}

#[test]
fn a_tangle_is_cut_short_and_says_so() {
    // A hub with forty spokes there and back.
    let mut rows = vec![(1..=40).collect::<Vec<u32>>()];
    rows.extend((0..40).map(|_| vec![0]));
    let found = cycles(&csr(&rows));
    assert_eq!(found.len(), CYCLES_PER_TANGLE);
    let untold: Vec<usize> = found
        .iter()
        .map(|it| it.untold)
        .filter(|it| *it > 0)
        .collect();
    assert_eq!(untold, [40 - CYCLES_PER_TANGLE]);
}

fn graphs() -> impl Strategy<Value = Vec<Vec<u32>>> {
    (1..14_u32).prop_flat_map(|nodes| {
        prop::collection::vec(prop::collection::vec(0..nodes, 0..3), nodes as usize)
    })
}

/// Whether `from` reaches `to` by one edge or more.
fn reaches(rows: &[Vec<u32>], from: u32, to: u32) -> bool {
    let mut met = vec![false; rows.len()];
    let mut open = rows[from as usize].clone();
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if !std::mem::replace(&mut met[at as usize], true) {
            open.extend(&rows[at as usize]);
        }
    }
    false
}

proptest! {
    #[test]
    fn circles_name_exactly_the_members(rows in graphs()) {
        let found = found(&rows);
        let mut named: Vec<u32> = found.concat();
        named.sort_unstable();
        named.dedup();
        let nodes = 0..u32::try_from(rows.len()).expect("few");
        let members: Vec<u32> = nodes.filter(|&at| reaches(&rows, at, at)).collect();
        prop_assert_eq!(named, members);
    }

    #[test]
    fn a_circle_is_one_and_begins_with_its_lowest(rows in graphs()) {
        let found = found(&rows);
        for circle in &found {
            for (at, next) in circle.iter().zip(circle.iter().cycle().skip(1)) {
                prop_assert!(rows[*at as usize].contains(next));
            }
            prop_assert_eq!(circle.iter().min(), circle.first());
            let mut once = circle.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), circle.len());
        }
        let mut once = found.clone();
        once.dedup();
        prop_assert_eq!(once, found);
    }

    #[test]
    fn what_is_not_ordered_is_on_or_behind_a_circle(rows in graphs()) {
        let requires = csr(&rows);
        let order = order(&requires, &requires.transpose());
        for at in 0..u32::try_from(rows.len()).expect("few") {
            let mut on_or_behind = reaches(&rows, at, at);
            for other in 0..u32::try_from(rows.len()).expect("few") {
                on_or_behind |= reaches(&rows, at, other) && reaches(&rows, other, other);
            }
            prop_assert_eq!(order.contains(&at), !on_or_behind);
        }
    }
}
