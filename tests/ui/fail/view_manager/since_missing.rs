use migrate_diesel::prelude::*;

#[view_manager(sql = "SELECT 1")]
struct ActiveUsers;

#[view_manager]
struct Bare;

fn main() {}
