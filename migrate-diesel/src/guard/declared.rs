//! [`Declared`]: the views of one database with their code.

use std::collections::HashMap;

use migrate_core::{Graph, ViewDescriptor, ViewRef, Views, report::Problem};

use crate::view::View;

/// The views of one database with their code, by position in [`Views`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    pub(crate) views: Views,
    code: Vec<&'static View>,
    /// By the last part of their names, in lower case.
    by_name: HashMap<String, Vec<usize>>,
}

impl Declared {
    /// Those that live in `graph`; see [`Views::resolve`].
    pub(crate) fn resolve(
        views: &[&'static View],
        graph: &Graph,
        database: Option<&str>,
    ) -> Result<Self, Vec<Problem>> {
        if views.is_empty() {
            return Ok(Self::default());
        }
        let code: HashMap<ViewRef, &'static View> = views
            .iter()
            .map(|&view| (ViewRef::new(&view.descriptor), view))
            .collect();
        let descriptors: Vec<&'static ViewDescriptor> =
            views.iter().map(|view| &view.descriptor).collect();
        let views = Views::resolve(&descriptors, graph, database)?;
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, view) in views.iter().enumerate() {
            by_name.entry(last_part(view.name)).or_default().push(at);
        }
        Ok(Self {
            code: views
                .iter()
                .filter_map(|view| code.get(&ViewRef::new(view)).copied())
                .collect(),
            views,
            by_name,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// The view at a position, with its code.
    pub(crate) fn get(&self, at: usize) -> Option<&'static View> {
        self.code.get(at).copied()
    }

    /// Every view with its code.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static View> + '_ {
        self.code.iter().copied()
    }

    /// Positions of the views that an object of this identity may be.
    pub(super) fn candidates(&self, identity: &str) -> &[usize] {
        self.by_name
            .get(&last_part(identity))
            .map_or(&[], Vec::as_slice)
    }

    /// Positions of the views of this name.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = usize> + '_ {
        let name = name.to_lowercase();
        self.candidates(&name).iter().copied().filter(move |&at| {
            self.views
                .get(at)
                .is_some_and(|view| view.name.to_lowercase() == name)
        })
    }
}

fn last_part(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_lowercase()
}
