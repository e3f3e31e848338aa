//! Ours as its documentation shows it, with the whole command line.
#![cfg_attr(not(feature = "count"), forbid(unsafe_code))]

use migrate_diesel::prelude::*;

include!(concat!(env!("OUT_DIR"), "/embed.rs"));

#[cfg(feature = "count")]
statements::count_statements!();

migrate_diesel::main!();
