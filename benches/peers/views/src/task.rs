//! What one run is about: who, where, how many views and how they hang together.

use std::{str::FromStr, sync::OnceLock};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
    Mysql,
}

/// Who takes the views out of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// `session.suspend` around the change.
    Guard,
    /// `#[migration(suspends = [..])]`.
    Suspends,
    /// Statements, each by itself.
    Hand,
    /// The same statements, all in one message.
    Batch,
}

impl Contestant {
    /// Are the views declared? By hand they are nothing but SQL, as without us.
    pub fn declares(self) -> bool {
        matches!(self, Self::Guard | Self::Suspends)
    }
}

/// How the views hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each reads the one before.
    Chain,
    /// All read the first.
    Fan,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Task {
    pub contestant: Contestant,
    pub url: String,
    pub shape: Shape,
    /// Views that stand in the way.
    pub in_the_way: usize,
    /// Further views, of another table.
    pub beside: usize,
    /// What the change makes of the column: `VARCHAR(length)`.
    pub length: usize,
}

static TASK: OnceLock<Task> = OnceLock::new();

impl Task {
    /// From `CONTESTANT URL SHAPE IN_THE_WAY BESIDE LENGTH`.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let [contestant, url, shape, in_the_way, beside, length] = words else {
            return Err("expected CONTESTANT URL SHAPE IN_THE_WAY BESIDE LENGTH".to_owned());
        };
        let number = |word: &str| {
            usize::from_str(word).map_err(|error| format!("`{word}` is no number: {error}"))
        };
        let in_the_way = number(in_the_way)?;
        if in_the_way == 0 {
            return Err("at least one view has to stand in the way".to_owned());
        }
        Ok(Self {
            contestant: match contestant.as_str() {
                "guard" => Contestant::Guard,
                "suspends" => Contestant::Suspends,
                "hand" => Contestant::Hand,
                "hand:batch" => Contestant::Batch,
                other => return Err(format!("there is no contestant `{other}`")),
            },
            url: url.clone(),
            shape: match shape.as_str() {
                "chain" => Shape::Chain,
                "fan" => Shape::Fan,
                other => return Err(format!("there is no shape `{other}`")),
            },
            in_the_way,
            beside: number(beside)?,
            length: number(length)?,
        })
    }

    pub fn backend(&self) -> Backend {
        Backend::of(&self.url)
    }

    /// For the bodies of migrations, which take nothing but a connection.
    pub fn publish(&self) {
        TASK.get_or_init(|| self.clone());
    }

    /// The one that was published.
    pub fn current() -> &'static Self {
        TASK.get().expect("published before the run")
    }
}

impl Backend {
    pub fn of(url: &str) -> Self {
        match url.split_once("://") {
            Some(("postgres", _)) => Self::Postgres,
            Some(("mysql", _)) => Self::Mysql,
            _ => Self::Sqlite,
        }
    }
}
