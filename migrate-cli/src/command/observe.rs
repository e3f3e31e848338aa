//! `-v` and `RUST_LOG`: what the library tells of itself, on standard error.

use tracing_subscriber::EnvFilter;

use crate::{invocation::Invocation, render::Console, request::Verbosity};

/// Installs a subscriber where somebody asked for one; the others do not pay for it.
pub(super) fn start(verbosity: Verbosity, invocation: &Invocation, console: &mut Console<'_>) {
    let default = match verbosity {
        Verbosity::Info => Some("info"),
        Verbosity::Debug => Some("debug"),
        Verbosity::Quiet | Verbosity::Normal => None,
    };
    let Some(directives) = invocation.variable("RUST_LOG").or(default) else {
        return;
    };
    let filter = match EnvFilter::try_new(directives) {
        Ok(filter) => filter,
        Err(error) => {
            console.warning(&format!("RUST_LOG has no effect: {error}"));
            return;
        }
    };
    // Fails where the program has installed its own, which then counts.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .try_init();
}
