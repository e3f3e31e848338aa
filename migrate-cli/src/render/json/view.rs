//! Views for programs.

use migrate_core::report::{GraphView, PlannedView, ViewStatus};
use serde::Serialize;

use super::Place;

#[derive(Serialize)]
pub(super) struct ViewJson<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    state: &'static str,
    since: &'a str,
    until: Option<&'a str>,
    uses: &'a [String],
    #[serde(flatten)]
    place: Place,
    fingerprint: &'a str,
}

impl<'a> From<&'a ViewStatus> for ViewJson<'a> {
    fn from(view: &'a ViewStatus) -> Self {
        Self {
            id: &view.id,
            name: &view.name,
            description: &view.description,
            state: view.state.as_str(),
            since: &view.since,
            until: view.until.as_deref(),
            uses: &view.uses,
            place: view.location.into(),
            fingerprint: &view.fingerprint,
        }
    }
}

/// What a plan does to a view.
#[derive(Serialize)]
pub(super) struct PlannedViewJson<'a> {
    id: &'a str,
    name: &'a str,
    action: &'static str,
    because: &'a str,
}

impl<'a> From<&'a PlannedView> for PlannedViewJson<'a> {
    fn from(view: &'a PlannedView) -> Self {
        Self {
            id: &view.id,
            name: &view.name,
            action: view.action.as_str(),
            because: &view.because,
        }
    }
}

pub(super) fn planned(views: &[PlannedView]) -> Vec<PlannedViewJson<'_>> {
    views.iter().map(PlannedViewJson::from).collect()
}

/// A view beside the migrations of a graph.
#[derive(Serialize)]
pub(super) struct GraphViewJson<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    #[serde(flatten)]
    place: Place,
    since: &'a str,
    until: Option<&'a str>,
    uses: &'a [String],
    suspended_by: &'a [String],
}

impl<'a> From<&'a GraphView> for GraphViewJson<'a> {
    fn from(view: &'a GraphView) -> Self {
        Self {
            id: &view.id,
            name: &view.name,
            description: &view.description,
            place: view.location.into(),
            since: &view.since,
            until: view.until.as_deref(),
            uses: &view.uses,
            suspended_by: &view.suspended_by,
        }
    }
}
