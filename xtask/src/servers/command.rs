//! `cargo xtask servers`: the test servers for a developer.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitCode, ExitStatus};
use std::thread;
use std::time::Duration;

use super::{Durability, Servers};
use crate::error::Error;
use crate::{interrupt, process, setup};

/// Starts PostgreSQL, MariaDB and Redis and prints their URLs, until Ctrl-C; or runs one command with them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write to disk as a production server does (fsync); slower, for measurements
    #[arg(long)]
    durable: bool,
    /// A command to run with the URLs in its environment, for instance `-- cargo test -p migrate-tests`
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs the subcommand; the exit code is that of the given command.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    setup::require_servers()?;
    let durability = if args.durable {
        Durability::Durable
    } else {
        Durability::Relaxed
    };
    let servers = Servers::start(durability)?;
    match args.command.split_first() {
        Some((program, arguments)) => run_with(servers, program, arguments),
        None => serve(servers),
    }
}

fn run_with(
    servers: Servers,
    program: &OsString,
    arguments: &[OsString],
) -> Result<ExitCode, Error> {
    let mut command = process::tied("TERM", program);
    command.args(arguments);
    servers.export(&mut command);
    let status = process::run_foreground(&mut command)?;
    servers.stop()?;
    Ok(ExitCode::from(shell_code(status)))
}

/// As a shell reports it: 128 and the signal for what a signal ended.
fn shell_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn serve(mut servers: Servers) -> Result<ExitCode, Error> {
    let mut out = std::io::stdout().lock();
    for (name, value) in servers.variables() {
        writeln!(out, "export {name}='{value}'").map_err(Error::Output)?;
    }
    writeln!(out, "# Ctrl-C stops the servers").map_err(Error::Output)?;
    out.flush().map_err(Error::Output)?;
    loop {
        match servers.check() {
            Ok(()) => thread::sleep(Duration::from_millis(100)),
            // Being told to stop is how this command ends.
            Err(Error::Interrupted(_)) => {
                interrupt::forget();
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_end_is_told_as_a_shell_does() {
        assert_eq!(shell_code(ExitStatus::from_raw(0)), 0);
        assert_eq!(shell_code(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(shell_code(ExitStatus::from_raw(9)), 137);
    }
}
