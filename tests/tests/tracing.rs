//! What a program that listens with `tracing` is told of a run. The names of the fields are a contract:
//! they are in the guide.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex, OnceLock},
};

use migrate_diesel::{
    BoxError, Migrator, Outcome,
    core::frontend::{DownTarget, OnFailure, UpRequest},
    migrations,
    prelude::*,
    view_manager,
};
use migrate_tests::{
    database::{Backend, Scratch},
    program,
};
use tracing::{
    Event, Id, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::Attributes,
    subscriber::with_default,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    registry::{LookupSpan, Registry, Scope},
};

#[migration(down = drop_books)]
fn create_books(db: &mut AnyConnection) -> QueryResult<()> {
    tracing::info!(target: "program", "inside");
    db.batch_execute("CREATE TABLE books (id INTEGER PRIMARY KEY)")
}

fn drop_books(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE books")
}

#[migration(requires = [create_books])]
fn later(_: &mut AnyConnection) -> QueryResult<Outcome> {
    Ok(Outcome::NotYet("not before May"))
}

#[migration(requires = [later])]
fn waits(_: &mut AnyConnection) -> QueryResult<()> {
    Ok(())
}

/// The password that a body gives away.
static SECRET: OnceLock<String> = OnceLock::new();

#[migration(database = "telltale")]
fn telltale(_: &mut AnyConnection) -> Result<(), BoxError> {
    Err(format!("cannot log in as `{}`", SECRET.get().unwrap()).into())
}

#[migration(database = "seen")]
fn create_seen(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE seen (id INTEGER PRIMARY KEY)")
}

#[view_manager(name = "all_seen", since = create_seen, sql = "SELECT id FROM seen")]
struct AllSeen;

#[migration(database = "seen", requires = [create_seen], suspends = [AllSeen])]
fn widen_seen(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("ALTER TABLE seen ADD COLUMN note VARCHAR(20)")
}

/// Keeps a line for each event: its spans, level and fields, without how long anything took.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

/// Fields as `name=value`, the message first.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}{}", self.0);
        } else if field.name().ends_with("_ms") {
            let took: f64 = format!("{value:?}").parse().unwrap();
            assert!(took >= 0.0);
            let _ = write!(self.0, " {}", field.name());
        } else {
            let _ = write!(self.0, " {}={value:?}", field.name());
        }
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        ["migrate_diesel", "program"].contains(&metadata.target())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        let text = format!("{}{{{}}}", span.name(), fields.0.trim());
        span.extensions_mut().insert(text);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = String::new();
        let scope = context.event_scope(event).into_iter();
        for span in scope.flat_map(Scope::from_root) {
            let _ = write!(line, "{} ", span.extensions().get::<String>().unwrap());
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = *event.metadata().level();
        let level = if level == Level::DEBUG {
            "-"
        } else {
            level.as_str()
        };
        let _ = write!(line, "{level} {}", fields.0);
        self.0.lock().unwrap().push(line);
    }
}

/// The lines of `work`, and what it returned.
fn told<T>(work: impl FnOnce() -> T) -> (Vec<String>, T) {
    let lines = Lines::default();
    let subscriber = Registry::default().with(lines.clone());
    let returned = with_default(subscriber, work);
    let lines = lines.0.lock().unwrap().clone();
    (lines, returned)
}

#[test]
fn a_run_is_told_from_its_lock_to_its_end() {
    let scratch = Scratch::new(Backend::Sqlite);
    let migrator = Migrator::new(migrations![create_books, later, waits]).unwrap();
    let request = UpRequest {
        on_failure: OnFailure::KeepGoing,
        ..UpRequest::default()
    };
    let mut db = scratch.connect();
    let (lines, summary) = told(|| migrator.up_with(&mut db, &request, &mut |_| {}));
    assert_eq!(summary.unwrap().applied, 1);
    let run = "migrate{database=\"default\" backend=\"sqlite\"}";
    let body = "migration{id=tracing:create_books attempt=1 action=\"apply\"}";
    let expected = [
        format!("{run} - deploy lock taken waited_ms"),
        format!("{run} - started id=\"tracing:create_books\" action=\"apply\" position=1 total=3"),
        // The program's own belong to it.
        format!("{run} {body} INFO inside"),
        format!("{run} INFO applied id=\"tracing:create_books\" duration_ms"),
        format!("{run} - started id=\"tracing:later\" action=\"apply\" position=2 total=3"),
        format!("{run} WARN deferred id=\"tracing:later\" reason=\"not before May\""),
        format!(
            "{run} WARN skipped id=\"tracing:waits\" reason=\"requires `tracing:later`, which was not applied\""
        ),
        format!(
            "{run} INFO finished applied=1 reverted=0 failed=0 deferred=1 skipped=1 pending=2 ok=true duration_ms"
        ),
    ];
    assert_eq!(lines, expected);

    let (lines, summary) = told(|| migrator.down(&mut db, DownTarget::Steps(1)));
    assert_eq!(summary.unwrap().reverted, 1);
    assert!(
        lines
            .iter()
            .any(|line| line
                == &format!("{run} INFO reverted id=\"tracing:create_books\" duration_ms")),
        "{lines:#?}"
    );
}

#[test]
fn views_are_told_within_their_migration() {
    let scratch = Scratch::new(Backend::Sqlite);
    let (lines, report) = told(|| program::up("seen", scratch.url()));
    assert!(report.failure.is_none(), "{report:?}");
    let widening = "migrate{database=\"seen\" backend=\"sqlite\"} \
        migration{id=tracing:widen_seen attempt=1 action=\"apply\"}";
    let views: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("- view"))
        .collect();
    let fields = "id=\"tracing:AllSeen\" name=\"all_seen\" migration=\"tracing:widen_seen\"";
    assert!(
        views.contains(&&format!("{widening} - view down {fields}")),
        "{lines:#?}"
    );
    assert!(
        views.contains(&&format!("{widening} - view up {fields}")),
        "{lines:#?}"
    );
}

/// Also where a body makes its error of it.
#[test]
fn a_failure_is_told_without_the_password() {
    let scratch = Scratch::new(Backend::Postgres);
    let url = scratch.url();
    SECRET.set(url.secrets().pop().unwrap()).unwrap();
    let (lines, report) = told(|| program::up("telltale", url));
    assert!(report.failure.is_some());
    let failed = lines.iter().find(|line| line.contains("ERROR failed"));
    let failed = failed.unwrap();
    for part in [
        "id=\"tracing:telltale\" duration_ms rolled_back=true location=tests/tests/tracing.rs:",
        "cannot log in as `***`",
    ] {
        assert!(failed.contains(part), "{part} is not in {failed}");
    }
    assert!(lines.iter().any(|line| line.contains("ok=false")));
    let all = lines.join("\n");
    assert!(!all.contains(SECRET.get().unwrap()), "{all}");
}

#[test]
fn nothing_to_do_is_one_line() {
    let scratch = Scratch::new(Backend::Sqlite);
    assert!(program::up("seen", scratch.url()).failure.is_none());
    let (lines, _) = told(|| program::up("seen", scratch.url()));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines.concat().contains("finished applied=0"), "{lines:#?}");
}
