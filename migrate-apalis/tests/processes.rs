//! Workers as processes on two machines (loopback addresses 127.0.0.2 and 127.0.0.3), with a queue in
//! PostgreSQL and in Redis.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests, from one end to the other"
)]

mod support;

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use support::{
    Database,
    host::{Host, Worker},
    queue::Queue,
    wait_for,
};

/// A lease of the workers here, and how long a queue waits for a sign of life.
const LEASE: Duration = Duration::from_secs(3);

const PATIENCE: Duration = Duration::from_secs(180);

fn enqueue(host: &Host, database: &Database, queue: &Queue, id: &str) {
    let mut enqueues = Worker::start(host, &database.url, queue.url(), &["enqueue", id]);
    assert!(enqueues.0.wait().unwrap().success());
}

/// Four workers on two machines; one is killed every second, and one machine loses its network for longer
/// than a lease.
fn storm(database: &Database, queue: &Queue) {
    const ROWS: u32 = 24_000;
    database.accounts(ROWS);
    let hosts = [Host::new("127.0.0.2"), Host::new("127.0.0.3")];
    enqueue(&hosts[0], database, queue, "give_point");
    let start = |number: usize| Worker::start(&hosts[number % 2], &database.url, queue.url(), &[]);
    let mut workers: Vec<Worker> = (0..4).map(start).collect();
    let mut processes = workers.len();

    let began = Instant::now();
    let mut kills = 0;
    while database.state() != "succeeded" {
        assert!(began.elapsed() < PATIENCE, "{:?}", queue.jobs());
        thread::sleep(Duration::from_secs(1));
        let number = kills % workers.len();
        workers[number].kill();
        workers[number] = start(number);
        kills += 1;
        processes += 1;
        match kills {
            4 => hosts[1].cut(),
            9 => hosts[1].mend(),
            _ => {}
        }
    }
    assert_eq!(database.points(), [format!("1 points: {ROWS}")]);
    assert!(kills >= 5, "the storm lasted: {kills}");
    let again = database.number(
        "SELECT CAST(COUNT(*) AS CHAR(20)) AS value FROM migrate_history_shards WHERE token > 1",
    );
    assert!(again >= 3, "shards were taken over: {again}");
    let applied = "SELECT id AS value FROM migrate_history WHERE state = 'applied'";
    assert_eq!(database.texts(applied), ["worker:give_point"]);

    // What the dead had taken is given to the living, who find nothing to do; nothing is left.
    hosts[1].mend();
    wait_for("an empty queue", PATIENCE, || {
        queue.count(&["Pending", "Queued", "Running", "Failed"]) == 0
    });
    assert!(queue.count(&["Done"]) > 12, "the run and its twelve shards");
    let names = queue.workers();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    if matches!(queue, Queue::Postgres(_)) {
        // One of a machine without a network may not come so far; a killed one may not either.
        assert!(names.len() > 4 && names.len() >= processes / 2, "{names:?}");
    }
    assert_eq!(database.points(), [format!("1 points: {ROWS}")]);
}

#[test]
fn a_storm_over_postgres() {
    storm(&Database::postgres(), &Queue::postgres());
}

#[test]
fn a_storm_over_redis() {
    storm(&Database::mysql(), &Queue::redis());
}

/// apalis livelocks when a handler blocks: its heartbeat does not come, another worker gets the job as well,
/// and so on for ever. Here one shard takes much longer than the queue waits for a sign of life.
fn a_long_shard_is_handed_out_once(database: &Database, queue: &Queue) {
    database.accounts(8);
    let host = Host::new("127.0.0.2");
    enqueue(&host, database, queue, "ponder");
    let _workers = [(); 2].map(|()| Worker::start(&host, &database.url, queue.url(), &[]));
    let began = Instant::now();
    wait_for("its end", PATIENCE, || database.state() == "succeeded");
    assert!(began.elapsed() > LEASE * 2);
    assert_eq!(database.points(), ["1 points: 8"]);
    let tokens =
        database.texts("SELECT CAST(token AS CHAR(20)) AS value FROM migrate_history_shards");
    assert_eq!(tokens, ["1"], "it was claimed once");
    wait_for("an empty queue", PATIENCE, || {
        queue.count(&["Pending", "Queued", "Running", "Failed"]) == 0
    });
    let jobs = queue.jobs();
    assert_eq!(jobs.len(), 2, "the run and its shard: {jobs:?}");
    for job in jobs {
        assert_eq!((&*job.state, job.attempts), ("Done", 1), "{job:?}");
        assert_eq!(job.most_attempts, i32::MAX as u32, "{job:?}");
    }
}

#[test]
fn a_long_shard_is_handed_out_once_over_postgres() {
    a_long_shard_is_handed_out_once(&Database::postgres(), &Queue::postgres());
}

#[test]
fn a_long_shard_is_handed_out_once_over_redis() {
    a_long_shard_is_handed_out_once(&Database::postgres(), &Queue::redis());
}

/// SIGTERM: what a worker holds it gives back within a batch, and the next one goes on at once.
fn a_worker_that_is_asked_to_end(database: &Database, queue: &Queue) {
    database.accounts(10);
    let host = Host::new("127.0.0.2");
    enqueue(&host, database, queue, "ponder");
    let mut worker = Worker::start(&host, &database.url, queue.url(), &[]);
    wait_for("a batch", PATIENCE, || database.batches() > 0);
    worker.terminate();
    assert!(worker.0.wait().unwrap().success());
    assert_ne!(database.state(), "succeeded");
    let held = "SELECT CAST(COUNT(*) AS CHAR(20)) AS value FROM migrate_history_shards WHERE lease_until IS NOT NULL";
    assert_eq!(database.number(held), 0, "it was given back");
    assert_eq!(queue.count(&["Pending"]), 1, "{:?}", queue.jobs());

    let _next = Worker::start(&host, &database.url, queue.url(), &[]);
    wait_for("its end", PATIENCE, || database.state() == "succeeded");
    assert_eq!(database.points(), ["1 points: 10"]);
}

#[test]
fn a_worker_that_is_asked_to_end_over_postgres() {
    a_worker_that_is_asked_to_end(&Database::postgres(), &Queue::postgres());
}

#[test]
fn a_worker_that_is_asked_to_end_over_redis() {
    a_worker_that_is_asked_to_end(&Database::mysql(), &Queue::redis());
}
