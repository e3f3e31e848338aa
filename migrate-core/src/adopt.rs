//! Taking over what another tool's history says: whose names are whose, and what is to be recorded.

mod error;
mod names;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

pub use error::{AdoptError, Unmapped, Why};

use crate::{Graph, History, Standing, State, record};

/// A tool whose history can be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tool {
    /// edwh-migrate, of Python.
    Edwh,
    /// flux-migrations, of Python.
    Flux,
    /// `diesel_migrations` and Diesel's command line.
    Diesel,
    /// refinery.
    Refinery,
    /// sqlx.
    Sqlx,
    /// SeaORM.
    SeaOrm,
}

impl Tool {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Edwh,
        Self::Flux,
        Self::Diesel,
        Self::Refinery,
        Self::Sqlx,
        Self::SeaOrm,
    ];

    /// The word that is typed and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edwh => "edwh",
            Self::Flux => "flux",
            Self::Diesel => "diesel",
            Self::Refinery => "refinery",
            Self::Sqlx => "sqlx",
            Self::SeaOrm => "sea-orm",
        }
    }

    /// The table in which it keeps its history, where nobody configured another.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Edwh => "ewh_implemented_features",
            Self::Flux => "_flux_migrations",
            Self::Diesel => "__diesel_schema_migrations",
            Self::Refinery => "refinery_schema_history",
            Self::Sqlx => "_sqlx_migrations",
            Self::SeaOrm => "seaql_migrations",
        }
    }
}

/// What `adopt` is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptRequest {
    /// Whose history it is.
    pub tool: Tool,
    /// Its table; the tool's own name for it where `None`.
    pub table: Option<String>,
    /// What a person says about names of theirs.
    pub map: BTreeMap<String, Mapped>,
    /// Names of their directories or files, for a tool that records numbers only.
    pub names: Vec<String>,
    /// For how long to wait for the lock; the setting where `None`.
    pub wait: Option<Duration>,
}

/// What a person says about a name of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapped {
    /// It is this one of ours.
    Is(String),
    /// It is none of ours.
    Skip,
}

/// A row of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theirs {
    /// As that tool's users know it: `V1__users`, `20240101000000_users`.
    pub name: String,
    /// When it was applied, as far as that is known.
    pub at: Option<SystemTime>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How something of theirs ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is applied.
    Applied,
    /// It is recorded as not applied, and did nothing.
    NotApplied,
    /// It failed in the middle.
    Dirty,
}

/// What becomes of one row of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Its name there.
    pub theirs: String,
    /// Ours: `package:name`.
    pub id: Option<String>,
    /// When it was applied there.
    pub at: Option<SystemTime>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a row of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Ours is recorded as applied.
    Record,
    /// Ours is applied already.
    Applied,
    /// The map says that it is none of ours.
    Skipped,
    /// It is not applied there.
    NotApplied,
}

impl Fate {
    /// The word that is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Applied => "already applied",
            Self::Skipped => "skip",
            Self::NotApplied => "not applied there",
        }
    }
}

/// What taking over a history means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adoption {
    /// Rows of theirs, in their order.
    pub rows: Vec<Adopted>,
    /// Ours that are pending then.
    pub pending: Vec<String>,
    /// What is to be recorded: positions in the graph, in order, each with its row of theirs.
    record: BTreeMap<usize, usize>,
}

impl Adoption {
    /// As a front end sees it, without what the graph knows.
    #[must_use]
    pub fn of(rows: Vec<Adopted>, pending: Vec<String>) -> Self {
        let record = BTreeMap::new();
        Self {
            rows,
            pending,
            record,
        }
    }

    /// What is to be recorded: positions in the graph, in order.
    #[must_use]
    pub fn positions(&self) -> Vec<usize> {
        self.record.keys().copied().collect()
    }

    /// The row of theirs for which the migration at `at` is to be recorded.
    #[must_use]
    pub fn row_of(&self, at: usize) -> Option<&Adopted> {
        self.rows.get(*self.record.get(&at)?)
    }
}

/// What is to be recorded for rows of theirs.
///
/// # Errors
/// Rows that nobody can tell whose they are, all of them; rows that failed in the middle; ours that
/// would stand without what they require.
pub fn adopt(
    graph: &Graph,
    history: &History,
    theirs: &[Theirs],
    request: &AdoptRequest,
) -> Result<Adoption, AdoptError> {
    let standing = Standing::new(graph, history);
    let names = names::Names::new(graph, &request.names);
    let mut adoption = Adoption::default();
    let (mut unmapped, mut dirty) = (Vec::new(), Vec::new());
    // Whose row found ours by its name alone.
    let mut found: BTreeMap<usize, String> = BTreeMap::new();
    for row in theirs {
        let mapped = request.map.get(&row.name);
        let whose = match (mapped, row.outcome) {
            (Some(Mapped::Skip), _) => Ok(None),
            (_, Outcome::Dirty) => {
                dirty.push(row.name.clone());
                continue;
            }
            (_, Outcome::NotApplied) => Ok(None),
            (Some(Mapped::Is(id)), _) => graph.find(id).map(Some).map_err(Why::Map),
            (None, _) => {
                names
                    .find(&row.name)
                    .and_then(|at| match found.insert(at, row.name.clone()) {
                        None => Ok(Some(at)),
                        Some(other) => Err(Why::Twice(other)),
                    })
            }
        };
        let at = match whose {
            Ok(at) => at,
            Err(why) => {
                let nearest = names.nearest(&row.name);
                unmapped.push(Unmapped {
                    theirs: row.name.clone(),
                    why,
                    nearest,
                });
                continue;
            }
        };
        let fate = match (at, mapped) {
            (Some(at), _) if standing.state(at) == State::Applied => Fate::Applied,
            (Some(at), _) => {
                adoption.record.insert(at, adoption.rows.len());
                Fate::Record
            }
            (None, Some(Mapped::Skip)) => Fate::Skipped,
            (None, _) => Fate::NotApplied,
        };
        let id = at.and_then(|at| graph.get(at)).map(|it| it.id.to_string());
        adoption.rows.push(Adopted {
            theirs: row.name.clone(),
            id,
            at: row.at,
            fate,
        });
    }
    if !unmapped.is_empty() {
        return Err(AdoptError::Unmapped(unmapped));
    }
    if !dirty.is_empty() {
        return Err(AdoptError::Dirty(request.tool, dirty));
    }
    record::check(graph, history, &adoption.positions())?;
    adoption.pending = pending(graph, &standing, &adoption);
    Ok(adoption)
}

fn pending(graph: &Graph, standing: &Standing<'_>, adoption: &Adoption) -> Vec<String> {
    let done =
        |at: &usize| standing.state(*at) == State::Applied || adoption.record.contains_key(at);
    // A squash stands for what it replaces.
    let squashed: BTreeSet<usize> = graph
        .squashes()
        .into_iter()
        .filter(|&at| graph.replaced(at).iter().all(|&it| done(&(it as usize))))
        .collect();
    (0..graph.len())
        .filter(|at| !done(at) && !squashed.contains(at) && standing.replaced_by(*at).is_none())
        .filter_map(|at| graph.get(at))
        .map(|it| it.id.to_string())
        .collect()
}
