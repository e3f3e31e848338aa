//! Who runs migrations: for the history, and for those who wait.

use std::{env, process, sync::OnceLock};

/// This machine's name.
pub(crate) fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| gethostname::gethostname().to_string_lossy().into_owned())
}

/// `user@host pid 4711`; a container often has no user, and then says none.
pub(crate) fn whoami() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|key| env::var(key).ok().filter(|name| !name.is_empty()));
    let user = user.map_or_else(String::new, |user| format!("{user}@"));
    format!("{user}{} pid {}", host(), process::id())
        .chars()
        .take(255)
        .collect()
}
