//! Views during a run: with the migrations that begin, end or suspend them, and after the last one.

use std::sync::OnceLock;

use migrate_core::{
    Interrupt, Plan, Standing, State,
    report::{Action, Event, Problem, ProblemKind},
    view::{Change, Definition},
};

use super::{
    Runner, Used,
    body::{BodyEnd, Direction},
};
use crate::{
    backend::Driver,
    error::{BodyError, Error},
    guard::{Declared, Definitions, Down, Held, Keeper, Patience, Pending, Request, unmanaged_of},
    history::{Claim, RecordedViews, Store, WITH_VIEWS},
    migration::Body,
};

/// The keeper of a run, for the migration at a position of the graph or for none. A macro, so that it
/// borrows only the fields that it names.
macro_rules! keeper {
    ($runner:ident, $at:expr) => {{
        let at: Option<usize> = $at;
        let descriptor = at.and_then(|at| $runner.graph.get(at));
        Keeper {
            declared: $runner.views,
            store: $runner.store,
            by: &$runner.state.by,
            applied: &$runner.state.applied,
            held: &$runner.state.held_views,
            migration: descriptor.map(|it| it.id),
            unmanaged: unmanaged_of(descriptor),
            patience: Patience {
                attempt: $runner.settings.view_lock_timeout,
                budget: $runner.settings.view_lock_wait,
            },
            interrupt: &$runner.state.interrupt,
        }
    }};
}
pub(super) use keeper;

