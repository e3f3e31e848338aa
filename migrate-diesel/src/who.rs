//! Who runs migrations: for the history, and for those who wait.

use std::{env, process, sync::OnceLock};

/// This machine's name.
pub(crate) fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| gethostname::gethostname().to_string_lossy().into_owned())
}

/// `user@host pid 4711`.
pub(crate) fn whoami() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|key| env::var(key).ok().filter(|name| !name.is_empty()));
    let name = format!(
        "{}@{} pid {}",
        user.as_deref().unwrap_or("unknown"),
        host(),
        process::id()
    );
    name.chars().take(255).collect()
}
