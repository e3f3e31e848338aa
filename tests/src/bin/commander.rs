//! The command line with the migrations of `migrate_tests`, as a process to send signals to.
#![forbid(unsafe_code)]

migrate_diesel::main!(migrate_tests);
