//! `up` over several databases: one after the other, or side by side.

mod book;
mod turns;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::mpsc::{self, Sender},
    thread::{self, Scope},
};

use migrate_core::{
    Application, DatabaseSettings, Failure, FailureKind, Settings,
    databases::Order,
    frontend::{RunReport, Target, UpRequest},
    report::Event,
};

use self::book::{Book, Turn};
use super::{Context, Done};
use crate::{
    exit,
    render::{
        human::Page,
        progress::{self, Doing, Reporter},
    },
    request::Several,
};

/// What the main thread of a program usually has: bodies are written for it.
const STACK: usize = 8 << 20;

pub(super) fn run(
    context: &mut Context<'_, '_>,
    shares: Vec<(DatabaseSettings, UpRequest)>,
    request: &UpRequest,
    how: Several,
) -> Done {
    if how.jobs > 1 && matches!(request.target, Target::Steps(_)) {
        return Err(Failure::new(
            FailureKind::Usage,
            "`--steps` counts over all databases, so that they cannot run side by side",
        )
        .next("leave out `--jobs`, or choose one database with `--database`"));
    }
    let order = order(context, &shares)?;
    let mut book = Book::new(shares, order, &request.target, how.stop_after);
    if how.jobs > 1 {
        side_by_side(context, &mut book, how.jobs);
    } else {
        one_by_one(context, &mut book);
    }
    if context.is_json() {
        book.tell_all(&mut context.console);
    } else {
        let page = Page {
            palette: context.console.look().err,
            columns: None,
        };
        context.console.note(&page.matrix(&book.rows()));
    }
    let interrupted = context.config.settings.interrupt.requested();
    Ok(match book.code() {
        exit::DONE if interrupted && book.is_open() => exit::NOT_DONE,
        code => code,
    })
}

/// Which of them come before which.
///
/// # Errors
/// The graph is not valid.
pub(super) fn order(
    context: &Context<'_, '_>,
    shares: &[(DatabaseSettings, UpRequest)],
) -> Result<Order, Failure> {
    let graph = context.app.graph(&context.config.settings)?;
    let names: Vec<&str> = shares.iter().map(|(it, _)| it.name.as_str()).collect();
    Ok(Order::new(&graph, &names))
}

fn one_by_one(context: &mut Context<'_, '_>, book: &mut Book) {
    while let Some(turn) = next(context, book) {
        if context.is_json() {
            book.tell(&mut context.console);
        }
        let opened = context.open(&turn.database);
        let mut reporter = Reporter::new(&mut context.console, &turn.database);
        let report = match opened {
            Ok(mut deployment) => deployment.up(&turn.request, &mut |event| reporter.event(&event)),
            Err(failure) => failed(failure),
        };
        let code = end(reporter, &turn, &report);
        note(context, book, &turn, &report, code);
    }
}

/// What a worker tells.
enum Told {
    Event(Event),
    Done(Box<(Turn, RunReport)>),
}

/// Only this thread writes. People get what there is to say about a database in one block, when it is at
/// its end; programs get each event as it comes.
fn side_by_side(context: &mut Context<'_, '_>, book: &mut Book, jobs: usize) {
    let is_json = context.is_json();
    let app = context.app;
    let settings = context.config.settings.clone();
    let (sender, told) = mpsc::channel();
    let mut kept: Vec<Vec<Event>> = Vec::new();
    thread::scope(|scope| {
        let mut running = 0;
        loop {
            while running < jobs
                && let Some(turn) = next(context, book)
            {
                let at = turn.at;
                kept.resize_with(kept.len().max(at + 1), Vec::new);
                running += 1;
                let job = Job {
                    app,
                    settings: &settings,
                    is_json,
                    tell: sender.clone(),
                };
                job.start(scope, turn);
            }
            if running == 0 {
                break;
            }
            let Ok((at, told)) = told.recv() else { break };
            match told {
                Told::Event(event) => {
                    if is_json {
                        book.tell(&mut context.console);
                        progress::tell(&mut context.console, book.name(at), &event);
                    }
                    if let Some(kept) = kept.get_mut(at) {
                        kept.push(event);
                    }
                }
                Told::Done(done) => {
                    let (turn, report) = *done;
                    running -= 1;
                    if is_json {
                        book.tell(&mut context.console);
                    }
                    let events = kept.get_mut(at).map(std::mem::take).unwrap_or_default();
                    let mut reporter = Reporter::afterwards(&mut context.console, &turn.database);
                    for event in &events {
                        reporter.told(event);
                    }
                    let code = end(reporter, &turn, &report);
                    note(context, book, &turn, &report, code);
                }
            }
        }
    });
}

/// What a worker works with.
struct Job<'j> {
    app: &'j dyn Application,
    settings: &'j Settings,
    is_json: bool,
    tell: Sender<(usize, Told)>,
}

impl<'j> Job<'j> {
    fn start<'s>(self, scope: &'s Scope<'s, '_>, turn: Turn)
    where
        'j: 's,
    {
        let tell = self.tell.clone();
        let spare = turn.clone();
        let worker = thread::Builder::new().stack_size(STACK);
        if let Err(error) = worker.spawn_scoped(scope, move || self.work(turn)) {
            let mut failure = Failure::new(FailureKind::Migration, "cannot start another thread");
            failure.causes.push(error.to_string());
            let done = Told::Done(Box::new((spare.clone(), failed(failure))));
            // The receiver lives as long as the loop that called.
            let _ = tell.send((spare.at, done));
        }
    }

    /// In a thread of its own: opens the database, and applies.
    fn work(&self, turn: Turn) {
        let mut said = None;
        let run = AssertUnwindSafe(|| match self.app.open(self.settings, &turn.database) {
            Ok(mut deployment) => deployment.up(&turn.request, &mut |event| {
                let wanted = match event {
                    // Of what has ended, nobody wants to know how far it was.
                    Event::Progress { .. } => {
                        self.is_json && progress::due(&mut said, progress::PROGRESS_EVERY)
                    }
                    Event::Waiting { .. } | Event::Started { .. } => self.is_json,
                    _ => true,
                };
                if wanted {
                    // Nobody listens only when the process is about to end.
                    let _ = self.tell.send((turn.at, Told::Event(event)));
                }
            }),
            Err(failure) => failed(failure),
        });
        // Whoever waits for it has to hear of its end.
        let report = panic::catch_unwind(run).unwrap_or_else(|_| {
            failed(Failure::new(
                FailureKind::Migration,
                "the run panicked; its message stands above",
            ))
        });
        let at = turn.at;
        let _ = self.tell.send((at, Told::Done(Box::new((turn, report)))));
    }
}

fn next(context: &Context<'_, '_>, book: &mut Book) -> Option<Turn> {
    // Nothing more is begun.
    if context.config.settings.interrupt.requested() {
        return None;
    }
    book.next()
}

fn failed(failure: Failure) -> RunReport {
    RunReport {
        failure: Some(failure),
        ..RunReport::default()
    }
}

fn end(mut reporter: Reporter<'_, '_>, turn: &Turn, report: &RunReport) -> u8 {
    if Book::gives_way(turn, report) && report.summary.applied == 0 {
        reporter.give_way();
        return exit::DONE;
    }
    if report.failure.is_some() {
        // An error alone does not say which database it is about.
        reporter.head();
    }
    reporter.end(report, Doing::Up)
}

fn note(context: &mut Context<'_, '_>, book: &mut Book, turn: &Turn, report: &RunReport, code: u8) {
    context.applied.migrations += report.summary.applied;
    context.applied.views += report.summary.views;
    book.ended(turn, report, code);
}
