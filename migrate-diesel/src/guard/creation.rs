//! What is to be created anew, how, and in what order.

use std::collections::HashMap;

use super::{Down, Fate, Keeper, order};
use crate::{backend::Snapshot, view::View};

/// By which definition views come back that were not as this program declares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Definitions {
    /// By the one that they had: the new one may need what later migrations do.
    AsTheyWere,
    /// By the one that is declared.
    Declared,
}

/// One thing to create.
pub(super) struct Creation<'d> {
    pub(super) managed: Option<usize>,
    /// What stood there before.
    pub(super) old: Option<&'d Snapshot>,
    pub(super) how: How,
    /// Whether another one that is created reads it: then what that is worth shows there.
    pub(super) is_read: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By its snapshot.
    AsItWas,
    /// By its declaration, and with everything that hung on it.
    Declared,
    /// By its declaration, which decides about options and indexes as well.
    Anew,
    /// Not at all: it is there, perhaps without something that hung on it.
    Not,
}

impl Keeper<'_> {
    /// In order.
    pub(super) fn creations<'d>(
        &self,
        down: &'d Down,
        begins: &[usize],
        definitions: Definitions,
    ) -> Vec<Creation<'d>> {
        let mut creations: Vec<Creation<'d>> = Vec::new();
        // Index among the creations by index among the nodes.
        let mut moved: Vec<Option<usize>> = Vec::with_capacity(down.nodes.len());
        // Where definitions change, who read it before says nothing.
        let is_as_before = definitions == Definitions::AsTheyWere
            && begins.is_empty()
            && down.nodes.iter().all(|node| node.fate == Fate::ComesBack);
        for (index, node) in down.nodes.iter().enumerate() {
            if node.fate == Fate::Ends {
                moved.push(None);
                continue;
            }
            let how = match node.managed {
                _ if node.fate == Fate::IsBack => How::Not,
                None => How::AsItWas,
                Some(at) if begins.contains(&at) => How::Anew,
                Some(_) if node.as_declared => How::Declared,
                Some(_) if definitions == Definitions::Declared => How::Anew,
                Some(_) => How::AsItWas,
            };
            moved.push(Some(creations.len()));
            creations.push(Creation {
                managed: node.managed,
                old: Some(&node.snapshot),
                how,
                is_read: is_as_before && down.is_read.get(index).copied().unwrap_or_default(),
            });
        }
        let name = |at: usize| self.declared.views.get(at).map(|view| view.name);
        for &at in begins {
            if creations.iter().any(|it| it.managed == Some(at)) {
                continue;
            }
            let ended = down.nodes.iter().position(|node| {
                node.fate == Fate::Ends && node.managed.and_then(name) == name(at)
            });
            if let Some(slot) = ended.and_then(|ended| moved.get_mut(ended)) {
                *slot = Some(creations.len());
            }
            creations.push(Creation {
                managed: Some(at),
                old: ended
                    .and_then(|ended| down.nodes.get(ended))
                    .map(|node| &node.snapshot),
                how: How::Anew,
                is_read: false,
            });
        }
        let order = self.creation_order(down, &moved, &creations);
        let mut slots: Vec<Option<Creation<'d>>> = creations.into_iter().map(Some).collect();
        order
            .into_iter()
            .filter_map(|index| slots.get_mut(index)?.take())
            .collect()
    }

    fn creation_order(
        &self,
        down: &Down,
        moved: &[Option<usize>],
        creations: &[Creation<'_>],
    ) -> Vec<usize> {
        let at = |node: &usize| moved.get(*node).copied().flatten();
        let mut edges: Vec<(usize, usize)> = down
            .edges
            .iter()
            .filter_map(|(on, by)| Some((at(on)?, at(by)?)))
            .collect();
        let by_position: HashMap<usize, usize> = creations
            .iter()
            .enumerate()
            .filter_map(|(index, it)| Some((it.managed?, index)))
            .collect();
        for (&position, &index) in &by_position {
            for &used in self.declared.views.uses(position) {
                if let Some(&on) = by_position.get(&(used as usize)) {
                    edges.push((on, index));
                }
            }
        }
        order::roots_first(creations.len(), &edges)
    }

    /// The declaration by which it is created, if it is.
    pub(super) fn view_of(&self, creation: &Creation<'_>) -> Option<&'static View> {
        match creation.how {
            How::AsItWas | How::Not => None,
            How::Declared | How::Anew => self.declared.get(creation.managed?),
        }
    }

    pub(super) fn what(&self, creation: &Creation<'_>) -> String {
        match (creation.managed, creation.old) {
            (Some(at), _) => self.describe_declared(at),
            (None, Some(old)) => format!("the undeclared {}", old.object),
            (None, None) => "a view".to_owned(),
        }
    }

    pub(super) fn names_of(&self, creation: &Creation<'_>) -> (String, String) {
        match creation.managed.and_then(|at| self.declared.get(at)) {
            Some(view) => (
                view.descriptor.id.to_string(),
                view.descriptor.name.to_owned(),
            ),
            None => {
                let name = creation
                    .old
                    .map_or_else(String::new, |old| old.object.identity.clone());
                (name.clone(), name)
            }
        }
    }
}
