//! Builds the contestants and keeps their programs side by side.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::contestant::{Backend, Contestant, Program};
use crate::bench::peers;
use crate::error::{Error, IoContext as _};

/// The sizes between which counts are compared: the slope is what one migration costs.
pub(super) const COUNTED: [usize; 2] = [1, 100];

/// A contestant's program for a number of migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Build {
    pub(super) program: Program,
    pub(super) backend: Backend,
    pub(super) size: usize,
    /// With SQLite's trace on, to count statements.
    pub(super) counting: bool,
}

impl Build {
    fn features(self) -> String {
        let mut features = vec![self.backend.feature().to_owned()];
        if self.program.carries_migrations() {
            features.push(format!("n{}", self.size));
        }
        if self.counting {
            features.push("count".to_owned());
        }
        features.join(",")
    }

    /// A program that makes its migrations up as it goes is the same for all sizes.
    fn canonical(self) -> Self {
        let size = if self.program.carries_migrations() {
            self.size
        } else {
            0
        };
        Self { size, ..self }
    }
}

/// Where they are.
#[derive(Debug)]
pub(super) struct Programs {
    target: PathBuf,
    programs: PathBuf,
}

impl Programs {
    /// With the launcher, which every measurement needs.
    pub(super) fn new() -> Result<Self, Error> {
        let target = peers::target();
        let programs = target.join("programs");
        fs::create_dir_all(&programs).context("create", &programs)?;
        peers::build("launcher", "")?;
        Ok(Self { target, programs })
    }

    /// Builds what the measurements will ask for.
    pub(super) fn build(
        &self,
        backend: Backend,
        contestants: &[Contestant],
        sizes: &[usize],
        counts: bool,
    ) -> Result<(), Error> {
        let mut wanted = BTreeSet::new();
        // The floor also resets databases and looks what is in them.
        wanted.insert(Build {
            program: Program::Floor,
            backend,
            size: 0,
            counting: false,
        });
        for contestant in contestants {
            let build = |size, counting| {
                Build {
                    program: contestant.program,
                    backend,
                    size,
                    counting,
                }
                .canonical()
            };
            wanted.extend(sizes.iter().map(|size| build(*size, false)));
            if counts {
                wanted.extend(COUNTED.map(|size| build(size, false)));
            }
            if counts && backend == Backend::Sqlite {
                wanted.extend(COUNTED.map(|size| build(size, true)));
            }
        }
        for build in wanted {
            peers::build(build.program.package(), &build.features())?;
            let built = self
                .target
                .join("release")
                .join(build.program.binary(backend));
            let kept = self.path(build);
            fs::copy(&built, &kept).context("copy to", &kept)?;
        }
        Ok(())
    }

    /// A program that was built.
    pub(super) fn path(&self, build: Build) -> PathBuf {
        let Build {
            program,
            backend,
            size,
            counting,
        } = build.canonical();
        let suffix = if counting { "-count" } else { "" };
        self.programs.join(format!(
            "{}-{}-{size}{suffix}",
            program.package(),
            backend.feature()
        ))
    }

    pub(super) fn launcher(&self) -> PathBuf {
        self.target.join("release/launcher")
    }

    /// For databases and the like.
    pub(super) fn scratch(&self) -> PathBuf {
        self.target.join("run")
    }
}
