//! How [`Views`] come together, and everything that can be wrong with them.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{ViewDescriptor, Views};
use crate::{
    DEFAULT_DATABASE, Descriptor, Graph,
    graph::{count, databases_of},
    node::{NodeRef, ViewRef},
    report::{Problem, ProblemKind},
};

pub(super) fn resolve(
    views: &[&'static ViewDescriptor],
    graph: &Graph,
    database: Option<&str>,
) -> Result<Views, Vec<Problem>> {
    let mut problems = Vec::new();
    let here = views
        .iter()
        .copied()
        .filter(|view| database.is_none_or(|name| view.belongs_to(name)));
    let mut carried: Vec<(usize, &'static ViewDescriptor)> = Vec::new();
    for view in here {
        match graph.position(view.since.get().id) {
            Some(since) => carried.push((since, view)),
            None => problems.push(not_carried(view, "since", view.since)),
        }
    }
    // Independent of the order in which the linker hands them in.
    carried.sort_by_key(|(since, view)| (*since, view.id));
    problems.extend(duplicates(&carried));
    let Some(order) = sorted(&carried, database, &mut problems) else {
        return Err(problems);
    };
    let resolved = assemble(&order, graph);
    let ancestry = Ancestry { graph };
    for at in 0..resolved.len() {
        problems.extend(ancestry.lifetime(&resolved, at));
    }
    problems.extend(ancestry.suspensions(&resolved));
    problems.extend(ancestry.names(&resolved));
    if problems.is_empty() {
        Ok(resolved)
    } else {
        Err(problems)
    }
}

/// A view after those that it uses, else as they are; `None` where that cannot be.
fn sorted(
    carried: &[(usize, &'static ViewDescriptor)],
    database: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Option<Vec<(usize, &'static ViewDescriptor, Vec<usize>)>> {
    let positions: FxHashMap<ViewRef, usize> = carried
        .iter()
        .enumerate()
        .map(|(at, (_, view))| (ViewRef::new(view), at))
        .collect();
    let mut uses: Vec<Vec<usize>> = Vec::with_capacity(carried.len());
    for (_, view) in carried {
        let mut row = Vec::new();
        for &used in view.uses {
            match positions.get(&used) {
                Some(&at) => row.push(at),
                None => problems.push(unknown_use(view, used.get(), database)),
            }
        }
        row.sort_unstable();
        row.dedup();
        uses.push(row);
    }
    let mut placed: Vec<Option<usize>> = vec![None; carried.len()];
    let mut order: Vec<usize> = Vec::with_capacity(carried.len());
    // As often as the longest chain against the order of the list: that order follows `since`, and
    // what is used lives longer, so that once is the rule.
    loop {
        let before = order.len();
        for (at, row) in uses.iter().enumerate() {
            let is_placed = |at: &usize| placed.get(*at).copied().flatten().is_some();
            if !is_placed(&at) && row.iter().all(is_placed) {
                if let Some(slot) = placed.get_mut(at) {
                    *slot = Some(order.len());
                }
                order.push(at);
            }
        }
        if order.len() == before {
            break;
        }
    }
    if order.len() < carried.len() {
        problems.push(cycle(carried, &uses, &placed));
        return None;
    }
    let sorted = order.iter().filter_map(|&at| {
        let (since, view) = *carried.get(at)?;
        let mut row: Vec<usize> = uses
            .get(at)?
            .iter()
            .filter_map(|&used| placed.get(used).copied().flatten())
            .collect();
        row.sort_unstable();
        Some((since, view, row))
    });
    Some(sorted.collect())
}

fn assemble(order: &[(usize, &'static ViewDescriptor, Vec<usize>)], graph: &Graph) -> Views {
    let mut resolved = Views::default();
    for (at, (since, view, uses)) in order.iter().enumerate() {
        let until = view.until.and_then(|until| graph.position(until.get().id));
        resolved.views.push(view);
        resolved.since.push(*since);
        resolved.until.push(until);
        resolved.uses.push(uses.iter().map(|&used| count(used)));
        resolved.starting.entry(*since).or_default().push(at);
        if let Some(until) = until {
            resolved.ending.entry(until).or_default().push(at);
        }
    }
    resolved.used_by = resolved.uses.transpose();
    resolved
}

fn duplicates(carried: &[(usize, &'static ViewDescriptor)]) -> Vec<Problem> {
    let mut by_id: BTreeMap<String, Vec<&ViewDescriptor>> = BTreeMap::new();
    for (_, view) in carried {
        by_id.entry(view.id.to_string()).or_default().push(view);
    }
    by_id
        .into_iter()
        .filter(|(_, views)| views.len() > 1)
        .map(|(id, views)| {
            let places: Vec<String> = views.iter().map(|it| it.location.to_string()).collect();
            let message = format!(
                "two views are called `{id}`: {}; rename one of the types",
                places.join(" and ")
            );
            Problem::new(ProblemKind::DuplicateId, id, message)
        })
        .collect()
}

fn cycle(
    carried: &[(usize, &'static ViewDescriptor)],
    uses: &[Vec<usize>],
    placed: &[Option<usize>],
) -> Problem {
    let is_left = |at: &usize| placed.get(*at).is_some_and(Option::is_none);
    let name = |at: usize| {
        carried.get(at).map_or_else(String::new, |(_, view)| {
            format!("`{}` ({})", view.id, view.location)
        })
    };
    // Along what is left, one meets a view again.
    let mut path: Vec<usize> = Vec::new();
    let mut next = (0..carried.len()).find(is_left);
    while let Some(at) = next {
        if let Some(from) = path.iter().position(|it| *it == at) {
            path.drain(..from);
            path.push(at);
            break;
        }
        path.push(at);
        next = uses
            .get(at)
            .and_then(|row| row.iter().copied().find(|at| is_left(at)));
    }
    let members: Vec<String> = path.iter().map(|&at| name(at)).collect();
    let first = path.first().and_then(|&at| carried.get(at));
    let id = first.map_or_else(String::new, |(_, view)| view.id.to_string());
    let message = format!(
        "views use each other in a circle: {}",
        members.join(" uses ")
    );
    let problem = Problem::new(ProblemKind::Cycle, id, message);
    match first {
        Some((_, view)) => problem.at(view.location),
        None => problem,
    }
}

fn not_carried(view: &ViewDescriptor, key: &str, migration: NodeRef) -> Problem {
    let message = format!(
        "the view `{}` lives `{key}` `{}` ({}), which this program does not carry",
        view.id,
        migration.get().id,
        migration.get().location
    );
    Problem::new(ProblemKind::NotCarried, view.id.to_string(), message).at(view.location)
}

fn unknown_use(view: &ViewDescriptor, used: &ViewDescriptor, database: Option<&str>) -> Problem {
    if let Some(name) = database.filter(|name| !used.belongs_to(name)) {
        let message = format!(
            "the view `{}` uses `{}` ({}), which does not belong to the database `{name}`",
            view.id, used.id, used.location
        );
        return Problem::new(ProblemKind::OtherDatabase, view.id.to_string(), message)
            .at(view.location);
    }
    let message = format!(
        "the view `{}` uses `{}` ({}), which this program does not carry",
        view.id, used.id, used.location
    );
    Problem::new(ProblemKind::NotCarried, view.id.to_string(), message).at(view.location)
}

/// Answers who comes before whom, exactly; the checks while compiling may give up.
struct Ancestry<'g> {
    graph: &'g Graph,
}

impl Ancestry<'_> {
    /// Whether `below` requires `above`, directly or not, or is it.
    fn reaches(&self, below: usize, above: usize) -> bool {
        if below <= above {
            return below == above;
        }
        let mut met = vec![false; below - above];
        let mut open = vec![below];
        while let Some(at) = open.pop() {
            for &required in self.graph.requirements(at) {
                let required = required as usize;
                if required == above {
                    return true;
                }
                // What comes earlier in the order cannot require `above`.
                let slot = required.checked_sub(above).and_then(|it| met.get_mut(it));
                if let Some(met) = slot.filter(|met| !**met) {
                    *met = true;
                    open.push(required);
                }
            }
        }
        false
    }

    fn place(&self, at: usize) -> String {
        self.graph
            .get(at)
            .map_or_else(String::new, |it| format!("`{}` ({})", it.id, it.location))
    }

    fn lifetime(&self, views: &Views, at: usize) -> Vec<Problem> {
        let Some(view) = views.get(at) else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        let mut wrong = |message: String| {
            let problem = Problem::new(ProblemKind::ViewLifetime, view.id.to_string(), message);
            problems.push(problem.at(view.location));
        };
        let (since, until) = (views.since(at), views.until(at));
        if let Some(until) = until.filter(|&until| until == since || !self.reaches(until, since)) {
            wrong(format!(
                "the view `{}` lives until {}, which does not require its `since`, {}",
                view.id,
                self.place(until),
                self.place(since)
            ));
        }
        for &used in views.uses(at) {
            let used = used as usize;
            let Some(other) = views.get(used) else {
                continue;
            };
            if !self.reaches(since, views.since(used)) {
                wrong(format!(
                    "the view `{}` uses `{}` ({}), which does not exist yet: {} does not require {}",
                    view.id,
                    other.id,
                    other.location,
                    self.place(since),
                    self.place(views.since(used))
                ));
            }
            let Some(end) = views.until(used) else {
                continue;
            };
            if !until.is_some_and(|until| self.reaches(end, until)) {
                wrong(format!(
                    "the view `{}` is still alive when `{}` ({}), which it uses, goes down with {}; let it end \
                     there too, or before",
                    view.id,
                    other.id,
                    other.location,
                    self.place(end)
                ));
            }
        }
        problems
    }

    fn suspensions(&self, views: &Views) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (at, descriptor) in self.graph.iter().enumerate() {
            for &suspended in descriptor.suspends {
                problems.extend(self.suspension(views, at, descriptor, suspended));
            }
        }
        problems
    }

    fn suspension(
        &self,
        views: &Views,
        at: usize,
        descriptor: &Descriptor,
        suspended: ViewRef,
    ) -> Option<Problem> {
        let view = suspended.get();
        let (kind, message) = match views.position(suspended) {
            None => (
                ProblemKind::NotCarried,
                format!(
                    "`{}` suspends the view `{}` ({}), which this program does not carry for this database",
                    descriptor.id, view.id, view.location
                ),
            ),
            Some(position) if !self.reaches(at, views.since(position)) => (
                ProblemKind::ViewLifetime,
                format!(
                    "`{}` suspends the view `{}`, which only lives since {}; add that to `requires`",
                    descriptor.id,
                    view.id,
                    self.place(views.since(position))
                ),
            ),
            Some(position) => {
                let until = views.until(position)?;
                if self.reaches(until, at) {
                    return None;
                }
                (
                    ProblemKind::ViewLifetime,
                    format!(
                        "`{}` suspends the view `{}`, which goes down with {}, and that does not require it",
                        descriptor.id,
                        view.id,
                        self.place(until)
                    ),
                )
            }
        };
        Some(Problem::new(kind, descriptor.id.to_string(), message).at(descriptor.location))
    }

    /// Two of one name that live at once.
    fn names(&self, views: &Views) -> Vec<Problem> {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, view) in views.iter().enumerate() {
            by_name
                .entry(view.name.to_lowercase())
                .or_default()
                .push(at);
        }
        let mut problems = Vec::new();
        for namesakes in by_name.into_values() {
            for (index, &one) in namesakes.iter().enumerate() {
                for &other in namesakes.iter().skip(index + 1) {
                    let (Some(first), Some(second)) = (views.get(one), views.get(other)) else {
                        continue;
                    };
                    let ends_before = |one: usize, other: usize| {
                        views
                            .until(one)
                            .is_some_and(|until| self.reaches(views.since(other), until))
                    };
                    if ends_before(one, other)
                        || ends_before(other, one)
                        || !share_a_database(first, second)
                    {
                        continue;
                    }
                    let message = format!(
                        "two views called `{}` live at once: `{}` ({}) and `{}` ({}); let one end (`until`) \
                         before the other begins (`since`)",
                        first.name, first.id, first.location, second.id, second.location
                    );
                    let id = first.id.to_string();
                    problems.push(
                        Problem::new(ProblemKind::ViewLifetime, id, message).at(second.location),
                    );
                }
            }
        }
        problems
    }
}

fn share_a_database(one: &ViewDescriptor, other: &ViewDescriptor) -> bool {
    let of_one = databases_of(one.since.get());
    std::iter::once(DEFAULT_DATABASE)
        .chain(of_one.iter().copied())
        .any(|name| one.belongs_to(name) && other.belongs_to(name))
}
