//! Migrations made at run time: descriptors are statics in a program, here they are leaked.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "each test uses a part of it, and a helper may fail a test"
)]

use migrate_core::{
    AppliedMigration, Descriptor, Fingerprint, Graph, History, Location, MigrationId, NodeRef,
    Ordering, Plan, Repeat, Reversal, SqlFile, State, TransactionMode, report::Action,
    view::Unmanaged,
};
use proptest::{prelude::*, sample::Index};

/// A migration about to be declared.
#[derive(Debug)]
pub(crate) struct Draft(Descriptor);

pub(crate) fn text(text: impl Into<String>) -> &'static str {
    Box::leak(text.into().into_boxed_str())
}

fn texts(list: &[&str]) -> &'static [&'static str] {
    Box::leak(list.iter().map(|it| text(*it)).collect())
}

pub(crate) const fn plain(package: &'static str, name: &'static str, line: u32) -> Descriptor {
    Descriptor {
        id: MigrationId::new(package, name),
        was: &[],
        description: "",
        location: Location {
            file: "src/lib.rs",
            line,
            column: 1,
        },
        requires: &[],
        transaction: TransactionMode::Atomic,
        databases: &[],
        reversal: Reversal::Down,
        fingerprint: Fingerprint(1),
        limits: migrate_core::Limits::NONE,
        suspends: &[],
        unmanaged: Unmanaged::Refuse,
        sql: None,
        repeat: Repeat::Never,
        replaces: &[],
        scale: migrate_core::Scale::Step,
        key: 0,
    }
}

/// `package:name`, at `line` of `src/lib.rs`, with a `down`.
pub(crate) fn draft(id: &str, line: u32) -> Draft {
    let (package, name) = id.split_once(':').expect("package:name");
    Draft(plain(text(package), text(name), line))
}

impl Draft {
    pub(crate) fn file(mut self, file: &str) -> Self {
        self.0.location.file = text(file);
        self
    }

    pub(crate) fn requires(mut self, required: &[&'static Descriptor]) -> Self {
        self.0.requires = Box::leak(required.iter().map(|it| NodeRef::new(it)).collect());
        self
    }

    pub(crate) fn was(mut self, former: &[&str]) -> Self {
        self.0.was = texts(former);
        self
    }

    pub(crate) fn databases(mut self, names: &[&str]) -> Self {
        self.0.databases = texts(names);
        self
    }

    pub(crate) fn mass(mut self) -> Self {
        self.0.scale = migrate_core::Scale::Mass;
        self
    }

    pub(crate) fn reversal(mut self, reversal: Reversal) -> Self {
        self.0.reversal = reversal;
        self
    }

    pub(crate) fn repeat(mut self, repeat: Repeat) -> Self {
        self.0.repeat = repeat;
        self
    }

    pub(crate) fn replaces(mut self, replaced: &[&'static Descriptor]) -> Self {
        self.0.replaces = Box::leak(replaced.iter().map(|it| NodeRef::new(it)).collect());
        self
    }

    pub(crate) fn sql(mut self, recorded_as: &str) -> Self {
        let recorded_as = text(recorded_as);
        self.0.sql = Some(SqlFile { recorded_as });
        self
    }

    pub(crate) fn fingerprint(mut self, value: u64) -> Self {
        self.0.fingerprint = Fingerprint(value);
        self
    }

    pub(crate) fn leak(self) -> &'static Descriptor {
        Box::leak(Box::new(self.0))
    }
}

/// One crate, `app`, one file: `name: required, required` a line, in declared order.
pub(crate) fn declare(lines: &str) -> Vec<&'static Descriptor> {
    let mut declared: Vec<(&str, Vec<&str>, u32)> = Vec::new();
    for (line, text) in (1..).zip(lines.split([';', '\n'])) {
        let (name, required) = text.split_once(':').unwrap_or((text, ""));
        let required = required
            .split(',')
            .map(str::trim)
            .filter(|it| !it.is_empty());
        if !name.trim().is_empty() {
            declared.push((name.trim(), required.collect(), line));
        }
    }
    let mut made: Vec<(&str, &'static Descriptor)> = Vec::new();
    // A line may require a later one: go round until all are made.
    while made.len() < declared.len() {
        let before = made.len();
        for (name, required, line) in &declared {
            let find = |name: &str| made.iter().find(|it| it.0 == name).map(|it| it.1);
            let required: Option<Vec<_>> = required.iter().map(|it| find(it)).collect();
            if let (None, Some(required)) = (find(name), required) {
                let draft = draft(&format!("app:{name}"), *line).requires(&required);
                made.push((name, draft.leak()));
            }
        }
        assert!(
            made.len() > before,
            "a requirement is not declared, or a circle"
        );
    }
    made.into_iter().map(|it| it.1).collect()
}

pub(crate) fn resolved(migrations: &[&'static Descriptor], ordering: Ordering) -> Graph {
    Graph::resolve(migrations, &["app"], ordering).expect("a valid graph")
}

pub(crate) fn declared(lines: &str) -> Graph {
    resolved(&declare(lines), Ordering::Declared)
}

pub(crate) fn names(graph: &Graph) -> Vec<&'static str> {
    graph.iter().map(|it| it.id.name()).collect()
}

/// `id state` a row; `app:` and `applied` where nothing is said.
pub(crate) fn history(rows: &[&str]) -> History {
    let rows = rows.iter().map(|row| {
        let (id, state) = row.split_once(' ').unwrap_or((row, "applied"));
        let id = if id.contains(':') {
            id.to_owned()
        } else {
            format!("app:{id}")
        };
        let mut row = AppliedMigration::new(id, state.parse().expect("a state"));
        row.fingerprint = Some(Fingerprint(1));
        row
    });
    History::new(rows.collect())
}

pub(crate) fn step_names(graph: &Graph, plan: &Plan) -> Vec<&'static str> {
    let steps = plan
        .steps
        .iter()
        .map(|step| graph.get(step.at).expect("a node"));
    steps.map(|it| it.id.name()).collect()
}

