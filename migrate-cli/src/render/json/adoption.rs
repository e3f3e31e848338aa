//! `adopt` for programs.

use migrate_core::adopt::Adoption;
use serde::Serialize;

#[derive(Serialize)]
struct AdoptionJson<'a> {
    database: &'a str,
    tool: &'a str,
    migrations: Vec<AdoptedJson<'a>>,
    pending: &'a [String],
}

#[derive(Serialize)]
struct AdoptedJson<'a> {
    theirs: &'a str,
    id: Option<&'a str>,
    applied_at: Option<String>,
    fate: &'static str,
}

/// Which of theirs is which of ours.
pub(crate) fn adoption(database: &str, tool: &str, adoption: &Adoption) -> String {
    let migrations = adoption.rows.iter().map(|row| AdoptedJson {
        theirs: &row.theirs,
        id: row.id.as_deref(),
        applied_at: row
            .at
            .map(|at| humantime::format_rfc3339_millis(at).to_string()),
        fate: row.fate.as_str(),
    });
    super::document(&AdoptionJson {
        database,
        tool,
        migrations: migrations.collect(),
        pending: &adoption.pending,
    })
}
