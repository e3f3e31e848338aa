//! What is recorded as applied without being run: `mark`, `baseline`, and what another tool did.

use std::{fmt, time::Duration};

use crate::{
    AppliedMigration, Graph, History, LookupError, MigrationId, PartlyReplaced, Standing, State,
};

/// What `mark` or `baseline` is asked to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkRequest {
    /// Which.
    pub marked: Marked,
    /// For how long to wait for the lock; the setting where `None`.
    pub wait: Option<Duration>,
}

/// Which migrations are to be recorded as applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// Exactly these; none of them may be applied.
    These(Vec<String>),
    /// These and what they require, as far as they are not applied.
    UpTo(Vec<String>),
    /// All, of a database without history.
    All,
}

/// Which changed migrations are to be taken for unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptRequest {
    /// `package:name`, or a name where it is unambiguous.
    pub ids: Vec<String>,
    /// Why; goes to the log.
    pub reason: String,
    /// For how long to wait for the lock; the setting where `None`.
    pub wait: Option<Duration>,
}

/// Why something cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Texts that name no migration, all of them.
    #[error("{}", list(.0))]
    Lookup(Vec<LookupError>),
    /// `baseline` of a database that has a history.
    #[error("this database has a history already ({0} recorded)")]
    NotEmpty(usize),
    /// Some of them cannot be, and why.
    #[error("cannot record {}", list(.0))]
    Refused(Vec<Unrecordable>),
    /// The code of these is what ran.
    #[error("there is nothing to accept: {}", list(.0))]
    Unchanged(Vec<Unchanged>),
    /// It has to be said why.
    #[error("the reason is empty")]
    NoReason,
}

impl RecordError {
    /// What to do now.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Lookup(errors) => {
                let steps: Vec<String> = errors.iter().filter_map(LookupError::next_step).collect();
                return (!steps.is_empty()).then(|| steps.join("; "));
            }
            Self::NotEmpty(_) => {
                "name what is there: `baseline ID..` records these and what they require; `status` shows what is applied"
            }
            Self::Refused(refused) => return refused.first().map(Unrecordable::next_step),
            Self::Unchanged(_) => "`check` shows what changed",
            Self::NoReason => "say why the change does no harm: `--reason \"formatted anew\"`",
        };
        Some(step.to_owned())
    }
}

/// A migration that cannot be recorded as applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrecordable {
    /// `package:name`.
    pub id: MigrationId,
    /// Why not.
    pub because: Because,
}

/// Why a migration cannot be recorded as applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Because {
    /// It is applied, running or interrupted.
    Is(State),
    /// It requires this one, which would not be applied.
    Requires(MigrationId, State),
    /// With it this squash would be replaced in part.
    PartOf(MigrationId),
}

impl Unrecordable {
    fn next_step(&self) -> String {
        let id = self.id;
        match &self.because {
            Because::Is(State::Interrupted) => {
                format!("settle it: `resolve {id} --applied`, `--reverted` or `--retry`")
            }
            Because::Is(State::Running) => "wait until it has ended".to_owned(),
            Because::Is(_) => "leave it out; `status` shows what is applied".to_owned(),
            Because::Requires(required, _) => format!(
                "record `{required}` too, or use `baseline {id}`, which records what it requires as well"
            ),
            Because::PartOf(squash) => {
                format!("record `{squash}` instead, or all that it replaces")
            }
        }
    }
}

impl fmt::Display for Unrecordable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        match &self.because {
            Because::Is(State::Applied) => write!(f, "`{id}`: it is applied already"),
            Because::Is(state) => write!(f, "`{id}`: it is {state}"),
            Because::Requires(required, state) => {
                write!(f, "`{id}`: it requires `{required}`, which is {state}")
            }
            Because::PartOf(squash) => {
                write!(
                    f,
                    "`{id}`: `{squash}` replaces it, and more that is not applied"
                )
            }
        }
    }
}

/// A migration whose code did not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// `package:name`.
    pub id: MigrationId,
    /// Where it stands.
    pub state: State,
}

impl fmt::Display for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            State::Applied => write!(f, "the code of `{}` is what ran", self.id),
            state => write!(f, "`{}` is {state}", self.id),
        }
    }
}

/// Which migrations to record: positions in the graph, in order.
///
/// # Errors
/// Ids that name nothing; what cannot be recorded, all of it.
pub fn mark(graph: &Graph, history: &History, marked: &Marked) -> Result<Vec<usize>, RecordError> {
    let standing = Standing::new(graph, history);
    let open = |at: &usize| standing.state(*at) != State::Applied;
    let positions = match marked {
        Marked::These(ids) => find_all(graph, ids)?,
        Marked::UpTo(ids) => {
            let mut all = with_required(graph, &standing, find_all(graph, ids)?);
            all.retain(open);
            all
        }
        Marked::All if !history.is_empty() => return Err(RecordError::NotEmpty(history.len())),
        // What is squashed stands where its squash does.
        Marked::All => (0..graph.len())
            .filter(|at| open(at) && standing.replaced_by(*at).is_none())
            .collect(),
    };
    check(graph, history, &positions)?;
    Ok(positions)
}

