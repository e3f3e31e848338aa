//! A run's shards: cut once, by whoever takes the run first, before any body runs.

use migrate_core::mass::{MassRun, MassState, frontend::MassEvent};

use super::{
    Carried, ending::hook_failed, failure::told, patience::passes, shard::parameters,
    worker::Worker,
};
use crate::{
    error::Error,
    mass::{
        Hook, catalog, layout,
        store::{self, Bounds, Seen},
    },
    migration::BoxError,
};

impl Worker<'_, '_> {
    /// Lays out the shards in the transaction that says that the run is at work. Who was faster has done so.
    pub(super) fn lay_out(&mut self, carried: Carried, seen: &Seen) -> Result<(), Error> {
        let shared = self.shared;
        let laid_out = {
            let _turn = shared.turn();
            self.try_lay_out(carried, seen)
        };
        match laid_out {
            Ok(true) => {
                shared.tell(MassEvent::State {
                    id: seen.run.id.clone(),
                    state: MassState::Running,
                    reason: None,
                });
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(error) => {
                let is_alive = self.line.roll_back(shared.work.store);
                if shared.is_over() {
                    return Ok(());
                }
                if !is_alive || passes(&*error) {
                    return Err(self.source_failed(error));
                }
                self.fail_run(carried, seen.run.run, &told(&*error))
            }
        }
    }

    fn try_lay_out(&mut self, carried: Carried, seen: &Seen) -> Result<bool, BoxError> {
        let store = self.shared.work.store;
        // Asked before: what others do to the catalog meanwhile is not ours to wait for.
        let columns = self.columns_of(carried)?;
        let driver = &mut *self.line;
        driver.batch(store.dialect.begin)?;
        driver.set_depth(1);
        if !store::begin_layout(store, driver, seen, &self.owner)? {
            driver.batch(store.dialect.rollback)?;
            driver.set_depth(0);
            return Ok(false);
        }
        let Carried {
            migration, mass, ..
        } = carried;
        if let Some(before) = mass.before {
            self.hook(carried, &seen.run, before, "")
                .map_err(|error| hook_failed("before", error))?;
        }
        let driver = &mut *self.line;
        let layout = layout::layout(
            driver,
            &mass.facts,
            mass.code,
            &columns,
            seen.run.live.batch,
            migration.descriptor.location,
        )?;
        let bounds: Vec<Bounds> = layout
            .shards()
            .map(|(after, through)| Bounds {
                after: after.map(str::to_owned),
                through: through.map(str::to_owned),
            })
            .collect();
        store::lay_out(store, driver, seen.run.run, &bounds, layout.total)?;
        driver.batch(store.dialect.commit)?;
        driver.set_depth(0);
        Ok(true)
    }

    /// Calls a hook within the transaction that is open.
    pub(super) fn hook(
        &mut self,
        carried: Carried,
        run: &MassRun,
        hook: &'static dyn Hook,
        error: &str,
    ) -> Result<(), BoxError> {
        let parameters = parameters(run)?;
        self.lend(carried, hook.connection(), |erased| {
            hook.call(erased, &parameters, error)
        })
        .map_err(BoxError::from)
    }

    /// The columns of its key: asked once by each worker.
    pub(super) fn columns_of(&mut self, carried: Carried) -> Result<Vec<String>, BoxError> {
        if let Some(columns) = self.columns.get(&carried.at) {
            return Ok(columns.clone());
        }
        let columns = catalog::columns(
            &mut *self.line,
            &carried.mass.facts,
            carried.mass.code,
            carried.migration.descriptor.location,
        )?;
        self.columns.insert(carried.at, columns.clone());
        Ok(columns)
    }
}
