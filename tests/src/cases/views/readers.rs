//! Who reads views while migrations take them down: a wait, never an error.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use diesel::QueryResult;
use migrate_diesel::{
    Error, ViewError,
    core::{FailureKind, NodeRef},
    migrations,
    prelude::*,
    view_manager,
};

use super::{retype, retype_in, table, view_states, views_of};
use crate::{
    database::{Scratch, number},
    run::{chain, migrator, up},
    views::dump::{assert_same, dump},
};

#[migration]
pub(crate) fn read_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "read_by_many")
}

#[view_manager(since = read_create, sql = "SELECT id, email FROM read_by_many")]
pub(crate) struct ReadBase;

#[view_manager(since = read_create, uses = [ReadBase], sql = "SELECT id, email FROM read_base")]
pub(crate) struct ReadTop;

#[view_manager(since = read_create, uses = [ReadBase], materialized, sql = "SELECT id, email FROM read_base")]
pub(crate) struct ReadRows;

macro_rules! widen {
    ($($name:ident $length:literal)*) => {
        $(
            #[migration(requires = [read_create])]
            pub(crate) fn $name(db: &mut Session<AnyConnection>) -> QueryResult<()> {
                db.suspend_dependents_of("read_by_many.email", |db| {
                    db.batch_execute(concat!(
                        "ALTER TABLE read_by_many ALTER COLUMN email TYPE varchar(", $length, ")"
                    ))
                })
            }
        )*

        fn widenings() -> Vec<NodeRef> {
            migrations![$($name),*].to_vec()
        }
    };
}

widen! {
    read_widen_1 101 read_widen_2 102 read_widen_3 103 read_widen_4 104 read_widen_5 105
    read_widen_6 106 read_widen_7 107 read_widen_8 108 read_widen_9 109 read_widen_10 110
}

/// One who reads until told to stop.
#[derive(Debug, Default)]
struct Reader {
    reads: AtomicU64,
    /// Microseconds that the slowest took.
    longest: AtomicU64,
}

impl Reader {
    /// Every read finds the one row.
    fn read(&self, scratch: &Scratch, sql: &str, stop: &AtomicBool) {
        let mut db = scratch.connect();
        let prepared = format!("PREPARE again AS {sql}");
        db.batch_execute(&prepared).unwrap();
        while !stop.load(SeqCst) {
            for statement in [sql, "EXECUTE again"] {
                let began = Instant::now();
                // Panics with the database's error, should there be one.
                let rows = number(&mut db, statement);
                assert_eq!(rows, 1, "{statement}");
                let took = u64::try_from(began.elapsed().as_micros()).unwrap();
                self.longest.fetch_max(took, SeqCst);
                self.reads.fetch_add(1, SeqCst);
            }
        }
    }

    fn reads(&self) -> u64 {
        self.reads.load(SeqCst)
    }

    fn longest(&self) -> Duration {
        Duration::from_micros(self.longest.load(SeqCst))
    }
}

const VIEWS: [&str; 3] = ["read_base", "read_top", "read_rows"];

/// `work`, while each view is read by one; what they say of it afterwards.
fn while_read<T>(scratch: &Scratch, views: &[&str], work: impl FnOnce(&[Reader]) -> T) -> T {
    let readers: Vec<Reader> = views.iter().map(|_| Reader::default()).collect();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // Also when `work` panics, or the scope would wait for ever.
        let _stopped = StopAtEnd(&stop);
        for (reader, view) in readers.iter().zip(views) {
            let sql = format!("SELECT count(email) AS value FROM {view}");
            let stop = &stop;
            scope.spawn(move || reader.read(scratch, &sql, stop));
        }
        all_go_on(&readers);
        work(&readers)
    })
}

struct StopAtEnd<'s>(&'s AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Waits until every reader has read a few times more.
fn all_go_on(readers: &[Reader]) {
    let marks: Vec<u64> = readers.iter().map(|it| it.reads() + 4).collect();
    until("every reader goes on", || {
        readers
            .iter()
            .zip(&marks)
            .all(|(it, mark)| it.reads() >= *mark)
    });
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "not so: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn ready(scratch: &Scratch) {
    up(scratch, &migrator(migrations![read_create])).done();
}

