//! [`main!`](crate::main): the user's deploy program in one line.

use std::process::ExitCode;

use crate::application::Program;

/// The deploy program: its `main`, with the command line.
///
/// `src/bin/migrate.rs` of an application with a library crate `shop` and a second one `billing`:
///
/// ```text
/// migrate_diesel::main!(shop, billing);
/// ```
///
/// A program that is one crate, with its migrations in it:
///
/// ```no_run
/// # #[cfg(feature = "sqlite")] mod example {
/// use migrate_diesel::prelude::*;
///
/// #[migration]
/// fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
///     db.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
/// }
/// # }
///
/// migrate_diesel::main!();
/// ```
///
/// The crates it names are linked (a crate that nothing names links none of its migrations, without
/// a word), and come first in the order of migrations, in the order given. Each has to contribute
/// at least one. Without a name it carries the migrations of the crate that it stands in.
#[macro_export]
macro_rules! main {
    () => {
        fn main() -> ::std::process::ExitCode {
            let own = $crate::__private::crate_of(::core::module_path!());
            $crate::__private::command_line(
                &[own],
                $crate::__private::program_name(::core::option_env!("CARGO_BIN_NAME")),
                ::core::env!("CARGO_PKG_VERSION"),
                ::core::env!("CARGO_MANIFEST_DIR"),
            )
        }
    };
    ($($krate:ident),+ $(,)?) => {
        $(use $krate as _;)+

        fn main() -> ::std::process::ExitCode {
            $crate::__private::command_line(
                &[$(::core::stringify!($krate)),+],
                $crate::__private::program_name(::core::option_env!("CARGO_BIN_NAME")),
                ::core::env!("CARGO_PKG_VERSION"),
                ::core::env!("CARGO_MANIFEST_DIR"),
            )
        }
    };
}

/// What [`main!`](crate::main) expands to.
#[must_use]
pub fn command_line(
    crates: &[&str],
    name: &'static str,
    version: &'static str,
    manifest_dir: &'static str,
) -> ExitCode {
    let program = migrate_cli::Program {
        name,
        version,
        manifest_dir,
    };
    migrate_cli::main(&program, &Program::new(crates))
}

/// The crate that a module path lies in.
#[must_use]
pub fn crate_of(module_path: &'static str) -> &'static str {
    module_path.split("::").next().unwrap_or(module_path)
}

/// What the program is called in its help.
#[must_use]
pub fn program_name(binary: Option<&'static str>) -> &'static str {
    binary.unwrap_or("migrate")
}
