//! Guards: views out of the way of a change and back again, with everything that hangs on them.
//!
//! [`Keeper::take_down`] finds what stands in the way (as declared, and as the catalog knows it),
//! remembers everything about it, and drops it, leaves first. [`Keeper::bring_up`] creates it again,
//! roots first, and does not end well before it is what it was. Where a rollback would bring dropped
//! views back, nothing is written down; elsewhere what is needed stands in a table before the drop.

mod collect;
mod creation;
mod declared;
mod drop;
mod error;
mod order;
mod properties;
mod recover;
mod restore;
mod saved;

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use diesel::{QueryResult, result::Error as DieselError};
use migrate_core::{Interrupt, MigrationId, report::Event, view::Unmanaged};

use crate::{
    backend::{Driver, ImplicitCommit, Object, Snapshot, ViewCatalog},
    error::Error,
    history::{RecordedView, RecordedViews, Store},
};

pub(crate) use creation::Definitions;
pub(crate) use declared::Declared;
pub use error::{InTheWay, Kept, ViewError};
pub(crate) use recover::{Pending, unmanaged_of};

// Around several statements of which one may fail.
const SAVEPOINT: &str = "SAVEPOINT migrate_views";
const RELEASE: &str = "RELEASE SAVEPOINT migrate_views";
const ROLLBACK_TO: &str = "ROLLBACK TO SAVEPOINT migrate_views; RELEASE SAVEPOINT migrate_views";

/// Takes views down and brings them up on behalf of one migration, or of none.
#[derive(Clone, Copy)]
pub(crate) struct Keeper<'k> {
    pub(crate) declared: &'k Declared,
    pub(crate) store: &'k Store,
    pub(crate) by: &'k str,
    /// By position in the graph: what is applied.
    pub(crate) applied: &'k [bool],
    pub(crate) migration: Option<MigrationId>,
    /// What the migration says about what nobody declared.
    pub(crate) unmanaged: Unmanaged,
    pub(crate) patience: Patience,
    /// Ends every wait.
    pub(crate) interrupt: &'k Interrupt,
    /// Names of what guards of this run hold down at the moment.
    pub(crate) held: &'k Held,
}

/// Names of what guards hold down. Used by one thread at a time.
pub(crate) type Held = Mutex<HashSet<String>>;

/// How long a drop waits for those who use the view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Of one attempt: for so long others queue up behind it.
    pub(crate) attempt: Duration,
    /// Of all attempts together.
    pub(crate) budget: Duration,
}

/// What has to go down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request<'r> {
    /// Positions of declared views, and with them what uses them.
    pub(crate) views: &'r [usize],
    /// Of these, the ones that do not come back.
    pub(crate) ends: &'r [usize],
    /// Those that come up afterwards, perhaps under a name of one that ends.
    pub(crate) begins: &'r [usize],
    /// Further views, whoever made them, and what they were found for.
    pub(crate) objects: Vec<Object>,
    pub(crate) because_of: &'r str,
}

/// What is down, roots first.
#[derive(Debug, Default)]
pub(crate) struct Down {
    nodes: Vec<Node>,
    /// `(on, by)`: indexes of nodes.
    edges: Vec<(usize, usize)>,
    /// By index of node, whether another one reads it, as the catalog tells.
    is_read: Vec<bool>,
}

impl Down {
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// One thing that goes down.
#[derive(Debug)]
struct Node {
    snapshot: Snapshot,
    /// Its position, where it is declared.
    managed: Option<usize>,
    /// Its row.
    recorded: Option<RecordedView>,
    /// Whether it is what the program declares now.
    as_declared: bool,
    /// Whether it is down already, from an attempt that died.
    is_down: bool,
    fate: Fate,
}

/// What becomes of something that goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    ComesBack,
    Ends,
    /// It has come back already.
    IsBack,
}

/// What undoes a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// A rollback of the transaction that is open.
    Inside,
    /// What is written down; DDL can be in transactions of our own.
    Own,
    /// What is written down; every DDL statement commits.
    Each,
}

impl Mode {
    fn of(driver: &mut dyn Driver) -> Self {
        match (driver.dialect().implicit_commit, driver.depth()) {
            (ImplicitCommit::OnDdl, _) => Self::Each,
            (ImplicitCommit::Never, Ok(Some(_))) => Self::Inside,
            (ImplicitCommit::Never, _) => Self::Own,
        }
    }
}

