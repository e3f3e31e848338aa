//! Why a connection was refused: because a server is not there yet, or because it never will let us in.
//!
//! Diesel hands on the driver's text and no code. So a text that is known to be about what only a
//! person can change is lasting, and everything else (in whatever language) may pass: to wait in
//! vain ends with a timeout, to give up on a server that is starting breaks a deploy.

/// What servers and drivers say, in lower case, when waiting would not help.
const LASTING: &[&str] = &[
    // PostgreSQL and its poolers.
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "is not permitted to log in",
    "permission denied for database",
    "does not exist",
    "no such user",
    "no such database",
    "server does not support ssl",
    "certificate verify failed",
    "invalid uri",
    "invalid connection option",
    "invalid port number",
    "missing \"=\" after",
    "invalid sslmode value",
    // MySQL and MariaDB.
    "access denied",
    "unknown database",
    "is not allowed to connect",
    "account is locked",
    "connection url",
];

/// Whether the refusal will last. `text` is the driver's.
pub(crate) fn stays(url: &str, text: &str) -> bool {
    // A file: nobody else makes its directory.
    if url.starts_with("sqlite:") {
        return true;
    }
    let text = text.to_lowercase();
    LASTING.iter().any(|lasting| text.contains(lasting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_has_to_mend() {
        for text in [
            "connection to server at \"db\" (10.0.0.2), port 5432 failed: FATAL:  password authentication failed for user \"me\"",
            "connection to server at \"db\", port 5432 failed: FATAL:  database \"shop\" does not exist",
            "connection to server at \"db\", port 5432 failed: FATAL:  no pg_hba.conf entry for host",
            "Access denied for user 'me'@'10.0.0.3' (using password: YES)",
            "Unknown database 'shop'",
        ] {
            assert!(stays("postgres://db/shop", text), "{text}");
        }
        assert!(stays(
            "sqlite://nowhere/x.db",
            "Unable to open the database file"
        ));
    }

    #[test]
    fn what_passes() {
        for text in [
            "connection to server at \"127.0.0.1\", port 5432 failed: Connection refused; Is the server running on that host and accepting TCP/IP connections?",
            "connection to server at \"db\", port 5432 failed: FATAL:  the database system is starting up",
            "connection to server at \"db\", port 5432 failed: FATAL:  sorry, too many clients already",
            "could not translate host name \"db\" to address: Name or service not known",
            "connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: No such file or directory",
            "Can't connect to server on 'db' (115)",
            "Lost connection to server at 'handshake: reading initial communication packet', system error: 104",
        ] {
            assert!(!stays("postgres://db/shop", text), "{text}");
        }
    }
}
