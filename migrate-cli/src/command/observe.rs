//! `-v` and `RUST_LOG`: what the library tells of itself, on standard error.

use std::io::{self, Write};

use migrate_core::mask_credentials;
use tracing_subscriber::{
    filter::Targets, fmt, layer::SubscriberExt as _, registry, util::SubscriberInitExt as _,
};

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
    let filter = match directives.parse::<Targets>() {
        Ok(filter) => filter,
        Err(error) => {
            console.warning(&format!("RUST_LOG has no effect: {error}"));
            return;
        }
    };
    // Fails where the program has installed its own, which then counts.
    let _ = registry()
        .with(fmt::layer().with_writer(|| Masked).without_time())
        .with(filter)
        .try_init();
}

/// Standard error, without passwords. The layer above writes each event at once.
struct Masked;

impl Write for Masked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        io::stderr().write_all(mask_credentials(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