impl Runner<'_> {
    /// Calls `body`, and does around it what belongs to its migration: views whose lifetime ends and
    /// those that it suspends go down before, and come up after, with those whose lifetime begins.
    pub(super) fn call_with_views(
        &mut self,
        body: Body,
        claim: &Claim,
        direction: Direction,
        at: usize,
    ) -> BodyEnd {
        let action = match direction {
            Direction::Apply => Action::Apply,
            Direction::Revert => Action::Revert,
        };
        let _migration = crate::observe::migration_span(claim, action).entered();
        let cut = self.cut_short(claim, direction);
        let Some(change) = self.views.views.change(self.graph, at, action) else {
            let mut end = self.call_limited(body, claim, direction, at);
            self.note_cut(cut, &mut end);
            return end;
        };
        let down = match self.views_down(at, &change) {
            Ok(down) => down,
            Err(error) => {
                let mut end = BodyEnd {
                    duration: std::time::Duration::ZERO,
                    result: Err(error),
                    recorded_steps: false,
                };
                self.note_cut(cut, &mut end);
                return end;
            }
        };
        let mut end = self.call_limited(body, claim, direction, at);
        if matches!(end.result, Ok(None))
            && let Err(error) = self.views_up(at, &change, &down)
        {
            end.result = Err(error);
        }
        self.note_cut(cut, &mut end);
        if !matches!(end.result, Ok(None)) {
            if self.state.views_at_risk == Used::No {
                // The rollback that follows brings them back.
                let keeper = keeper!(self, Some(at));
                let observer = &mut *self.observer;
                keeper.came_back(&down, &mut |event| observer(event));
            }
            // Rolled back or not: no guard holds anything any more.
            self.state.held_views = Held::default();
        }
        end
    }

    fn views_down(&mut self, at: usize, change: &Change) -> Result<Down, BodyError> {
        let mut roots = change.roots();
        roots.extend(&change.begins);
        roots.sort_unstable();
        roots.dedup();
        let request = Request {
            views: &roots,
            ends: &change.ends,
            begins: &change.begins,
            ..Request::default()
        };
        if !Keeper::rolls_back(self.driver) {
            self.state.views_at_risk = Used::Yes;
        }
        let keeper = keeper!(self, Some(at));
        let observer = &mut *self.observer;
        Ok(keeper.take_down(self.driver, &request, &mut |event| observer(event))?)
    }

    fn views_up(&mut self, at: usize, change: &Change, down: &Down) -> Result<(), BodyError> {
        // In a session as it was found: the body may have changed the role, or where names are
        // looked up.
        if matches!(self.driver.depth(), Ok(Some(_))) {
            if let Some(sql) = self.isolation() {
                self.driver.batch(&sql).map_err(BodyError::Commit)?;
                self.state.used = Used::No;
            }
        } else if let Err(error) = self.bring_back() {
            return Err(BodyError::Returned(error.into()));
        }
        let keeper = keeper!(self, Some(at));
        let observer = &mut *self.observer;
        keeper.bring_up(
            self.driver,
            down,
            &change.begins,
            Definitions::AsTheyWere,
            &mut |event| observer(event),
        )?;
        // Hand-written code may have changed the session as any body may.
        self.state.used = Used::Yes;
        Ok(())
    }

    /// Brings back what a failed body left down and no rollback brings back. After the rollback of
    /// what that body did.
    pub(super) fn recover_views(&mut self) {
        if std::mem::take(&mut self.state.views_at_risk) == Used::No {
            return;
        }
        // Whatever guards there were, they have ended.
        self.state.held_views = Held::default();
        let keeper = keeper!(self, None);
        let observer = &mut *self.observer;
        keeper.recover_now(self.driver, &mut |event| observer(event));
    }

    /// Brings back what a process that died left down. `version` is that of the tables before this
    /// run: new ones hold nothing.
    pub(super) fn recover_views_of_others(&mut self, version: u32) -> Result<(), Error> {
        if version < WITH_VIEWS || self.driver.views().is_none() {
            return Ok(());
        }
        let keeper = keeper!(self, None);
        let observer = &mut *self.observer;
        let problems = keeper.recover(self.driver, &mut |event| observer(event))?;
        for problem in problems {
            (self.observer)(Event::Warning { problem });
        }
        Ok(())
    }

    /// Refuses before the first statement what a plan cannot do to the views that are there.
    pub(super) fn check_views(&mut self, plan: &Plan) -> Result<(), Error> {
        if self.views.is_empty() {
            return Ok(());
        }
        for step in &plan.steps {
            let Some(change) = self.views.views.change(self.graph, step.at, step.action) else {
                continue;
            };
            let roots = change.roots();
            let request = Request {
                views: &roots,
                ends: &change.ends,
                begins: &change.begins,
                ..Request::default()
            };
            keeper!(self, Some(step.at)).check(self.driver, &request)?;
        }
        Ok(())
    }

    /// Creates what is missing before the migrations of a plan, which may read it or something on it.
    /// Where that cannot be yet, it is left for the end.
    pub(super) fn create_missing_views(&mut self) -> Result<(), Error> {
        if self.views.is_empty() {
            return Ok(());
        }
        let recorded = self.store.recorded_views(self.driver, None)?;
        let mut pending = keeper!(self, None).pending(self.driver, &recorded)?;
        pending.changed.clear();
        pending.ended.clear();
        if pending.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.rebuild_these(&pending) {
            tracing::debug!(%error, "missing views cannot be created yet");
        }
        Ok(())
    }

    /// Creates what is missing and builds anew what changed, in one transaction where that can be.
    pub(super) fn rebuild_views(&mut self) -> Result<(), Error> {
        if self.views.is_empty() {
            return Ok(());
        }
        let recorded = self.store.recorded_views(self.driver, None)?;
        let pending = keeper!(self, None).pending(self.driver, &recorded)?;
        for problem in keeper!(self, None).undeclared(&recorded) {
            (self.observer)(Event::Warning { problem });
        }
        if pending.is_empty() {
            return Ok(());
        }
        self.rebuild_these(&pending)
    }

    fn rebuild_these(&mut self, pending: &Pending) -> Result<(), Error> {
        self.may_begin("views were built")?;
        self.isolate()?;
        let whole = self.driver.dialect().implicit_commit == crate::backend::ImplicitCommit::Never;
        if whole {
            self.driver
                .batch(self.driver.dialect().begin)
                .map_err(Error::database("begin a transaction for views"))?;
            self.driver.set_depth(1);
        }
        self.state.views_at_risk = if whole { Used::No } else { Used::Yes };
        let cut = if whole {
            self.cut_short_while(None)
        } else {
            None
        };
        let keeper = keeper!(self, None);
        let observer = &mut *self.observer;
        let result = keeper.rebuild(self.driver, pending, &mut |event| observer(event));
        let result = match self.was_cut(cut) {
            true => Err(Error::Interrupted {
                when: "while views were built".to_owned(),
            }),
            false => result.map_err(Error::from),
        };
        let result = result.and_then(|()| {
            if !whole {
                return Ok(());
            }
            self.driver
                .batch(self.driver.dialect().commit)
                .map_err(Error::database("commit what was done to views"))?;
            self.driver.set_depth(0);
            Ok(())
        });
        if result.is_err() {
            self.roll_back();
            self.recover_views();
        } else {
            self.state.views_at_risk = Used::No;
            self.state.summary.views += pending.len();
        }
        // Hand-written code may have changed the session.
        self.state.used = Used::Yes;
        self.state.ran = Used::Yes;
        result
    }

    /// Keeps in mind what is applied.
    pub(super) fn note_applied(&mut self, standing: &Standing<'_>) {
        self.state.applied = applied(standing, self.graph.len());
    }

    /// Keeps in mind that the migration at `at` is applied now, or is not any more.
    pub(super) fn note(&mut self, at: usize, direction: Direction) {
        // With a squash, what it replaces.
        let replaced = self.graph.replaced(at).iter().map(|&at| at as usize);
        for at in replaced.chain([at]) {
            if let Some(slot) = self.state.applied.get_mut(at) {
                *slot = direction == Direction::Apply;
            }
        }
    }

    /// Whether views are to be created or built anew, though no migration is pending.
    pub(super) fn views_are_pending(&mut self, version: u32) -> Result<bool, Error> {
        if self.views.is_empty() {
            return Ok(false);
        }
        let recorded = recorded_views(self.store, self.driver, version)?;
        Ok(!keeper!(self, None)
            .pending(self.driver, &recorded)?
            .is_empty())
    }
}

