//! `down` and `redo`: revert, after asking.

use migrate_core::{
    DatabaseSettings, Failure, FailureKind, frontend::DownRequest, report::PlanReport,
};

use super::{Context, Done};
use crate::{
    exit,
    render::{
        Answer, count,
        human::Page,
        progress::{Doing, Reporter},
    },
    request::Confirmation,
};

pub(super) fn run(
    context: &mut Context<'_, '_>,
    request: &DownRequest,
    confirmation: Confirmation,
) -> Done {
    revert(context, request, confirmation, Doing::Down)
}

pub(super) fn redo(
    context: &mut Context<'_, '_>,
    request: &DownRequest,
    confirmation: Confirmation,
) -> Done {
    revert(context, request, confirmation, Doing::Redo)
}

fn revert(
    context: &mut Context<'_, '_>,
    request: &DownRequest,
    confirmation: Confirmation,
    doing: Doing,
) -> Done {
    let command = if doing == Doing::Down { "down" } else { "redo" };
    let database = context.only_target(command)?;
    let mut deployment = context.open(&database)?;
    let mut asked = false;
    if confirmation == Confirmation::Ask {
        let plan = deployment.plan_down(request)?;
        if !plan.steps.is_empty() {
            asked = true;
            match ask(context, &database, &plan, doing) {
                Answer::Yes => {}
                Answer::No => {
                    context.console.say("nothing was reverted\n");
                    return Ok(exit::NOT_DONE);
                }
                Answer::Nobody => return Err(nobody(command)),
            }
            // Somebody else may have deployed while the question stood there.
            if ids(&deployment.plan_down(request)?) != ids(&plan) {
                return Err(Failure::new(
                    FailureKind::Disagreement,
                    "the database changed while you were asked; nothing was reverted",
                )
                .next("look again, with `status`"));
            }
        }
    }
    context.heed_signals()?;
    let mut reporter = Reporter::new(&mut context.console, &database);
    if asked {
        reporter = reporter.headed();
    }
    let report = match doing {
        Doing::Redo => deployment.redo(request, &mut |event| reporter.event(&event)),
        _ => deployment.down(request, &mut |event| reporter.event(&event)),
    };
    Ok(reporter.finish(&report, doing))
}

fn ask(
    context: &mut Context<'_, '_>,
    database: &DatabaseSettings,
    plan: &PlanReport,
    doing: Doing,
) -> Answer {
    let page = Page {
        palette: context.console.look().err,
        columns: None,
    };
    let mut text = page.heading(database);
    text.push_str(&page.reverting(plan));
    context.console.say(&text);
    let these = match plan.steps.len() {
        1 => "this migration".to_owned(),
        n => format!("these {}", count(n, "migration")),
    };
    let question = match doing {
        Doing::Redo => format!("Revert {these} and apply again?"),
        _ => format!("Revert {these}?"),
    };
    context.console.ask(&question)
}

fn nobody(command: &str) -> Failure {
    Failure::new(
        FailureKind::Usage,
        format!("`{command}` asks before it reverts, and standard input is no terminal"),
    )
    .next(format!("`{command} --yes` answers; nothing was reverted"))
}

fn ids(plan: &PlanReport) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.as_str()).collect()
}
