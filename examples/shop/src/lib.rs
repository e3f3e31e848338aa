//! A small shop: accounts, a catalogue, orders. What is interesting about it is how its database
//! came to be: see [`migrations`].
#![forbid(unsafe_code)]

pub mod migrations;
