//! Whose name is whose, of files that another tool has run.

mod support;

use std::collections::BTreeMap;

use migrate_core::{
    History, Ordering,
    adopt::{AdoptError, AdoptRequest, Outcome, Theirs, Tool, adopt},
};
use support::{draft, resolved};

/// `theirs = ours` a row; `theirs = ?` where nobody can tell.
fn adopted(tool: Tool, theirs: &[&str]) -> Vec<String> {
    // Renamed, so that neither the number nor the words of their name are in ours.
    let first = draft("app:index_2", 1).sql("20240103000000").leak();
    let second = draft("app:users", 2).sql("V1__users").leak();
    let third = draft("app:orders", 3).sql("7_orders").leak();
    let code = draft("app:v1_users", 4).leak();
    let graph = resolved(&[first, second, third, code], Ordering::Declared);
    let theirs: Vec<Theirs> = theirs
        .iter()
        .map(|name| Theirs {
            name: (*name).to_owned(),
            at: None,
            outcome: Outcome::Applied,
        })
        .collect();
    let request = AdoptRequest {
        tool,
        table: None,
        map: BTreeMap::new(),
        names: Vec::new(),
        wait: None,
    };
    match adopt(&graph, &History::default(), &theirs, &request) {
        Ok(adoption) => adoption
            .rows
            .into_iter()
            .map(|row| format!("{} = {}", row.theirs, row.id.unwrap_or_default()))
            .collect(),
        Err(AdoptError::Unmapped(rows)) => rows
            .into_iter()
            .map(|row| format!("{} = ?", row.theirs))
            .collect(),
        Err(error) => vec![error.to_string()],
    }
}

#[test]
fn a_file_is_known_by_what_its_tool_recorded() {
    assert_eq!(
        adopted(Tool::Diesel, &["20240103000000"]),
        ["20240103000000 = app:index_2"]
    );
    assert_eq!(
        adopted(Tool::Refinery, &["V1__users"]),
        ["V1__users = app:users"]
    );
    assert_eq!(
        adopted(Tool::Sqlx, &["7_orders"]),
        ["7_orders = app:orders"]
    );
}

#[test]
fn what_no_file_was_is_asked_for() {
    assert_eq!(
        adopted(Tool::Diesel, &["20240103000000", "20250101000000"]),
        ["20250101000000 = ?"]
    );
    assert_eq!(adopted(Tool::Diesel, &[""]), [" = ?"]);
}
