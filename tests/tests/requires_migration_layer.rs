//! `RequiresMigrationLayer`: what clients of a server are told until a migration is applied, and that nobody
//! waits for a database but them. Guards are the process's: each test has migrations of a database of its own.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, Response, StatusCode, header},
    routing::get,
};
use http_body_util::{BodyExt as _, Full};
use migrate_diesel::{
    MigrationGuard, Migrator, RequiresMigrationLayer,
    core::NodeRef,
    migrations,
    prelude::*,
    testing::{TestDatabase, Testing},
};
use tower::{Layer as _, Service, ServiceExt as _};

/// A migration `$name` of a database that is called so as well.
macro_rules! migration {
    ($($name:ident in $database:literal),+ $(,)?) => {
        $(#[migration(database = $database)]
        fn $name(_: &mut AnyConnection) -> QueryResult<()> {
            Ok(())
        })+
    };
}

migration! {
    routed in "routed", first in "both", second in "both", slow in "slow", readied in "readied",
    unguarded in "unguarded", lost in "lost",
}

/// An empty database for the migrations of `database`.
fn database<const N: usize>(name: &str, all: [NodeRef; N]) -> TestDatabase {
    let migrator = Migrator::new(all).unwrap().database(name);
    let testing = Testing::new(migrator).unwrap();
    testing.url("sqlite://never_made.db").empty().unwrap()
}

/// A guard that counts how often it connects.
fn counting(name: &str, db: &TestDatabase) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, url) = (Arc::clone(&asked), db.url().clone());
    let guard = MigrationGuard::connecting(move || {
        count.fetch_add(1, SeqCst);
        AnyConnection::open(&url)
    });
    guard.database(name).install().unwrap();
    asked
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.build().unwrap().block_on(future)
}

/// Status, headers and body of `GET path`.
async fn answer(router: &Router, path: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    (parts.status, parts.headers, body)
}

fn nicks(layer: RequiresMigrationLayer) -> Router {
    let guarded = Router::new().route("/nicks", get(|| async { "Jo" }));
    // What comes later is not behind it.
    guarded
        .layer(layer)
        .route("/health", get(|| async { "well" }))
}

#[test]
fn a_router_answers_503_until_the_migration_is_applied() {
    let mut db = database("routed", migrations![routed]);
    let asked = counting("routed", &db);
    let router = nicks(RequiresMigrationLayer::new(migrations![routed]));
    block_on(async {
        for _ in 0..50 {
            let (status, headers, body) = answer(&router, "/nicks").await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(headers[header::RETRY_AFTER], "1");
            assert_eq!(headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
            assert_eq!(
                body,
                "migration `requires_migration_layer:routed` is required, and not applied yet\n"
            );
        }
        assert_eq!(answer(&router, "/health").await.2, "well");
    });
    assert_eq!(asked.load(SeqCst), 1);

    db.up().unwrap();
    thread::sleep(Duration::from_millis(1100));
    block_on(async {
        for _ in 0..50 {
            let (status, headers, body) = answer(&router, "/nicks").await;
            assert_eq!((status, body.as_str()), (StatusCode::OK, "Jo"));
            assert!(!headers.contains_key(header::RETRY_AFTER));
        }
    });
    // Once a second while it was missing, and never again.
    assert_eq!(asked.load(SeqCst), 2);
}

/// A service with bodies of hyper's kind.
#[test]
fn all_of_several_have_to_be_applied_and_the_time_to_wait_is_the_programs() {
    let mut db = database("both", migrations![first, second]);
    counting("both", &db);
    let layer = RequiresMigrationLayer::new(migrations![first, second])
        .retry_after(Duration::from_millis(29_001));
    let service = layer.layer(tower::service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("both"))))
    }));
    let ask = || block_on(service.clone().oneshot(Request::new(()))).unwrap();

    db.apply::<first>().unwrap();
    let response = ask();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "30");
    let body = block_on(response.into_body().collect()).unwrap().to_bytes();
    assert!(body.starts_with(b"migration `requires_migration_layer:second` is"));

    db.apply::<second>().unwrap();
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(ask().status(), StatusCode::OK);
}

/// The database answers only after the same, single thread has answered other requests.
#[test]
fn other_requests_are_answered_while_the_database_is_asked() {
    let mut db = database("slow", migrations![slow]);
    db.up().unwrap();
    let (go, wait) = mpsc::channel();
    let (wait, url) = (Mutex::new(wait), db.url().clone());
    let guard = MigrationGuard::connecting(move || {
        let waited = wait.lock().unwrap().recv_timeout(Duration::from_secs(10));
        waited.map_err(|_| "nobody else got to run")?;
        AnyConnection::open(&url).map_err(|error| error.to_string())
    });
    guard.database("slow").install().unwrap();
    let router = nicks(RequiresMigrationLayer::new(migrations![slow]));
    block_on(async {
        let ask = |path: &'static str| {
            let router = router.clone();
            tokio::spawn(async move { answer(&router, path).await.2 })
        };
        let guarded: Vec<_> = (0..3).map(|_| ask("/nicks")).collect();
        assert_eq!(ask("/health").await.unwrap(), "well");
        assert!(guarded.iter().all(|it| !it.is_finished()));
        go.send(()).unwrap();
        for one in guarded {
            assert_eq!(one.await.unwrap(), "Jo");
        }
    });
}

/// A service that has to be asked whether it is ready, each time.
#[derive(Default)]
struct Readied {
    ready: bool,
}

impl Clone for Readied {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<()>> for Readied {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        ready(Ok(Response::new("ready".to_owned())))
    }
}

#[test]
fn the_service_that_was_ready_is_the_one_that_is_called() {
    MigrationGuard::assume_applied(migrations![readied]);
    let layer = RequiresMigrationLayer::new(migrations![readied]);
    let mut service = layer.layer(Readied::default());
    block_on(async {
        for _ in 0..2 {
            let response = service.ready().await.unwrap().call(Request::new(()));
            assert_eq!(response.await.unwrap().body(), "ready");
        }
    });
}

#[test]
fn without_an_answer_it_is_503_and_tells_nothing_of_the_database() {
    let router = nicks(RequiresMigrationLayer::new(migrations![unguarded]));
    let (status, _, body) = block_on(answer(&router, "/nicks"));
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("call `MigrationGuard::install`"), "{body}");

    let url = "postgres://me:s3cret@127.0.0.1:1/none";
    MigrationGuard::url(url).database("lost").install().unwrap();
    let router = nicks(RequiresMigrationLayer::new(migrations![lost]));
    let (status, _, body) = block_on(answer(&router, "/nicks"));
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.ends_with("is required, and whether it is applied is not known\n"));
    assert!(!body.contains("127.0.0.1"), "{body}");
}
