//! The rules of lifetimes, checked while compiling.
//!
//! `#[view_manager]` and `#[migration]` call these in const code, at the key that they are about. Only
//! a definite answer fails: the start of a program checks the same, exactly (`resolve.rs`).

mod ancestry;
mod circle;
mod message;

use self::{
    ancestry::{Answer, reaches},
    circle::{circle, same_text},
    message::Message,
};
use super::ViewDescriptor;
use crate::{
    descriptor::DEFAULT_DATABASE,
    node::{NodeRef, ViewRef},
};

/// A view's `until` comes after its `since`.
///
/// # Panics
/// When it does not.
#[track_caller]
pub const fn check_until(view: ViewRef) {
    let view = view.get();
    let Some(until) = view.until else { return };
    let (first, last) = (view.since.get(), until.get());
    if first.key == last.key && first.key != 0 {
        let message = Message::new("the view ")
            .id(view.id)
            .text(" comes up and goes down with the same migration, ")
            .migration(last)
            .text("; let it end with a later one, or remove it");
        refuse(&message);
    }
    if let Answer::No = reaches(until, view.since) {
        let message = Message::new("the view ").id(view.id);
        let message = if let Answer::Yes = reaches(view.since, until) {
            message
                .text(" goes down with ")
                .migration(last)
                .text(" before it comes up: its `since`, ")
                .migration(first)
                .text(", requires that; exchange the two")
        } else {
            message
                .text(" lives until ")
                .migration(last)
                .text(", which does not require its `since`, ")
                .migration(first)
                .text("; add that to `requires` of ")
                .id(last.id)
        };
        refuse(&message);
    }
}

/// A view lives within the lifetime of one that it uses, and they do not use each other.
///
/// # Panics
/// When that is broken.
#[track_caller]
pub const fn check_uses(view: ViewRef, used: ViewRef) {
    if let Some(message) = circle(view, used) {
        refuse(&message);
    }
    let (view, used) = (view.get(), used.get());
    if let Answer::No = reaches(view.since, used.since) {
        let message = Message::new("the view ")
            .id(view.id)
            .text(" uses ")
            .view(used)
            .text(", which does not exist yet: ")
            .migration(view.since.get())
            .text(" does not require ")
            .migration(used.since.get())
            .text("; add that to `requires` there, or let the view begin later");
        refuse(&message);
    }
    let Some(end) = used.until else { return };
    let outlives = match view.until {
        None => end.get().key != 0,
        Some(until) => matches!(reaches(end, until), Answer::No),
    };
    if outlives {
        let message = Message::new("the view ")
            .id(view.id)
            .text(" is still alive when ")
            .view(used)
            .text(", which it uses, goes down with ")
            .migration(end.get())
            .text("; let it end there too (`until`), or before");
        refuse(&message);
    }
}

/// A migration suspends a view that is alive there.
///
/// # Panics
/// When it is not.
#[track_caller]
pub const fn check_suspends(migration: NodeRef, view: ViewRef) {
    let (suspending, view) = (migration.get(), view.get());
    if let Answer::No = reaches(migration, view.since) {
        let message = Message::new("migration ")
            .migration(suspending)
            .text(" suspends the view ")
            .id(view.id)
            .text(", which only lives since ")
            .migration(view.since.get());
        let message = if let Answer::Yes = reaches(view.since, migration) {
            message.text(", after it; remove it from `suspends`")
        } else {
            message.text("; add that to `requires`")
        };
        refuse(&message);
    }
    let Some(until) = view.until else { return };
    if let Answer::No = reaches(until, migration) {
        let message = Message::new("migration ")
            .migration(suspending)
            .text(" suspends the view ")
            .id(view.id);
        let message = if let Answer::Yes = reaches(migration, until) {
            message
                .text(", which is gone by then: it goes down with ")
                .migration(until.get())
                .text("; remove it from `suspends`")
        } else {
            message
                .text(", which may be gone by then: it goes down with ")
                .migration(until.get())
                .text(", and that does not require ")
                .id(suspending.id)
                .text("; add it to `requires` there")
        };
        refuse(&message);
    }
}

/// Of two views of one name, the one that has an end ends before the other, which has none, begins.
///
/// # Panics
/// When both live at once in a database that both belong to.
#[track_caller]
pub const fn check_no_overlap(ended: ViewRef, open: ViewRef) {
    let (ended, open) = (ended.get(), open.get());
    let Some(until) = ended.until else { return };
    if !share_a_database(ended, open) {
        return;
    }
    if let Answer::No = reaches(open.since, until) {
        let message = Message::new("two views called `")
            .text(ended.name)
            .text("` live at once: ")
            .view(ended)
            .text(" until ")
            .migration(until.get())
            .text(", and ")
            .view(open)
            .text(" since ")
            .migration(open.since.get())
            .text("; let one end (`until`) before the other begins (`since`)");
        refuse(&message);
    }
}

/// The error that rustc shows at the key.
#[track_caller]
#[expect(
    clippy::panic,
    reason = "the way in which const code says what is wrong"
)]
const fn refuse(message: &Message) -> ! {
    panic!("{}", message.as_str())
}

#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the loop"
)]
const fn share_a_database(one: &ViewDescriptor, other: &ViewDescriptor) -> bool {
    let names = one.since.get().databases;
    if names.is_empty() {
        return is_of(one, DEFAULT_DATABASE) && is_of(other, DEFAULT_DATABASE);
    }
    let mut at = 0;
    while at < names.len() {
        if is_of(one, names[at]) && is_of(other, names[at]) {
            return true;
        }
        at += 1;
    }
    false
}

/// [`ViewDescriptor::belongs_to`], in const code.
const fn is_of(view: &ViewDescriptor, database: &str) -> bool {
    let of_since = view.since.get().databases;
    let is_of_since = if of_since.is_empty() {
        same_text(database, DEFAULT_DATABASE)
    } else {
        contains(of_since, database)
    };
    is_of_since && (view.databases.is_empty() || contains(view.databases, database))
}

#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the loop"
)]
const fn contains(names: &[&str], name: &str) -> bool {
    let mut at = 0;
    while at < names.len() {
        if same_text(names[at], name) {
            return true;
        }
        at += 1;
    }
    false
}
