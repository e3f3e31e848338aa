//! Guards in code, and what becomes of a migration later.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use migrate_diesel::{MigrationGuard, NotMigrated, prelude::*, requires_migration};

use crate::line::Desk;

#[mass_migration(database = "defects_reverted", down = nothing)]
fn defect_reverted(_: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

fn nothing(_: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

#[requires_migration(defect_reverted)]
fn needs_reverted() -> Result<(), NotMigrated> {
    Ok(())
}

#[requires_migration(defect_reverted)]
async fn needs_reverted_too() -> Result<(), NotMigrated> {
    Ok(())
}

/// D16: a guard that was open once stays open, whatever becomes of the migration.
#[test]
fn a_guard_closes_when_its_migration_is_reverted() {
    const REVERTED: &str = "defects_reverted";
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let desk = Desk::new(&[REVERTED]);
    desk.does("up --mass inline");
    let (file, is_there) = (desk.file(REVERTED), Arc::new(AtomicBool::new(true)));
    let answers = Arc::clone(&is_there);
    let guard = MigrationGuard::connecting(move || match answers.load(SeqCst) {
        true => SqliteConnection::establish(file.to_str().unwrap()).map_err(|it| it.to_string()),
        false => Err("nobody is there".to_owned()),
    });
    let guard = guard.database(REVERTED).remember(Duration::from_secs(1));
    guard.install().unwrap();
    needs_reverted().unwrap();
    // A database that does not answer has reverted nothing.
    is_there.store(false, SeqCst);
    thread::sleep(REMEMBERED);
    needs_reverted().unwrap();
    is_there.store(true, SeqCst);
    desk.does("down defect_reverted --yes");
    thread::sleep(REMEMBERED);
    needs_reverted().unwrap_err();
    desk.does("up --mass inline");
    thread::sleep(REMEMBERED);
    runtime.block_on(needs_reverted_too()).unwrap();
    desk.does("down defect_reverted --yes");
    thread::sleep(REMEMBERED);
    runtime.block_on(needs_reverted_too()).unwrap_err();
}

const REMEMBERED: Duration = Duration::from_millis(1_100);
