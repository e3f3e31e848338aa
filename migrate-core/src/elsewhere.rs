//! [`Elsewhere`]: what other databases say about what is required of them.

use std::collections::{BTreeMap, HashMap};

use crate::{
    DEFAULT_DATABASE, Descriptor, Graph, MigrationId, Plan, PlanError, Standing, State,
    databases::{is_pattern, matches},
    graph::databases_of,
};

/// What other databases say about what is required of them.
///
/// A requirement that belongs to another database counts as met when it is applied there: in every
/// database that it belongs to (and so at once, where that is a pattern that no configured database
/// matches). Where it belongs to the database at hand too, only that one counts.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    answers: BTreeMap<String, Answer>,
}

#[derive(Clone, Debug)]
enum Answer {
    States(HashMap<MigrationId, State>),
    None(String),
}

/// Something of another database that is not applied there, and is required here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// What is required.
    pub id: MigrationId,
    /// Where.
    pub database: String,
    /// How it stands there.
    pub found: Found,
}

/// How something stands in another database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// So.
    State(State),
    /// The database is not configured.
    NotConfigured,
    /// The database cannot be asked: why.
    NoAnswer(String),
}

impl Unmet {
    /// The reason in words: what is required, where, and how it stands there.
    #[must_use]
    pub fn because(&self) -> String {
        let Self {
            id,
            database,
            found,
        } = self;
        match found {
            Found::State(State::Running) => {
                format!(
                    "requires `{id}`, which another process is running in database `{database}`"
                )
            }
            Found::State(State::Failed) => {
                format!("requires `{id}`, which failed in database `{database}`")
            }
            Found::State(state) => {
                format!("requires `{id}`, which is {state} in database `{database}`")
            }
            Found::NotConfigured => {
                format!("requires `{id}` of database `{database}`, which is not configured")
            }
            Found::NoAnswer(why) => {
                format!("requires `{id}` of database `{database}`, which gives no answer: {why}")
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn next_step(&self) -> String {
        let Self {
            id,
            database,
            found,
        } = self;
        match found {
            Found::State(State::Interrupted) => format!(
                "settle it with `resolve {id} --database {database} --applied`, `--reverted` or `--retry`"
            ),
            Found::State(State::Running) => "wait until it has ended there".to_owned(),
            Found::State(_) => format!("run `up --database {database}`"),
            Found::NotConfigured if database == DEFAULT_DATABASE => {
                "configure `database_url`".to_owned()
            }
            Found::NotConfigured => format!("configure `[databases.{database}]`"),
            Found::NoAnswer(_) => format!("see to it that database `{database}` can be reached"),
        }
    }
}

impl Elsewhere {
    /// The database `name` was asked.
    pub fn answered(
        &mut self,
        name: impl Into<String>,
        states: impl IntoIterator<Item = (MigrationId, State)>,
    ) {
        let states = states.into_iter().collect();
        self.answers.insert(name.into(), Answer::States(states));
    }

    /// The database `name` could not be asked.
    pub fn silent(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.answers.insert(name.into(), Answer::None(why.into()));
    }

    /// The first that is not met of what is required, in every database that it belongs to.
    fn unmet(&self, required: &Descriptor, planned: &[(String, String)]) -> Option<Unmet> {
        let unmet = |database: &str, found| Unmet {
            id: required.id,
            database: database.to_owned(),
            found,
        };
        for &name in databases_of(required) {
            let mut asked = self
                .answers
                .iter()
                .filter(|(it, _)| matches(name, it))
                .peekable();
            // Where no database matches a pattern, it is applied in every one that does.
            if asked.peek().is_none() && !is_pattern(name) {
                return Some(unmet(name, Found::NotConfigured));
            }
            for (database, answer) in asked {
                let is_planned = |(there, id): &(String, String)| {
                    there == database && *id == required.id.to_string()
                };
                let found = match answer {
                    Answer::States(states) => match states.get(&required.id) {
                        Some(State::Applied) => continue,
                        state => Found::State(state.copied().unwrap_or(State::Pending)),
                    },
                    Answer::None(why) => Found::NoAnswer(why.clone()),
                };
                if !planned.iter().any(is_planned) {
                    return Some(unmet(database, found));
                }
            }
        }
        None
    }

    /// Whether anything applied in another database requires one of a plan's steps.
    ///
    /// # Errors
    /// [`PlanError::RequiredElsewhere`] with all of them; a database that gives no answer may hold one.
    pub fn allow_down(&self, graph: &Graph, plan: &Plan) -> Result<(), PlanError> {
        let mut list = Vec::new();
        for (required, by) in plan.dependants_elsewhere(graph) {
            for (database, answer) in &self.answers {
                if !by.belongs_to(database) || required.belongs_to(database) {
                    continue;
                }
                let found = match answer {
                    Answer::None(why) => Found::NoAnswer(why.clone()),
                    Answer::States(states) => match states.get(&by.id) {
                        None | Some(State::Pending | State::Failed | State::Deferred) => continue,
                        Some(state) => Found::State(*state),
                    },
                };
                list.push(RequiredElsewhere {
                    id: required.id,
                    by: by.id,
                    database: database.clone(),
                    found,
                });
            }
        }
        if list.is_empty() {
            Ok(())
        } else {
            Err(PlanError::RequiredElsewhere(list))
        }
    }
}

/// Something in another database that requires what would be reverted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredElsewhere {
    /// What would be reverted.
    pub id: MigrationId,
    /// What requires it.
    pub by: MigrationId,
    /// Where.
    pub database: String,
    /// How that stands there.
    pub found: Found,
}

impl std::fmt::Display for RequiredElsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            id,
            by,
            database,
            found,
        } = self;
        match found {
            Found::State(state) => {
                write!(
                    f,
                    "`{id}`: `{by}` requires it, which is {state} in database `{database}`"
                )
            }
            Found::NotConfigured => {
                write!(f, "`{id}`: `{by}` of database `{database}` requires it")
            }
            Found::NoAnswer(why) => write!(
                f,
                "`{id}`: `{by}` requires it, and database `{database}` does not say whether that is applied: {why}"
            ),
        }
    }
}

