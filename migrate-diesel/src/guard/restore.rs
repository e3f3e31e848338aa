//! Creating anew, roots first, and everything that hung on it.

use migrate_core::ViewDescriptor;

use super::{
    Down, Fate, Keeper, Mode, RELEASE, ROLLBACK_TO, SAVEPOINT, ViewError, catalog,
    creation::{Creation, Definitions, How},
    database,
    properties::{difference, foreseen},
    run_all,
};
use crate::backend::{Driver, Object, ObjectKind, Snapshot};

/// One round sets what lacks; a new owner changes grants, which takes a second.
const ROUNDS: usize = 4;

/// A statement, and for which creation it is.
struct Statement {
    sql: String,
    of: usize,
    what: What,
}

enum What {
    /// Creates it.
    Creation,
    /// Sets something that it lacks.
    Property(String),
    /// Sets something that it will lack, as far as can be foreseen: it saves a look at the catalog.
    Foreseen,
}

impl Keeper<'_> {
    /// Creates everything that comes back and what begins. Returns ids and names.
    pub(super) fn create_all(
        &self,
        driver: &mut dyn Driver,
        mode: Mode,
        down: &Down,
        begins: &[usize],
        definitions: Definitions,
    ) -> Result<Vec<(String, String)>, ViewError> {
        let creations = self.creations(down, begins, definitions);
        let mut pending: Vec<Statement> = Vec::new();
        let mut unsettled: Vec<usize> = Vec::new();
        for (index, creation) in creations.iter().enumerate() {
            self.create(driver, mode, &creations, index, &mut pending)?;
            let Some(old) = creation.old else { continue };
            if creation.how == How::AsItWas && old.object.kind == ObjectKind::MaterializedView {
                // Its rows come last of all, and what is built on it may need them.
                self.flush(driver, mode, &creations, &mut pending)?;
                self.settle(driver, mode, &creations, &[index])?;
            } else {
                unsettled.push(index);
            }
        }
        self.flush(driver, mode, &creations, &mut pending)?;
        self.probe(driver, &creations)?;
        self.settle(driver, mode, &creations, &unsettled)?;
        self.record(driver, mode, down, &creations)?;
        Ok(creations.iter().map(|it| self.names_of(it)).collect())
    }

    /// Creates one, or lines its statements up.
    fn create(
        &self,
        driver: &mut dyn Driver,
        mode: Mode,
        creations: &[Creation<'_>],
        index: usize,
        pending: &mut Vec<Statement>,
    ) -> Result<(), ViewError> {
        let Some(creation) = creations.get(index) else {
            return Ok(());
        };
        if creation.how == How::Not {
            return Ok(());
        }
        let view = self.view_of(creation);
        let statements = match (view, creation.old) {
            (Some(view), old) => match view.code {
                None => self.statements(driver, &view.descriptor, old)?,
                Some(code) => {
                    self.flush(driver, mode, creations, pending)?;
                    let connection = driver.connection_mut(code.connection().type_id);
                    match (connection.and_then(|it| code.up(it)), old) {
                        (Some(result), _) => {
                            return result.map_err(|source| self.not_created(creation, source));
                        }
                        // The body of a migration was handed another connection than the view's.
                        (None, Some(old)) => vec![old.create.clone()],
                        (None, None) => {
                            return Err(ViewError::Unsupported(format!(
                                "{} takes a `{}`, which this connection is not",
                                self.what(creation),
                                (code.connection().type_name)()
                            )));
                        }
                    }
                }
            },
            (None, Some(old)) => vec![old.create.clone()],
            (None, None) => Vec::new(),
        };
        pending.extend(statements.into_iter().map(|sql| Statement {
            sql,
            of: index,
            what: What::Creation,
        }));
        if let Some(old) = creation.old {
            pending.extend(foreseen(old, creation.how).map(|sql| Statement {
                sql: sql.to_owned(),
                of: index,
                what: What::Foreseen,
            }));
        }
        Ok(())
    }

    /// Reads nothing of each, where only that tells whether its definition fits.
    ///
    /// What is read by another one was read with that; only where something is wrong all are asked,
    /// because the first of them is to be named.
    fn probe(&self, driver: &mut dyn Driver, creations: &[Creation<'_>]) -> Result<(), ViewError> {
        let is_new = |creation: &&Creation<'_>| creation.how != How::Not;
        let mut leaves = creations.iter().filter(is_new).filter(|it| !it.is_read);
        if leaves.try_for_each(|it| self.probe_one(driver, it)).is_ok() {
            return Ok(());
        }
        let mut all = creations.iter().filter(is_new);
        all.try_for_each(|it| self.probe_one(driver, it))
    }

    fn probe_one(&self, driver: &mut dyn Driver, creation: &Creation<'_>) -> Result<(), ViewError> {
        let (_, name) = self.names_of(creation);
        match catalog(driver)?.probe(&name) {
            Some(statement) => driver
                .batch(&statement)
                .map_err(|source| self.not_created(creation, source)),
            None => Ok(()),
        }
    }

    fn statements(
        &self,
        driver: &mut dyn Driver,
        view: &ViewDescriptor,
        old: Option<&Snapshot>,
    ) -> Result<Vec<String>, ViewError> {
        catalog(driver)?.create(view, old).map_err(|message| {
            ViewError::Unsupported(format!("view `{}` ({}): {message}", view.id, view.location))
        })
    }

    /// Runs what is lined up: in one message where that is possible, and then again one by one if it
    /// fails, so that the error names its view.
    fn flush(
        &self,
        driver: &mut dyn Driver,
        mode: Mode,
        creations: &[Creation<'_>],
        pending: &mut Vec<Statement>,
    ) -> Result<(), ViewError> {
        let statements = std::mem::take(pending);
        let pipelined = driver.dialect().pipelined;
        if statements.len() > 1 && mode != Mode::Each && pipelined {
            let mut script = vec![SAVEPOINT];
            script.extend(statements.iter().map(|it| it.sql.as_str()));
            script.push(RELEASE);
            let depth = driver.depth().ok().flatten().unwrap_or(0);
            let Err(error) = driver.batch(&script.join(";\n")) else {
                return Ok(());
            };
            tracing::debug!(%error, "one of several statements failed");
            driver
                .batch(ROLLBACK_TO)
                .map_err(database("roll back to the savepoint"))?;
            driver.set_depth(depth);
        }
        for statement in statements {
            let Some(creation) = creations.get(statement.of) else {
                continue;
            };
            let property = match statement.what {
                // What was foreseen wrongly shows when they are compared.
                What::Foreseen => {
                    if !pipelined && let Err(error) = driver.batch(&statement.sql) {
                        tracing::debug!(%error, "foreseen wrongly");
                    }
                    continue;
                }
                What::Creation => None,
                What::Property(property) => Some(property),
            };
            driver
                .batch(&statement.sql)
                .map_err(|source| match property {
                    None => self.not_created(creation, source),
                    Some(property) => ViewError::Restore {
                        what: self.what(creation),
                        property,
                        source,
                    },
                })?;
        }
        Ok(())
    }

    /// Sets what the new ones lack and takes away what they have too much, until they are what they
    /// were.
    fn settle(
        &self,
        driver: &mut dyn Driver,
        mode: Mode,
        creations: &[Creation<'_>],
        indexes: &[usize],
    ) -> Result<(), ViewError> {
        let with_old: Vec<(usize, &Creation<'_>, &Snapshot)> = indexes
            .iter()
            .filter_map(|&index| {
                let creation = creations.get(index)?;
                Some((index, creation, creation.old?))
            })
            .collect();
        if with_old.is_empty() {
            return Ok(());
        }
        let mut differs = None;
        for _ in 0..ROUNDS {
            let objects: Vec<Object> = with_old
                .iter()
                .map(|(_, creation, old)| self.object(creation, old))
                .collect();
            let now = catalog(driver)?
                .properties(&objects.iter().collect::<Vec<_>>())
                .map_err(database("read what hangs on views"))?;
            let mut pending = Vec::new();
            differs = None;
            for ((index, creation, old), now) in with_old.iter().zip(&now) {
                let difference = difference(old, now, creation.how);
                if difference.is_empty() {
                    continue;
                }
                let names = difference.iter().map(|it| it.what.clone()).collect();
                if difference.iter().any(|it| it.sql.is_empty()) {
                    // Part of the statement that created it.
                    let amended = catalog(driver)?.amend(old, now);
                    pending.extend(amended.map(|sql| Statement {
                        sql,
                        of: *index,
                        what: What::Property("attributes".to_owned()),
                    }));
                }
                differs.get_or_insert((self.what(creation), names));
                pending.extend(
                    difference
                        .into_iter()
                        .filter(|it| !it.sql.is_empty())
                        .map(|it| Statement {
                            sql: it.sql,
                            of: *index,
                            what: What::Property(it.what),
                        }),
                );
            }
            if differs.is_none() {
                return Ok(());
            }
            if pending.is_empty() {
                break;
            }
            self.flush(driver, mode, creations, &mut pending)?;
        }
        match differs {
            Some((what, differs)) => Err(ViewError::NotRestored { what, differs }),
            None => Ok(()),
        }
    }

    fn object(&self, creation: &Creation<'_>, old: &Snapshot) -> Object {
        match self.view_of(creation) {
            Some(view) => Object::view(old.object.identity.clone(), view.descriptor.kind),
            None => old.object.clone(),
        }
    }

    /// Writes down what is up now.
    fn record(
        &self,
        driver: &mut dyn Driver,
        mode: Mode,
        down: &Down,
        creations: &[Creation<'_>],
    ) -> Result<(), ViewError> {
        let mut script: Vec<String> = Vec::new();
        for node in &down.nodes {
            let (_, name) = self.names(node);
            // Without a declaration there is no row but that of the suspension.
            let row = node.recorded.as_ref();
            match row.and_then(|row| Some((row, row.fingerprint?))) {
                // It came back as it was, perhaps with the fingerprint of another definition.
                Some((row, fingerprint)) if node.fate != Fate::Ends => {
                    if mode != Mode::Inside || row.saved.is_some() {
                        script.extend(self.store.view_is_up(&name, &row.id, fingerprint, self.by));
                    }
                }
                // Ended, or never recorded but for the time that it was down.
                _ => {
                    if node.fate == Fate::Ends || row.is_some() || mode != Mode::Inside {
                        script.push(self.store.forget_view(&name));
                    }
                }
            }
        }
        for creation in creations {
            let Some(view) = self.view_of(creation) else {
                continue;
            };
            if creation.how == How::Declared {
                continue;
            }
            let it = &view.descriptor;
            script.extend(self.store.view_is_up(
                it.name,
                &it.id.to_string(),
                it.fingerprint(),
                self.by,
            ));
        }
        if mode == Mode::Each && !script.is_empty() {
            // The views are up for good; a rollback of what follows must not say otherwise.
            script.push("COMMIT".to_owned());
        }
        run_all(driver, &script).map_err(database("record which views are up"))
    }

    fn not_created(&self, creation: &Creation<'_>, source: diesel::result::Error) -> ViewError {
        ViewError::Create {
            what: self.what(creation),
            source,
        }
    }
}
