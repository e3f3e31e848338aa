//! [`Csr`]: edges as two flat arrays.

/// For every node a list of nodes, in compressed sparse rows: two allocations in all, however many
/// nodes there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Csr {
    /// Where the row of a node begins in `targets`; one more at the end.
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Default for Csr {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

impl Csr {
    /// No rows, with room for so many.
    pub(crate) fn with_capacity(rows: usize, targets: usize) -> Self {
        let mut starts = Vec::with_capacity(rows + 1);
        starts.push(0);
        Self {
            starts,
            targets: Vec::with_capacity(targets),
        }
    }

    /// Appends a row.
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = u32>) {
        self.targets.extend(row);
        self.starts.push(count(self.targets.len()));
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many targets in all rows.
    pub(crate) fn edges(&self) -> usize {
        self.targets.len()
    }

    /// The row of `at`; empty where there is none.
    pub(crate) fn row(&self, at: usize) -> &[u32] {
        let (Some(&start), Some(&end)) = (self.starts.get(at), self.starts.get(at + 1)) else {
            return &[];
        };
        self.targets
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// Every edge turned round. Rows come out sorted, because sources are met in ascending order.
    #[expect(
        clippy::indexing_slicing,
        reason = "hot; targets are rows of this very structure, counted in the line above"
    )]
    pub(crate) fn transpose(&self) -> Self {
        let rows = self.len();
        let mut starts = vec![0_u32; rows + 1];
        for &target in &self.targets {
            starts[target as usize + 1] += 1;
        }
        for at in 0..rows {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut targets = vec![0_u32; self.targets.len()];
        for source in 0..rows {
            for &target in self.row(source) {
                let slot = &mut next[target as usize];
                targets[*slot as usize] = count(source);
                *slot += 1;
            }
        }
        Self { starts, targets }
    }
}

/// A number of migrations (or of edges among them): each is a static of at least 100 bytes, so
/// that four thousand millions fit no program.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_sorts_and_keeps_every_edge() {
        let mut csr = Csr::default();
        csr.push([]);
        csr.push([0]);
        csr.push([1, 0]);
        let turned = csr.transpose();
        assert_eq!(turned.row(0), [1, 2]);
        assert_eq!(turned.row(1), [2]);
        assert!(turned.row(2).is_empty() && turned.row(3).is_empty());
        assert_eq!(turned.transpose().row(2), [0, 1]);
        assert_eq!((turned.len(), turned.edges()), (3, 3));
    }
}
