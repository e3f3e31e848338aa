//! Views of the program in memory. They are in the state that they are given; nothing changes it.

use migrate_core::{
    Location,
    report::{Action, Event, GraphView, PlannedView, ViewAction, ViewState, ViewStatus},
};

use super::FakeApp;

pub(crate) fn view(id: &str, name: &str, state: ViewState) -> ViewStatus {
    ViewStatus {
        id: id.to_owned(),
        name: name.to_owned(),
        description: format!("What {name} shows."),
        state,
        since: "shop:create_users".to_owned(),
        until: None,
        uses: Vec::new(),
        location: Location {
            file: "src/views.rs",
            line: 7,
            column: 1,
        },
        fingerprint: "fedcba9876543210".to_owned(),
    }
}

/// What happens to a view in a plan.
fn planned(view: &ViewStatus, action: ViewAction, because: &str) -> PlannedView {
    PlannedView {
        id: view.id.clone(),
        name: view.name.clone(),
        action,
        because: because.to_owned(),
    }
}

impl FakeApp {
    /// What a step does to views, in the order in which it does.
    pub(super) fn around(&self, migration: &str, action: Action) -> Vec<PlannedView> {
        let (born, buried) = match action {
            Action::Revert => (ViewAction::Down, ViewAction::Up),
            _ => (ViewAction::Up, ViewAction::Down),
        };
        let ends = self.views.iter().filter_map(|view| {
            let ends = view.until.as_deref() == Some(migration);
            ends.then(|| planned(view, buried, "its lifetime ends"))
        });
        let suspended = self.views.iter().filter_map(|view| {
            let by = (migration.to_owned(), view.id.clone());
            let because = format!("`{migration}` suspends it");
            let is = self.suspends.contains(&by);
            is.then(|| planned(view, ViewAction::Suspend, &because))
        });
        let begins = self.views.iter().filter_map(|view| {
            let begins = view.since == migration;
            begins.then(|| planned(view, born, "its lifetime begins"))
        });
        ends.chain(suspended).chain(begins).collect()
    }

    /// What comes after the last step.
    pub(super) fn rebuilds(&self) -> Vec<PlannedView> {
        let rebuild = |view: &ViewStatus| match view.state {
            ViewState::Missing => Some(planned(view, ViewAction::Up, "it is missing")),
            ViewState::Changed => {
                let because = "its definition changed";
                Some(planned(view, ViewAction::Rebuild, because))
            }
            ViewState::Ended => Some(planned(view, ViewAction::Down, "its lifetime is over")),
            ViewState::Suspended => {
                let because = "a run died before it brought it back";
                Some(planned(view, ViewAction::Up, because))
            }
            _ => None,
        };
        self.views.iter().filter_map(rebuild).collect()
    }

    pub(super) fn graph_views(&self) -> Vec<GraphView> {
        let of_view = |view: &ViewStatus| {
            let suspends = self.suspends.iter().filter(|(_, it)| *it == view.id);
            GraphView {
                id: view.id.clone(),
                name: view.name.clone(),
                description: view.description.clone(),
                location: view.location,
                since: view.since.clone(),
                until: view.until.clone(),
                uses: view.uses.clone(),
                suspended_by: suspends.map(|(by, _)| by.clone()).collect(),
            }
        };
        self.views.iter().map(of_view).collect()
    }
}

/// Tells of what goes down, then of what comes up.
pub(super) fn tell_views(
    views: &[PlannedView],
    migration: Option<&str>,
    on_event: &mut (dyn FnMut(Event) + Send),
) {
    for view in views.iter().filter(|view| view.action != ViewAction::Up) {
        on_event(Event::ViewDown {
            id: view.id.clone(),
            name: view.name.clone(),
            migration: migration.map(str::to_owned),
        });
    }
    for view in views.iter().filter(|view| view.action != ViewAction::Down) {
        on_event(Event::ViewUp {
            id: view.id.clone(),
            name: view.name.clone(),
            migration: migration.map(str::to_owned),
        });
    }
}
