//! `mark` and `baseline`: record migrations as applied without running them, after asking.

use migrate_core::{
    DatabaseSettings, Failure, FailureKind,
    record::{MarkRequest, Marked},
};

use super::{Context, Done};
use crate::{
    exit,
    render::{
        Answer, count,
        human::Page,
        json::{self, EventJson},
    },
    request::Confirmation,
};

pub(super) fn run(
    context: &mut Context<'_, '_>,
    request: &MarkRequest,
    confirmation: Confirmation,
) -> Done {
    let command = match request.marked {
        Marked::These(_) => "mark",
        Marked::UpTo(_) | Marked::All => "baseline",
    };
    let database = context.only_target(command)?;
    let mut deployment = context.open(&database)?;
    if confirmation == Confirmation::Ask {
        let planned = deployment.plan_mark(request)?;
        if !planned.is_empty() {
            match ask(context, &database, &planned) {
                Answer::Yes => {}
                Answer::No => {
                    context.console.say("nothing was recorded\n");
                    return Ok(exit::NOT_DONE);
                }
                Answer::Nobody => return Err(nobody(command)),
            }
            if deployment.plan_mark(request)? != planned {
                return Err(changed_meanwhile());
            }
        }
    }
    context.heed_signals()?;
    let recorded = deployment.mark(request)?;
    if context.is_json() {
        for id in &recorded {
            context.console.out(&json::line(&EventJson {
                event: "marked",
                database: &database.name,
                id: Some(id),
                ..EventJson::default()
            }));
        }
    } else if recorded.is_empty() {
        context
            .console
            .note("nothing to record: all of it is applied\n");
    } else {
        for id in &recorded {
            context
                .console
                .note(&format!("{id} is recorded as applied\n"));
        }
    }
    Ok(exit::DONE)
}

fn ask(context: &mut Context<'_, '_>, database: &DatabaseSettings, ids: &[String]) -> Answer {
    let page = Page {
        palette: context.console.look().err,
        columns: None,
    };
    let mut text = page.heading(database);
    for id in ids {
        text.push_str(&format!("  {id}\n"));
    }
    context.console.say(&text);
    let these = match ids.len() {
        1 => "this migration".to_owned(),
        n => format!("these {}", count(n, "migration")),
    };
    context.console.ask(&format!(
        "Record {these} as applied, without running anything?"
    ))
}

/// Nobody can answer.
pub(super) fn nobody(command: &str) -> Failure {
    Failure::new(
        FailureKind::Usage,
        format!("`{command}` asks before it records, and standard input is no terminal"),
    )
    .next(format!("`{command} --yes` answers; nothing was recorded"))
}

/// Somebody else deployed while the question stood there.
pub(super) fn changed_meanwhile() -> Failure {
    Failure::new(
        FailureKind::Disagreement,
        "the database changed while you were asked; nothing was recorded",
    )
    .next("look again, with `status`")
}
