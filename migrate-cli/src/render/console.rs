//! [`Console`]: the streams of a run, and how they are written to.

use std::io;

use migrate_core::{Failure, mask_credentials, report::Problem};

use super::{
    failure,
    style::{self, Palette},
    text,
};
use crate::{
    exit,
    invocation::{Input, Invocation, Live, Stream, StreamKind, Streams},
    request::{Colors, Format, Options, Verbosity},
};

/// The streams of a run.
pub(crate) struct Console<'a> {
    stdin: Input<'a>,
    stdout: Stream<'a>,
    stderr: Stream<'a>,
    live: Liveness,
    look: Look,
    /// The first result that could not be written.
    lost: Option<io::Error>,
}

/// What decides how things look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Of standard output.
    pub(crate) out: Palette,
    /// Of standard error.
    pub(crate) err: Palette,
    pub(crate) format: Format,
    pub(crate) verbosity: Verbosity,
}

/// How a run shows that it is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Liveness {
    /// Not at all.
    Off,
    /// A line at the bottom of the terminal.
    Line,
    /// A line in the log now and then.
    Notices,
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// Nobody is there to ask.
    Nobody,
}

/// Whether a stream shows colours: a terminal that can, unless somebody said no.
pub(crate) fn palette(kind: StreamKind, invocation: &Invocation, colors: Colors) -> Palette {
    let wanted = colors == Colors::WherePossible
        && invocation.variable("NO_COLOR").is_none()
        && invocation.variable("TERM") != Some("dumb");
    if wanted && kind != StreamKind::Pipe {
        Palette::Colors
    } else {
        Palette::Plain
    }
}

impl<'a> Console<'a> {
    pub(crate) fn new(streams: Streams<'a>, invocation: &Invocation, options: &Options) -> Self {
        let look = Look {
            out: palette(streams.stdout.kind, invocation, options.colors),
            err: palette(streams.stderr.kind, invocation, options.colors),
            format: options.format,
            verbosity: options.verbosity,
        };
        let pipe = streams.stderr.kind == StreamKind::Pipe;
        let dumb = invocation.variable("TERM") == Some("dumb");
        let live = match look.verbosity {
            _ if streams.live == Live::Off || look.format == Format::Json => Liveness::Off,
            Verbosity::Quiet => Liveness::Off,
            // A live line among the lines of `-v` would be torn; a dumb terminal cannot draw one.
            Verbosity::Normal if !pipe && !dumb => Liveness::Line,
            _ => Liveness::Notices,
        };
        Self {
            stdin: streams.stdin,
            stdout: streams.stdout,
            stderr: streams.stderr,
            live,
            look,
            lost: None,
        }
    }

    pub(crate) fn look(&self) -> Look {
        self.look
    }

    pub(crate) fn live(&self) -> Liveness {
        self.live
    }

    /// The width of standard output, if it is a terminal.
    pub(crate) fn out_columns(&self) -> Option<usize> {
        self.stdout.kind.columns()
    }

    /// Whether a person reads standard error.
    pub(crate) fn err_kind(&self) -> StreamKind {
        self.stderr.kind
    }

    /// A result.
    pub(crate) fn out(&mut self, result: &str) {
        let written = self
            .stdout
            .writer
            .write_all(result.as_bytes())
            .and_then(|()| self.stdout.writer.flush());
        if let Err(error) = written
            // `| head` has read what it wanted.
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.lost.get_or_insert(error);
        }
    }

    /// Something that `-q` leaves out.
    pub(crate) fn note(&mut self, text: &str) {
        if self.look.verbosity != Verbosity::Quiet {
            self.say(text);
        }
    }

    /// Something that has to be said. Where standard error is gone, nobody can be told.
    pub(crate) fn say(&mut self, text: &str) {
        let text = mask_credentials(text);
        let _ = self.stderr.writer.write_all(text.as_bytes());
        let _ = self.stderr.writer.flush();
    }

    /// Why it was not done. Returns the exit code.
    pub(crate) fn failure(&mut self, failure: &Failure) -> u8 {
        let text = failure::render(failure, self.look.err);
        self.say(&text);
        exit::of(failure)
    }

    /// Something that a person should read.
    pub(crate) fn warning(&mut self, message: &str) {
        let label = self.look.err.paint(style::CARE.bold(), "warning:");
        self.note(&format!("{label} {}\n", text::hanging(message, 9)));
    }

    /// As [`warning`](Self::warning), of a disagreement.
    pub(crate) fn problem(&mut self, problem: &Problem) {
        let place = problem
            .location
            .map(|location| format!(" ({location})"))
            .unwrap_or_default();
        self.warning(&format!("{}: {}{place}", problem.id, problem.message));
    }

    /// Asks. Only `y` and `yes` are a yes.
    pub(crate) fn ask(&mut self, question: &str) -> Answer {
        if self.stdin.kind == StreamKind::Pipe {
            return Answer::Nobody;
        }
        let question = self.look.err.paint(style::BOLD, question);
        self.say(&format!("{question} [y/N] "));
        let mut line = String::new();
        match self.stdin.reader.read_line(&mut line) {
            Ok(_) if matches!(line.trim().to_lowercase().as_str(), "y" | "yes") => Answer::Yes,
            Ok(0) => {
                // Ctrl-D leaves the cursor behind the question.
                self.say("\n");
                Answer::No
            }
            _ => Answer::No,
        }
    }

    /// Ends the run: a result that could not be written is not done.
    pub(crate) fn end(mut self, code: u8) -> u8 {
        match self.lost.take() {
            None => code,
            Some(error) => {
                self.say(&format!(
                    "error: cannot write to standard output: {error}\n"
                ));
                if code == exit::DONE {
                    exit::NOT_DONE
                } else {
                    code
                }
            }
        }
    }
}
