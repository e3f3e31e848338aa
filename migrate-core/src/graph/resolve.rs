//! From what the linker hands over to [`Nodes`]: the pipeline, and what can be wrong.

use std::collections::{BTreeMap, HashSet};

use rustc_hash::FxBuildHasher;

use super::{
    Claim, Ids, Nodes,
    csr::{Csr, count},
    order,
    rank::{ByAddress, address, ranked},
    repeat, squash,
};
use crate::{
    Descriptor,
    report::{Problem, ProblemKind},
    settings::Ordering,
};

/// Resolves; see [`Graph::resolve`](super::Graph::resolve).
pub(super) fn resolve(
    migrations: &[&'static Descriptor],
    crates: &[&str],
    ordering: Ordering,
) -> Result<Nodes, Vec<Problem>> {
    let ranked = ranked(migrations, crates, ordering);
    let mut problems = Vec::new();
    let mut ids = ids(&ranked, &mut problems);
    let by_address = addresses(&ranked);
    let mut requires = requirements(&ranked, &ids, &by_address, &mut problems);
    let replaced = squash::replaced(&ranked, &by_address, &mut problems);
    if !replaced.is_empty() {
        requires = squash::implied(&requires, &replaced);
    }
    problems.extend(repeat::problems(&ranked, &requires));
    let dependants = requires.transpose();
    let order = order::order(&requires, &dependants);
    if order.len() < ranked.len() {
        let cycles = order::cycles(&requires);
        problems.extend(cycles.iter().map(|cycle| circle(&ranked, cycle)));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let positions = inverse(&order);
    for claim in ids.values_mut() {
        claim.at = at(&positions, claim.at);
    }
    let mut unsorted = Csr::with_capacity(requires.len(), requires.edges());
    for &rank in &order {
        let row = requires.row(rank as usize).iter();
        unsorted.push(row.map(|&required| at(&positions, required)));
    }
    let dependants = unsorted.transpose();
    Ok(Nodes {
        elsewhere: BTreeMap::new(),
        descriptors: order
            .iter()
            .filter_map(|&rank| ranked.get(rank as usize).copied())
            .collect(),
        requirements: dependants.transpose(),
        dependants,
        ids,
        replaced: squash::moved(&replaced, &positions),
    })
}

/// Position by rank, from rank by position.
fn inverse(order: &[u32]) -> Vec<u32> {
    let mut positions = vec![0; order.len()];
    for (position, &rank) in order.iter().enumerate() {
        if let Some(slot) = positions.get_mut(rank as usize) {
            *slot = count(position);
        }
    }
    positions
}

/// The number at a place that is known to be there.
fn at(numbers: &[u32], place: u32) -> u32 {
    numbers.get(place as usize).copied().unwrap_or_default()
}

/// Who claims which id, by rank. Live ids first: a former id may not be one of them.
fn ids(ranked: &[&'static Descriptor], problems: &mut Vec<Problem>) -> Ids {
    let mut ids = Ids::with_capacity_and_hasher(ranked.len(), FxBuildHasher);
    let mut duplicates: BTreeMap<u32, Vec<&Descriptor>> = BTreeMap::new();
    for (rank, &descriptor) in ranked.iter().enumerate() {
        let claim = Claim {
            at: count(rank),
            precedence: 0,
        };
        let id = (descriptor.id.package(), descriptor.id.name());
        let first = ids.entry(id).or_insert(claim).at;
        if first != claim.at {
            duplicates.entry(first).or_default().push(descriptor);
        }
    }
    for (first, mut others) in duplicates {
        others.extend(ranked.get(first as usize));
        others.rotate_right(1);
        problems.extend(duplicate(&others));
    }
    for (rank, &descriptor) in ranked.iter().enumerate() {
        for (number, former) in descriptor.was.iter().enumerate() {
            let id = former_id(descriptor, former);
            let claim = Claim {
                at: count(rank),
                precedence: count(number + 1),
            };
            let first = *ids.entry(id).or_insert(claim);
            if let Some(&other) = ranked.get(first.at as usize)
                && first.at != claim.at
            {
                problems.push(claimed_twice(descriptor, other, first, id));
            }
        }
    }
    ids
}

/// `(package, name)` of an entry of `was`: a name alone is one of the same package.
pub(super) fn former_id(
    descriptor: &Descriptor,
    former: &'static str,
) -> (&'static str, &'static str) {
    former
        .split_once(':')
        .unwrap_or((descriptor.id.package(), former))
}

fn duplicate(copies: &[&Descriptor]) -> Option<Problem> {
    let first = copies.first()?;
    let places: Vec<String> = copies.iter().map(|it| it.location.to_string()).collect();
    let problem = Problem::new(
        ProblemKind::DuplicateId,
        first.id.to_string(),
        format!(
            "{} migrations have the id `{}`: {}; give all but one another name with `id = \"..\"`, \
             or, where two versions of the crate `{}` are linked, keep one",
            copies.len(),
            first.id,
            places.join(" and "),
            first.id.package(),
        ),
    );
    Some(problem.at(first.location))
}

fn claimed_twice(
    descriptor: &Descriptor,
    other: &Descriptor,
    first: Claim,
    (package, name): (&str, &str),
) -> Problem {
    let former = format!("{package}:{name}");
    let but = if first.precedence == 0 {
        format!("that is the id of `{}` ({})", other.id, other.location)
    } else {
        format!("so does `{}` ({})", other.id, other.location)
    };
    let message = format!(
        "`{}` ({}) lists `{former}` as a former id (`was`), but {but}; a history row counts for one \
         migration only",
        descriptor.id, descriptor.location,
    );
    Problem::new(ProblemKind::DuplicateId, former, message).at(descriptor.location)
}

/// Rank by address.
fn addresses(ranked: &[&'static Descriptor]) -> ByAddress {
    let mut by_address = ByAddress::with_capacity_and_hasher(ranked.len(), FxBuildHasher);
    for (rank, &descriptor) in ranked.iter().enumerate() {
        by_address.insert(address(descriptor), count(rank));
    }
    by_address
}

/// What each rank requires, ascending, each once; a requirement that is not there is a problem.
fn requirements(
    ranked: &[&'static Descriptor],
    ids: &Ids,
    by_address: &ByAddress,
    problems: &mut Vec<Problem>,
) -> Csr {
    let edges = ranked.iter().map(|it| it.requires.len()).sum();
    let mut requires = Csr::with_capacity(ranked.len(), edges);
    let mut absent: Vec<Absent> = Vec::new();
    let mut row: Vec<u32> = Vec::new();
    for &descriptor in ranked {
        row.clear();
        for required in descriptor.requires {
            let required = required.get();
            match by_address.get(&address(required)) {
                Some(&rank) => row.push(rank),
                None => Absent::note(&mut absent, required, descriptor),
            }
        }
        row.sort_unstable();
        row.dedup();
        requires.push(row.iter().copied());
    }
    if !absent.is_empty() {
        let packages: HashSet<&str> = ranked.iter().map(|it| it.id.package()).collect();
        problems.extend(absent.iter().map(|it| it.problem(ids, &packages)));
    }
    requires
}

/// A requirement that the program does not carry.
struct Absent {
    required: &'static Descriptor,
    /// The first that requires it, by rank.
    by: &'static Descriptor,
    last: &'static Descriptor,
    others: usize,
}

impl Absent {
    /// One entry for each requirement, however many migrations require it. Only a program that is
    /// refused anyway gets here, so that a linear search does.
    fn note(absent: &mut Vec<Self>, required: &'static Descriptor, by: &'static Descriptor) {
        let known = absent
            .iter_mut()
            .find(|it| std::ptr::eq(it.required, required));
        match known {
            // The same one listed twice is still one.
            Some(known) if std::ptr::eq(known.last, by) => {}
            Some(known) => {
                known.last = by;
                known.others += 1;
            }
            None => absent.push(Self {
                required,
                by,
                last: by,
                others: 0,
            }),
        }
    }

    fn problem(&self, ids: &Ids, packages: &HashSet<&str>) -> Problem {
        let id = self.required.id;
        let package = id.package();
        let others = match self.others {
            0 => String::new(),
            1 => " and one other".to_owned(),
            others => format!(" and {others} others"),
        };
        let what = if ids.contains_key(&(package, id.name())) {
            format!(
                "it comes from another version of the crate `{package}` than the one that is carried; \
                 link one version only (`cargo tree --duplicates` lists them)"
            )
        } else if packages.contains(package) {
            format!("other migrations of `{package}` are carried: add this one to them")
        } else {
            format!("name its crate in `main!(.., {package})`")
        };
        let message = format!(
            "`{id}`, which `{}` ({}){others} requires, is not carried by this program; {what}",
            self.by.id, self.by.location,
        );
        Problem::new(ProblemKind::NotCarried, id.to_string(), message).at(self.by.location)
    }
}

fn circle(ranked: &[&'static Descriptor], cycle: &order::Cycle) -> Problem {
    let members = cycle.nodes.iter().chain(cycle.nodes.first());
    let members: Vec<&Descriptor> = members
        .filter_map(|&rank| ranked.get(rank as usize).copied())
        .collect();
    let ids: Vec<String> = members.iter().map(|it| it.id.to_string()).collect();
    let id = ids.first().cloned().unwrap_or_default();
    let mut message = if cycle.nodes.len() == 1 {
        format!("`{id}` requires itself")
    } else {
        format!(
            "migrations require each other in a circle: {}",
            ids.join(" -> ")
        )
    };
    if cycle.untold > 0 {
        message += &format!(
            " ({} more migrations are in circles with these)",
            cycle.untold
        );
    }
    let problem = Problem::new(ProblemKind::Cycle, id, message);
    match members.first() {
        Some(first) => problem.at(first.location),
        None => problem,
    }
}
