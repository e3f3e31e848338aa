//! A small shop: accounts, a catalogue, orders. What is interesting about it is how its database
//! came to be: see [`migrations`], and [`views`] for what lies on top of its tables.
#![forbid(unsafe_code)]

pub mod migrations;
#[cfg(feature = "postgres")]
pub mod reporting;
pub mod views;
