//! `adopt` for people.

use std::fmt::Write as _;

use migrate_core::adopt::{Adoption, Fate};

use super::Page;
use crate::render::{
    style,
    table::{self, Align, Narrow},
    text::{count, one_line},
};

impl Page {
    /// Which of theirs is which of ours.
    pub(crate) fn adoption(self, adoption: &Adoption) -> String {
        let mut rows = vec![
            ["theirs", "ours", "applied at", ""]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(adoption.rows.iter().map(|row| {
            let at = row
                .at
                .map(|at| humantime::format_rfc3339_seconds(at).to_string());
            let fate = match row.fate {
                Fate::Record => "",
                other => other.as_str(),
            };
            vec![
                one_line(&row.theirs),
                row.id.as_deref().map_or_else(|| "-".to_owned(), one_line),
                at.unwrap_or_else(|| "-".to_owned()),
                fate.to_owned(),
            ]
        }));
        let mut page = String::new();
        let lines = table::lines(&[Align::Left; 4], rows, self.columns, Narrow::Keep);
        for (at, line) in lines.iter().enumerate() {
            let line = match at {
                0 => self.palette.paint(style::DIM, line),
                _ => line.clone(),
            };
            let _ = writeln!(page, "  {line}");
        }
        if !adoption.pending.is_empty() {
            let these = count(adoption.pending.len(), "migration");
            let _ = writeln!(page, "\npending then ({these} not among theirs):");
            for id in &adoption.pending {
                let _ = writeln!(page, "  {}", one_line(id));
            }
        }
        page
    }
}
