//! `restore FILE`, and what `restore_from` does by itself: a database begins with a dump.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use migrate_core::{
    DatabaseSettings, Failure,
    restore::{Occupied, RestoreRequest, Restored, Trigger},
};

use super::{Context, Done, start};
use crate::{
    config::{Only, Restore},
    exit,
    render::{duration, json, restoring::Restoring},
    startup::FileDump,
};

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) file: PathBuf,
    pub(crate) occupied: Occupied,
    pub(crate) wait: Option<Duration>,
    pub(crate) wait_for_db: Option<Duration>,
}

pub(super) fn run(context: &mut Context<'_, '_>, typed: &Typed) -> Done {
    start::forget_completion(context)?;
    let database = context.only_target("restore")?;
    let how = context.config.restore(&context.directory)?;
    let timeout = context.config.wait_for_db()?;
    if let Some(timeout) = typed.wait_for_db.or(timeout) {
        start::wait_for(context, std::slice::from_ref(&database), timeout)?;
    }
    let request = RestoreRequest {
        trigger: Trigger::Asked,
        occupied: typed.occupied,
        expects: how.expects.clone(),
        wait: typed.wait,
    };
    let file = context.directory.join(&typed.file);
    restore(context, &database, &file, &how, &request)?;
    Ok(exit::DONE)
}

/// Restores what is configured into the databases that have no history.
///
/// # Errors
/// It holds tables, the dump is not there or not whole, or the database refuses it.
pub(super) fn begin(
    context: &mut Context<'_, '_>,
    targets: &[DatabaseSettings],
    how: &Restore,
    wait: Option<Duration>,
) -> Result<Restored, Failure> {
    let only = match targets {
        [_] => Only::Yes,
        _ => Only::No,
    };
    let request = RestoreRequest {
        trigger: Trigger::NoHistory,
        occupied: Occupied::Refuse,
        expects: how.expects.clone(),
        wait,
    };
    let mut all = Restored::NotNeeded;
    for database in targets {
        let Some(file) = how.file(&database.name, only) else {
            continue;
        };
        if restore(context, database, file, how, &request)? == Restored::Done {
            all = Restored::Done;
        }
    }
    Ok(all)
}

fn restore(
    context: &mut Context<'_, '_>,
    database: &DatabaseSettings,
    file: &Path,
    how: &Restore,
    request: &RestoreRequest,
) -> Result<Restored, Failure> {
    let begun = Instant::now();
    let mut deployment = context.open(database)?;
    let progress = Restoring::new(&mut context.console);
    let interrupt = &context.config.settings.interrupt;
    let mut dump = FileDump::new(file, how.command.as_deref(), interrupt, progress);
    let restored = deployment
        .restore(request, &mut dump)
        .map_err(|failure| dump.explain(failure, request.trigger))?;
    drop(dump);
    if restored == Restored::Done {
        let took = begun.elapsed();
        context.console.note(&format!(
            "restored database `{}` from {} in {}\n",
            database.name,
            file.display(),
            duration(took)
        ));
        if context.is_json() {
            let line = json::restored(&database.name, &file.display().to_string(), took);
            context.console.out(&line);
        }
    }
    Ok(restored)
}
