//! What a hint may be: late, superfluous, in vain. The program is both that which starts runs and a worker.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests, from one end to the other"
)]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use apalis::prelude::Monitor;
use diesel::{ConnectionError, ConnectionResult};
use migrate_apalis::{Databases, Dispatcher, Error, Options, postgres, redis};
use migrate_diesel::{
    Migrator,
    mass::{MassState, Order, StartRequest},
    prelude::*,
};
use support::{Database, queue::Queue, wait_for};
use tokio::sync::oneshot;

const PATIENCE: Duration = Duration::from_secs(90);

/// Counts every row it gets.
#[mass_migration(table = "accounts", batch = 20, shards = 4)]
fn count(db: &mut AnyConnection, batch: &Batch<i32>) -> QueryResult<usize> {
    let filter = batch.filter();
    diesel::sql_query(format!(
        "UPDATE accounts SET points = points + 1 WHERE {filter}"
    ))
    .execute(db)
}

/// A program with a database and a queue of its own.
struct Program {
    database: Database,
    queue: Queue,
    databases: Databases,
    dispatcher: Dispatcher,
    monitor: Option<Monitor>,
    /// The database cannot be reached.
    is_away: Arc<AtomicBool>,
}

impl Program {
    async fn new(queue: Queue) -> Self {
        let database = Database::postgres();
        database.accounts(400);
        let is_away = Arc::new(AtomicBool::new(false));
        let (url, away) = (database.url.clone(), is_away.clone());
        let connect = move || -> ConnectionResult<AnyConnection> {
            match away.load(SeqCst) {
                false => Ok(support::open(&url)),
                true => Err(ConnectionError::BadConnection("no way there".to_owned())),
            }
        };
        let databases = Databases::new().with("shop", Migrator::linked().unwrap(), connect);
        let (dispatcher, monitor) = mounted(&queue, &databases).await;
        Self {
            database,
            queue,
            databases,
            dispatcher,
            monitor: Some(monitor),
            is_away,
        }
    }

    async fn enqueue(&self) {
        let request = StartRequest {
            id: "count".to_owned(),
            ..StartRequest::default()
        };
        let status = self.dispatcher.enqueue("shop", request).await.unwrap();
        assert_eq!(status.state, MassState::Enqueued);
    }

    fn control(&self, order: &Order) {
        let mut connection = support::open(&self.database.url);
        let migrator = Migrator::linked().unwrap();
        migrator
            .mass_control(&mut connection, "count", order, Some("because"))
            .unwrap();
    }

    /// Works until `is_so`.
    async fn work_until(&mut self, what: &str, is_so: impl FnMut(&Self) -> bool) {
        let mut is_so = is_so;
        let (end, ended) = oneshot::channel::<()>();
        let monitor = self.monitor.take().unwrap();
        let working = tokio::spawn(monitor.run_with_signal(async move {
            // An error where the test failed.
            let _ = ended.await;
            Ok(())
        }));
        tokio::task::block_in_place(|| wait_for(what, PATIENCE, || is_so(self)));
        end.send(()).unwrap();
        working.await.unwrap().unwrap();
        self.monitor = Some(mounted(&self.queue, &self.databases).await.1);
    }

    fn is_empty(&self) -> bool {
        let left = ["Pending", "Queued", "Running", "Failed"];
        self.queue.count(&left) == 0
    }
}

async fn mounted(queue: &Queue, databases: &Databases) -> (Dispatcher, Monitor) {
    let databases = databases.clone();
    let options = Options::default()
        .lease(Duration::from_secs(3))
        .poll(Duration::from_millis(100));
    let monitor = Monitor::new().should_restart(|_, _| true);
    match queue {
        Queue::Postgres(_) => {
            let queue = postgres::Queue::connect(queue.url()).await.unwrap();
            queue.setup().await.unwrap();
            let dispatcher = queue.dispatcher(&databases);
            let monitor = monitor.register(move |_| queue.worker(&databases, options));
            (dispatcher, monitor)
        }
        Queue::Redis(url) => {
            let queue = redis::Queue::connect(url).await.unwrap();
            let dispatcher = queue.dispatcher(&databases);
            let monitor = monitor.register(move |_| queue.worker(&databases, options));
            (dispatcher, monitor)
        }
    }
}

