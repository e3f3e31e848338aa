//! What a run did to views, kept until it is told: a line for each would hide the migrations.

use migrate_core::report::Event;

use crate::render::text::one_line;

/// So many names are said; of the others, how many they are.
const NAMED: usize = 5;

/// Views that went down and came up since it was last told.
#[derive(Debug, Default)]
pub(super) struct Tally {
    down: usize,
    /// Names of those that came up.
    up: Vec<String>,
    /// Whether a migration runs: what is brought back in it belongs to it, whatever for.
    running: bool,
}

impl Tally {
    /// Notes `event`.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Started { .. } => self.running = true,
            Event::ViewDown { migration, .. } => {
                self.running |= migration.is_some();
                self.down += 1;
            }
            Event::ViewUp {
                migration, name, ..
            } => {
                self.running |= migration.is_some();
                self.up.push(name.clone());
            }
            _ => {}
        }
    }

    /// At the end of a migration, behind its duration: `, views: 12 down, 12 up`.
    pub(super) fn around(&mut self) -> String {
        let tally = std::mem::take(self);
        match tally.counts() {
            counts if counts.is_empty() => counts,
            counts => format!(", views: {counts}"),
        }
    }

    /// At the end of one that was rolled back: nothing happened.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// What was done for no migration, if anything was: `2 down, 3 up: accounts, totals`.
    pub(super) fn between(&mut self) -> Option<String> {
        if self.running || (self.down == 0 && self.up.is_empty()) {
            return None;
        }
        let tally = std::mem::take(self);
        let names = tally.up.iter().take(NAMED).map(|name| one_line(name));
        let names = names.collect::<Vec<_>>().join(", ");
        let more = match tally.up.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let colon = if names.is_empty() { "" } else { ": " };
        Some(format!("{}{colon}{names}{more}", tally.counts()))
    }

    fn counts(&self) -> String {
        let parts = [(self.down, "down"), (self.up.len(), "up")].into_iter();
        let parts = parts.filter(|(n, _)| *n > 0);
        let parts: Vec<String> = parts.map(|(n, word)| format!("{n} {word}")).collect();
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(migration: Option<&str>) -> Event {
        Event::ViewDown {
            id: "a:V".to_owned(),
            name: "v".to_owned(),
            migration: migration.map(str::to_owned),
        }
    }

    fn up(migration: Option<&str>) -> Event {
        Event::ViewUp {
            id: "a:V".to_owned(),
            name: "v".to_owned(),
            migration: migration.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_brought_back_after_a_failure_belongs_to_it() {
        let mut tally = Tally::default();
        tally.note(&down(Some("a:m")));
        tally.note(&up(None));
        assert_eq!(tally.between(), None);
        assert_eq!(tally.around(), ", views: 1 down, 1 up");
        assert_eq!(tally.around(), "");
    }

    #[test]
    fn what_is_for_no_migration_is_told_by_itself() {
        let mut tally = Tally::default();
        assert_eq!(tally.between(), None);
        tally.note(&up(None));
        assert_eq!(tally.between().unwrap(), "1 up: v");
        tally.note(&down(None));
        for _ in 0..7 {
            tally.note(&up(None));
        }
        assert_eq!(
            tally.between().unwrap(),
            "1 down, 7 up: v, v, v, v, v and 2 more"
        );
        assert_eq!(tally.between(), None);
    }
}
