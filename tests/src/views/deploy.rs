//! What a deployer process does with a random case: everything, or up to the statement at which it
//! stops for somebody to kill it.

use std::{
    env,
    io::{Write as _, stdin, stdout},
    process::ExitCode,
    thread,
};

use diesel::{Connection as _, connection::InstrumentationEvent};
use migrate_diesel::{AnyConnection, Error, core::DatabaseUrl};

use super::random::Case;
use crate::database::Backend;

/// `views_deployer SEED POINT`, with the URL in `DEPLOYER_URL`. A point is a number: of a statement
/// that is about to be sent, or that has come back. It says how many there were.
///
/// # Panics
/// When it is started otherwise.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let seed: u64 = arguments.next().unwrap().parse().unwrap();
    let point: Option<usize> = arguments.next().unwrap().parse().ok();
    let url = DatabaseUrl::new(env::var("DEPLOYER_URL").unwrap());
    let mut db = AnyConnection::open(&url).unwrap();
    let case = Case::new(seed, Backend::of(&db));
    case.install();
    let migrator = case.whole();
    say("ready");
    stdin().read_line(&mut String::new()).unwrap();

    let mut count = 0;
    db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let is_point = matches!(
            event,
            InstrumentationEvent::StartQuery { .. } | InstrumentationEvent::FinishQuery { .. }
        );
        if !is_point {
            return;
        }
        count += 1;
        say(&format!("point {count}"));
        if Some(count) == point {
            say("paused");
            loop {
                thread::park();
            }
        }
    });
    match migrator.up(&mut db) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    let mut stdout = stdout();
    writeln!(stdout, "{line}").unwrap();
    stdout.flush().unwrap();
}

#[expect(clippy::print_stderr, reason = "for who reads the failed test")]
fn complain(error: &Error) {
    eprintln!("{}", crate::run::chain(error));
}
