//! Ctrl-C, SIGTERM and SIGHUP become a flag, so that `Drop` still runs: a signal's default action
//! would end this program at once and leave servers and temporary directories behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::Error;

static RECEIVED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Starts to listen. Call once, before the first child process.
pub(crate) fn listen() -> Result<(), Error> {
    let received = Arc::clone(RECEIVED.get_or_init(Arc::default));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let number = usize::try_from(signal).unwrap_or_default();
        signal_hook::flag::register_usize(signal, Arc::clone(&received), number)
            .map_err(Error::Signals)?;
    }
    Ok(())
}

/// The signal that asked us to stop, if one did.
pub(crate) fn received() -> Option<i32> {
    let number = RECEIVED.get()?.load(Ordering::SeqCst);
    i32::try_from(number).ok().filter(|number| *number != 0)
}

/// Forgets a signal that was meant for a foreground child (Ctrl-C in `psql`).
pub(crate) fn forget() {
    if let Some(received) = RECEIVED.get() {
        received.store(0, Ordering::SeqCst);
    }
}

/// An error if a signal came.
pub(crate) fn check() -> Result<(), Error> {
    received().map_or(Ok(()), |signal| Err(Error::Interrupted(signal)))
}
