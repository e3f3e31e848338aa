//! The deploy program: `cargo run --bin migrate`.
#![forbid(unsafe_code)]

migrate_diesel::main!(shop, billing);
