//! `graph`: what requires what.

use std::collections::HashMap;

use migrate_core::{Failure, State, report::GraphReport};

use super::{Context, Done};
use crate::{
    exit,
    render::{graph_dot, graph_mermaid, graph_svg, graph_text, json},
    request::GraphFormat,
};

pub(super) fn run(context: &mut Context<'_, '_>, format: GraphFormat) -> Done {
    let mut graph = context.app.graph(&context.config.settings)?;
    mark(context, &mut graph)?;
    let text = match format {
        GraphFormat::Text => graph_text::render(&graph, context.page()),
        GraphFormat::Mermaid => graph_mermaid::render(&graph),
        GraphFormat::Dot => graph_dot::render(&graph),
        GraphFormat::Svg => graph_svg::render(&graph),
        GraphFormat::Json => json::graph(&graph),
    };
    context.console.out(&text);
    Ok(exit::DONE)
}

/// Adds states where databases can be asked. The graph is the program's: no database, no
/// configuration at all, is no failure here.
///
/// # Errors
/// `--database` names none.
fn mark(context: &Context<'_, '_>, graph: &mut GraphReport) -> Result<(), Failure> {
    let targets = match context.targets() {
        Ok(targets) => targets,
        Err(failure) if !context.options.databases.is_empty() => return Err(failure),
        Err(failure) => {
            tracing::info!(%failure, "no states in the graph");
            return Ok(());
        }
    };
    let mut states: HashMap<String, State> = HashMap::new();
    for database in targets {
        let status = context
            .open(&database)
            .and_then(|mut deployment| deployment.status());
        match status {
            Ok(status) => {
                for migration in status.migrations {
                    states
                        .entry(migration.id)
                        // In several databases: what is not applied everywhere is not applied.
                        .and_modify(|state| {
                            if *state == State::Applied {
                                *state = migration.state;
                            }
                        })
                        .or_insert(migration.state);
                }
            }
            Err(failure) => {
                tracing::info!(database = database.name, %failure, "no states in the graph");
            }
        }
    }
    for node in &mut graph.nodes {
        node.state = states.get(&node.id).copied().or(node.state);
    }
    Ok(())
}
