//! Which migration a person means.

use super::{Graph, databases_of, resolve::former_id};
use crate::{Descriptor, Location};

/// Why a text names no migration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// No id, former id or name is this.
    #[error("no migration is called `{text}`")]
    Unknown {
        /// What was asked for.
        text: String,
        /// Ids that read alike, best first.
        similar: Vec<String>,
    },
    /// A name in several crates.
    #[error("`{text}` is a migration of several crates")]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// Their ids and places.
        candidates: Vec<(String, Location)>,
    },
    /// A migration that does not belong to the database at hand.
    #[error("`{id}` belongs to the database `{}`, not to this one", databases.join("`, `"))]
    OtherDatabase {
        /// What was asked for, as its full id.
        id: String,
        /// Where it belongs.
        databases: Vec<&'static str>,
    },
}

impl LookupError {
    /// What to type instead.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        match self {
            Self::Unknown { similar, .. } if similar.is_empty() => {
                Some("`status` lists all migrations".to_owned())
            }
            Self::Unknown { similar, .. } => {
                Some(format!("did you mean `{}`?", similar.join("` or `")))
            }
            Self::Ambiguous { candidates, .. } => {
                let candidates: Vec<String> = candidates
                    .iter()
                    .map(|(id, location)| format!("`{id}` ({location})"))
                    .collect();
                Some(format!("say which: {}", candidates.join(", ")))
            }
            Self::OtherDatabase { databases, .. } => databases
                .first()
                .map(|database| format!("choose it with `--database {database}`")),
        }
    }
}

/// How many ids to suggest.
const SUGGESTIONS: usize = 3;

pub(super) fn find(graph: &Graph, text: &str) -> Result<usize, LookupError> {
    match named(graph, text).as_slice() {
        [at] => return Ok(*at),
        [] => {}
        several => {
            return Err(LookupError::Ambiguous {
                text: text.to_owned(),
                candidates: several
                    .iter()
                    .filter_map(|&at| graph.get(at))
                    .map(|it| (it.id.to_string(), it.location))
                    .collect(),
            });
        }
    }
    let whole = graph.whole();
    if let [at] = named(&whole, text).as_slice()
        && let Some(descriptor) = whole.get(*at)
    {
        return Err(LookupError::OtherDatabase {
            id: descriptor.id.to_string(),
            databases: databases_of(descriptor).to_vec(),
        });
    }
    Err(LookupError::Unknown {
        text: text.to_owned(),
        similar: similar(graph, text),
    })
}

/// Positions of the migrations that `text` may mean: by id, else by name, else by former name.
fn named(graph: &Graph, text: &str) -> Vec<usize> {
    if let Some((package, name)) = text.split_once(':') {
        // A package's name may be typed as in Cargo.toml.
        let claim = graph
            .claim(package, name)
            .or_else(|| graph.claim(&package.replace('-', "_"), name));
        return claim.iter().map(|claim| claim.at as usize).collect();
    }
    let live = all(graph, |it| it.id.name() == text);
    if live.is_empty() {
        all(graph, |it| {
            let mut former = it.was.iter();
            former.any(|former| former_id(it, former).1 == text)
        })
    } else {
        live
    }
}

fn all(graph: &Graph, is_meant: impl Fn(&Descriptor) -> bool) -> Vec<usize> {
    let nodes = graph.iter().enumerate();
    nodes
        .filter(|(_, descriptor)| is_meant(descriptor))
        .map(|(at, _)| at)
        .collect()
}

/// Ids that are few keystrokes from `text`, or contain it, best first.
fn similar(graph: &Graph, text: &str) -> Vec<String> {
    // What a person may have copied from the code: `shop::migrations::create_users`.
    let name = text.rsplit(':').next().unwrap_or(text);
    let mut found: Vec<(usize, usize)> = graph
        .iter()
        .enumerate()
        .filter_map(|(at, descriptor)| {
            let candidate = descriptor.id.name();
            let distance = strsim::osa_distance(name, candidate);
            let is_near = distance <= 1 + name.chars().count() / 4;
            let is_part = name.len() >= 3 && candidate.contains(name);
            (is_near || is_part).then_some((distance, at))
        })
        .collect();
    found.sort_unstable();
    let best = found.iter().take(SUGGESTIONS);
    best.filter_map(|&(_, at)| graph.get(at))
        .map(|descriptor| descriptor.id.to_string())
        .collect()
}
