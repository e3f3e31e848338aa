//! [`Standing`]: where each migration of a graph stands in one database.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{AppliedMigration, Graph, History, Phase, Repeat, State, elsewhere::Unmet};

/// Each migration of a [`Graph`] with its row in a [`History`].
#[derive(Debug)]
pub struct Standing<'a> {
    history: &'a History,
    /// Position of its row in history, by position in the graph.
    rows: Vec<Option<u32>>,
    /// Position in the graph, by position of the row in history.
    nodes: Vec<Option<u32>>,
    /// What a row alone does not tell, by position in the graph: of squashes and what they replace,
    /// and of repeatable migrations whose code changed.
    otherwise: FxHashMap<usize, Otherwise>,
    partly: Vec<PartlyReplaced>,
    /// What is not met in other databases, by position in the graph.
    pub(crate) unmet: FxHashMap<usize, Unmet>,
}

/// How a migration stands, where its own row does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Otherwise {
    /// A squash that counts as applied: all that it replaces are.
    StandsFor,
    /// Replaced by the squash at this position, which runs instead.
    ReplacedBy(usize),
    /// Repeatable, and its code is not the one that ran.
    Outdated,
    /// Repeatable: what runs before the others ran since, and this, which runs after them, did not: the
    /// process died in between.
    Owed,
}

/// A squash of which some is applied and some is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartlyReplaced {
    /// The squash: position in the graph.
    pub at: usize,
    /// What it replaces and is applied.
    pub applied: Vec<usize>,
    /// What it replaces and is not.
    pub open: Vec<usize>,
}

impl<'a> Standing<'a> {
    /// Joins the two. A row under a former id counts where there is none under the live one.
    #[must_use]
    pub fn new(graph: &'a Graph, history: &'a History) -> Self {
        let mut rows: Vec<Option<u32>> = vec![None; graph.len()];
        let mut precedences = vec![u32::MAX; graph.len()];
        let mut nodes = Vec::with_capacity(history.len());
        // From the rows, which own their ids, to the graph, which can look parts of one up without
        // putting it together.
        for (position, row) in (0_u32..).zip(history.iter()) {
            let claim = row
                .id
                .split_once(':')
                .and_then(|(package, name)| graph.claim(package, name));
            nodes.push(claim.map(|claim| claim.at));
            let Some(claim) = claim else { continue };
            let at = claim.at as usize;
            // Of two rows with one id the later one counts, as in `History`.
            if let (Some(slot), Some(precedence)) = (rows.get_mut(at), precedences.get_mut(at))
                && claim.precedence <= *precedence
            {
                *slot = Some(position);
                *precedence = claim.precedence;
            }
        }
        let mut standing = Self {
            history,
            rows,
            nodes,
            otherwise: FxHashMap::default(),
            partly: Vec::new(),
            unmet: FxHashMap::default(),
        };
        standing.note_outdated(graph);
        standing.note_owed(graph);
        let mut done = FxHashSet::default();
        for at in graph.squashes() {
            standing.note_squash(graph, at, &mut done);
        }
        standing
    }

    /// Repeatable migrations whose code changed since they ran.
    fn note_outdated(&mut self, graph: &Graph) {
        for (at, descriptor) in graph.iter().enumerate() {
            if !matches!(descriptor.repeat, Repeat::OnChange(_)) {
                continue;
            }
            let is_outdated = self.row(at).is_some_and(|row| {
                row.state == State::Applied && row.fingerprint != Some(descriptor.fingerprint)
            });
            if is_outdated {
                self.otherwise.insert(at, Otherwise::Outdated);
            }
        }
    }

