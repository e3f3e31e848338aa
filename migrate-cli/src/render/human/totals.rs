//! The last line of `status`: how many there are of each state.

use migrate_core::{
    State,
    report::{StatusReport, ViewState, ViewStatus},
};

use super::Page;
use crate::render::style;

impl Page {
    pub(super) fn totals(self, report: &StatusReport) -> String {
        const ORDER: [State; 6] = [
            State::Applied,
            State::Pending,
            State::Running,
            State::Deferred,
            State::Failed,
            State::Interrupted,
        ];
        if report.migrations.is_empty() {
            return "no migrations".to_owned();
        }
        let migrations = ORDER
            .into_iter()
            .map(|state| {
                let of_state = report.migrations.iter().filter(|m| m.state == state);
                (state, of_state.count())
            })
            // "0 pending" is good news, and worth its place.
            .filter(|(state, n)| *n > 0 || matches!(state, State::Pending | State::Applied))
            .map(|(state, n)| {
                self.palette
                    .paint(style::of_state(state), format!("{n} {state}"))
            })
            .collect::<Vec<_>>()
            .join(", ");
        if report.views.is_empty() {
            migrations
        } else {
            format!("{migrations}; views: {}", self.view_totals(&report.views))
        }
    }

    fn view_totals(self, views: &[ViewStatus]) -> String {
        const ORDER: [ViewState; 6] = [
            ViewState::Up,
            ViewState::Down,
            ViewState::Changed,
            ViewState::Ended,
            ViewState::Suspended,
            ViewState::Missing,
        ];
        ORDER
            .into_iter()
            .map(|state| {
                let of_state = views.iter().filter(|view| view.state == state);
                (state, of_state.count())
            })
            .filter(|(state, n)| *n > 0 || *state == ViewState::Up)
            .map(|(state, n)| {
                self.palette
                    .paint(style::of_view(state), format!("{n} {}", state.as_str()))
            })
            .collect::<Vec<_>>()
            .join(", ")
    }
}
