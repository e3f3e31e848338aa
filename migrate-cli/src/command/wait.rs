//! `wait`: until the database is reachable and nothing is pending.

use std::time::Duration;

use migrate_core::{DatabaseSettings, Failure, FailureKind, report::CheckReport};

use super::{Context, Done, patience::Patience};
use crate::{
    exit,
    render::{count, duration},
};

/// What a look at the databases found.
enum Look {
    UpToDate,
    Pending(CheckReport),
    Unreachable(Failure),
}

pub(super) fn run(context: &mut Context<'_, '_>, timeout: Duration) -> Done {
    let targets = context.targets()?;
    let mut patience = Patience::new(timeout);
    let mut said = None;
    loop {
        let look = look(context, &targets, &patience)?;
        let over = patience.is_over();
        match &look {
            Look::UpToDate => {
                context.console.note(&format!(
                    "up to date, after {}\n",
                    duration(patience.waited())
                ));
                return Ok(exit::DONE);
            }
            Look::Unreachable(failure) if over => return Err(failure.clone()),
            Look::Pending(_) if over => return Err(still_pending(&look, timeout)),
            _ => {}
        }
        // Once for each change, not once for each look.
        let state = describe(&look);
        if said.as_ref() != Some(&state) {
            context.console.note(&format!("waiting: {state}\n"));
            said = Some(state);
        }
        patience.pause(&context.config.settings.interrupt, &describe(&look))?;
    }
}

/// Connects anew each time: a server that restarts beside us takes connections with it.
fn look(
    context: &Context<'_, '_>,
    targets: &[DatabaseSettings],
    patience: &Patience,
) -> Result<Look, Failure> {
    for database in targets {
        let checked = context
            .open_within(database, patience.left())
            .and_then(|mut deployment| deployment.check());
        match checked {
            Ok(mut report) => {
                // It takes its time beside the program, which has to start meanwhile. What requires it is
                // waited for.
                let mass = std::mem::take(&mut report.pending_mass);
                report.pending.retain(|id| !mass.contains(id));
                if !report.pending.is_empty() || !report.pending_views.is_empty() {
                    return Ok(Look::Pending(report));
                }
            }
            Err(failure) if failure.may_pass() => {
                return Ok(Look::Unreachable(failure));
            }
            // Waiting would not help.
            Err(failure) => return Err(failure),
        }
    }
    Ok(Look::UpToDate)
}

fn describe(look: &Look) -> String {
    match look {
        Look::UpToDate => "up to date".to_owned(),
        Look::Pending(report) => {
            let counts = [
                (report.pending.len(), "migration"),
                (report.pending_views.len(), "view"),
            ];
            let counts: Vec<String> = counts
                .into_iter()
                .filter(|(n, _)| *n > 0)
                .map(|(n, noun)| count(n, noun))
                .collect();
            format!(
                "{} pending in database `{}`",
                counts.join(", "),
                report.database
            )
        }
        Look::Unreachable(failure) => failure.message.clone(),
    }
}

fn still_pending(look: &Look, timeout: Duration) -> Failure {
    let mut failure = Failure::new(
        FailureKind::Migration,
        format!("{} after {}", describe(look), duration(timeout)),
    );
    if let Look::Pending(report) = look {
        const SHOWN: usize = 5;
        let migrations = report.pending.iter();
        let migrations = migrations.map(|id| format!("{id} is not applied"));
        let views = report.pending_views.iter();
        let views = views.map(|id| format!("view {id} is not there as declared"));
        let mut causes: Vec<String> = migrations.chain(views).collect();
        let more = causes.len().saturating_sub(SHOWN);
        causes.truncate(SHOWN);
        if more > 0 {
            causes.push(format!("and {more} more"));
        }
        failure.causes = causes;
    }
    failure.next("run `up`, or give the deploy that runs it more time: `--timeout`")
}
