//! A deployer of random views, to be killed: see `migrate_tests::views::deploy`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    migrate_tests::views::deploy::main()
}
