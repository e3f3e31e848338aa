//! Squashed migrations: what `replaces` means for the graph.

use rustc_hash::FxHashMap;

use super::{
    csr::{Csr, count},
    rank::{ByAddress, address},
};
use crate::{
    Descriptor,
    report::{Problem, ProblemKind},
};

/// Ranks of what each squash replaces, by its rank.
pub(super) type Replaced = FxHashMap<u32, Vec<u32>>;

/// What replaces what; a migration is replaced once, and not by itself.
pub(super) fn replaced(
    ranked: &[&'static Descriptor],
    by_address: &ByAddress,
    problems: &mut Vec<Problem>,
) -> Replaced {
    let mut replaced = Replaced::default();
    let mut by: FxHashMap<u32, &'static Descriptor> = FxHashMap::default();
    for (rank, &squash) in ranked.iter().enumerate() {
        let mut row: Vec<u32> = Vec::new();
        for node in squash.replaces {
            let old = node.get();
            let Some(&at) = by_address.get(&address(old)) else {
                problems.push(wrong(
                    squash,
                    ProblemKind::NotCarried,
                    format!(
                        "`{}` replaces `{}` ({}), which is not carried by this program; name its crate in `main!(..)`, \
                         or, once no database needs it any more, say `was = [..]` instead of `replaces`",
                        squash.id, old.id, old.location
                    ),
                ));
                continue;
            };
            if at as usize == rank {
                let message = format!("`{}` replaces itself", squash.id);
                problems.push(wrong(squash, ProblemKind::Cycle, message));
                continue;
            }
            if let Some(other) = by.insert(at, squash)
                && !std::ptr::eq(other, squash)
            {
                let message = format!(
                    "`{}` ({}) is replaced by `{}` ({}) and by `{}`; one of them is enough",
                    old.id, old.location, other.id, other.location, squash.id
                );
                problems.push(wrong(squash, ProblemKind::DuplicateId, message));
            }
            row.push(at);
        }
        row.sort_unstable();
        row.dedup();
        if !row.is_empty() {
            replaced.insert(count(rank), row);
        }
    }
    replaced
}

/// With the requirements that follow: what requires something replaced requires its squash, which
/// on a fresh database is there instead; and the squash requires what the replaced ones do, apart
/// from each other.
pub(super) fn implied(requires: &Csr, replaced: &Replaced) -> Csr {
    let mut squash_of: FxHashMap<u32, u32> = FxHashMap::default();
    for (&squash, row) in replaced {
        squash_of.extend(row.iter().map(|&old| (old, squash)));
    }
    let mut all = Csr::with_capacity(requires.len(), requires.edges());
    for rank in 0..requires.len() {
        let rank_number = count(rank);
        let mut row: Vec<u32> = requires.row(rank).to_vec();
        let own = replaced.get(&rank_number).map_or(&[][..], Vec::as_slice);
        for &old in own {
            let theirs = requires.row(old as usize).iter().copied();
            row.extend(theirs.filter(|it| !own.contains(it) && *it != rank_number));
        }
        let squashes: Vec<u32> = row
            .iter()
            .filter_map(|required| squash_of.get(required).copied())
            // Those that are replaced together need not wait for what replaces them.
            .filter(|squash| *squash != rank_number && squash_of.get(&rank_number) != Some(squash))
            .collect();
        row.extend(squashes);
        row.sort_unstable();
        row.dedup();
        all.push(row);
    }
    all
}

/// By position instead of by rank.
pub(super) fn moved(replaced: &Replaced, positions: &[u32]) -> Replaced {
    let at = |rank: u32| positions.get(rank as usize).copied().unwrap_or_default();
    replaced
        .iter()
        .map(|(&squash, row)| {
            let mut row: Vec<u32> = row.iter().map(|&old| at(old)).collect();
            row.sort_unstable();
            (at(squash), row)
        })
        .collect()
}

fn wrong(squash: &Descriptor, kind: ProblemKind, message: String) -> Problem {
    Problem::new(kind, squash.id.to_string(), message).at(squash.location)
}
