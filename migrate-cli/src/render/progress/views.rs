//! What a run did to views, kept until it is told: a line for each would hide the migrations.

use migrate_core::report::Event;

use crate::render::text::one_line;

/// So many names are said; of the others, how many they are.
const NAMED: usize = 5;

/// Views that went down and came up.
#[derive(Debug, Default)]
pub(super) struct Tally {
    down: usize,
    up: usize,
    /// Names of those that came up for no migration: repaired, or with a new definition.
    rebuilt: Vec<String>,
}

impl Tally {
    /// Notes `event`.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::ViewDown { migration, .. } if migration.is_some() => self.down += 1,
            Event::ViewUp { migration, .. } if migration.is_some() => self.up += 1,
            Event::ViewUp { name, .. } => self.rebuilt.push(name.clone()),
            _ => {}
        }
    }

    /// Of one migration, behind its duration: `, views: 12 down, 12 up`. The next one begins at
    /// nothing.
    pub(super) fn around(&mut self) -> String {
        let (down, up) = (std::mem::take(&mut self.down), std::mem::take(&mut self.up));
        let parts: Vec<String> = [(down, "down"), (up, "up")]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{n} {word}"))
            .collect();
        if parts.is_empty() {
            String::new()
        } else {
            format!(", views: {}", parts.join(", "))
        }
    }

    /// What was rolled back did not happen.
    pub(super) fn forget(&mut self) {
        self.down = 0;
        self.up = 0;
    }

    /// How many were built for no migration.
    pub(super) fn rebuilt(&self) -> usize {
        self.rebuilt.len()
    }

    /// Their names, the first few of them.
    pub(super) fn names(&self) -> String {
        let names = self.rebuilt.iter().take(NAMED);
        let mut text = names
            .map(|name| one_line(name))
            .collect::<Vec<_>>()
            .join(", ");
        if self.rebuilt.len() > NAMED {
            text.push_str(&format!(" and {} more", self.rebuilt.len() - NAMED));
        }
        text
    }
}