/// A paused run uses its hints up; when it is resumed, without a word to the queue, new ones come.
async fn what_is_resumed_elsewhere_comes_back(queue: Queue) {
    let mut program = Program::new(queue).await;
    program.enqueue().await;
    program.control(&Order::Pause);
    program.work_until("no hint left", Program::is_empty).await;
    assert_eq!(program.database.points(), ["0 points: 400"]);
    assert!(program.queue.jobs()[0].result.contains("nothing to do"));
    assert_eq!(program.dispatcher.dispatch().await.unwrap(), 0, "paused");

    program.control(&Order::Resume);
    assert_eq!(program.dispatcher.dispatch().await.unwrap(), 1);
    program
        .work_until("its end", |it| it.database.state() == "succeeded")
        .await;
    assert_eq!(program.database.points(), ["1 points: 400"]);
    assert_eq!(program.dispatcher.dispatch().await.unwrap(), 0, "over");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_resumed_elsewhere_comes_back_over_postgres() {
    what_is_resumed_elsewhere_comes_back(Queue::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_resumed_elsewhere_comes_back_over_redis() {
    what_is_resumed_elsewhere_comes_back(Queue::redis()).await;
}

/// A database that cannot be reached is seen in the queue, and no number of attempts loses the run.
async fn an_error_is_seen_and_has_a_successor(queue: Queue) {
    let mut program = Program::new(queue).await;
    program.enqueue().await;
    program.is_away.store(true, SeqCst);
    program
        .work_until("two that failed", |it| it.queue.count(&["Killed"]) == 2)
        .await;
    let jobs = program.queue.jobs();
    let failed = jobs.iter().filter(|job| job.state == "Killed");
    for job in failed {
        assert!(job.result.contains("the database `shop`"), "{job:?}");
        assert!(job.result.contains("no way there"), "{job:?}");
    }
    program.is_away.store(false, SeqCst);
    program
        .work_until("its end", |it| it.database.state() == "succeeded")
        .await;
    assert_eq!(program.database.points(), ["1 points: 400"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_seen_and_has_a_successor_over_postgres() {
    an_error_is_seen_and_has_a_successor(Queue::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_seen_and_has_a_successor_over_redis() {
    an_error_is_seen_and_has_a_successor(Queue::redis()).await;
}

/// However many processes look for what nobody is at, the queue has one hint for it.
async fn nothing_is_hinted_at_twice(queue: Queue) {
    let program = Program::new(queue).await;
    program.enqueue().await;
    program.enqueue().await;
    assert_eq!(program.dispatcher.dispatch().await.unwrap(), 0);
    let (another, _) = mounted(&program.queue, &program.databases).await;
    another.dispatch().await.unwrap();
    let jobs = program.queue.jobs();
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert_eq!(jobs[0].most_attempts, i32::MAX as u32);

    let unknown = another.enqueue("elsewhere", StartRequest::default()).await;
    assert!(matches!(unknown, Err(Error::UnknownDatabase { name }) if name == "elsewhere"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_hinted_at_twice_over_postgres() {
    nothing_is_hinted_at_twice(Queue::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_hinted_at_twice_over_redis() {
    nothing_is_hinted_at_twice(Queue::redis()).await;
}

/// What apalis would choose by itself: the name of a type or `default`, ten jobs at once, five minutes.
#[tokio::test]
async fn what_apalis_is_told() {
    let options = Options::default().lease(Duration::from_secs(6));
    let Queue::Postgres(database) = Queue::postgres() else {
        panic!("that is the one");
    };
    let queue = postgres::Queue::connect(&database.url).await.unwrap();
    let storage = queue.storage(&options);
    let config = storage.config();
    assert_eq!(config.queue.to_string(), "migrate-mass");
    assert_eq!(config.batch_size, 1);
    assert_eq!(config.heartbeat_interval, Duration::from_secs(2));
    assert_eq!(config.orphaned_duration(), Duration::from_secs(6));
    let named = queue.name("night").storage(&options);
    assert_eq!(named.config().queue.to_string(), "night");

    let queue = Queue::redis();
    let queue = redis::Queue::connect(queue.url()).await.unwrap();
    let storage = queue.storage(&options);
    let config = storage.get_config();
    assert_eq!(config.active_jobs_list(), "migrate-mass:active");
    assert_eq!(config.batch_size, 1);
    assert_eq!(config.heartbeat_interval, Duration::from_secs(2));
    assert!(config.idempotency_ttl.is_some());
}
