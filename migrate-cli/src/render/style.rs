//! Colours and signs.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use migrate_core::{State, mass::MassState, report::ViewState};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const CARE: Style = AnsiColor::Yellow.on_default();
pub(crate) const BUSY: Style = AnsiColor::Cyan.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();

/// Whether a stream shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Palette {
    Colors,
    Plain,
}

impl Palette {
    /// `text` in `style`.
    pub(crate) fn paint(self, style: Style, text: impl Display) -> String {
        match self {
            Self::Colors => format!("{style}{text}{style:#}"),
            Self::Plain => text.to_string(),
        }
    }
}

/// How a state looks.
pub(crate) fn of_state(state: State) -> Style {
    match state {
        State::Applied => GOOD,
        State::Pending => DIM,
        State::Running => BUSY,
        State::Failed | State::Interrupted => BAD,
        State::Deferred => CARE,
    }
}

/// The sign before a state's word, for a person at a terminal.
pub(crate) fn sign_of_state(state: State) -> char {
    match state {
        State::Applied => '✓',
        State::Pending => '·',
        State::Running => '▸',
        State::Failed => '✗',
        State::Interrupted => '!',
        State::Deferred => '…',
    }
}

/// How a view's state looks.
pub(crate) fn of_view(state: ViewState) -> Style {
    match state {
        ViewState::Up => GOOD,
        ViewState::Missing => BAD,
        ViewState::Changed | ViewState::Ended | ViewState::Suspended => CARE,
        _ => DIM,
    }
}

/// The sign before the state of a view.
pub(crate) fn sign_of_view(state: ViewState) -> char {
    match state {
        ViewState::Up => '✓',
        ViewState::Missing => '✗',
        ViewState::Changed | ViewState::Ended => '~',
        ViewState::Suspended => '!',
        _ => '·',
    }
}

/// How the state of a mass migration looks.
pub(crate) fn of_mass(state: MassState) -> Style {
    match state {
        MassState::Succeeded => GOOD,
        MassState::Failed => BAD,
        MassState::Enqueued | MassState::Running => BUSY,
        MassState::Pending => DIM,
        _ => CARE,
    }
}

/// The sign before it.
pub(crate) fn sign_of_mass(state: MassState) -> char {
    match state {
        MassState::Succeeded => '✓',
        MassState::Failed => '✗',
        MassState::Running | MassState::Enqueued => '▸',
        MassState::Pending => '·',
        MassState::Interrupted => '!',
        MassState::Cancelled | MassState::Cancelling => '✗',
        MassState::Paused | MassState::Pausing | MassState::Throttled => '…',
    }
}
