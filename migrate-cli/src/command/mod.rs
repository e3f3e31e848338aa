//! One file for each command, and what they share.

mod accept;
mod across;
mod adopt;
mod check;
mod completions;
mod down;
mod flush;
mod graph;
mod log;
mod mark;
mod mass;
mod new;
mod observe;
mod patience;
mod plan;
mod resolve;
pub(crate) mod restore;
mod several;
mod start;
mod status;
mod survey;
pub(crate) mod unlock;
mod up;
mod wait;

use std::{path::PathBuf, time::Duration};

use migrate_core::{
    Application, DatabaseSettings, DatabaseUrl, Deployment, Failure, FailureKind, mask_credentials,
    restore::Restored,
};

use crate::{
    args,
    config::{self, Config},
    exit,
    invocation::{Invocation, Program, Streams},
    render::{Console, Palette, console::palette, human::Page},
    request::{Colors, Command, Format, Nonsense, Options, Request, Verbosity},
    signals::{self, Signals},
};

/// What a command works with.
struct Context<'a, 's> {
    app: &'a dyn Application,
    signals: Signals,
    config: Config,
    options: Options,
    console: Console<'s>,
    /// What a path on the command line is relative to.
    directory: PathBuf,
    /// Migrations and views that this run applied, over all databases.
    applied: Applied,
}

/// What a run applied, also when it failed later.
#[derive(Clone, Copy, Debug)]
struct Applied {
    restored: Restored,
    migrations: usize,
    views: usize,
}

impl Applied {
    fn anything(self) -> bool {
        self.migrations + self.views > 0 || self.restored == Restored::Done
    }
}

/// From arguments to exit code.
pub(crate) fn run(
    program: &Program,
    app: &dyn Application,
    invocation: &Invocation,
    streams: Streams<'_>,
    signals: Signals,
) -> u8 {
    let clap = args::command(program, streams.stdout.kind.columns());
    let typed = match args::parse(clap, &invocation.args) {
        Ok(typed) => typed,
        Err(error) => return clap_speaks(&error, invocation, streams),
    };
    let request = match Request::try_from(typed) {
        Ok(request) => request,
        Err(Nonsense { message, next }) => {
            let failure = Failure::new(FailureKind::Usage, message).next(next);
            return Console::new(streams, invocation, &Options::default()).failure(&failure);
        }
    };
    let mut console = Console::new(streams, invocation, &request.options);
    observe::start(request.options.verbosity, invocation, &mut console);

    if let Command::Completions(shell) = request.command {
        completions::run(program, shell, &mut console);
        return console.end(exit::DONE);
    }
    if let Command::New(args) = &request.command {
        let result = new::run(
            program,
            app,
            invocation,
            args,
            &request.options,
            &mut console,
        );
        let code = match result {
            Ok(()) => exit::DONE,
            Err(failure) => console.failure(&failure),
        };
        return console.end(code);
    }
    let loaded = match config::load(program, invocation, &request.options) {
        Ok(loaded) => loaded,
        Err(failure) => {
            let code = console.failure(&failure);
            return console.end(code);
        }
    };
    let unmatched = match request.options.databases.as_slice() {
        [] => loaded.config.unmatched(&app.databases()),
        // Who names them knows which there are.
        _ => Vec::new(),
    };
    for warning in loaded.warnings.iter().chain(&unmatched) {
        console.warning(warning);
    }
    let mut config = loaded.config;
    let databases = &request.options.databases;
    config.settings.databases = config.all(&app.databases(), databases, app.backends());
    let mut context = Context {
        app,
        signals,
        config,
        options: request.options,
        console,
        directory: invocation.directory.clone(),
        applied: Applied {
            restored: Restored::NotNeeded,
            migrations: 0,
            views: 0,
        },
    };
    let code = match dispatch(&mut context, &request.command) {
        Ok(code) => code,
        Err(failure) => context.console.failure(&failure),
    };
    context.console.end(code)
}

/// The exit code, or why nothing (more) was done.
type Done = Result<u8, Failure>;

fn dispatch(context: &mut Context<'_, '_>, command: &Command) -> Done {
    if let Command::Down(..) | Command::Redo(..) | Command::Resolve { .. } = command {
        start::forget_completion(context)?;
    }
    if does_something(command) {
        context.heed_signals()?;
    }
    match command {
        Command::Up(request, start) => start::run(context, request, start),
        Command::Plan(request) => plan::run(context, request, plan::Depth::Steps),
        Command::Rehearse(request, show) => plan::run(context, request, plan::Depth::Tried(*show)),
        Command::Status(exit) => status::run(context, *exit),
        Command::Graph(format) => graph::run(context, *format),
        Command::Down(request, confirmation) => down::run(context, request, *confirmation),
        Command::Redo(request, confirmation) => down::redo(context, request, *confirmation),
        Command::Check => check::run(context),
        Command::Resolve { id, decision, wait } => resolve::run(context, id, *decision, *wait),
        Command::Restore(typed) => restore::run(context, typed),
        Command::Mark(request, confirmation) => mark::run(context, request, *confirmation),
        Command::Accept(request) => accept::run(context, request),
        Command::Adopt(typed) => adopt::run(context, typed),
        Command::Log { limit } => log::run(context, *limit),
        Command::Mass(mass) => mass::run(context, mass),
        Command::Wait { timeout } => wait::run(context, *timeout),
        Command::Unlock(unlock) => unlock::run(context, *unlock),
        // Answered before the configuration was read.
        Command::Completions(_) | Command::New(_) => Ok(exit::DONE),
    }
}

