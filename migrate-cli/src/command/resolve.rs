//! `resolve ID`: settle an interrupted migration.

use std::time::Duration;

use migrate_core::frontend::Resolution;

use super::{Context, Done};
use crate::{
    exit,
    render::json::{self, EventJson},
};

pub(super) fn run(
    context: &mut Context<'_, '_>,
    id: &str,
    decision: Resolution,
    wait: Option<Duration>,
) -> Done {
    let database = context.only_target("resolve")?;
    let id = context.open(&database)?.resolve(id, decision, wait)?;
    let (word, meaning) = match decision {
        Resolution::Retry => ("retry", "is pending again: the next `up` runs it"),
        Resolution::Applied => ("applied", "is recorded as applied"),
        Resolution::Reverted => (
            "reverted",
            "is forgotten: the next `up` runs it from its beginning",
        ),
    };
    if context.is_json() {
        let event = EventJson {
            event: "resolved",
            database: &database.name,
            id: Some(&id),
            decision: Some(word),
            ..EventJson::default()
        };
        context.console.out(&json::line(&event));
    } else {
        context.console.note(&format!("{id} {meaning}\n"));
    }
    Ok(exit::DONE)
}
