//! Exactly once, also when two runners do not see each other's lock: the history's key decides.
//!
//! The lock is not ours to switch off from outside, so the cases get around it: two names of one
//! table are two locks (PostgreSQL, MySQL), and a lock file that somebody removes is none (SQLite).

use std::{fs, sync::Barrier, thread};

use migrate_diesel::{AnyConnection, Migrator, core::report::Event, migrations, prelude::*};

use super::leave;
use crate::{
    database::{Backend, Scratch},
    run::{chain, migrator, states, up},
};

macro_rules! fenced {
    ($($name:ident requires $requires:tt)*) => {
        $(
            #[migration(requires = $requires)]
            pub(crate) fn $name(db: &mut AnyConnection) -> QueryResult<()> {
                // Long enough that two runners meet.
                std::thread::sleep(std::time::Duration::from_millis(5));
                leave(db, stringify!($name))
            }
        )*

        fn fenced() -> Migrator {
            migrator(migrations![$($name),*])
        }
    };
}

fenced! {
    fenced_1 requires []
    fenced_2 requires [fenced_1]
    fenced_3 requires [fenced_2]
    fenced_4 requires [fenced_3]
    fenced_5 requires [fenced_4]
    fenced_6 requires [fenced_5]
}

/// A name of the same table that has another lock.
fn other_name(scratch: &Scratch) -> String {
    match scratch.backend {
        Backend::Sqlite => "main.migrate_history".to_owned(),
        Backend::Postgres => "public.migrate_history".to_owned(),
        Backend::Mysql => format!("{}.migrate_history", scratch.name()),
    }
}

/// Removes the lock file as soon as there is one, so that it keeps nobody out.
fn remove_lock_file(scratch: &Scratch) {
    if scratch.backend != Backend::Sqlite {
        return;
    }
    for entry in fs::read_dir(scratch.directory()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().ends_with("-lock") {
            // Somebody else may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Two runners at once, each with a lock of its own.
pub fn two_locks_run_each_body_once(scratch: &Scratch) {
    // The tables first: making them is not what this is about.
    up(scratch, &migrator(migrations![fence_table])).done();
    let names = ["migrate_history".to_owned(), other_name(scratch)];
    for round in 0..5 {
        let barrier = Barrier::new(names.len());
        let results: Vec<Result<usize, String>> = thread::scope(|scope| {
            let runners: Vec<_> = names
                .iter()
                .map(|name| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        let migrator = all().history_table(name);
                        let mut connection = scratch.connect();
                        barrier.wait();
                        let result =
                            migrator.up_with(&mut connection, &Default::default(), &mut |event| {
                                if matches!(event, Event::Waiting { .. } | Event::Started { .. }) {
                                    remove_lock_file(scratch);
                                }
                            });
                        result
                            .map(|summary| summary.applied)
                            .map_err(|error| chain(&error))
                    })
                })
                .collect();
            runners.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let applied: Option<usize> = results
            .iter()
            .map(|it| it.as_ref().ok())
            .sum::<Option<usize>>();
        assert_eq!(applied, Some(6), "round {round}: {results:?}");
        assert_eq!(
            scratch.effects(),
            [
                "fenced_1", "fenced_2", "fenced_3", "fenced_4", "fenced_5", "fenced_6"
            ],
            "round {round}"
        );
        assert_eq!(
            states(scratch, &fenced_and_table())
                .matches(" applied")
                .count(),
            7
        );
        scratch.sql("DELETE FROM effects");
        scratch.sql("DELETE FROM migrate_history WHERE id LIKE '%:fenced%'");
    }
}

#[migration]
pub(crate) fn fence_table(_: &mut AnyConnection) -> QueryResult<()> {
    Ok(())
}

fn all() -> Migrator {
    fenced_and_table()
}

fn fenced_and_table() -> Migrator {
    migrator(
        fenced()
            .graph()
            .unwrap()
            .iter()
            .map(migrate_diesel::core::NodeRef::new)
            .chain(migrations![fence_table]),
    )
}
