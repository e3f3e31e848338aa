//! [`RequiresMigrationLayer`]: a tower service that is not asked until migrations are applied.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{HeaderValue, Request, Response, StatusCode, header};
use migrate_core::NodeRef;
use tower_layer::Layer;
use tower_service::Service;

use super::{NotMigrated, poll_required};

/// Answers `503 Service Unavailable` with `Retry-After` until migrations are applied, for axum, hyper and
/// everything else that is a tower service of HTTP. The feature `tower` brings it along.
///
/// Asks where [`#[requires_migration]`](crate::requires_migration) does, so that
/// [`MigrationGuard::install`](crate::MigrationGuard::install) comes first: a "yes" is kept for good, a
/// "no" for a second, and the database is asked on a thread of its own, by one request for all.
///
/// ```
/// # #[cfg(feature = "sqlite")] mod example {
/// use migrate_diesel::{RequiresMigrationLayer, migrations, prelude::*};
/// # use migrate_diesel::MigrationGuard;
/// use tower_layer::Layer;
/// # use std::{convert::Infallible, future::{Ready, ready}, task::{Context, Poll}};
/// # use http::{Request, Response};
///
/// #[migration]
/// pub fn add_nick(db: &mut SqliteConnection) -> QueryResult<()> {
///     db.batch_execute("CREATE TABLE nicks (nick TEXT)")
/// }
/// # #[derive(Clone)] struct Nicks;
/// # impl tower_service::Service<Request<()>> for Nicks {
/// #     type Response = Response<String>; type Error = Infallible;
/// #     type Future = Ready<Result<Response<String>, Infallible>>;
/// #     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> { Poll::Ready(Ok(())) }
/// #     fn call(&mut self, _: Request<()>) -> Self::Future { ready(Ok(Response::new("Jo".to_owned()))) }
/// # }
///
/// # pub async fn run() {
/// # MigrationGuard::assume_applied(migrations![add_nick]);
/// // With axum: `Router::new().route("/nicks", get(nicks)).layer(layer)`.
/// let layer = RequiresMigrationLayer::new(migrations![add_nick]);
/// let mut service = layer.layer(Nicks);
/// # let response = tower_service::Service::call(&mut service, Request::new(())).await.unwrap();
/// # assert_eq!(response.body(), "Jo");
/// # }
/// # }
/// # #[cfg(feature = "sqlite")]
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example::run());
/// ```
#[derive(Clone)]
pub struct RequiresMigrationLayer {
    needs: Needs,
}

/// What a request has to wait for, and what it is told meanwhile.
#[derive(Clone)]
struct Needs {
    nodes: Arc<[NodeRef]>,
    /// As the missing migration says where `None`.
    retry_after: Option<Duration>,
}

impl RequiresMigrationLayer {
    /// Lets requests through once all of these are applied, which
    /// [`migrations!`](crate::migrations) names.
    #[must_use]
    pub fn new(migrations: impl IntoIterator<Item = NodeRef>) -> Self {
        Self {
            needs: Needs {
                nodes: migrations.into_iter().collect(),
                retry_after: None,
            },
        }
    }

    /// What `Retry-After` says, in whole seconds; one unless said here. Longer than that where a migration is
    /// known to take its time.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.needs.retry_after = Some(after);
        self
    }
}

impl<S> Layer<S> for RequiresMigrationLayer {
    type Service = RequiresMigration<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequiresMigration {
            inner,
            needs: self.needs.clone(),
        }
    }
}

/// A service behind a [`RequiresMigrationLayer`].
#[derive(Clone)]
pub struct RequiresMigration<S> {
    inner: S,
    needs: Needs,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequiresMigration<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ResBody: From<String>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, Request<ReqBody>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // The one that is ready goes with the request; the next has to get ready first.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        ResponseFuture {
            needs: self.needs.clone(),
            waiting: Some((inner, request)),
            answering: None,
        }
    }
}

pin_project_lite::pin_project! {
    /// What a service behind a [`RequiresMigrationLayer`] answers.
    pub struct ResponseFuture<S, R>
    where
        S: Service<R>,
    {
        needs: Needs,
        // Until the migrations are known to be applied.
        waiting: Option<(S, R)>,
        #[pin]
        answering: Option<S::Future>,
    }
}

impl<S, R, ResBody> Future for ResponseFuture<S, R>
where
    S: Service<R, Response = Response<ResBody>>,
    ResBody: From<String>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.waiting.is_some() {
            let answer = ready!(poll_required(&this.needs.nodes, context.waker()));
            let waited = this.waiting.take();
            if let Err(missing) = answer {
                return Poll::Ready(Ok(this.needs.unavailable(&missing)));
            }
            let called = waited.map(|(mut inner, request)| inner.call(request));
            this.answering.set(called);
        }
        match this.answering.as_pin_mut() {
            Some(answering) => answering.poll(context),
            // Polled again after a 503, which no executor does.
            None => Poll::Pending,
        }
    }
}

impl Needs {
    fn unavailable<B: From<String>>(&self, missing: &NotMigrated) -> Response<B> {
        let after = self.retry_after.unwrap_or_else(|| missing.retry_after());
        // Up: who comes back at the time that it was told is to have a chance.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        let mut response = Response::new(B::from(format!("{missing}\n")));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        response
    }
}

impl fmt::Debug for RequiresMigrationLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequiresMigrationLayer")
            .field("needs", &self.needs)
            .finish()
    }
}

impl<S: fmt::Debug> fmt::Debug for RequiresMigration<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequiresMigration")
            .field("inner", &self.inner)
            .field("needs", &self.needs)
            .finish()
    }
}

impl<S: Service<R>, R> fmt::Debug for ResponseFuture<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.nodes.iter().map(|node| node.get().id.to_string());
        f.debug_list().entries(ids).finish()
    }
}
