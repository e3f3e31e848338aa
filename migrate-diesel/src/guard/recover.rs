//! What is up, what ought to be, and bringing back what an attempt that died left down.

use migrate_core::{
    report::{Event, Problem, ProblemKind, ViewState},
    view::Unmanaged,
};

use super::{
    Definitions, Down, Fate, Keeper, Mode, Node, Request, ViewError, catalog, collect::is_declared,
    database, saved,
};
use crate::{
    backend::{Driver, Object, ReadersError},
    history::{RecordedView, RecordedViews},
};

/// Views that are not in the database as declared. Positions, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) missing: Vec<usize>,
    pub(crate) changed: Vec<usize>,
    /// Not alive any more (by what the declarations say now), and still there.
    pub(crate) ended: Vec<usize>,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty() && self.ended.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.missing.len() + self.changed.len() + self.ended.len()
    }
}

impl Keeper<'_> {
    /// What a run would still do to views, beside its migrations. Reads only.
    pub(crate) fn pending(
        &self,
        driver: &mut dyn Driver,
        recorded: &RecordedViews,
    ) -> Result<Pending, ViewError> {
        let mut pending = Pending::default();
        for (at, state) in self.states(driver, recorded)?.into_iter().enumerate() {
            match state {
                ViewState::Missing | ViewState::Suspended => pending.missing.push(at),
                ViewState::Changed => pending.changed.push(at),
                ViewState::Ended => pending.ended.push(at),
                _ => {}
            }
        }
        Ok(pending)
    }

    /// Where each view stands. Reads only.
    pub(crate) fn states(
        &self,
        driver: &mut dyn Driver,
        recorded: &RecordedViews,
    ) -> Result<Vec<ViewState>, ViewError> {
        let views = &self.declared.views;
        let is_recorded = |at: usize| {
            let view = views.get(at);
            let row = view.and_then(|view| recorded.get(view.name));
            row.zip(view)
                .is_some_and(|(row, view)| row.id == view.id.to_string())
        };
        let asked: Vec<usize> = (0..views.len())
            .filter(|&at| self.is_alive(at) || is_recorded(at))
            .collect();
        let mut states = vec![ViewState::Down; views.len()];
        let names: Vec<&str> = asked
            .iter()
            .filter_map(|&at| Some(views.get(at)?.name))
            .collect();
        if names.is_empty() {
            return Ok(states);
        }
        let found = catalog(driver)?
            .find(&names)
            .map_err(database("ask the catalog for views"))?;
        for (&at, identity) in asked.iter().zip(found) {
            let (Some(view), Some(slot)) = (views.get(at), states.get_mut(at)) else {
                continue;
            };
            let row = recorded.get(view.name);
            if !self.is_alive(at) {
                if identity.is_some() {
                    *slot = ViewState::Ended;
                }
                continue;
            }
            *slot = match (identity, row) {
                (_, Some(row)) if row.saved.is_some() => ViewState::Suspended,
                (None, _) => ViewState::Missing,
                (Some(_), Some(row)) if self.is_as_declared(at, row) => ViewState::Up,
                (Some(_), _) => ViewState::Changed,
            };
        }
        Ok(states)
    }

    fn is_as_declared(&self, at: usize, row: &RecordedView) -> bool {
        self.declared
            .get(at)
            .is_some_and(|view| is_declared(view, row))
    }

    /// Rows of views that this program does not declare (any more).
    pub(crate) fn undeclared(&self, recorded: &RecordedViews) -> Vec<Problem> {
        let mut problems: Vec<Problem> = recorded
            .iter()
            .filter(|(name, row)| {
                !row.id.is_empty() && self.declared.named(name).next().is_none()
            })
            .map(|(name, row)| {
                let message = format!(
                    "the view `{name}` was put into this database as `{}`, which this program does not declare; \
                     declare it again, or end it: `until` with a migration, or a migration that drops it",
                    row.id
                );
                Problem::new(ProblemKind::ViewUndeclared, row.id.clone(), message)
            })
            .collect();
        problems.sort_by(|a, b| a.id.cmp(&b.id));
        problems
    }

    /// Declared views that read another one and do not name it in `uses`, as the catalog tells.
    pub(crate) fn unnamed_uses(
        &self,
        driver: &mut dyn Driver,
        recorded: &RecordedViews,
    ) -> Result<Vec<Problem>, ViewError> {
        let views = &self.declared.views;
        let up: Vec<usize> = self
            .states(driver, recorded)?
            .into_iter()
            .enumerate()
            .filter(|(_, state)| matches!(state, ViewState::Up))
            .map(|(at, _)| at)
            .collect();
        let names: Vec<&str> = up
            .iter()
            .filter_map(|&at| Some(views.get(at)?.name))
            .collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let found = catalog(driver)?
            .find(&names)
            .map_err(database("ask the catalog for views"))?;
        let identities: Vec<&str> = found.iter().flatten().map(String::as_str).collect();
        let by_identity = |identity: &str| {
            let index = found
                .iter()
                .position(|it| it.as_deref() == Some(identity))?;
            up.get(index).copied()
        };
        let mut dependences = catalog(driver)?
            .dependents(&identities)
            .map_err(database("ask the catalog what depends on views"))?;
        dependences.sort();
        let mut problems = Vec::new();
        for dependence in dependences {
            let (Some(on), Some(by)) = (
                by_identity(&dependence.on),
                by_identity(&dependence.by.identity),
            ) else {
                continue;
            };
            let is_named = views.uses(by).iter().any(|&used| used as usize == on);
            if let (Some(on), Some(by)) = (views.get(on).filter(|_| !is_named), views.get(by)) {
                let message = format!(
                    "the view `{}` reads `{}` ({}) and does not name it; add it to `uses`",
                    by.id, on.id, on.location
                );
                let problem = Problem::new(ProblemKind::ViewUses, by.id.to_string(), message);
                problems.push(problem.at(by.location));
            }
        }
        Ok(problems)
    }

    /// The views that read a table or a column, for a suspension.
    pub(crate) fn readers(
        &self,
        driver: &mut dyn Driver,
        target: &str,
    ) -> Result<Vec<Object>, ViewError> {
        catalog(driver)?
            .readers(target)
            .map_err(|error| match error {
                ReadersError::NotThere(message) => ViewError::Unknown(message),
                ReadersError::Database(source) => ViewError::Database {
                    doing: format!("ask the catalog what reads `{target}`"),
                    source,
                },
            })
    }

    /// Takes down and brings up what is pending, by its declaration.
    pub(crate) fn rebuild(
        &self,
        driver: &mut dyn Driver,
        pending: &Pending,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), ViewError> {
        let views = &self.declared.views;
        let name = |at: usize| views.get(at).map(|view| view.name);
        // Of two of one name, where one follows the other, the first is in the database.
        let follows = |at: usize| pending.ended.iter().any(|&ended| name(ended) == name(at));
        let (begins, changed): (Vec<usize>, Vec<usize>) =
            pending.changed.iter().partition(|&&at| follows(at));
        let mut begins = [begins.as_slice(), &pending.missing].concat();
        begins.sort_unstable();
        let mut roots = [changed.as_slice(), &pending.ended].concat();
        roots.sort_unstable();
        let request = Request {
            views: &roots,
            ends: &pending.ended,
            begins: &begins,
            ..Request::default()
        };
        let down = self.take_down(driver, &request, tell)?;
        self.bring_up(driver, &down, &begins, Definitions::Declared, tell)
    }

    /// Brings back what is down according to its row, as far as that goes. What is still missing
    /// afterwards is told, and its row stays.
    pub(crate) fn recover(
        &self,
        driver: &mut dyn Driver,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Vec<Problem>, ViewError> {
        let recorded = self.recorded(driver, None)?;
        let mut left: Vec<(String, RecordedView)> = recorded
            .into_iter()
            .filter(|(name, row)| row.saved.is_some() && !self.is_held(name))
            .collect();
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let position = |name: &str, row: &RecordedView| {
            self.declared.named(name).find(|&at| {
                let view = self.declared.views.get(at);
                view.is_some_and(|view| view.id.to_string() == row.id)
            })
        };
        left.sort_by_cached_key(|(name, row)| {
            (position(name, row).unwrap_or(usize::MAX), name.clone())
        });
        // Of what nobody declared the order is not known: as long as something comes up, the rest is
        // tried again.
        let mut errors: Vec<(String, ViewError)> = Vec::new();
        loop {
            let before = left.len();
            errors.clear();
            let mut rest = Vec::new();
            for (name, row) in left {
                match self.recover_one(driver, position(&name, &row), &row, tell) {
                    Ok(()) => {}
                    Err(error) => {
                        errors.push((name.clone(), error));
                        rest.push((name, row));
                    }
                }
            }
            left = rest;
            if left.is_empty() || left.len() == before {
                break;
            }
        }
        Ok(errors
            .into_iter()
            .map(|(name, error)| {
                let why = migrate_core::error_chain(&error).join(": ");
                let message = format!(
                    "the view `{name}` is down since an earlier run, and cannot be brought back yet: {why}; \
                     how it was is kept in `{}_views`",
                    self.store.table
                );
                Problem::new(ProblemKind::ViewMissing, name, message)
            })
            .collect())
    }

    fn recover_one(
        &self,
        driver: &mut dyn Driver,
        managed: Option<usize>,
        row: &RecordedView,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), ViewError> {
        let snapshot = row.saved.as_deref().and_then(saved::from_text);
        let Some(snapshot) = snapshot else {
            return Err(ViewError::Unknown(
                "its saved form cannot be read".to_owned(),
            ));
        };
        let identity = snapshot.object.identity.clone();
        let there = catalog(driver)?
            .find(&[&identity])
            .map_err(database("ask the catalog for views"))?;
        let is_there = there.first().is_some_and(Option::is_some);
        let node = Node {
            snapshot,
            managed,
            recorded: Some(row.clone()),
            as_declared: managed.is_some_and(|at| self.is_as_declared(at, row)),
            is_down: true,
            // Its process died after it had come up and before that was recorded.
            fate: if is_there {
                Fate::IsBack
            } else {
                Fate::ComesBack
            },
        };
        let down = Down {
            nodes: vec![node],
            ..Down::default()
        };
        self.bring_up(driver, &down, &[], Definitions::AsTheyWere, tell)
    }

    /// After a failure: brings back at once what no rollback brings back.
    pub(crate) fn recover_now(&self, driver: &mut dyn Driver, tell: &mut dyn FnMut(Event)) {
        if driver.depth().is_err() {
            return;
        }
        if Mode::of(driver) == Mode::Each && !matches!(driver.depth(), Ok(None | Some(0))) {
            // The next DDL would commit what failed.
            if let Err(error) = driver.batch("ROLLBACK") {
                tracing::warn!(%error, "could not roll back before bringing views back");
                return;
            }
        }
        match self.recover(driver, tell) {
            Ok(problems) => {
                for problem in problems {
                    tell(Event::Warning { problem });
                }
            }
            Err(error) => tracing::warn!(%error, "could not bring views back"),
        }
    }
}

/// What a migration says about what nobody declared.
pub(crate) fn unmanaged_of(descriptor: Option<&migrate_core::Descriptor>) -> Unmanaged {
    descriptor.map_or(Unmanaged::Refuse, |it| it.unmanaged)
}
