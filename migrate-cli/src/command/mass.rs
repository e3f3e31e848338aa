//! `mass ..`: data migrations that run beside the deploys.

use migrate_core::{
    DatabaseSettings, Failure, FailureKind,
    mass::{
        MassState,
        frontend::{MassStatus, Order, Setting, StartRequest, WorkReport, WorkRequest},
    },
};

use super::{Context, Done};
use crate::{
    exit,
    render::{human::Page, json, mass_progress::MassReporter},
    request::{
        StatusExit,
        mass::{Mass, Presence},
    },
};

pub(super) fn run(context: &mut Context<'_, '_>, command: &Mass) -> Done {
    match command {
        Mass::List(exit) => list(context, *exit),
        Mass::Status(id, exit) => status(context, id, *exit),
        Mass::Run {
            starts,
            set,
            work,
            presence: Presence::Works,
        } => work_off(context, starts, set, work),
        Mass::Run { starts, set, .. } => enqueue(context, starts, set),
        Mass::Work(request) => serve(context, request),
        Mass::Order { id, order, reason } => control(context, id, order, reason.as_deref()),
        Mass::Failures { id, limit } => failures(context, id, *limit),
    }
}

fn list(context: &mut Context<'_, '_>, exit: StatusExit) -> Done {
    let names = names(&context.targets()?);
    let lists = context.report(
        |deployment| deployment.mass().list(),
        |page, list| page.mass(list),
        |lists| {
            let named: Vec<_> = names.iter().map(String::as_str).zip(lists).collect();
            json::mass_list(&named)
        },
    )?;
    Ok(code_of(exit, lists.iter().flatten()))
}

fn names(targets: &[DatabaseSettings]) -> Vec<String> {
    targets.iter().map(|target| target.name.clone()).collect()
}

/// 3 where one of them is not applied, if that was asked.
fn code_of<'s>(exit: StatusExit, mut all: impl Iterator<Item = &'s MassStatus>) -> u8 {
    let applied = |status: &MassStatus| status.state == MassState::Succeeded;
    match exit {
        StatusExit::Applied if !all.all(applied) => exit::PENDING,
        _ => exit::DONE,
    }
}

fn status(context: &mut Context<'_, '_>, id: &str, exit: StatusExit) -> Done {
    let databases = holding(context, id)?;
    let mut details = Vec::new();
    for database in &databases {
        details.push(context.open(database)?.mass().status(id)?);
    }
    if context.is_json() {
        let names = names(&databases);
        let named: Vec<_> = names.iter().map(String::as_str).zip(&details).collect();
        context.console.out(&json::mass_details(&named));
    } else {
        let page = context.page();
        for (database, detail) in databases.iter().zip(&details) {
            let text = format!("{}{}", page.heading(database), page.mass_detail(detail));
            context.console.out(&text);
        }
    }
    Ok(code_of(exit, details.iter().map(|detail| &detail.status)))
}

/// The databases that a migration belongs to, of those that apply.
///
/// # Errors
/// None of them has it.
fn holding(context: &Context<'_, '_>, id: &str) -> Result<Vec<DatabaseSettings>, Failure> {
    let targets = context.targets()?;
    if targets.len() == 1 {
        // Its own answer about the id is the best one.
        return Ok(targets);
    }
    let mut holding = Vec::new();
    let mut unknown = None;
    for database in targets {
        match context.open(&database)?.mass().status(id) {
            Err(failure) if failure.kind == FailureKind::Usage => {
                unknown.get_or_insert(failure);
            }
            // What else is wrong, the command will meet again.
            _ => holding.push(database),
        }
    }
    match unknown {
        Some(failure) if holding.is_empty() => Err(failure),
        _ => Ok(holding),
    }
}

/// What to start in which database: what was named where it belongs, or all that can be.
fn shares(
    context: &Context<'_, '_>,
    starts: &[StartRequest],
    set: &[Setting],
) -> Result<Vec<(DatabaseSettings, Vec<StartRequest>)>, Failure> {
    let mut shares: Vec<(DatabaseSettings, Vec<StartRequest>)> = Vec::new();
    if starts.is_empty() {
        for database in context.targets()? {
            let ready = context.open(&database)?.mass().list()?;
            let ready = ready.into_iter().filter(can_be_run).map(|it| StartRequest {
                id: it.id,
                set: set.to_vec(),
                ..StartRequest::default()
            });
            shares.push((database, ready.collect()));
        }
        return Ok(shares);
    }
    for start in starts {
        for database in holding(context, &start.id)? {
            match shares.iter_mut().find(|(it, _)| *it == database) {
                Some((_, ids)) => ids.push(start.clone()),
                None => shares.push((database, vec![start.clone()])),
            }
        }
    }
    Ok(shares)
}

