//! `log`: what was done here.

use super::{Context, Done};
use crate::{exit, render::json};

pub(super) fn run(context: &mut Context<'_, '_>, limit: usize) -> Done {
    let targets = context.targets()?;
    let names: Vec<String> = targets.into_iter().map(|target| target.name).collect();
    context.report(
        |deployment| deployment.log(limit),
        |page, entries| page.log(entries),
        |logs| {
            let named: Vec<_> = names.iter().cloned().zip(logs.to_vec()).collect();
            json::log(&named)
        },
    )?;
    Ok(exit::DONE)
}