/// Ten migrations change a column under three views: nobody who reads these gets an error, and
/// everybody gets on between any two.
pub fn nobody_gets_an_error(scratch: &Scratch) {
    ready(scratch);
    while_read(scratch, &VIEWS, |readers| {
        for count in 1..=widenings().len() {
            let all = migrations![read_create]
                .into_iter()
                .chain(widenings().into_iter().take(count));
            let told = up(scratch, &migrator(all));
            assert_eq!(
                views_of(&told.events),
                "down read_top, down read_rows, down read_base, up read_base, up read_rows, up read_top"
            );
            assert_eq!(told.done().applied, 1);
            all_go_on(readers);
        }
    });
}

#[migration(requires = [read_create], suspends = [ReadBase])]
pub(crate) fn read_retype(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "read_by_many")
}

#[migration(requires = [read_create], transaction = none)]
pub(crate) fn read_outside(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend(ReadBase, |db| retype_in(db, "read_by_many"))
}

/// One who has read `view` in a transaction that is still open.
fn long_transaction(scratch: &Scratch, view: &str) -> AnyConnection {
    let mut db = scratch.connect();
    let sql =
        format!("SET application_name = 'the long report'; BEGIN; SELECT count(*) FROM {view}");
    db.batch_execute(&sql).unwrap();
    db
}

/// Somebody sits on a view: the run gives up in time, says who it is, and has changed nothing. Those
/// who read go on meanwhile.
pub fn a_long_transaction_is_named(scratch: &Scratch) {
    ready(scratch);
    let before = dump(scratch);
    // The first one's failure is in the history, and so the second program carries both.
    for next in [
        migrations![read_retype].to_vec(),
        migrations![read_outside, read_retype].to_vec(),
    ] {
        // Of a view in the middle: what is on top of it is locked, and let go again.
        let blocker = long_transaction(scratch, "read_base");
        let migrator = migrator(migrations![read_create].into_iter().chain(next))
            .view_lock_wait(Duration::from_secs(2));
        let (told, took, longest, reads) = while_read(scratch, &VIEWS, |readers| {
            let marks: Vec<u64> = readers.iter().map(Reader::reads).collect();
            let began = Instant::now();
            let told = up(scratch, &migrator);
            let took = began.elapsed();
            let longest = readers.iter().map(Reader::longest).max().unwrap();
            let reads = readers
                .iter()
                .zip(marks)
                .map(|(it, mark)| it.reads() - mark);
            (told, took, longest, reads.min().unwrap())
        });
        assert_eq!(views_of(&told.events), "", "{told:?}");
        let error = told.error();
        let text = chain(&error);
        assert!(
            text.contains("application `the long report`") && text.contains("ReadBase"),
            "{text}"
        );
        // Of two seconds every attempt waits half a one, and nobody waits longer behind it; in between
        // they read. Beside the run and not beside a clock: the machine may be slow.
        assert!(longest * 4 < took * 3, "{longest:?} of {took:?}");
        assert!(reads > 4, "{reads} reads in {took:?}");
        assert_ne!(error.kind(), FailureKind::Usage);
        if let Error::View(error) = &error {
            assert!(matches!(**error, ViewError::Busy { .. }), "{error:?}");
        }
        drop(blocker);
        assert_same(&before, &dump(scratch), "given up");
    }
}

/// Somebody sits on a view and leaves in time.
pub fn a_long_transaction_is_waited_for(scratch: &Scratch) {
    ready(scratch);
    let migrator = migrator(migrations![read_create, read_retype]);
    let mut blocker = long_transaction(scratch, "read_top");
    thread::scope(|scope| {
        let run = scope.spawn(|| up(scratch, &migrator));
        let waits = "SELECT count(*) AS value FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
                     WHERE c.relname = 'read_top' AND NOT l.granted AND l.mode = 'AccessExclusiveLock'";
        until("the run waits", || scratch.number(waits) > 0);
        until("it gives way", || scratch.number(waits) == 0);
        until("it comes again", || scratch.number(waits) > 0);
        assert!(!run.is_finished());
        blocker.batch_execute("COMMIT").unwrap();
        assert_eq!(run.join().unwrap().done().applied, 1);
    });
    assert_eq!(
        view_states(scratch, &migrator),
        "read_base up, read_rows up, read_top up"
    );
}
