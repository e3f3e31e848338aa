//! What `mark`, `baseline` and `accept` mean.

use migrate_core::record::{AcceptRequest, MarkRequest, Marked};

use super::{Command, Confirmation};
use crate::args::settle::{AcceptArgs, AskedArgs, BaselineArgs, MarkArgs};

pub(super) fn mark(typed: MarkArgs) -> Command {
    marking(Marked::These(typed.ids), &typed.rest)
}

pub(super) fn baseline(typed: BaselineArgs) -> Command {
    let marked = if typed.ids.is_empty() {
        Marked::All
    } else {
        Marked::UpTo(typed.ids)
    };
    marking(marked, &typed.rest)
}

fn marking(marked: Marked, rest: &AskedArgs) -> Command {
    let wait = rest.wait;
    Command::Mark(MarkRequest { marked, wait }, confirmation(rest))
}

pub(super) fn confirmation(rest: &AskedArgs) -> Confirmation {
    if rest.yes {
        Confirmation::Given
    } else {
        Confirmation::Ask
    }
}

pub(super) fn accept(typed: AcceptArgs) -> Command {
    Command::Accept(AcceptRequest {
        ids: typed.ids,
        reason: typed.reason,
        wait: typed.wait,
    })
}