/// Whether `run` without ids takes it: a person who paused, cancelled or has to look at failures is not
/// overruled by a sweep.
fn can_be_run(status: &MassStatus) -> bool {
    status.waits_for.is_empty()
        && !matches!(
            status.state,
            MassState::Succeeded
                | MassState::Paused
                | MassState::Pausing
                | MassState::Cancelled
                | MassState::Cancelling
                | MassState::Failed
        )
}

fn work_off(
    context: &mut Context<'_, '_>,
    starts: &[StartRequest],
    set: &[Setting],
    work: &WorkRequest,
) -> Done {
    let mut code = exit::DONE;
    let mut ran = 0;
    for (database, runs) in shares(context, starts, set)? {
        if runs.is_empty() {
            continue;
        }
        ran += runs.len();
        let request = WorkRequest {
            runs,
            ..work.clone()
        };
        code = code.max(drive(context, &database, &request, Ends::AllApplied)?);
    }
    if ran == 0 && !context.is_json() {
        context
            .console
            .note("no mass migration is ready to run; `mass list` shows them\n");
    }
    Ok(code)
}

fn serve(context: &mut Context<'_, '_>, request: &WorkRequest) -> Done {
    let database = context.only_target("mass work")?;
    drive(context, &database, request, Ends::WhenTold)
}

/// What counts as done for a worker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Everything it was asked to run is applied.
    AllApplied,
    /// It served until it was interrupted, or nothing was left.
    WhenTold,
}

fn drive(
    context: &mut Context<'_, '_>,
    database: &DatabaseSettings,
    request: &WorkRequest,
    ends: Ends,
) -> Done {
    context.heed_signals()?;
    let interrupt = context.config.settings.interrupt.clone();
    let mut deployment = context.open(database)?;
    for start in &request.runs {
        // Such as code that is another than that which the run began with.
        for problem in deployment.mass().status(&start.id)?.status.problems {
            context.console.problem(&problem);
        }
    }
    let mut reporter = MassReporter::new(&mut context.console, database);
    let WorkReport { runs, failure } = deployment
        .mass()
        .work(request, &interrupt, &mut |event| reporter.event(&event));
    let applied = runs.iter().all(|run| run.state == MassState::Succeeded);
    reporter.finish(&runs, failure.as_ref());
    Ok(match failure {
        Some(failure) => exit::of(&failure),
        None if ends == Ends::AllApplied && !applied => exit::NOT_DONE,
        None => exit::DONE,
    })
}

fn enqueue(context: &mut Context<'_, '_>, starts: &[StartRequest], set: &[Setting]) -> Done {
    for (database, runs) in shares(context, starts, set)? {
        let mut deployment = context.open(&database)?;
        for run in &runs {
            let status = deployment.mass().enqueue(run)?;
            told(context, &database, &status);
        }
    }
    Ok(exit::DONE)
}

fn control(context: &mut Context<'_, '_>, id: &str, order: &Order, reason: Option<&str>) -> Done {
    for database in holding(context, id)? {
        let status = context.open(&database)?.mass().control(id, order, reason)?;
        told(context, &database, &status);
    }
    Ok(exit::DONE)
}

/// Where it stands after what was asked.
fn told(context: &mut Context<'_, '_>, database: &DatabaseSettings, status: &MassStatus) {
    if context.is_json() {
        context
            .console
            .out(&json::mass_changed(&database.name, status));
    } else {
        let palette = context.console.look().err;
        let page = Page {
            palette,
            columns: None,
        };
        let line = page.mass_line(status);
        context.console.note(&line);
    }
}

fn failures(context: &mut Context<'_, '_>, id: &str, limit: usize) -> Done {
    let databases = holding(context, id)?;
    let mut lists = Vec::new();
    let mut full = id.to_owned();
    for database in &databases {
        let mut deployment = context.open(database)?;
        lists.push(deployment.mass().failures(id, limit)?);
        full = deployment.mass().status(id)?.status.id;
    }
    if context.is_json() {
        let names = names(&databases);
        let named: Vec<_> = names.iter().map(String::as_str).zip(&lists).collect();
        context.console.out(&json::mass_failures(&full, &named));
    } else {
        let page = context.page();
        for (database, list) in databases.iter().zip(&lists) {
            let text = format!("{}{}", page.heading(database), page.mass_failures(list));
            context.console.out(&text);
        }
    }
    Ok(exit::DONE)
}
