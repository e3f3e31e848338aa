//! Asks other databases about what migrations of this one require of them, and the other way round.

use migrate_core::{
    DatabaseSettings, Descriptor, Graph, History, MigrationId, Plan, Settings, Standing, State,
    elsewhere::Elsewhere, error_chain,
};

use crate::{
    application::connect_to_read, backend::Driver as _, error::Error, history::Store,
    migrator::prepare, reports::sight,
};

/// Where each migration stands, what it requires of other databases included. They are asked only where
/// something that is not applied requires some of theirs.
pub(crate) fn standing<'h>(
    graph: &'h Graph,
    history: &'h History,
    settings: &Settings,
    planned: &[(String, String)],
) -> Standing<'h> {
    let mut standing = Standing::new(graph, history);
    let required = standing.required_elsewhere(graph);
    if !required.is_empty() {
        let concerns = |name: &str| required.iter().any(|it| it.belongs_to(name));
        standing.look_elsewhere(graph, &ask(graph, settings, concerns), planned);
    }
    standing
}

/// Refuses what would take away something that another database has built on.
///
/// # Errors
/// All of these, and databases that do not say.
pub(crate) fn allow_down(graph: &Graph, plan: &Plan, settings: &Settings) -> Result<(), Error> {
    let dependants = plan.dependants_elsewhere(graph);
    if dependants.is_empty() {
        return Ok(());
    }
    let concerns = |name: &str| {
        let there = |(required, by): &(&Descriptor, &Descriptor)| {
            by.belongs_to(name) && !required.belongs_to(name)
        };
        dependants.iter().any(there)
    };
    Ok(ask(graph, settings, concerns).allow_down(graph, plan)?)
}

fn ask(graph: &Graph, settings: &Settings, concerns: impl Fn(&str) -> bool) -> Elsewhere {
    let mut elsewhere = Elsewhere::default();
    for database in settings.databases.iter().filter(|it| concerns(&it.name)) {
        match states(graph, settings, database) {
            Ok(states) => elsewhere.answered(&database.name, states),
            Err(error) => elsewhere.silent(&database.name, error_chain(&error).join(": ")),
        }
    }
    elsewhere
}

fn states(
    graph: &Graph,
    settings: &Settings,
    database: &DatabaseSettings,
) -> Result<Vec<(MigrationId, State)>, Error> {
    tracing::info!(database = database.name, "asking another database");
    let session = settings.for_database(&database.name).session;
    let (mut connection, _) = connect_to_read(&database.url, &session)?;
    prepare(&mut connection)?;
    crate::backend::configure(&mut connection, &session)?;
    let store = Store::new(connection.dialect(), &settings.history_table)?;
    let sight = sight(&mut connection, &store)?;
    let read = store.read(&mut connection, sight)?;
    let part = graph.whole().for_database(&database.name);
    let standing = Standing::new(&part, &read.history);
    let all = part.iter().enumerate();
    Ok(all.map(|(at, it)| (it.id, standing.state(at))).collect())
}
