//! A program that works on mass migrations, on as many machines as one likes:
//!
//! ```sh
//! export DATABASE_URL=postgres://.. QUEUE_URL=redis://..     # or a queue in PostgreSQL
//! cargo run --example worker -- enqueue give_point           # once
//! cargo run --example worker                                 # on each machine; SIGTERM ends it within a batch
//! ```
//!
//! `WORKER_LEASE` is how many seconds a shard stays with a worker that gives no sign of life.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::{env, error::Error, num::NonZeroUsize, time::Duration};

use apalis::prelude::Monitor;
use diesel::ConnectionError;
use migrate_apalis::{Databases, Dispatcher, Options, postgres, redis};
use migrate_diesel::{Migrator, core::DatabaseUrl, mass::StartRequest, prelude::*};
use tokio::signal::unix::{SignalKind, signal};

/// One point for everybody: a change that must not be made twice.
#[mass_migration(table = "accounts", batch = 50, pause = "40ms", shards = 12)]
pub fn give_point(db: &mut AnyConnection, batch: &Batch<i32>) -> QueryResult<usize> {
    let filter = batch.filter();
    diesel::sql_query(format!(
        "UPDATE accounts SET points = points + 1 WHERE {filter}"
    ))
    .execute(db)
}

/// One where everybody takes long.
#[mass_migration(table = "accounts", batch = 1, shards = 1)]
pub fn ponder(db: &mut AnyConnection, batch: &Batch<i32>) -> QueryResult<usize> {
    std::thread::sleep(Duration::from_secs(1));
    let filter = batch.filter();
    diesel::sql_query(format!(
        "UPDATE accounts SET points = points + 1 WHERE {filter}"
    ))
    .execute(db)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let databases = databases()?;
    let queue = env::var("QUEUE_URL")?;
    let lease = env::var("WORKER_LEASE").ok();
    let lease = lease.map_or(Ok(15), |seconds| seconds.parse())?;
    let options = Options::default()
        .lease(Duration::from_secs(lease))
        .shards(NonZeroUsize::MIN)
        .poll(Duration::from_millis(200));
    let monitor = Monitor::new()
        // A worker whose queue was away ends with an error; the next one has a name of its own.
        .should_restart(|_, _| true);

    let command: Vec<String> = env::args().skip(1).collect();
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    if queue.starts_with("redis") {
        let queue = redis::Queue::connect(&queue).await?;
        let dispatcher = queue.dispatcher(&databases);
        match *command {
            ["enqueue", id] => enqueue(&dispatcher, id).await,
            _ => {
                let monitor = monitor.register(move |_| queue.worker(&databases, options));
                work(monitor, dispatcher).await
            }
        }
    } else {
        let queue = postgres::Queue::connect(&queue).await?;
        let dispatcher = queue.dispatcher(&databases);
        match *command {
            ["enqueue", id] => {
                queue.setup().await?;
                enqueue(&dispatcher, id).await
            }
            _ => {
                let monitor = monitor.register(move |_| queue.worker(&databases, options));
                work(monitor, dispatcher).await
            }
        }
    }
}

fn databases() -> Result<Databases, Box<dyn Error>> {
    let url = DatabaseUrl::new(env::var("DATABASE_URL")?);
    Ok(
        Databases::new().with("default", Migrator::linked()?, move || {
            AnyConnection::open(&url)
                .map_err(|error| ConnectionError::BadConnection(error.to_string()))
        }),
    )
}

async fn enqueue(dispatcher: &Dispatcher, id: &str) -> Result<(), Box<dyn Error>> {
    let request = StartRequest {
        id: id.to_owned(),
        ..StartRequest::default()
    };
    let status = dispatcher.enqueue("default", request).await?;
    println!("{} is {}", status.id, status.state);
    Ok(())
}

async fn work(monitor: Monitor, dispatcher: Dispatcher) -> Result<(), Box<dyn Error>> {
    // What `migrate mass resume` and `retry` make possible again comes to the queue this way.
    tokio::spawn(async move { dispatcher.patrol(Duration::from_secs(5)).await });
    let mut terminated = signal(SignalKind::terminate())?;
    println!("ready");
    let asked = async move {
        terminated.recv().await;
        Ok(())
    };
    Ok(monitor.run_with_signal(asked).await?)
}