/// Whether these may be recorded as applied: none of them is, and then everything that they require
/// is, and no squash is replaced in part.
///
/// # Errors
/// All reasons against it.
pub fn check(graph: &Graph, history: &History, positions: &[usize]) -> Result<(), RecordError> {
    let before = Standing::new(graph, history);
    let mut refused = Vec::new();
    for &at in positions {
        let state = before.state(at);
        if matches!(state, State::Applied | State::Running | State::Interrupted)
            && let Some(descriptor) = graph.get(at)
        {
            refused.push(Unrecordable {
                id: descriptor.id,
                because: Because::Is(state),
            });
        }
    }
    if refused.is_empty() {
        let history = with(graph, history, &before, positions);
        let after = Standing::new(graph, &history);
        for &at in positions {
            let Some(descriptor) = graph.get(at) else {
                continue;
            };
            let because =
                part_of(graph, &before, &after, at).or_else(|| requires(graph, &after, at));
            refused.extend(because.map(|because| Unrecordable {
                id: descriptor.id,
                because,
            }));
        }
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(RecordError::Refused(refused))
    }
}

/// Those whose code changed since they ran: positions in the graph, in order.
///
/// # Errors
/// Ids that name nothing; those that did not change.
pub fn accept(
    graph: &Graph,
    history: &History,
    request: &AcceptRequest,
) -> Result<Vec<usize>, RecordError> {
    if request.reason.trim().is_empty() {
        return Err(RecordError::NoReason);
    }
    let standing = Standing::new(graph, history);
    let positions = find_all(graph, &request.ids)?;
    let unchanged: Vec<Unchanged> = positions
        .iter()
        .filter_map(|&at| {
            let descriptor = graph.get(at)?;
            let is_changed = standing.row(at).is_some_and(|row| {
                row.state == State::Applied
                    && row
                        .fingerprint
                        .is_some_and(|it| it != descriptor.fingerprint)
            });
            (!is_changed).then(|| Unchanged {
                id: descriptor.id,
                state: standing.state(at),
            })
        })
        .collect();
    if unchanged.is_empty() {
        Ok(positions)
    } else {
        Err(RecordError::Unchanged(unchanged))
    }
}

fn find_all(graph: &Graph, ids: &[String]) -> Result<Vec<usize>, RecordError> {
    let (mut found, mut lost) = (Vec::new(), Vec::new());
    for id in ids {
        match graph.find(id) {
            Ok(at) => found.push(at),
            Err(error) => lost.push(error),
        }
    }
    if !lost.is_empty() {
        return Err(RecordError::Lookup(lost));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// These and what they require; a squash for what it replaces, where that did not run.
fn with_required(graph: &Graph, standing: &Standing<'_>, mut open: Vec<usize>) -> Vec<usize> {
    let mut all = vec![false; graph.len()];
    while let Some(at) = open.pop() {
        let at = standing.replaced_by(at).unwrap_or(at);
        let Some(seen) = all.get_mut(at) else {
            continue;
        };
        if !std::mem::replace(seen, true) {
            open.extend(graph.requirements(at).iter().map(|&it| it as usize));
        }
    }
    let positions = all.into_iter().enumerate();
    positions.filter(|(_, it)| *it).map(|(at, _)| at).collect()
}

/// The history as it would be.
fn with(graph: &Graph, history: &History, before: &Standing<'_>, positions: &[usize]) -> History {
    let replaced: Vec<usize> = positions
        .iter()
        .filter_map(|&at| before.row_position(at))
        .collect();
    let kept = history.iter().enumerate();
    let mut rows: Vec<AppliedMigration> = kept
        .filter(|(position, _)| !replaced.contains(position))
        .map(|(_, row)| row.clone())
        .collect();
    let new = positions.iter().filter_map(|&at| graph.get(at));
    rows.extend(new.map(|descriptor| AppliedMigration {
        fingerprint: Some(descriptor.fingerprint),
        ..AppliedMigration::new(descriptor.id.to_string(), State::Applied)
    }));
    History::new(rows)
}

fn part_of(
    graph: &Graph,
    before: &Standing<'_>,
    after: &Standing<'_>,
    at: usize,
) -> Option<Because> {
    let holds = |it: &&PartlyReplaced| it.applied.contains(&at);
    let partly = after.partly_replaced().iter().find(holds)?;
    let is_new = before.partly_replaced().iter().all(|it| it.at != partly.at);
    let squash = graph.get(partly.at).filter(|_| is_new)?;
    Some(Because::PartOf(squash.id))
}

fn requires(graph: &Graph, after: &Standing<'_>, at: usize) -> Option<Because> {
    let mut required = graph.requirements(at).iter().map(|&it| it as usize);
    let open = required.find(|&it| after.state(it) != State::Applied)?;
    Some(Because::Requires(graph.get(open)?.id, after.state(open)))
}

fn list(items: &[impl fmt::Display]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join("; ")
}