    /// What brings back what was taken away, and did not come to it.
    fn note_owed(&mut self, graph: &Graph) {
        let ran = |at: usize| {
            let is_applied = self.row(at)?.state == State::Applied;
            self.row_position(at).filter(|_| is_applied)
        };
        let phases = || graph.iter().map(|it| it.repeat).enumerate();
        let before = phases().filter(|(_, it)| it.phase() == Some(Phase::Before));
        let Some(last) = before.filter_map(|(at, _)| ran(at)).max() else {
            return;
        };
        let owed: Vec<usize> = phases()
            .filter(|(_, it)| *it == Repeat::Always(Phase::After))
            .filter(|(at, _)| ran(*at).is_some_and(|position| position < last))
            .map(|(at, _)| at)
            .collect();
        let owed = owed.into_iter().map(|at| (at, Otherwise::Owed));
        self.otherwise.extend(owed);
    }

    /// What a squash and what it replaces make of each other. One that is replaced itself comes first.
    fn note_squash(&mut self, graph: &Graph, at: usize, done: &mut FxHashSet<usize>) {
        if !done.insert(at) {
            return;
        }
        let replaced: Vec<usize> = graph.replaced(at).iter().map(|&it| it as usize).collect();
        for &inner in &replaced {
            if !graph.replaced(inner).is_empty() {
                self.note_squash(graph, inner, done);
            }
        }
        let (applied, open): (Vec<usize>, Vec<usize>) = replaced
            .iter()
            .partition(|&&it| self.state(it) == State::Applied);
        let has_row = self.row(at).is_some();
        if !has_row && open.is_empty() {
            self.otherwise.insert(at, Otherwise::StandsFor);
            return;
        }
        let is_begun = !applied.is_empty() || open.iter().any(|&it| self.row(it).is_some());
        if !has_row && is_begun {
            self.partly.push(PartlyReplaced { at, applied, open });
            return;
        }
        for it in open {
            if self.row(it).is_none() {
                self.otherwise.insert(it, Otherwise::ReplacedBy(at));
            }
        }
    }

    /// Squashes of which some is applied and some is not.
    #[must_use]
    pub fn partly_replaced(&self) -> &[PartlyReplaced] {
        &self.partly
    }

    /// The squash that runs (or ran) instead of the migration at `at`.
    #[must_use]
    pub fn replaced_by(&self, at: usize) -> Option<usize> {
        match self.otherwise.get(&at) {
            Some(Otherwise::ReplacedBy(squash)) => Some(*squash),
            _ => None,
        }
    }

    /// Whether the squash at `at` counts as applied because all that it replaces are.
    #[must_use]
    pub fn stands_for(&self, at: usize) -> bool {
        self.otherwise.get(&at) == Some(&Otherwise::StandsFor)
    }

    /// What the migration at `at` waits for in another database, as far as
    /// [`look_elsewhere`](Self::look_elsewhere) was told.
    #[must_use]
    pub fn unmet(&self, at: usize) -> Option<&Unmet> {
        self.unmet.get(&at)
    }

    /// The row of the migration at `at`, under its id or a former one.
    #[must_use]
    pub fn row(&self, at: usize) -> Option<&'a AppliedMigration> {
        self.history.row(self.row_position(at)?)
    }

    /// The state of the migration at `at`; without a row it is pending. One that was replaced stands
    /// where its squash does.
    #[must_use]
    pub fn state(&self, at: usize) -> State {
        let own = || self.row(at).map_or(State::Pending, |row| row.state);
        if self.otherwise.is_empty() {
            return own();
        }
        match self.otherwise.get(&at) {
            None => own(),
            Some(Otherwise::StandsFor) => State::Applied,
            Some(Otherwise::Outdated | Otherwise::Owed) => State::Pending,
            Some(Otherwise::ReplacedBy(squash)) => {
                self.row(*squash).map_or(State::Pending, |row| row.state)
            }
        }
    }

    /// Position in the order of application of the row of the migration at `at`.
    #[must_use]
    pub fn row_position(&self, at: usize) -> Option<usize> {
        let position = self.rows.get(at).copied().flatten();
        position.map(|position| position as usize)
    }

    /// Position in the graph of the migration that the row at `position` of history counts for;
    /// `None` where the program carries none.
    #[must_use]
    pub fn node(&self, position: usize) -> Option<usize> {
        let at = self.nodes.get(position).copied().flatten();
        at.map(|at| at as usize)
    }
}