impl Keeper<'_> {
    /// Whether a failure after a drop is undone by rolling back.
    pub(crate) fn rolls_back(driver: &mut dyn Driver) -> bool {
        Mode::of(driver) == Mode::Inside
    }

    /// Finds what would go down, and whether that could be brought back. Changes nothing.
    pub(crate) fn check(
        &self,
        driver: &mut dyn Driver,
        request: &Request<'_>,
    ) -> Result<(), ViewError> {
        self.collect(driver, request).map(|_| ())
    }

    /// Takes down what `request` asks for, and everything on top of it.
    pub(crate) fn take_down(
        &self,
        driver: &mut dyn Driver,
        request: &Request<'_>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Down, ViewError> {
        let down = self.collect(driver, request)?;
        if down.is_empty() {
            return Ok(down);
        }
        let mode = Mode::of(driver);
        self.in_mode(driver, mode, |keeper, driver| {
            if mode != Mode::Inside {
                keeper.write_down(driver, &down)?;
            }
            keeper.drop_all(driver, mode, &down)
        })?;
        for node in down.nodes.iter().rev() {
            let (id, name) = self.names(node);
            self.held().insert(name.clone());
            if node.is_down {
                continue;
            }
            tell(Event::ViewDown {
                id,
                name,
                migration: self.migration.map(|id| id.to_string()),
            });
        }
        Ok(down)
    }

    /// Brings everything up that comes back, and with it the declared views at `begins`.
    pub(crate) fn bring_up(
        &self,
        driver: &mut dyn Driver,
        down: &Down,
        begins: &[usize],
        definitions: Definitions,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), ViewError> {
        if down.is_empty() && begins.is_empty() {
            return Ok(());
        }
        let mode = Mode::of(driver);
        let mut up = Vec::new();
        self.in_mode(driver, mode, |keeper, driver| {
            up = keeper.create_all(driver, mode, down, begins, definitions)?;
            Ok(())
        })?;
        self.let_go(down);
        for (id, name) in up {
            tell(Event::ViewUp {
                id,
                name,
                migration: self.migration.map(|id| id.to_string()),
            });
        }
        Ok(())
    }

    /// After a rollback: what went down is up again.
    pub(crate) fn came_back(&self, down: &Down, tell: &mut dyn FnMut(Event)) {
        self.let_go(down);
        for node in down.nodes.iter().filter(|node| !node.is_down) {
            let (id, name) = self.names(node);
            tell(Event::ViewUp {
                id,
                name,
                migration: self.migration.map(|id| id.to_string()),
            });
        }
    }

    /// Says that nobody holds these down any more.
    pub(crate) fn let_go(&self, down: &Down) {
        for node in &down.nodes {
            self.held().remove(&self.names(node).1);
        }
    }

    fn held(&self) -> MutexGuard<'_, HashSet<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a guard of this run holds it down.
    fn is_held(&self, name: &str) -> bool {
        self.held().contains(name)
    }

    /// Does `work` in a transaction of its own where it is to be in one.
    fn in_mode(
        &self,
        driver: &mut dyn Driver,
        mode: Mode,
        work: impl FnOnce(&Self, &mut dyn Driver) -> Result<(), ViewError>,
    ) -> Result<(), ViewError> {
        if mode != Mode::Own {
            return work(self, driver);
        }
        let dialect = driver.dialect();
        let begun = driver.batch(dialect.begin);
        begun.map_err(database("begin a transaction for views"))?;
        driver.set_depth(1);
        let result = work(self, driver).and_then(|()| {
            driver
                .batch(dialect.commit)
                .map_err(database("commit what was done to views"))
        });
        if result.is_err()
            && driver.depth().is_ok()
            && let Err(error) = driver.batch(dialect.rollback)
        {
            tracing::debug!(%error, "nothing to roll back");
        }
        if driver.depth().is_ok() {
            driver.set_depth(0);
        }
        result
    }

    /// Writes down how everything comes back, before anything is dropped.
    fn write_down(&self, driver: &mut dyn Driver, down: &Down) -> Result<(), ViewError> {
        let mut script = Vec::new();
        for node in down.nodes.iter().filter(|node| !node.is_down) {
            let (_, name) = self.names(node);
            let recorded = node.recorded.clone().unwrap_or_else(|| RecordedView {
                id: node
                    .managed
                    .and_then(|at| self.declared.get(at))
                    .map_or_else(String::new, |view| view.descriptor.id.to_string()),
                fingerprint: None,
                saved: None,
            });
            let saved = saved::to_text(&node.snapshot);
            script.extend(
                self.store
                    .view_is_suspended(&name, &recorded, &saved, self.by),
            );
        }
        run_all(driver, &script).map_err(database("write down how the views come back"))
    }

    /// The rows of these names, or all of them.
    fn recorded(
        &self,
        driver: &mut dyn Driver,
        names: Option<&[&str]>,
    ) -> Result<RecordedViews, ViewError> {
        self.store
            .recorded_views(driver, names)
            .map_err(|error| match error {
                Error::Database { doing, source } => ViewError::Database { doing, source },
                other => ViewError::Unknown(other.to_string()),
            })
    }

    /// Id and name, as events and rows have them.
    fn names(&self, node: &Node) -> (String, String) {
        let declared = node.managed.and_then(|at| self.declared.get(at));
        match declared {
            Some(view) => (
                view.descriptor.id.to_string(),
                view.descriptor.name.to_owned(),
            ),
            None => {
                let name = node.snapshot.object.identity.clone();
                (name.clone(), name)
            }
        }
    }

    /// `view active_users (src/views.rs:12)`
    fn describe(&self, node: &Node) -> String {
        match node.managed {
            Some(at) => self.describe_declared(at),
            None => node.snapshot.object.to_string(),
        }
    }

    fn describe_declared(&self, at: usize) -> String {
        self.declared.get(at).map_or_else(String::new, |view| {
            let it = &view.descriptor;
            format!("the {} `{}` ({})", it.kind, it.id, it.location)
        })
    }
}

fn database(doing: &str) -> impl FnOnce(DieselError) -> ViewError {
    let doing = doing.to_owned();
    move |source| ViewError::Database { doing, source }
}

fn catalog(driver: &mut dyn Driver) -> Result<&mut dyn ViewCatalog, ViewError> {
    let name = driver.dialect().name;
    driver
        .views()
        .ok_or_else(|| ViewError::Unsupported(format!("this driver of {name} knows no views")))
}

/// Statements in one message where that saves round trips.
fn run_all(driver: &mut dyn Driver, statements: &[String]) -> QueryResult<()> {
    if driver.dialect().pipelined {
        if statements.is_empty() {
            return Ok(());
        }
        return driver.batch(&statements.join(";\n"));
    }
    statements
        .iter()
        .try_for_each(|statement| driver.batch(statement))
}