impl RequiredElsewhere {
    /// What to do about it.
    #[must_use]
    pub fn next_step(&self) -> String {
        let Self {
            by,
            database,
            found,
            ..
        } = self;
        match found {
            Found::State(State::Running) => "wait until it has ended there".to_owned(),
            Found::State(State::Interrupted) => format!(
                "settle it with `resolve {by} --database {database} --applied`, `--reverted` or `--retry`"
            ),
            Found::NoAnswer(_) => format!("see to it that database `{database}` can be reached"),
            _ => format!("revert that first: `down {by} --database {database}`"),
        }
    }
}

impl Standing<'_> {
    /// What is required of other databases by what is not applied here, each once.
    #[must_use]
    pub fn required_elsewhere(&self, graph: &Graph) -> Vec<&'static Descriptor> {
        let mut all: Vec<&'static Descriptor> = Vec::new();
        for at in graph.requiring_elsewhere() {
            if self.waits_for_others(at) {
                let required = graph.elsewhere(at).iter();
                all.extend(
                    required
                        .filter(|it| !all.iter().any(|known| known.id == it.id))
                        .collect::<Vec<_>>(),
                );
            }
        }
        all
    }

    /// Takes note of what other databases say. `planned` counts as applied: `(database, id)`.
    pub fn look_elsewhere(
        &mut self,
        graph: &Graph,
        elsewhere: &Elsewhere,
        planned: &[(String, String)],
    ) {
        for at in graph.requiring_elsewhere() {
            if !self.waits_for_others(at) {
                continue;
            }
            let required = graph.elsewhere(at).iter();
            let unmet = required
                .filter_map(|it| elsewhere.unmet(it, planned))
                .next();
            if let Some(unmet) = unmet {
                self.unmet.insert(at, unmet);
            }
        }
    }

    fn waits_for_others(&self, at: usize) -> bool {
        self.state(at) != State::Applied && self.replaced_by(at).is_none()
    }
}

impl Plan {
    /// Steps, and what requires them in databases that they do not belong to.
    #[must_use]
    pub fn dependants_elsewhere(
        &self,
        graph: &Graph,
    ) -> Vec<(&'static Descriptor, &'static Descriptor)> {
        let whole = graph.whole();
        let mut all = Vec::new();
        for step in &self.steps {
            let Some(required) = graph.get(step.at) else {
                continue;
            };
            let Some(at) = whole.position(required.id) else {
                continue;
            };
            let dependants = whole.dependants(at).iter();
            let dependants = dependants.filter_map(|&at| whole.get(at as usize));
            let foreign = dependants.filter(|by| {
                databases_of(by)
                    .iter()
                    .any(|name| is_pattern(name) || !required.belongs_to(name))
            });
            all.extend(foreign.map(|by| (required, by)));
        }
        all
    }
}
