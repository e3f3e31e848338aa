//! `accept`: a change of something applied does no harm.

use migrate_core::record::AcceptRequest;

use super::{Context, Done};
use crate::{
    exit,
    render::json::{self, EventJson},
};

pub(super) fn run(context: &mut Context<'_, '_>, request: &AcceptRequest) -> Done {
    let database = context.only_target("accept")?;
    for id in context.open(&database)?.accept(request)? {
        if context.is_json() {
            context.console.out(&json::line(&EventJson {
                event: "accepted",
                database: &database.name,
                id: Some(&id),
                reason: Some(&request.reason),
                ..EventJson::default()
            }));
        } else {
            context
                .console
                .note(&format!("{id} is accepted as it is now\n"));
        }
    }
    Ok(exit::DONE)
}
