//! Where the boxes of a drawn graph stand: layers from left to right, what is required on the left.
//!
//! Sugiyama's method in its simplest form: layers by the longest path, an edge over several layers
//! bends at a point in each, the order within a layer and then the heights by a few sweeps of
//! averages. Deterministic, linear for each sweep.

use std::collections::HashMap;

use migrate_core::report::GraphReport;

/// The requirements of a graph by position, in the order of the plan.
#[derive(Debug)]
pub(super) struct Edges {
    requires: Vec<Vec<usize>>,
}

impl Edges {
    /// Of a report. An edge to something that the report does not have is left out.
    pub(super) fn of(report: &GraphReport) -> Self {
        let positions: HashMap<&str, usize> = report
            .nodes
            .iter()
            .enumerate()
            .map(|(at, node)| (node.id.as_str(), at))
            .collect();
        let pairs = report.edges.iter().filter_map(|(from, to)| {
            Some((*positions.get(from.as_str())?, *positions.get(to.as_str())?))
        });
        Self::from_pairs(report.nodes.len(), pairs)
    }

    pub(super) fn from_pairs(
        nodes: usize,
        pairs: impl IntoIterator<Item = (usize, usize)>,
    ) -> Self {
        let mut requires = vec![Vec::new(); nodes];
        for (from, to) in pairs {
            if let Some(of_node) = requires.get_mut(from) {
                of_node.push(to);
            }
        }
        for of_node in &mut requires {
            of_node.sort_unstable();
            of_node.dedup();
        }
        Self { requires }
    }

    pub(super) fn nodes(&self) -> usize {
        self.requires.len()
    }

    pub(super) fn len(&self) -> usize {
        self.requires.iter().map(Vec::len).sum()
    }

    /// What `at` requires, sorted.
    pub(super) fn requires(&self, at: usize) -> &[usize] {
        self.requires.get(at).map_or(&[], Vec::as_slice)
    }

    /// `(from, to)`: `from` requires `to`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.requires
            .iter()
            .enumerate()
            .flat_map(|(from, requires)| requires.iter().map(move |&to| (from, to)))
    }
}

/// Beyond so many bends in all, long edges are drawn straight: nobody follows them any more.
const MOST_BENDS: usize = 20_000;
/// Sweeps of averaging, there and back.
const SWEEPS: usize = 6;

/// A drawn graph. Heights are counted in rows; the caller scales them.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// For each node, its layer and height.
    pub(super) places: Vec<(usize, f64)>,
    /// For each edge as `Edges::iter` has it: the heights of its bends, from the layer after its
    /// requirement on.
    pub(super) bends: Vec<Vec<f64>>,
    /// How many layers there are.
    pub(super) layers: usize,
    /// The lowest height.
    pub(super) bottom: f64,
}

impl Layout {
    pub(super) fn of(edges: &Edges) -> Self {
        let mut drawing = Drawing::new(edges);
        for _ in 0..SWEEPS {
            drawing.order(Side::Required);
            drawing.order(Side::Requiring);
        }
        for sweep in 0..SWEEPS {
            let side = if sweep % 2 == 0 {
                Side::Required
            } else {
                Side::Requiring
            };
            drawing.settle(side);
        }
        drawing.into_layout(edges)
    }
}

#[derive(Clone, Copy)]
enum Side {
    Required,
    Requiring,
}

/// A node or a bend.
#[derive(Clone, Debug, Default)]
struct Spot {
    layer: usize,
    height: f64,
    required: Vec<usize>,
    requiring: Vec<usize>,
    /// A bend is thinner than a box.
    thickness: f64,
}

struct Drawing {
    spots: Vec<Spot>,
    layers: Vec<Vec<usize>>,
    /// For each edge, its bends.
    bends: Vec<Vec<usize>>,
}

