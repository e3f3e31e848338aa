//! What `mark`, `baseline`, `accept` and `adopt` mean.

use std::{path::PathBuf, time::Duration};

use migrate_core::{
    adopt::Tool,
    record::{AcceptRequest, MarkRequest, Marked},
};

use super::{Command, Confirmation};
use crate::args::settle::{AcceptArgs, AdoptArgs, AskedArgs, BaselineArgs, MarkArgs, TypedTool};

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

fn confirmation(rest: &AskedArgs) -> Confirmation {
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

/// `adopt`, before its files were read.
#[derive(Debug)]
pub(crate) struct Adopt {
    pub(crate) tool: Tool,
    pub(crate) map: Option<PathBuf>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) table: Option<String>,
    pub(crate) depth: AdoptDepth,
    pub(crate) wait: Option<Duration>,
}

/// How far `adopt` goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdoptDepth {
    /// `--dry-run`
    Shown,
    Asked(Confirmation),
}

pub(super) fn adopt(typed: AdoptArgs) -> Command {
    let depth = if typed.dry_run {
        AdoptDepth::Shown
    } else {
        AdoptDepth::Asked(confirmation(&typed.rest))
    };
    Command::Adopt(Adopt {
        tool: match typed.tool {
            TypedTool::Edwh => Tool::Edwh,
            TypedTool::Flux => Tool::Flux,
            TypedTool::Diesel => Tool::Diesel,
            TypedTool::Refinery => Tool::Refinery,
            TypedTool::Sqlx => Tool::Sqlx,
            TypedTool::SeaOrm => Tool::SeaOrm,
        },
        map: typed.map,
        directory: typed.dir,
        table: typed.table,
        depth,
        wait: typed.rest.wait,
    })
}
