//! What stands in the way, and whether it can be brought back.

use std::collections::{HashMap, HashSet};

use migrate_core::view::Unmanaged;

use super::{
    Down, Fate, InTheWay, Keeper, Kept, Node, Request, ViewError, catalog, database, order, saved,
};
use crate::{
    backend::{Dependence, Driver, ImplicitCommit, Object, ObjectKind, Snapshot},
    history::RecordedView,
    view::View,
};

/// A declared view that is there (or down, with a record of how it was).
pub(super) struct Present {
    pub(super) at: usize,
    /// `None` for one that is down.
    pub(super) identity: Option<String>,
    pub(super) recorded: Option<RecordedView>,
}

/// Something found, before it is known in full.
struct Found {
    object: Object,
    managed: Option<usize>,
    recorded: Option<RecordedView>,
    saved: Option<Snapshot>,
}

impl Keeper<'_> {
    /// Everything that has to go down for `request`, roots first.
    pub(super) fn collect(
        &self,
        driver: &mut dyn Driver,
        request: &Request<'_>,
    ) -> Result<Down, ViewError> {
        let views = &self.declared.views;
        let closure = views.closure(request.views);
        let mut found: Vec<Found> = Vec::new();
        for present in self.present(driver, &closure, request.begins)? {
            found.extend(self.found(present));
        }
        self.add_objects(driver, &mut found, &request.objects)?;
        if found.is_empty() {
            return Ok(Down::default());
        }
        let identities: Vec<&str> = found
            .iter()
            .filter(|it| it.saved.is_none())
            .map(|it| it.object.identity.as_str())
            .collect();
        let dependences = catalog(driver)?
            .dependents(&identities)
            .map_err(database("ask the catalog what depends on views"))?;
        let further: Vec<Object> = dependences.iter().map(|it| it.by.clone()).collect();
        self.add_objects(driver, &mut found, &further)?;
        // Whatever order a catalog gives, that of declaration is told and kept.
        found.sort_by(|a, b| {
            let key = |it: &Found| (it.managed.unwrap_or(usize::MAX), it.object.identity.clone());
            key(a).cmp(&key(b))
        });
        let edges = self.edges(&found, &dependences);
        let order = order::roots_first(found.len(), &edges);
        self.refuse_undeclared(request, &found, &edges, &order)?;
        let mut down = self.ordered(driver, request, found, &edges, &order)?;
        let read: HashSet<&str> = dependences.iter().map(|it| it.on.as_str()).collect();
        down.is_read = down
            .nodes
            .iter()
            .map(|node| read.contains(node.snapshot.object.identity.as_str()))
            .collect();
        refuse_losses(self, driver.dialect().implicit_commit, &down)?;
        Ok(down)
    }

    /// Those of the views at `positions` that are in the database, or down with a record.
    pub(super) fn present(
        &self,
        driver: &mut dyn Driver,
        positions: &[usize],
        begins: &[usize],
    ) -> Result<Vec<Present>, ViewError> {
        let views = &self.declared.views;
        let mut names: Vec<&str> = positions
            .iter()
            .filter_map(|&at| Some(views.get(at)?.name))
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let identities = catalog(driver)?
            .find(&names)
            .map_err(database("ask the catalog for views"))?;
        let recorded = self.recorded(driver, Some(&names))?;
        let identities: HashMap<&str, Option<String>> =
            names.iter().copied().zip(identities).collect();
        let mut present = Vec::new();
        for &at in positions {
            let Some(view) = views.get(at) else { continue };
            let identity = identities.get(view.name).cloned().flatten();
            let row = recorded.get(view.name);
            if !self.owns(at, row, begins) {
                continue;
            }
            let is_saved = row.is_some_and(|row| row.saved.is_some()) && !self.is_held(view.name);
            if identity.is_none() && !is_saved {
                continue;
            }
            present.push(Present {
                at,
                identity,
                recorded: row.cloned(),
            });
        }
        Ok(present)
    }

    /// Whether what bears its name in the database is this view: as recorded; else (a record of
    /// something that is not declared any more, or none) whichever is alive, or is about to be.
    pub(super) fn owns(&self, at: usize, row: Option<&RecordedView>, begins: &[usize]) -> bool {
        let views = &self.declared.views;
        let Some(view) = views.get(at) else {
            return false;
        };
        let is_namesake = |row: &&RecordedView| {
            let mut namesakes = self.declared.named(view.name);
            namesakes.any(|at| views.get(at).is_some_and(|it| row.id == it.id.to_string()))
        };
        match row.filter(is_namesake) {
            Some(row) => row.id == view.id.to_string(),
            None => self.is_alive(at) || (begins.contains(&at) && !self.has_living_namesake(at)),
        }
    }

    pub(super) fn is_alive(&self, at: usize) -> bool {
        let views = &self.declared.views;
        views.is_alive(at, |migration| self.is_applied(migration))
    }

    fn has_living_namesake(&self, at: usize) -> bool {
        let name = self.declared.views.get(at).map_or("", |view| view.name);
        self.declared.named(name).any(|other| self.is_alive(other))
    }

    pub(super) fn is_applied(&self, migration: usize) -> bool {
        self.applied.get(migration).copied().unwrap_or_default()
    }

    fn found(&self, present: Present) -> Option<Found> {
        let view = self.declared.views.get(present.at)?;
        let (object, saved) = match present.identity {
            Some(identity) => (Object::view(identity, view.kind), None),
            None => {
                let saved = saved::from_text(present.recorded.as_ref()?.saved.as_deref()?)?;
                (saved.object.clone(), Some(saved))
            }
        };
        Some(Found {
            object,
            managed: Some(present.at),
            recorded: present.recorded,
            saved,
        })
    }

    /// Adds what is not among `found`, as the declared view that it is, if it is one.
    fn add_objects(
        &self,
        driver: &mut dyn Driver,
        found: &mut Vec<Found>,
        objects: &[Object],
    ) -> Result<(), ViewError> {
        let mut new: Vec<&Object> = Vec::new();
        for object in objects {
            let is_known = found
                .iter()
                .any(|it| it.object.identity == object.identity && it.saved.is_none());
            if !is_known && !new.iter().any(|it| it.identity == object.identity) {
                new.push(object);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let mut candidates: Vec<usize> = new
            .iter()
            .flat_map(|object| self.declared.candidates(&object.identity))
            .copied()
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        let mut present = self.present(driver, &candidates, &[])?;
        for object in new {
            let position = present
                .iter()
                .position(|it| it.identity.as_ref() == Some(&object.identity));
            let is_view = matches!(object.kind, ObjectKind::View | ObjectKind::MaterializedView);
            match position.filter(|_| is_view) {
                Some(position) => found.extend(self.found(present.swap_remove(position))),
                None => found.push(Found {
                    object: object.clone(),
                    managed: None,
                    recorded: None,
                    saved: None,
                }),
            }
        }
        Ok(())
    }

    /// `(on, by)`, from the catalog and from `uses`.
    fn edges(&self, found: &[Found], dependences: &[Dependence]) -> Vec<(usize, usize)> {
        let by_identity: HashMap<&str, usize> = found
            .iter()
            .enumerate()
            .map(|(index, it)| (it.object.identity.as_str(), index))
            .collect();
        let by_position: HashMap<usize, usize> = found
            .iter()
            .enumerate()
            .filter_map(|(index, it)| Some((it.managed?, index)))
            .collect();
        let known = dependences.iter().filter_map(|it| {
            let on = by_identity.get(it.on.as_str())?;
            Some((*on, *by_identity.get(it.by.identity.as_str())?))
        });
        let mut edges: Vec<(usize, usize)> = known.collect();
        for (&at, &index) in &by_position {
            for &used in self.declared.views.uses(at) {
                if let Some(&on) = by_position.get(&(used as usize)) {
                    edges.push((on, index));
                }
            }
        }
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// What nobody declared stays, unless everything that it depends on says otherwise.
    fn refuse_undeclared(
        &self,
        request: &Request<'_>,
        found: &[Found],
        edges: &[(usize, usize)],
        order: &[usize],
    ) -> Result<(), ViewError> {
        let mut may_go = vec![true; found.len()];
        let mut refused = Vec::new();
        for &index in order {
            let Some(it) = found.get(index).filter(|it| it.managed.is_none()) else {
                continue;
            };
            let on: Vec<usize> = edges
                .iter()
                .filter(|(_, by)| *by == index)
                .map(|(on, _)| *on)
                .collect();
            // What it sits on and what that says.
            let says_restore = |&on: &usize| {
                let below = found.get(on);
                let declared = below.and_then(|it| it.managed).and_then(|at| {
                    let ends = request.ends.contains(&at) && !self.is_replaced(request, at);
                    Some((self.declared.views.get(at)?.unmanaged, ends))
                });
                match declared {
                    Some((_, true)) => false,
                    Some((unmanaged, false)) => {
                        unmanaged == Unmanaged::Restore || self.unmanaged == Unmanaged::Restore
                    }
                    None => may_go.get(on).copied().unwrap_or_default(),
                }
            };
            let never = matches!(it.object.kind, ObjectKind::Other(_));
            let restores = if on.is_empty() {
                self.unmanaged == Unmanaged::Restore
            } else {
                on.iter().all(says_restore)
            };
            if restores && !never {
                continue;
            }
            if let Some(slot) = may_go.get_mut(index) {
                *slot = false;
            }
            let on = on.first().and_then(|&on| found.get(on)).map_or_else(
                || request.because_of.to_owned(),
                |it| match it.managed {
                    Some(at) => self.describe_declared(at),
                    None => it.object.to_string(),
                },
            );
            refused.push(InTheWay {
                what: it.object.to_string(),
                on,
                kept: if never { Kept::Never } else { Kept::IfAsked },
            });
        }
        if refused.is_empty() {
            Ok(())
        } else {
            Err(ViewError::InTheWay(refused))
        }
    }

    /// Whether another view takes the name of one that ends.
    fn is_replaced(&self, request: &Request<'_>, at: usize) -> bool {
        let name = |at: usize| self.declared.views.get(at).map(|view| view.name);
        request.begins.iter().any(|&next| name(next) == name(at))
    }

    fn ordered(
        &self,
        driver: &mut dyn Driver,
        request: &Request<'_>,
        found: Vec<Found>,
        edges: &[(usize, usize)],
        order: &[usize],
    ) -> Result<Down, ViewError> {
        let asked: Vec<&Object> = found
            .iter()
            .filter(|it| it.saved.is_none())
            .map(|it| &it.object)
            .collect();
        // A rollback brings them back, or their declaration: then nobody needs their texts.
        let are_as_declared = found.iter().all(|it| {
            let view = it.managed.and_then(|at| self.declared.get(at));
            view.zip(it.recorded.as_ref())
                .is_some_and(|(view, row)| view.code.is_none() && is_declared(view, row))
        });
        let without_texts = are_as_declared && Self::rolls_back(driver);
        let catalog = catalog(driver)?;
        let read = if without_texts {
            catalog.properties(&asked)
        } else {
            catalog.snapshots(&asked)
        };
        let mut snapshots = read
            .map_err(database("read what hangs on views"))?
            .into_iter();
        let mut nodes: Vec<Option<Node>> = Vec::with_capacity(found.len());
        for it in found {
            let is_down = it.saved.is_some();
            let Some(snapshot) = it.saved.or_else(|| snapshots.next()) else {
                return Err(ViewError::Unknown(format!(
                    "{} was there a moment ago and is gone",
                    it.object
                )));
            };
            nodes.push(Some(self.node(
                request,
                snapshot,
                it.managed,
                it.recorded,
                is_down,
            )));
        }
        let mut moved = vec![0; nodes.len()];
        let mut down = Down::default();
        for &index in order {
            if let (Some(slot), Some(node)) = (
                moved.get_mut(index),
                nodes.get_mut(index).and_then(Option::take),
            ) {
                *slot = down.nodes.len();
                down.nodes.push(node);
            }
        }
        down.edges = edges
            .iter()
            .filter_map(|(on, by)| Some((*moved.get(*on)?, *moved.get(*by)?)))
            .collect();
        Ok(down)
    }

    fn node(
        &self,
        request: &Request<'_>,
        snapshot: Snapshot,
        managed: Option<usize>,
        recorded: Option<RecordedView>,
        is_down: bool,
    ) -> Node {
        let view = managed.and_then(|at| self.declared.get(at));
        let as_declared = view
            .zip(recorded.as_ref())
            .is_some_and(|(view, row)| is_declared(view, row));
        let ends = managed.is_some_and(|at| request.ends.contains(&at));
        Node {
            snapshot,
            managed,
            recorded,
            as_declared,
            is_down,
            fate: if ends { Fate::Ends } else { Fate::ComesBack },
        }
    }
}

/// Whether a row is of what the program declares now.
pub(super) fn is_declared(view: &View, row: &RecordedView) -> bool {
    row.id == view.descriptor.id.to_string()
        && row.fingerprint == Some(view.descriptor.fingerprint())
}

fn refuse_losses(
    keeper: &Keeper<'_>,
    commit: ImplicitCommit,
    down: &Down,
) -> Result<(), ViewError> {
    // MySQL creates no view that cannot be read; of a declared one the declaration may mend it.
    let broken = down.nodes.iter().find(|node| {
        commit == ImplicitCommit::OnDdl
            && node.managed.is_none()
            && node.fate == Fate::ComesBack
            && node.snapshot.columns.is_empty()
    });
    if let Some(node) = broken {
        return Err(ViewError::Lossy {
            what: keeper.describe(node),
            lost: vec!["it is broken already, and could not be created again".to_owned()],
        });
    }
    let lossy = down
        .nodes
        .iter()
        .find(|node| node.fate == Fate::ComesBack && !node.snapshot.lost.is_empty());
    match lossy {
        Some(node) => Err(ViewError::Lossy {
            what: keeper.describe(node),
            lost: node.snapshot.lost.clone(),
        }),
        None => Ok(()),
    }
}
