//! [`Case`]: tables, a graph of views on them, what hangs on these, and what migrations do to a column
//! under them; all from one number.

use std::collections::BTreeSet;

use migrate_diesel::{
    Migrator, View,
    core::{NodeRef, ViewRef},
    migrations,
};

use super::{
    dice::Dice,
    dress::quoted,
    garment::Garment,
    touch::{COLUMNS, TABLES, Touch, WAYS, Way, install, random_tables},
};
use crate::database::Backend;

/// As deep as views are on views.
const DEPTH: usize = 5;
const WIDTH: usize = 20;

/// What one seed makes on one backend.
#[derive(Debug)]
pub struct Case {
    seed: u64,
    views: Vec<&'static View>,
    touches: [Touch; 2],
    migrations: [NodeRef; 2],
    /// What somebody did by hand, once the views were there.
    pub by_hand: Vec<String>,
}

/// A view of the graph.
#[derive(Debug)]
pub(super) struct Node {
    /// As in the catalog.
    pub(super) name: String,
    pub(super) query: String,
    /// Beside `id`, and whether it is text.
    pub(super) columns: Vec<(String, bool)>,
    pub(super) materialized: bool,
    pub(super) is_used: bool,
    depth: usize,
    uses: Vec<usize>,
    /// Of tables.
    reads: BTreeSet<(usize, usize)>,
}

impl Case {
    /// # Panics
    /// When the generator is wrong.
    #[must_use]
    pub fn new(seed: u64, backend: Backend) -> Self {
        let mut dice = Dice::new(seed);
        let first = *dice.pick(&WAYS);
        let rest: Vec<Way> = WAYS.into_iter().filter(|it| *it != first).collect();
        let second = *dice.pick(&rest);
        let nodes = graph(&mut dice, backend);
        let handed_over = dice
            .one_in(2)
            .then(|| nodes.iter().rposition(|node| !node.is_used))
            .flatten();
        let (views, references) =
            declare(&mut dice, backend, &nodes, handed_over.zip(Some(second)));
        let touches =
            [first, second].map(|way| touch(&mut dice, backend, &nodes, &references, way));
        let by_catalog_alone = !first.is_block() && !second.is_block();
        let mut garment = Garment::new(&mut dice, backend);
        garment.dress(&nodes);
        let tables: &[&str] = if by_catalog_alone { &TABLES } else { &[] };
        garment.undeclared(&nodes, tables);
        let by_hand = garment.statements;
        Self {
            seed,
            views,
            migrations: touches.each_ref().map(|touch| touch.way.migration()),
            touches,
            by_hand,
        }
    }

    /// Makes the bodies of this process those of this case.
    ///
    /// # Panics
    /// When they are those of another.
    pub fn install(&self) {
        install(&self.touches);
    }

    /// Tables and views, nothing more.
    ///
    /// # Panics
    /// When they do not fit together.
    #[must_use]
    pub fn before(&self) -> Migrator {
        let [first] = migrations![random_tables];
        let views = self.views.iter().copied();
        let views = views.filter(|view| view.descriptor.since == first);
        self.migrator(vec![first], views)
    }

    /// Everything.
    ///
    /// # Panics
    /// When they do not fit together.
    #[must_use]
    pub fn whole(&self) -> Migrator {
        let mut all = migrations![random_tables].to_vec();
        all.extend(self.migrations);
        self.migrator(all, self.views.iter().copied())
    }

    fn migrator(
        &self,
        migrations: Vec<NodeRef>,
        views: impl Iterator<Item = &'static View>,
    ) -> Migrator {
        Migrator::new(migrations)
            .and_then(|it| it.database("views_crash").with_views(views))
            .unwrap_or_else(|error| panic!("seed {}: {error:?}", self.seed))
    }

    /// Whether a death at the wrong moment needs somebody's decision.
    #[must_use]
    pub fn may_need_a_decision(&self, backend: Backend) -> bool {
        backend == Backend::Mysql || self.touches.iter().any(|it| it.way.is_outside())
    }
}

fn graph(dice: &mut Dice, backend: Backend) -> Vec<Node> {
    let count = 3 + dice.below(WIDTH - 2);
    let mut nodes: Vec<Node> = Vec::new();
    for at in 0..count {
        let mut sources: Vec<usize> = Vec::new();
        for _ in 0..=dice.below(2) {
            // Rather the last ones, so that it gets deep.
            let low = at.saturating_sub(4);
            if at > 0 && !dice.one_in(3) {
                let source = low + dice.below(at - low);
                if nodes[source].depth < DEPTH && !sources.contains(&source) {
                    sources.push(source);
                }
            }
        }
        let node = node(dice, backend, at, &nodes, &sources);
        for source in sources {
            nodes[source].is_used = true;
        }
        nodes.push(node);
    }
    nodes
}

