//! One deployer at a time: told while one waits, given back on every path.

use std::{
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use migrate_diesel::{
    AnyConnection, Error, Migrator,
    core::{
        FailureKind,
        frontend::UpRequest,
        report::{Event, LockHolder, Summary},
        unlock::{Activity, Force},
    },
    migrations,
    prelude::*,
};

use super::leave;
use crate::{
    database::{Backend, Scratch},
    program,
    run::{chain, migrator, states, up, up_with},
};

#[migration]
pub(crate) fn lock_first(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "first")
}

#[migration(requires = [lock_first])]
pub(crate) fn lock_fails(db: &mut AnyConnection) -> QueryResult<()> {
    if super::is_on(db, "panic") {
        panic!("as asked for");
    }
    db.batch_execute("SELECT * FROM there_is_no_such_table")
}

#[migration]
pub(crate) fn lock_outside(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "outside")
}

#[migration(database = "unlock")]
pub(crate) fn lock_of_another_run(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "another run")
}

/// A run that stops before its first body until it is told to go on.
struct Paused {
    go_on: Sender<()>,
    thread: thread::JoinHandle<Result<Summary, Error>>,
}

impl Paused {
    fn start(mut connection: AnyConnection, migrator: Migrator) -> Self {
        let (go_on, told): (_, Receiver<()>) = mpsc::channel();
        let (at_work, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut observer = move |event| {
                if let Event::Started { position: 1, .. } = event {
                    at_work.send(()).unwrap();
                    // An error when the test is over, whichever way.
                    let _ = told.recv();
                }
            };
            migrator.up_with(&mut connection, &UpRequest::default(), &mut observer)
        });
        started
            .recv_timeout(Duration::from_secs(30))
            .expect("it starts");
        Self { go_on, thread }
    }

    fn finish(self) -> Result<Summary, Error> {
        self.go_on.send(()).unwrap();
        self.thread.join().unwrap()
    }
}

fn impatient() -> UpRequest {
    UpRequest {
        wait: Some(Duration::from_millis(300)),
        ..UpRequest::default()
    }
}

/// The second one is told for whom it waits, and gives up when its time is over.
pub fn waiting_is_told_and_has_an_end(scratch: &Scratch) {
    let migrator = || migrator(migrations![lock_first]);
    let first = Paused::start(scratch.connect(), migrator());

    let mut holders: Vec<Option<LockHolder>> = Vec::new();
    let error = migrator()
        .up_with(&mut scratch.connect(), &impatient(), &mut |event| {
            if let Event::Waiting { holder, .. } = event {
                holders.push(holder);
            }
        })
        .unwrap_err();
    assert_eq!(error.kind(), FailureKind::Lock);
    let Error::Lock { holder, .. } = &error else {
        panic!("{error:?}")
    };
    let holder = holder.as_ref().expect("somebody");
    assert!(chain(&error).contains("held by"), "{error}");
    assert!(error.next_step().unwrap().contains("--wait"));
    let told = holders.first().expect("told before it gave up");
    assert_eq!(told.as_ref().map(|it| it.pid), Some(holder.pid));
    // MySQL knows the session only.
    if scratch.backend != Backend::Mysql {
        assert_eq!(holder.pid, Some(std::process::id()));
        assert!(
            holder.host.is_some() && holder.since.is_some(),
            "{holder:?}"
        );
    }
    assert!(holder.pid.is_some());

    // To look needs no lock, and shows who has it.
    let status = migrator().status(&mut scratch.connect()).unwrap();
    assert_eq!(status.locked_by.map(|it| it.pid), Some(holder.pid));
    migrator().plan(&mut scratch.connect()).unwrap();

    assert_eq!(first.finish().unwrap().applied, 1);
    assert_eq!(up(scratch, &migrator()).done().applied, 0);
    assert_eq!(scratch.effects(), ["first"]);
}

/// The second one waits, and then finds everything done.
pub fn who_waited_finds_everything_done(scratch: &Scratch) {
    let migrator = || migrator(migrations![lock_first, lock_outside]);
    let first = Paused::start(scratch.connect(), migrator());
    let mut connection = scratch.connect();
    let (waiting, waits) = mpsc::channel();
    let second = thread::spawn(move || {
        migrator().up_with(&mut connection, &UpRequest::default(), &mut |event| {
            assert!(matches!(event, Event::Waiting { .. }), "{event:?}");
            let _ = waiting.send(());
        })
    });
    waits
        .recv_timeout(Duration::from_secs(30))
        .expect("it waits");
    assert_eq!(first.finish().unwrap().applied, 2);
    let summary = second.join().unwrap().unwrap();
    assert_eq!((summary.applied, summary.pending), (0, 0));
    assert_eq!(scratch.effects(), ["first", "outside"]);
}

