//! SIGINT and SIGTERM: the first asks the run to end, the second ends the process.
//!
//! Only while something is done: a command that reads, or that asks a person, is ended by the first.

use migrate_core::{Failure, Interrupt};

/// Whether this process's signals are ours to heed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signals {
    Heeded,
    /// A test's, or a program's that only calls [`run`](crate::run).
    LeftAlone,
}

/// From now on the first signal requests `interrupt`, and the second ends the process: its code is then
/// 128 and the signal's number, as a shell says it.
///
/// # Errors
/// The system does not let us.
#[cfg(unix)]
pub(crate) fn heed(interrupt: &Interrupt, said: &'static str) -> Result<(), Failure> {
    use std::{
        io::{self, Write as _},
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        thread,
        time::Duration,
    };

    use signal_hook::{
        consts::{SIGINT, SIGTERM},
        flag,
        iterator::Signals,
    };

    /// Who passes signals on (`timeout`, some supervisors) sends one to the process and to its group: what
    /// comes so soon after the first is no second thought.
    const SAME: Duration = Duration::from_millis(200);

    let cannot = |error: io::Error| {
        Failure::new(
            migrate_core::FailureKind::Usage,
            format!("cannot listen for SIGINT and SIGTERM: {error}"),
        )
    };
    let before = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&before))
            .map_err(cannot)?;
    }
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(cannot)?;
    let interrupt = interrupt.clone();
    thread::Builder::new()
        .name("migrate-signals".to_owned())
        .spawn(move || {
            if signals.forever().next().is_some() {
                // Nobody there to read it is no reason to go on.
                let _ = io::stderr().write_all(said.as_bytes());
                interrupt.request();
                thread::sleep(SAME);
                before.store(true, Ordering::SeqCst);
            }
        })
        .map_err(cannot)?;
    Ok(())
}

/// Other systems end the process at once; the database rolls back what was not committed.
#[cfg(not(unix))]
pub(crate) fn heed(_interrupt: &Interrupt, _said: &'static str) -> Result<(), Failure> {
    Ok(())
}
