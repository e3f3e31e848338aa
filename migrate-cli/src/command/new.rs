//! `new NAME`: a migration in the app's source.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use migrate_core::{Application, Failure, Settings};

use crate::{
    args::NewArgs,
    invocation::{Invocation, Program},
    render::{Console, json},
    request::{Format, Options},
    scaffold::{self, Order, Requires, Written},
};

/// Needs no database, and no configuration.
pub(super) fn run(
    program: &Program,
    app: &dyn Application,
    invocation: &Invocation,
    args: &NewArgs,
    options: &Options,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    // A program that carries nothing yet has no graph; one that is broken is told by everything else.
    let carried = app.graph(&Settings::default()).unwrap_or_default().nodes;
    let carried: Vec<String> = carried.into_iter().map(|node| node.id).collect();
    let own = own(program, invocation);
    let written = scaffold::new(&Order {
        name: &args.name,
        package: args.package.as_deref(),
        template: args.template,
        requires: if args.no_requires {
            Requires::Nothing
        } else {
            Requires::Latest
        },
        directory: &invocation.directory,
        own: &own,
        carried: &carried,
        now: &humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
    })?;
    if options.format == Format::Json {
        console.out(&json::written(&written, |path| shown(invocation, path)));
    } else {
        console.out(&human(program, invocation, &written));
    }
    if let Some(note) = &written.note {
        console.warning(note);
    }
    let is_carried = |id: &String| id.split(':').next() == Some(written.crate_name.as_str());
    if !carried.is_empty() && !carried.iter().any(is_carried) {
        console.warning(&format!(
            "this program does not carry `{name}` yet: name it in `migrate_diesel::main!(.., {name})`",
            name = written.crate_name
        ));
    }
    Ok(())
}

/// `CARGO_MANIFEST_DIR` of `cargo run`; where the program was built, if that is this machine.
fn own(program: &Program, invocation: &Invocation) -> Vec<PathBuf> {
    let places = [
        invocation.variable("CARGO_MANIFEST_DIR"),
        Some(program.manifest_dir),
    ];
    let places = places.into_iter().flatten().map(PathBuf::from);
    places
        .filter(|it| it.is_absolute() && it.is_dir())
        .collect()
}

fn human(program: &Program, invocation: &Invocation, written: &Written) -> String {
    let mut text = String::new();
    let paths = |paths: &[PathBuf], verb: &str| -> String {
        let lines = paths
            .iter()
            .map(|path| format!("{verb} {}\n", shown(invocation, path)));
        lines.collect()
    };
    text.push_str(&paths(&written.created, "created"));
    text.push_str(&paths(&written.changed, "changed"));
    let requires = match &written.requires {
        Some(latest) => format!(", which comes after `{latest}`"),
        None => String::new(),
    };
    text.push_str(&format!(
        "`{}`{requires}\nnext: write its body at {}:{}, then `cargo run --bin {} -- up --dry-run`\n",
        written.id,
        shown(invocation, &written.file),
        written.line,
        program.name
    ));
    text
}

/// As a person in the working directory would write it.
fn shown(invocation: &Invocation, path: &Path) -> String {
    let below = path.strip_prefix(&invocation.directory).unwrap_or(path);
    below.display().to_string()
}