impl Drawing {
    fn new(edges: &Edges) -> Self {
        let layer_of = layers(edges);
        let mut spots: Vec<Spot> = layer_of
            .iter()
            .map(|&layer| Spot {
                layer,
                thickness: 1.0,
                ..Spot::default()
            })
            .collect();
        let span = |(from, to): (usize, usize)| {
            let layer = |at: usize| layer_of.get(at).copied().unwrap_or(0);
            layer(from).saturating_sub(layer(to) + 1)
        };
        let bend = edges.iter().map(span).sum::<usize>() <= MOST_BENDS;
        let mut bends = Vec::with_capacity(edges.len());
        for (from, to) in edges.iter() {
            let first_layer = layer_of.get(to).copied().unwrap_or(0) + 1;
            let mut last = to;
            let mut of_edge = Vec::new();
            for step in 0..if bend { span((from, to)) } else { 0 } {
                let at = spots.len();
                spots.push(Spot {
                    layer: first_layer + step,
                    thickness: 0.4,
                    ..Spot::default()
                });
                link(&mut spots, last, at);
                of_edge.push(at);
                last = at;
            }
            link(&mut spots, last, from);
            bends.push(of_edge);
        }
        let count = spots.iter().map(|spot| spot.layer + 1).max().unwrap_or(0);
        let mut layers = vec![Vec::new(); count];
        for (at, spot) in spots.iter().enumerate() {
            if let Some(layer) = layers.get_mut(spot.layer) {
                layer.push(at);
            }
        }
        let mut drawing = Self {
            spots,
            layers,
            bends,
        };
        for layer in 0..drawing.layers.len() {
            drawing.stack(layer);
        }
        drawing
    }

    /// Puts a layer's spots under each other, without gaps.
    fn stack(&mut self, layer: usize) {
        let mut height = 0.0;
        for &at in self.layers.get(layer).map_or(&[][..], Vec::as_slice) {
            if let Some(spot) = self.spots.get_mut(at) {
                spot.height = height + spot.thickness / 2.0;
                height += spot.thickness;
            }
        }
    }

    /// Sorts each layer by the average height of its neighbours on one side.
    fn order(&mut self, side: Side) {
        for layer in self.from(side) {
            let Some(mut order) = self.layers.get(layer).cloned() else {
                continue;
            };
            let keys: HashMap<usize, f64> =
                order.iter().map(|&at| (at, self.wish(at, side))).collect();
            let key = |at: &usize| keys.get(at).copied().unwrap_or(0.0);
            order.sort_by(|one, other| key(one).total_cmp(&key(other)));
            if let Some(layer) = self.layers.get_mut(layer) {
                *layer = order;
            }
            self.stack(layer);
        }
    }

    /// Moves each layer's spots towards their neighbours on one side, keeping order and distance.
    ///
    /// Pushing down from the top and pushing up from the bottom both keep the distances; so does
    /// their average, and it pulls to neither side.
    fn settle(&mut self, side: Side) {
        for layer in self.from(side) {
            let order = self.layers.get(layer).cloned().unwrap_or_default();
            let wishes: Vec<f64> = order.iter().map(|&at| self.wish(at, side)).collect();
            let thickness: Vec<f64> = order
                .iter()
                .map(|&at| self.spots.get(at).map_or(1.0, |spot| spot.thickness))
                .collect();
            let mut down: Vec<f64> = Vec::with_capacity(order.len());
            let mut floor = f64::NEG_INFINITY;
            for (wish, thick) in wishes.iter().zip(&thickness) {
                let height = wish.max(floor + thick / 2.0);
                floor = height + thick / 2.0;
                down.push(height);
            }
            let mut up: Vec<f64> = Vec::with_capacity(order.len());
            let mut ceiling = f64::INFINITY;
            for (wish, thick) in wishes.iter().zip(&thickness).rev() {
                let height = wish.min(ceiling - thick / 2.0);
                ceiling = height - thick / 2.0;
                up.push(height);
            }
            for ((at, down), up) in order.iter().zip(down).zip(up.into_iter().rev()) {
                if let Some(spot) = self.spots.get_mut(*at) {
                    spot.height = f64::midpoint(down, up);
                }
            }
        }
    }

