//! A deployer to be killed: see `migrate_tests::deploy`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    migrate_tests::deploy::main()
}