/// What the database would say after the plan was carried out.
pub(crate) fn carried_out(graph: &Graph, history: &History, plan: &Plan) -> History {
    let mut rows: Vec<AppliedMigration> = history.iter().cloned().collect();
    for step in &plan.steps {
        let id = graph.get(step.at).expect("a node").id.to_string();
        rows.retain(|row| row.id != id);
        if step.action == Action::Apply {
            rows.push(AppliedMigration::new(id, State::Applied));
        }
    }
    History::new(rows)
}

/// A random graph without circles, whose declared order has nothing to do with its edges.
#[derive(Clone, Debug)]
pub(crate) struct Dag {
    pub(crate) migrations: Vec<&'static Descriptor>,
}

type Declaration = (u8, u8, u32, Option<u32>, Vec<Index>);

pub(crate) fn dags(most: usize) -> impl Strategy<Value = Dag> {
    let declaration = (
        0..3_u8,
        0..3_u8,
        0..12_u32,
        prop::option::weighted(0.7, 0..5_u32),
        prop::collection::vec(any::<Index>(), 0..4),
    );
    prop::collection::vec(declaration, 0..=most).prop_map(|list| Dag {
        migrations: grown(&list),
    })
}

fn grown(list: &[Declaration]) -> Vec<&'static Descriptor> {
    let mut made: Vec<&'static Descriptor> = Vec::new();
    for (number, (package, file, line, stamp, required)) in list.iter().enumerate() {
        let stamp = stamp
            .map(|stamp| format!("_{stamp:03}"))
            .unwrap_or_default();
        // From an empty list nothing can be required.
        let required = required.iter().filter(|_| !made.is_empty());
        let required: Vec<_> = required.map(|index| *index.get(&made)).collect();
        let draft = draft(&format!("crate{package}:n{number}{stamp}"), *line)
            .file(&format!("src/file{file}.rs"))
            .requires(&required);
        made.push(draft.leak());
    }
    made
}

/// Whether `descriptor` requires `other`, directly or not, by the declarations alone.
pub(crate) fn reaches(descriptor: &Descriptor, other: &Descriptor) -> bool {
    let mut open: Vec<&Descriptor> = vec![descriptor];
    let mut met: Vec<MigrationId> = Vec::new();
    while let Some(it) = open.pop() {
        for required in it.requires.iter().map(|it| it.get()) {
            if required.id == other.id {
                return true;
            }
            if !met.contains(&required.id) {
                met.push(required.id);
                open.push(required);
            }
        }
    }
    false
}
