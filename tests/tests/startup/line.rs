//! The command line in this process, with buffers for streams.

use std::{io::Cursor, path::Path};

use migrate_cli::{Input, Invocation, Live, Program, Stream, StreamKind, Streams};
use migrate_diesel::core::DatabaseUrl;

/// What a run left.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Types `line` in `directory`, about the database `startup` at `url`.
pub(crate) fn types(url: &DatabaseUrl, directory: &Path, toml: &str, line: &str) -> Seen {
    // The boundary of the search for configuration.
    std::fs::create_dir_all(directory.join(".git")).unwrap();
    let file = directory.join("migrate.toml");
    // Not anew, where another thread may be reading it.
    if std::fs::read_to_string(&file).ok().as_deref() != Some(toml) {
        std::fs::write(file, toml).unwrap();
    }
    let program = Program {
        name: "migrate",
        version: "0.1.0",
        manifest_dir: "",
    };
    let mut args: Vec<std::ffi::OsString> = line.split_whitespace().map(Into::into).collect();
    args.extend(["--database".into(), "startup".into()]);
    let invocation = Invocation {
        args,
        environment: vec![("MIGRATE_DATABASES_STARTUP_URL".into(), url.reveal().into())],
        directory: directory.to_owned(),
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams = Streams {
        stdin: Input {
            reader: &mut Cursor::new(Vec::new()),
            kind: StreamKind::Pipe,
        },
        stdout: Stream {
            writer: &mut out,
            kind: StreamKind::Pipe,
        },
        stderr: Stream {
            writer: &mut err,
            kind: StreamKind::Pipe,
        },
        live: Live::Off,
    };
    let app = migrate_diesel::Program::new(&[]);
    let code = migrate_cli::run(&program, &app, &invocation, streams);
    let seen = Seen {
        code,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    };
    for secret in url.secrets() {
        assert!(!seen.err.contains(&secret), "{}", seen.err);
        assert!(!seen.out.contains(&secret), "{}", seen.out);
    }
    seen
}