/// Whatever happens to the run.
pub fn the_lock_is_given_back_on_every_path(scratch: &Scratch) {
    let assert_free = |connection: &mut AnyConnection, migrator: &Migrator| {
        assert_eq!(migrator.status(connection).unwrap().locked_by, None);
        assert_eq!(locks(scratch), 0);
    };
    let good = migrator(migrations![lock_first]);
    let mut connection = scratch.connect();
    up_with(&mut connection, &good, &UpRequest::default()).done();
    assert_free(&mut connection, &good);

    let all = migrator(migrations![lock_first, lock_fails, lock_outside]);
    up_with(&mut connection, &all, &UpRequest::default()).error();
    assert_free(&mut connection, &all);
    scratch.switch_on("panic");
    up_with(&mut connection, &all, &UpRequest::default()).error();
    assert_free(&mut connection, &all);
    // A panic of the observer, which is the caller's.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        all.up_with(&mut connection, &UpRequest::default(), &mut |event| {
            assert!(!matches!(event, Event::Failed { .. }), "the observer dies");
        })
    }));
    assert!(result.is_err());
    assert_free(&mut connection, &all);
    // Also between the claim and the body, where a transaction is open.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        all.up_with(&mut connection, &UpRequest::default(), &mut |event| {
            assert!(!matches!(event, Event::Started { .. }), "the observer dies");
        })
    }));
    assert!(result.is_err());
    assert_free(&mut connection, &all);
    let error = up_with(&mut connection, &all, &UpRequest::default()).error();
    assert!(chain(&error).contains("as asked for"), "{}", chain(&error));
    // And the same connection can go on.
    assert_eq!(
        states(scratch, &all),
        "lock_first applied, lock_fails failed, lock_outside pending"
    );
}

/// Advisory locks of anybody in this database; on SQLite, lock files that are left.
fn locks(scratch: &Scratch) -> i64 {
    match scratch.backend {
        Backend::Sqlite => std::fs::read_dir(scratch.directory())
            .unwrap()
            .filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().contains("lock")
            })
            .count()
            .try_into()
            .unwrap(),
        Backend::Postgres => scratch.number(
            "SELECT count(*) AS value FROM pg_locks WHERE locktype = 'advisory' \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        ),
        // The server lists user-level locks only with a plugin; `locked_by` asks for ours by name.
        Backend::Mysql => 0,
    }
}

/// A deployer in another database of the same server is no concern of ours.
pub fn another_database_has_a_lock_of_its_own(scratch: &Scratch) {
    let other = scratch.another();
    let first = Paused::start(other.connect(), migrator(migrations![lock_first]));
    let mut connection = scratch.connect();
    let told = up_with(
        &mut connection,
        &migrator(migrations![lock_first]),
        &impatient(),
    );
    assert_eq!(told.done().applied, 1);
    first.finish().unwrap();
}

/// The session that holds the lock is ended by somebody while a body is about to run: the run fails,
/// nothing is half done, and the next one succeeds.
pub fn a_lost_lock_session_fails_the_run(scratch: &Scratch) {
    let migrator = || migrator(migrations![lock_first, lock_outside]);
    let first = Paused::start(scratch.connect(), migrator());
    match scratch.backend {
        Backend::Postgres => scratch.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'migrate %'",
        ),
        _ => {
            let holder = migrator().status(&mut scratch.connect()).unwrap().locked_by;
            scratch.sql(&format!("KILL {}", holder.unwrap().pid.unwrap()));
        }
    }
    let error = first.finish().unwrap_err();
    assert!(
        matches!(
            error.kind(),
            FailureKind::Migration | FailureKind::Unreachable
        ),
        "{error:?}"
    );
    assert!(scratch.effects().is_empty());
    assert_eq!(up(scratch, &migrator()).done().applied, 2);
    assert_eq!(scratch.effects(), ["first", "outside"]);
}

/// `unlock`: a session that may be at work is ended by force only; a file is let go by its process alone.
pub fn who_holds_it_can_be_ended(scratch: &Scratch) {
    let deployment = || program::open("unlock", scratch.url()).unwrap();
    assert_eq!(deployment().lock_session().unwrap(), None);
    assert_eq!(deployment().unlock(Force::Yes).unwrap(), None);

    let migrator = || migrator(migrations![lock_first]);
    let first = Paused::start(scratch.connect(), migrator());
    let held = deployment().lock_session().unwrap().expect("somebody");
    let status = deployment().status().unwrap();
    assert_eq!(
        status.locked_by.map(|it| it.pid),
        Some(held.holder.pid),
        "the one that others see"
    );
    let refused = deployment().unlock(Force::No).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Lock);
    if held.session.is_none() {
        let refused = deployment().unlock(Force::Yes).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Lock);
        if scratch.backend == Backend::Sqlite {
            let process = format!("process {} on", std::process::id());
            assert!(refused.message.contains(&process), "{refused}");
        }
        assert_eq!(first.finish().unwrap().applied, 1);
        return;
    }
    // It has just sent a statement.
    assert!(
        matches!(held.activity, Activity::Idle(silent) if silent < Duration::from_secs(60)),
        "{held:?}"
    );
    assert!(refused.message.contains("nothing was ended"), "{refused}");
    assert!(deployment().lock_session().unwrap().is_some());

    let ended = deployment().unlock(Force::Yes).unwrap().expect("somebody");
    assert_eq!(ended.session, held.session);
    assert_eq!(deployment().lock_session().unwrap(), None);
    first.finish().unwrap_err();
    assert!(scratch.effects().is_empty());
    assert_eq!(up(scratch, &migrator()).done().applied, 1);
    assert_eq!(scratch.effects(), ["first"]);

    // Who ended whom can be read later.
    let log = deployment().log(50).unwrap();
    let ended = log
        .iter()
        .find(|it| it.event == "unlocked")
        .expect("a line");
    assert_eq!(ended.id, "deploy lock");
    let process = format!("pid {}", std::process::id());
    assert!(ended.by.contains(&process), "{ended:?}");
    let detail = ended.detail.as_deref().unwrap_or_default();
    let holder = format!("ended the session of {}", held.holder);
    let holder = holder.split(", since").next().unwrap_or_default();
    assert!(detail.starts_with(holder), "{ended:?}");
    assert!(detail.contains("no statement for"), "{ended:?}");
}
