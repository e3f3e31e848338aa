//! Guards around a block of a body.

use std::panic::{self, AssertUnwindSafe};

use diesel::{connection::TransactionManager, result::Error as DieselError};
use migrate_core::report::Event;

use super::{Session, unpoisoned};
use crate::{
    backend::{Driver, MigrationConnection},
    guard::{Definitions, Down, Keeper, Request, ViewError},
    view::ViewSet,
};

impl<C: MigrationConnection> Session<'_, C> {
    /// Runs `body` while `views`, and everything built on them, are down. Afterwards they are what
    /// they were: owner, grants, comments, triggers, indexes and whatever else hangs on them.
    ///
    /// Views that are not alive here stay as they are. Guards may be nested, and may name a view twice.
    ///
    /// When `body` fails or panics the views come back: by rollback to where the guard began, with
    /// what `body` did; on MySQL, and in a migration that says `transaction = none`, by creating
    /// them from what was written down before the drop.
    ///
    /// # Errors
    /// The body's. [`ViewError`] inside a [`diesel::result::Error::QueryBuilderError`], before
    /// anything is dropped: when something that nobody declared stands in the way, or something on
    /// a view could not be brought back; and when a view cannot be created again.
    pub fn suspend<V: ViewSet, T, E: From<DieselError>>(
        &mut self,
        views: V,
        body: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let keeper = self.context.keeper;
        let mut positions = Vec::new();
        for view in views.views() {
            match keeper.declared.views.position(view) {
                Some(at) => positions.push(at),
                None => {
                    let view = view.get();
                    let message = format!(
                        "the view `{}` ({}) is not carried for this database",
                        view.id, view.location
                    );
                    return Err(wrapped(ViewError::Unknown(message)).into());
                }
            }
        }
        let request = Request {
            views: &positions,
            ..Request::default()
        };
        self.guarded(&request, body)
    }

    /// As [`suspend`](Self::suspend), of the views that read `target`: a table (`users`,
    /// `app.users`) or a column of one (`users.email`), as the database's catalog knows them.
    ///
    /// PostgreSQL knows the very columns. SQLite and MySQL keep nothing but the views' texts; what
    /// these may mean is taken for meant, so that rather one view too many goes down.
    ///
    /// Views among them that nobody declared are refused, unless the migration says
    /// `unmanaged = restore`.
    ///
    /// # Errors
    /// As [`suspend`](Self::suspend); when there is no such table or column.
    pub fn suspend_dependents_of<T, E: From<DieselError>>(
        &mut self,
        target: &str,
        body: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let objects = self
            .context
            .keeper
            .readers(&mut *self.connection, target)
            .map_err(wrapped)?;
        let because_of = format!("`{target}`");
        let request = Request {
            objects,
            because_of: &because_of,
            ..Request::default()
        };
        self.guarded(&request, body)
    }

    fn guarded<T, E: From<DieselError>>(
        &mut self,
        request: &Request<'_>,
        body: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let keeper = self.context.keeper;
        let depth = self.depth()?;
        let rolls_back = Keeper::rolls_back(self.connection);
        if rolls_back {
            C::TransactionManager::begin_transaction(self.connection)?;
        }
        let context = self.context;
        let tell = &mut |event: Event| (unpoisoned(&context.observer))(event);
        let down = match keeper.take_down(self.connection, request, tell) {
            Ok(down) => down,
            Err(error) => {
                self.undo(&Down::default(), depth, rolls_back);
                return Err(wrapped(error).into());
            }
        };
        match panic::catch_unwind(AssertUnwindSafe(|| body(self))) {
            Ok(Ok(value)) => match self.finish(&down, depth, rolls_back) {
                Ok(()) => Ok(value),
                Err(error) => {
                    self.undo(&down, depth, rolls_back);
                    Err(error.into())
                }
            },
            Ok(Err(error)) => {
                self.undo(&down, depth, rolls_back);
                Err(error)
            }
            Err(payload) => {
                self.undo(&down, depth, rolls_back);
                panic::resume_unwind(payload)
            }
        }
    }

    /// Brings the views up, and ends the guard's own transaction.
    fn finish(&mut self, down: &Down, depth: u32, rolls_back: bool) -> Result<(), DieselError> {
        let expected = depth + u32::from(rolls_back);
        let now = self.depth()?;
        if now != expected && rolls_back {
            let message = if now > expected {
                "the block that runs while views are suspended left a transaction open"
            } else {
                "the block that runs while views are suspended ended the transaction around it"
            };
            return Err(wrapped(ViewError::Unknown(message.to_owned())));
        }
        let keeper = self.context.keeper;
        let context = self.context;
        let tell = &mut |event: Event| (unpoisoned(&context.observer))(event);
        keeper
            .bring_up(self.connection, down, &[], Definitions::AsTheyWere, tell)
            .map_err(wrapped)?;
        if rolls_back {
            C::TransactionManager::commit_transaction(self.connection)?;
        }
        Ok(())
    }

    /// After a failure: back to before the guard where a rollback does that; else brings back what is
    /// down.
    fn undo(&mut self, down: &Down, depth: u32, rolls_back: bool) {
        self.context.keeper.let_go(down);
        if !rolls_back {
            let context = self.context;
            let tell = &mut |event: Event| (unpoisoned(&context.observer))(event);
            context.keeper.recover_now(self.connection, tell);
            return;
        }
        let context = self.context;
        let tell = &mut |event: Event| (unpoisoned(&context.observer))(event);
        context.keeper.came_back(down, tell);
        // The block may have left transactions of its own open.
        while self.depth().is_ok_and(|now| now > depth) {
            if let Err(error) = C::TransactionManager::rollback_transaction(self.connection) {
                tracing::warn!(%error, "could not roll back to before the views went down");
                break;
            }
        }
    }

    fn depth(&mut self) -> Result<u32, DieselError> {
        Ok(Driver::depth(self.connection)?.unwrap_or(0))
    }
}

/// The one kind of Diesel's errors that holds any.
fn wrapped(error: ViewError) -> DieselError {
    DieselError::QueryBuilderError(Box::new(error))
}