/// The rows of views; none where the tables are of before there were any.
pub(crate) fn recorded_views(
    store: &Store,
    driver: &mut dyn Driver,
    version: u32,
) -> Result<RecordedViews, Error> {
    if version < WITH_VIEWS {
        return Ok(RecordedViews::new());
    }
    store.recorded_views(driver, None)
}

/// By position in the graph, whether it is applied.
pub(crate) fn applied(standing: &Standing<'_>, count: usize) -> Vec<bool> {
    (0..count)
        .map(|at| standing.state(at) == State::Applied)
        .collect()
}

/// A keeper that only reads.
pub(crate) fn reading<'k>(
    declared: &'k Declared,
    store: &'k Store,
    applied: &'k [bool],
) -> Keeper<'k> {
    static NOTHING: OnceLock<Held> = OnceLock::new();
    static NOBODY: OnceLock<Interrupt> = OnceLock::new();
    Keeper {
        held: NOTHING.get_or_init(Held::default),
        interrupt: NOBODY.get_or_init(Interrupt::new),
        declared,
        store,
        by: "",
        applied,
        migration: None,
        unmanaged: unmanaged_of(None),
        patience: Patience {
            attempt: std::time::Duration::ZERO,
            budget: std::time::Duration::ZERO,
        },
    }
}

/// Views that this database cannot have, or whose code takes another connection.
pub(crate) fn unsupported_views(driver: &mut dyn Driver, declared: &Declared) -> Vec<Problem> {
    let backend = driver.dialect().name;
    let mut problems = Vec::new();
    for view in declared.iter() {
        let it = &view.descriptor;
        let why = match (view.code, it.definition) {
            (Some(code), _) => {
                let kind = code.connection();
                let takes = driver.connection_mut(kind.type_id).is_some();
                (!takes).then(|| {
                    format!(
                        "takes a `{}`, and this database is {backend}",
                        (kind.type_name)()
                    )
                })
            }
            (None, Definition::Sql(_)) => match driver.views() {
                Some(catalog) => catalog.create(it, None).err(),
                None => Some(format!("this driver of {backend} knows no views")),
            },
            (None, Definition::Code(_)) => None,
        };
        if let Some(why) = why {
            let message = format!("the view `{}` ({}): {why}", it.id, it.location);
            problems.push(
                Problem::new(ProblemKind::WrongBackend, it.id.to_string(), message).at(it.location),
            );
        }
    }
    problems
}

/// What is pending, for a front end.
pub(crate) fn pending_names(declared: &Declared, pending: &Pending) -> Vec<String> {
    let mut all = [pending.missing.as_slice(), &pending.changed, &pending.ended].concat();
    all.sort_unstable();
    all.iter()
        .filter_map(|&at| Some(declared.get(at)?.descriptor.id.to_string()))
        .collect()
}

impl From<crate::guard::ViewError> for Error {
    fn from(error: crate::guard::ViewError) -> Self {
        Self::View(Box::new(error))
    }
}

impl From<crate::guard::ViewError> for BodyError {
    fn from(error: crate::guard::ViewError) -> Self {
        Self::View(Box::new(error))
    }
}
