//! What the deployer processes of `crash.rs` and `deployers.rs` run, and how a person settles what
//! they leave.

mod chain;
mod phases;
mod revert;
mod settle;
mod signals;
mod tables;
mod views;
mod zombie;

use std::{
    env,
    io::{Write as _, stdin, stdout},
    process::ExitCode,
    sync::OnceLock,
    thread,
};

use migrate_diesel::core::{
    DatabaseUrl, FailureKind,
    frontend::{DownRequest, DownTarget, UpRequest},
    report::{Action, Event},
};

pub use chain::{CHAIN, points};
pub use settle::{settle, snapshot};
pub use tables::TABLES;

use crate::program;

/// Where this process stops, for somebody to kill it.
static PAUSE_AT: OnceLock<String> = OnceLock::new();

/// `deployer DATABASE POINT`, with the URL in `DEPLOYER_URL`: `up`, or `down` of the newest one for
/// the databases whose names say so.
///
/// # Panics
/// When it is started otherwise.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap();
    PAUSE_AT.set(arguments.next().unwrap()).unwrap();
    let url = DatabaseUrl::new(env::var("DEPLOYER_URL").unwrap());
    say("ready");
    stdin().read_line(&mut String::new()).unwrap();

    let report = program::open(&name, url).map(|mut deployment| {
        if name.starts_with("revert") {
            let request = DownRequest {
                target: DownTarget::Steps(1),
                wait: None,
            };
            return deployment.down(&request, &mut |_| {});
        }
        deployment.up(&UpRequest::default(), &mut |event| match event {
            Event::Started {
                id,
                action: Action::Apply,
                ..
            } => pause(&format!("started {}", short(&id))),
            Event::Applied { id, .. } => pause(&format!("applied {}", short(&id))),
            _ => {}
        })
    });
    let failure = match report {
        Ok(report) => report.failure,
        Err(failure) => Some(failure),
    };
    let Some(failure) = failure else {
        return ExitCode::SUCCESS;
    };
    complain(&format!("{failure:?}"));
    // As the command line does.
    ExitCode::from(match failure.kind {
        FailureKind::Migration => 1,
        FailureKind::Disagreement => 4,
        FailureKind::Lock => 5,
        FailureKind::Unreachable => 6,
        _ => 2,
    })
}

/// Stops here for good, if this is the point where this process is to be killed.
pub(crate) fn pause(point: &str) {
    if PAUSE_AT.get().is_some_and(|at| at == point) {
        say("paused");
        loop {
            thread::park();
        }
    }
}

fn short(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, name)| name)
}

fn say(line: &str) {
    let mut stdout = stdout();
    writeln!(stdout, "{line}").unwrap();
    stdout.flush().unwrap();
}

#[expect(clippy::print_stderr, reason = "for who reads the failed test")]
fn complain(text: &str) {
    eprintln!("{text}");
}
