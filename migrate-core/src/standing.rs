//! [`Standing`]: where each migration of a graph stands in one database.

use crate::{AppliedMigration, Graph, History, State};

/// Each migration of a [`Graph`] with its row in a [`History`].
#[derive(Debug)]
pub struct Standing<'a> {
    history: &'a History,
    /// Position of its row in history, by position in the graph.
    rows: Vec<Option<u32>>,
    /// Position in the graph, by position of the row in history.
    nodes: Vec<Option<u32>>,
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
        Self {
            history,
            rows,
            nodes,
        }
    }

    /// The row of the migration at `at`, under its id or a former one.
    #[must_use]
    pub fn row(&self, at: usize) -> Option<&'a AppliedMigration> {
        self.history.row(self.row_position(at)?)
    }

    /// The state of the migration at `at`; without a row it is pending.
    #[must_use]
    pub fn state(&self, at: usize) -> State {
        self.row(at).map_or(State::Pending, |row| row.state)
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