fn node(dice: &mut Dice, backend: Backend, at: usize, nodes: &[Node], sources: &[usize]) -> Node {
    let name = if dice.one_in(5) {
        format!("Odd view {at}")
    } else {
        format!("view_{at}")
    };
    let mut from: Vec<String> = Vec::new();
    let mut offers: Vec<(String, bool)> = Vec::new();
    let mut reads = BTreeSet::new();
    let mut condition = "s0.id > 0".to_owned();
    for (index, &source) in sources.iter().enumerate() {
        from.push(quoted(backend, &nodes[source].name));
        let columns = nodes[source].columns.iter();
        offers.extend(columns.map(|(column, is_text)| (format!("s{index}.{column}"), *is_text)));
    }
    // At least one table for every view at the bottom, and for some of the others.
    if sources.is_empty() || dice.one_in(4) {
        let (table, alias) = (dice.below(TABLES.len()), from.len());
        from.push(TABLES[table].to_owned());
        for _ in 0..=dice.below(2) {
            let column = dice.below(COLUMNS.len());
            reads.insert((table, column));
            offers.push((format!("s{alias}.{}", COLUMNS[column]), column < 2));
        }
        if dice.one_in(3) {
            let column = dice.below(COLUMNS.len());
            reads.insert((table, column));
            condition = format!("s{alias}.{} IS NOT NULL", COLUMNS[column]);
        }
    }
    let mut columns = Vec::new();
    let mut selected = "s0.id AS id".to_owned();
    for index in 0..=dice.below(3) {
        let (offer, is_text) = dice.pick(&offers);
        let expression = match (dice.below(3), is_text) {
            (0, true) => format!("upper({offer})"),
            (0, false) => format!("{offer} + 1"),
            _ => offer.clone(),
        };
        selected.push_str(&format!(", {expression} AS x{index}"));
        columns.push((format!("x{index}"), *is_text));
    }
    let joined: String = from
        .iter()
        .enumerate()
        .map(|(index, source)| match index {
            0 => format!("{source} s0"),
            _ => format!(" JOIN {source} s{index} ON s{index}.id = s0.id"),
        })
        .collect();
    // What none of the selected columns needs is read all the same by the ones in `offers` only.
    let reads = reads
        .into_iter()
        .filter(|&(_, column)| {
            let text = format!(".{}", COLUMNS[column]);
            let ends = |part: &str| {
                part.split(&text)
                    .skip(1)
                    .any(|it| !it.starts_with(char::is_alphanumeric))
            };
            ends(&selected) || ends(&condition)
        })
        .collect();
    Node {
        name,
        query: format!("SELECT {selected} FROM {joined} WHERE {condition}"),
        columns,
        materialized: backend == Backend::Postgres && dice.one_in(4),
        is_used: false,
        depth: 1 + sources.iter().map(|&it| nodes[it].depth).max().unwrap_or(0),
        uses: sources.to_vec(),
        reads,
    }
}

/// The views as `#[view_manager]` would write them; and of each node its references. One of them may
/// hand its name over to another in a migration.
fn declare(
    dice: &mut Dice,
    backend: Backend,
    nodes: &[Node],
    handed_over: Option<(usize, Way)>,
) -> (Vec<&'static View>, Vec<Vec<ViewRef>>) {
    let [since] = migrations![random_tables];
    let mut views = Vec::new();
    let mut references: Vec<Vec<ViewRef>> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let uses: Vec<ViewRef> = node.uses.iter().map(|&it| references[it][0]).collect();
        let uses: &'static [ViewRef] = uses.leak();
        let options = options(dice, backend, node);
        let next = handed_over.filter(|(it, _)| *it == at).map(|(_, way)| way);
        let view = |id: String, since, query: String| {
            let name: &'static str = node.name.clone().leak();
            let view = View::new(
                "migrate_tests",
                id.leak(),
                name,
                "",
                since,
                (file!(), line!(), 1),
            )
            .sql(query.leak())
            .uses(uses)
            .options(options)
            .restore_unmanaged();
            if node.materialized {
                view.materialized()
            } else {
                view
            }
        };
        let mut own = vec![view(format!("View{at}"), since, node.query.clone())];
        if let Some(way) = next {
            own = own
                .into_iter()
                .map(|it| it.until(way.migration()))
                .collect();
            let query = format!("{} AND s0.id < 1000", node.query);
            own.push(view(format!("View{at}Next"), way.migration(), query));
        }
        let own: Vec<&'static View> = own
            .into_iter()
            .map(|it| &*Box::leak(Box::new(it)))
            .collect();
        references.push(own.iter().map(|it| ViewRef::new(&it.descriptor)).collect());
        views.extend(own);
    }
    (views, references)
}

fn options(
    dice: &mut Dice,
    backend: Backend,
    node: &Node,
) -> &'static [(&'static str, &'static str)] {
    if node.materialized || !dice.one_in(3) {
        return &[];
    }
    match backend {
        Backend::Sqlite => &[],
        Backend::Postgres => &[("security_barrier", "true")],
        Backend::Mysql => &[("algorithm", "temptable"), ("security_invoker", "true")],
    }
}

fn touch(
    dice: &mut Dice,
    backend: Backend,
    nodes: &[Node],
    references: &[Vec<ViewRef>],
    way: Way,
) -> Touch {
    let read: BTreeSet<(usize, usize)> = nodes.iter().flat_map(|it| it.reads.clone()).collect();
    let read: Vec<(usize, usize)> = read.into_iter().collect();
    let (table, column) = *dice.pick(&read);
    // SQLite builds the whole table anew.
    let is_meant =
        |it: &(usize, usize)| it.0 == table && (backend == Backend::Sqlite || it.1 == column);
    let names = |query: &str| query.contains(&format!("{} s", TABLES[table]));
    let roots = nodes.iter().zip(references).filter(|(node, _)| {
        node.reads.iter().any(is_meant) || (backend == Backend::Sqlite && names(&node.query))
    });
    Touch {
        way,
        table: TABLES[table],
        column: COLUMNS[column],
        // Which of a name is up depends on the order of the migrations; the other stays as it is.
        roots: roots.flat_map(|(_, own)| own).copied().collect(),
    }
}
