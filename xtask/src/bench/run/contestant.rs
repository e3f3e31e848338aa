//! Who takes part, and how each is called.

/// Where the migrations are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Backend {
    /// SQLite, bundled, the same version for all
    Sqlite,
    /// A private PostgreSQL with fsync
    Postgres,
}

impl Backend {
    pub(super) const fn feature(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A package of `benches/peers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Program {
    Ours,
    Floor,
    Diesel,
    Refinery,
    Sqlx,
}

impl Program {
    pub(super) const fn package(self) -> &'static str {
        match self {
            Self::Ours => "bench-ours",
            Self::Floor => "bench-floor",
            Self::Diesel => "bench-diesel",
            Self::Refinery => "bench-refinery",
            Self::Sqlx => "bench-sqlx",
        }
    }

    /// The name of what cargo builds.
    pub(super) fn binary(self, backend: Backend) -> String {
        match self {
            Self::Floor => format!("floor-{}", backend.feature()),
            _ => self.package().to_owned(),
        }
    }

    /// Are the migrations part of the program? The floor makes them up as it goes.
    pub(super) const fn carries_migrations(self) -> bool {
        !matches!(self, Self::Floor)
    }
}

/// How its transactions lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each migration in its own.
    Each,
    /// All migrations in one.
    Together,
    /// Something that no tool for migrations made of code could do; shown for scale.
    Bound,
}

/// One program in one mode.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contestant {
    pub(super) name: &'static str,
    pub(super) program: Program,
    pub(super) mode: Mode,
    /// Does its run with nothing to do differ from that of the program's first mode?
    pub(super) own_noop: bool,
    words: fn(&str, usize) -> Vec<String>,
}

impl Contestant {
    /// Its arguments.
    pub(super) fn words(&self, backend: Backend, place: &str, size: usize) -> Vec<String> {
        let place = match (backend, self.program) {
            (Backend::Sqlite, Program::Ours | Program::Sqlx) => format!("sqlite://{place}"),
            _ => place.to_owned(),
        };
        (self.words)(&place, size)
    }

    /// A name that a file and a database may have.
    pub(super) fn slug(&self) -> String {
        self.name.replace([':', '-', ' '], "_")
    }
}

/// Everybody, in the order of the tables and of the first round.
pub(super) fn all(backend: Backend) -> Vec<Contestant> {
    let mut all = vec![
        contestant("ours", Program::Ours, Mode::Each, true, |url, _| {
            words(&["up", "--database-url", url])
        }),
        contestant(
            "ours:atomic",
            Program::Ours,
            Mode::Together,
            false,
            |url, _| words(&["up", "--atomic", "--database-url", url]),
        ),
        // Without the command line, as the other libraries are.
        contestant("ours:library", Program::Ours, Mode::Each, true, |url, _| {
            words(&["library", url])
        }),
        contestant("diesel", Program::Diesel, Mode::Each, true, |url, _| {
            words(&[url])
        }),
        contestant("refinery", Program::Refinery, Mode::Each, true, |url, _| {
            words(&[url])
        }),
        contestant(
            "refinery:grouped",
            Program::Refinery,
            Mode::Together,
            true,
            |url, _| words(&[url, "grouped"]),
        ),
        contestant("sqlx", Program::Sqlx, Mode::Each, true, |url, _| {
            words(&[url])
        }),
        contestant(
            "floor:per",
            Program::Floor,
            Mode::Each,
            true,
            |url, size| floor("per", url, size),
        ),
        contestant(
            "floor:all",
            Program::Floor,
            Mode::Together,
            false,
            |url, size| floor("all", url, size),
        ),
        contestant(
            "floor:savepoints",
            Program::Floor,
            Mode::Together,
            false,
            |url, size| floor("savepoints", url, size),
        ),
    ];
    if backend == Backend::Postgres {
        all.extend([
            contestant(
                "floor:per2",
                Program::Floor,
                Mode::Bound,
                false,
                |url, size| floor("per2", url, size),
            ),
            contestant(
                "floor:per1",
                Program::Floor,
                Mode::Bound,
                false,
                |url, size| floor("per1", url, size),
            ),
            contestant(
                "floor:all1",
                Program::Floor,
                Mode::Bound,
                false,
                |url, size| floor("all1", url, size),
            ),
        ]);
    }
    all
}

const fn contestant(
    name: &'static str,
    program: Program,
    mode: Mode,
    own_noop: bool,
    words: fn(&str, usize) -> Vec<String>,
) -> Contestant {
    Contestant {
        name,
        program,
        mode,
        own_noop,
        words,
    }
}

fn floor(variant: &str, url: &str, size: usize) -> Vec<String> {
    words(&[variant, url, &size.to_string()])
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_slugs_are_unique() {
        for backend in [Backend::Sqlite, Backend::Postgres] {
            let mut slugs: Vec<String> = all(backend).iter().map(Contestant::slug).collect();
            let count = slugs.len();
            slugs.sort();
            slugs.dedup();
            assert_eq!(slugs.len(), count);
        }
    }

    #[test]
    fn tools_that_know_urls_only_get_one() {
        let all = all(Backend::Sqlite);
        let words = |name: &str| {
            let one = all.iter().find(|one| one.name == name).expect("known");
            one.words(Backend::Sqlite, "/tmp/x.db", 7)
        };
        assert_eq!(words("sqlx"), ["sqlite:///tmp/x.db"]);
        assert_eq!(words("diesel"), ["/tmp/x.db"]);
        assert_eq!(words("floor:per"), ["per", "/tmp/x.db", "7"]);
    }
}
