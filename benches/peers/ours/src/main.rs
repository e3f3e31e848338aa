//! Ours as its documentation shows it: the whole command line, and with `library URL` a `Migrator`
//! without one, which is what the other libraries are.
#![cfg_attr(not(feature = "count"), forbid(unsafe_code))]

use std::{env, error::Error, process::ExitCode};

use migrate_diesel::{Migrator, core::DatabaseUrl, prelude::*};

include!(concat!(env!("OUT_DIR"), "/embed.rs"));

#[cfg(feature = "count")]
statements::count_statements!();

mod program {
    migrate_diesel::main!();

    pub(super) fn run() -> std::process::ExitCode {
        main()
    }
}

fn library(url: String) -> Result<(), Box<dyn Error>> {
    let mut connection = AnyConnection::open(&DatabaseUrl::new(url))?;
    Migrator::linked()?.up(&mut connection)?;
    Ok(())
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() != Some("library") {
        return program::run();
    }
    match library(arguments.next().unwrap_or_default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
