use migrate_diesel::prelude::*;

#[migration]
pub struct ActiveUsers;

#[migration]
pub enum Kind {
    One,
}

#[migration]
mod migrations {}

#[migration]
const ONE: u32 = 1;

#[migration]
impl ActiveUsers {}

fn main() {}