    /// Layers, beginning at the one whose neighbours on `side` stand already.
    fn from(&self, side: Side) -> Vec<usize> {
        let layers = 0..self.layers.len();
        match side {
            Side::Required => layers.collect(),
            Side::Requiring => layers.rev().collect(),
        }
    }

    /// The average height of the neighbours; without one, its own.
    fn wish(&self, at: usize, side: Side) -> f64 {
        let Some(spot) = self.spots.get(at) else {
            return 0.0;
        };
        let neighbours = match side {
            Side::Required => &spot.required,
            Side::Requiring => &spot.requiring,
        };
        if neighbours.is_empty() {
            return spot.height;
        }
        let heights = neighbours
            .iter()
            .filter_map(|&neighbour| self.spots.get(neighbour))
            .map(|neighbour| neighbour.height);
        let n = u32::try_from(neighbours.len()).unwrap_or(u32::MAX);
        heights.sum::<f64>() / f64::from(n)
    }

    fn into_layout(self, edges: &Edges) -> Layout {
        let top = |spot: &Spot| spot.height - spot.thickness / 2.0;
        let least = self.spots.iter().map(top).fold(f64::INFINITY, f64::min);
        let least = if least.is_finite() { least } else { 0.0 };
        let height = |at: &usize| self.spots.get(*at).map_or(0.0, |spot| spot.height - least);
        let bottom = self
            .spots
            .iter()
            .map(|spot| spot.height + spot.thickness / 2.0 - least);
        Layout {
            places: self
                .spots
                .iter()
                .take(edges.nodes())
                .enumerate()
                .map(|(at, spot)| (spot.layer, height(&at)))
                .collect(),
            bends: self
                .bends
                .iter()
                .map(|bends| bends.iter().map(height).collect())
                .collect(),
            layers: self.layers.len(),
            bottom: bottom.fold(0.0, f64::max),
        }
    }
}

fn link(spots: &mut [Spot], required: usize, requiring: usize) {
    if let Some(spot) = spots.get_mut(requiring) {
        spot.required.push(required);
    }
    if let Some(spot) = spots.get_mut(required) {
        spot.requiring.push(requiring);
    }
}

/// The length of the longest path to each node. A requirement stands earlier in the plan; one that
/// does not (no valid graph has it) is not followed.
fn layers(edges: &Edges) -> Vec<usize> {
    let mut layers: Vec<usize> = Vec::with_capacity(edges.nodes());
    for at in 0..edges.nodes() {
        let layer = edges
            .requires(at)
            .iter()
            .filter_map(|&to| layers.get(to))
            .map(|layer| layer + 1)
            .max();
        layers.push(layer.unwrap_or(0));
    }
    layers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn boxes_do_not_overlap_and_stand_right_of_what_they_require(
            pairs in prop::collection::vec((0_usize..40, 0_usize..40), 0..120)
        ) {
            let pairs = pairs.into_iter().filter(|(from, to)| from > to);
            let edges = Edges::from_pairs(40, pairs);
            let layout = Layout::of(&edges);
            for (from, to) in edges.iter() {
                prop_assert!(layout.places[from].0 > layout.places[to].0);
            }
            for layer in 0..layout.layers {
                let mut heights: Vec<f64> = layout.places.iter()
                    .filter(|(at, _)| *at == layer).map(|(_, height)| *height).collect();
                heights.sort_by(f64::total_cmp);
                for pair in heights.windows(2) {
                    prop_assert!(pair[1] - pair[0] > 0.999, "{heights:?}");
                }
            }
            for (_, height) in &layout.places {
                prop_assert!(*height >= 0.499 && *height <= layout.bottom - 0.499);
            }
        }
    }
}
