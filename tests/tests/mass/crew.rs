//! Workers as processes: the command line, as a person would start it.

use std::{
    collections::VecDeque,
    fs::File,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use migrate_diesel::core::mass::{
    MassState,
    frontend::{MassDetail, MassStatus},
};
use migrate_tests::{
    commander::{Commander, Ended},
    database::Scratch,
    program,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_commander");

/// Longer than anything takes that does not hang.
const EVER: Duration = Duration::from_secs(300);

/// One mass migration of a scratch database.
pub(crate) struct Place<'s> {
    pub(crate) scratch: &'s Scratch,
    pub(crate) database: &'static str,
    pub(crate) id: &'static str,
}

impl Place<'_> {
    /// Types `mass ..`.
    pub(crate) fn types(&self, line: &str) -> Commander {
        self.types_all(&format!("mass {line}"))
    }

    fn types_all(&self, line: &str) -> Commander {
        Commander::types(PROGRAM, self.scratch, self.database, line)
    }

    /// Types any command, which has to be done.
    pub(crate) fn does(&self, line: &str) {
        let ended = self.types_all(line).ends();
        assert_eq!(ended.code, Some(0), "{line}: {ended:?}");
    }

    /// Types `mass WORD ID ..`, which has to be done.
    pub(crate) fn order(&self, line: &str) -> Ended {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let ended = self.types(&format!("{word} {} {rest}", self.id)).ends();
        assert_eq!(ended.code, Some(0), "{line}: {ended:?}");
        ended
    }

    pub(crate) fn detail(&self) -> MassDetail {
        // SQLite may be busy at the moment.
        let began = Instant::now();
        loop {
            let detail = program::open(self.database, self.scratch.url())
                .and_then(|mut program| program.mass().status(self.id));
            match detail {
                Ok(detail) => return detail,
                Err(failure) => assert!(began.elapsed() < EVER, "{failure:?}"),
            }
        }
    }

    pub(crate) fn status(&self) -> MassStatus {
        self.detail().status
    }

    /// Waits for what workers do meanwhile.
    pub(crate) fn wait_for(&self, what: impl Fn(&MassStatus) -> bool) -> MassStatus {
        let began = Instant::now();
        loop {
            let status = self.status();
            if what(&status) {
                return status;
            }
            assert!(began.elapsed() < EVER, "{status:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn wait_until(&self, state: MassState) -> MassStatus {
        self.wait_for(|status| status.state == state)
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.scratch
            .number(&format!("SELECT count(*) AS value FROM {sql}"))
    }

    /// The events of its log, in order.
    pub(crate) fn log(&self) -> Vec<String> {
        self.scratch
            .texts("SELECT event AS value FROM migrate_history_log ORDER BY sequence")
    }
}

/// Workers that serve what is enqueued, one of which is killed from time to time.
pub(crate) struct Crew<'p> {
    place: &'p Place<'p>,
    workers: VecDeque<Child>,
    started: u32,
    pub(crate) killed: u32,
}

impl<'p> Crew<'p> {
    pub(crate) fn new(place: &'p Place<'p>, workers: u32) -> Self {
        let mut crew = Self {
            place,
            workers: VecDeque::new(),
            started: 0,
            killed: 0,
        };
        (0..workers).for_each(|_| crew.start());
        crew
    }

    fn start(&mut self) {
        let Place {
            scratch, database, ..
        } = self.place;
        std::fs::create_dir_all(scratch.directory().join(".git")).unwrap();
        self.started += 1;
        // Nobody reads a pipe, and a full one would be waited for.
        let said = File::create(
            scratch
                .directory()
                .join(format!("worker {}.log", self.started)),
        )
        .unwrap();
        let worker = Command::new(PROGRAM)
            .args([
                "mass",
                "work",
                "--lease",
                "2s",
                "--format",
                "json",
                "--database",
                database,
            ])
            .env(
                format!("MIGRATE_DATABASES_{}_URL", database.to_uppercase()),
                scratch.url().reveal(),
            )
            .current_dir(scratch.directory())
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .spawn()
            .unwrap();
        self.workers.push_back(worker);
    }

    /// SIGKILL for the one that has been at it longest, and a new one in its place.
    pub(crate) fn replace_one(&mut self) {
        let mut oldest = self.workers.pop_front().unwrap();
        if let Some(status) = oldest.try_wait().unwrap() {
            panic!("a worker ended by itself: {status}\n{}", self.said());
        }
        oldest.kill().unwrap();
        oldest.wait().unwrap();
        self.killed += 1;
        self.start();
    }

    /// SIGSTOP for the first one, or SIGCONT: it sleeps as if its machine did.
    pub(crate) fn signal_one(&self, signal: &str) {
        let first = self.workers[0].id().to_string();
        let status = Command::new("kill").args([signal, &first]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until one of them says this.
    pub(crate) fn wait_for(&self, word: &str) {
        let began = Instant::now();
        while !self.said().contains(word) {
            assert!(began.elapsed() < EVER, "{word}: {}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything that they said.
    pub(crate) fn said(&self) -> String {
        let logs = (1..=self.started).map(|number| {
            let file = format!("worker {number}.log");
            std::fs::read_to_string(self.place.scratch.directory().join(file)).unwrap()
        });
        logs.collect()
    }

    /// SIGTERM for all of them: that is no failure of a worker.
    pub(crate) fn go_home(mut self) {
        for worker in &self.workers {
            let status = Command::new("kill").arg(worker.id().to_string()).status();
            assert!(status.unwrap().success());
        }
        for mut worker in std::mem::take(&mut self.workers) {
            let status = worker.wait().unwrap();
            assert_eq!(status.code(), Some(0), "{}", self.said());
        }
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            // An error when it has ended already.
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}
