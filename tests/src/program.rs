//! The program as a front end opens it: by URL, as `main!` does.
//!
//! It carries every migration of this crate; those of one case are a configured database of their own.

use migrate_diesel::{
    Program,
    core::{
        Application as _, DatabaseSettings, DatabaseUrl, Deployment, Failure, Settings,
        frontend::{RunReport, UpRequest},
    },
};

/// Opens the configured database `name`, which is at `url`.
///
/// # Errors
/// When it cannot be opened.
pub fn open(name: &str, url: DatabaseUrl) -> Result<Box<dyn Deployment>, Failure> {
    let database = DatabaseSettings {
        name: name.to_owned(),
        url,
    };
    Program::new(&[]).open(&Settings::default(), &database)
}

/// `up` of the configured database `name`.
///
/// # Panics
/// When it cannot be opened.
#[must_use]
pub fn up(name: &str, url: DatabaseUrl) -> RunReport {
    let mut deployment = open(name, url).unwrap_or_else(|failure| panic!("{failure:?}"));
    deployment.up(&UpRequest::default(), &mut |_| {})
}