/// Whether it does, or waits for, something without asking a person first.
fn does_something(command: &Command) -> bool {
    matches!(
        command,
        Command::Up(..)
            | Command::Rehearse(..)
            | Command::Resolve { .. }
            | Command::Restore(_)
            | Command::Accept(_)
            | Command::Wait { .. }
            | Command::Unlock(unlock::Unlock::End(_))
    )
}

/// Help and version are results; everything else that clap says is a usage error.
fn clap_speaks(error: &clap::Error, invocation: &Invocation, streams: Streams<'_>) -> u8 {
    let code = if error.use_stderr() {
        exit::USAGE
    } else {
        exit::DONE
    };
    let colors = if invocation.args.iter().any(|arg| arg == "--no-color") {
        Colors::Never
    } else {
        Colors::WherePossible
    };
    let stream = if error.use_stderr() {
        streams.stderr
    } else {
        streams.stdout
    };
    let rendered = error.render();
    let text = match palette(stream.kind, invocation, colors) {
        Palette::Colors => rendered.ansi().to_string(),
        Palette::Plain => rendered.to_string(),
    };
    // What was typed is quoted, and may be a URL in the wrong place.
    let args = invocation.args.iter().filter_map(|arg| arg.to_str());
    let text = args
        .filter(|arg| arg.contains("://"))
        .fold(text, |text, url| DatabaseUrl::new(url).redact(&text));
    let text = mask_credentials(&text);
    // There is no other stream on which to say that this one is gone.
    let _ = stream.writer.write_all(text.as_bytes());
    let _ = stream.writer.flush();
    code
}

impl Context<'_, '_> {
    /// The databases to work on, in order.
    ///
    /// # Errors
    /// One is not configured; nothing is carried.
    fn targets(&self) -> Result<Vec<DatabaseSettings>, Failure> {
        let carried = self.app.databases();
        if carried.is_empty() {
            // The program knows best why it carries nothing.
            self.app.graph(&self.config.settings)?;
            return Err(
                Failure::new(FailureKind::Usage, "this program carries no migrations")
                    .next("name the crates that have some: `migrate_diesel::main!(crate, ..)`"),
            );
        }
        self.config
            .targets(&carried, &self.options.databases, self.app.backends())
    }

    /// The one database of a command that must not touch several at once.
    ///
    /// # Errors
    /// As [`targets`](Self::targets); several apply.
    fn only_target(&self, command: &str) -> Result<DatabaseSettings, Failure> {
        let mut targets = self.targets()?;
        if targets.len() > 1 {
            let names: Vec<String> = targets.into_iter().map(|target| target.name).collect();
            return Err(Failure::new(
                FailureKind::Usage,
                format!("`{command}` works on one database, and there are several"),
            )
            .next(format!("add `--database NAME`: {}", names.join(", "))));
        }
        targets
            .pop()
            .ok_or_else(|| Failure::new(FailureKind::Usage, "there is no database to work on"))
    }

    /// From now on something is done that a signal must not tear apart. Not earlier than that: until then
    /// it ends the process.
    ///
    /// # Errors
    /// The system does not let us.
    fn heed_signals(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.signals, Signals::LeftAlone) == Signals::LeftAlone {
            return Ok(());
        }
        let said = match self.options.verbosity {
            Verbosity::Quiet => "",
            _ => "\ninterrupted: ending what is running; a second time ends at once\n",
        };
        signals::heed(&self.config.settings.interrupt, said)
    }

    fn open(&self, database: &DatabaseSettings) -> Result<Box<dyn Deployment>, Failure> {
        self.app.open(&self.config.settings, database)
    }

    /// As [`open`](Self::open), in an attempt that does not take longer than there is time.
    ///
    /// # Errors
    /// As there.
    fn open_within(
        &self,
        database: &DatabaseSettings,
        left: Duration,
    ) -> Result<Box<dyn Deployment>, Failure> {
        /// The last look needs some.
        const AT_LEAST: Duration = Duration::from_secs(2);
        let settings = &self.config.settings;
        self.app
            .open(&settings.connecting_within(left.max(AT_LEAST)), database)
    }

    fn is_json(&self) -> bool {
        self.options.format == Format::Json
    }

    /// How results look.
    fn page(&self) -> Page {
        Page {
            palette: self.console.look().out,
            columns: self.console.out_columns(),
        }
    }

    /// Shows a report on each database: for people as they come, for programs as one document.
    ///
    /// # Errors
    /// The first that cannot be had; then a program gets no half document.
    fn report<R>(
        &mut self,
        ask: impl Fn(&mut dyn Deployment) -> Result<R, Failure>,
        human: impl Fn(Page, &R) -> String,
        json: impl Fn(&[R]) -> String,
    ) -> Result<Vec<R>, Failure> {
        let mut reports = Vec::new();
        for (at, database) in self.targets()?.iter().enumerate() {
            let report = ask(self.open(database)?.as_mut())?;
            if !self.is_json() {
                let page = self.page();
                let gap = if at == 0 { "" } else { "\n" };
                let text = format!("{gap}{}{}", page.heading(database), human(page, &report));
                self.console.out(&text);
            }
            reports.push(report);
        }
        if self.is_json() {
            self.console.out(&json(&reports));
        }
        Ok(reports)
    }
}
