//! What a run survives.

use std::io::{self, Cursor, Write};

use migrate_cli::{Input, Invocation, Live, Program, Stream, StreamKind, Streams};
use migrate_core::State;

use crate::{fake::FakeApp, typist::Typist};

const PROGRAM: Program = Program {
    name: "migrate",
    version: "0.1.0",
    manifest_dir: "",
};

/// A stream that fails in its own way.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

fn run_into(app: &FakeApp, out: &mut (dyn Write + Send), line: &str) -> (u8, String) {
    let typist = Typist::new();
    let invocation = Invocation {
        args: line.split_whitespace().map(Into::into).collect(),
        environment: vec![("DATABASE_URL".into(), "sqlite://x.db".into())],
        directory: typist.directory.clone(),
    };
    let mut err = Vec::new();
    let streams = Streams {
        stdin: Input {
            reader: &mut Cursor::new([]),
            kind: StreamKind::Pipe,
        },
        stdout: Stream {
            writer: out,
            kind: StreamKind::Pipe,
        },
        stderr: Stream {
            writer: &mut err,
            kind: StreamKind::Pipe,
        },
        live: Live::Off,
    };
    let code = migrate_cli::run(&PROGRAM, app, &invocation, streams);
    (code, String::from_utf8(err).unwrap())
}

#[test]
fn a_reader_that_left_is_no_failure_and_a_full_disk_is() {
    let app = FakeApp::three();
    let (code, err) = run_into(&app, &mut Broken(io::ErrorKind::BrokenPipe), "status");
    assert_eq!((code, err.as_str()), (0, ""));
    let (code, err) = run_into(&app, &mut Broken(io::ErrorKind::StorageFull), "status");
    assert_eq!(code, 1);
    assert!(
        err.starts_with("error: cannot write to standard output"),
        "{err}"
    );
    // The run itself goes on to its end.
    let (code, _) = run_into(
        &app,
        &mut Broken(io::ErrorKind::StorageFull),
        "up --format json",
    );
    assert_eq!((code, app.state("shop:split_names")), (1, State::Applied));
}
