//! The directory, read: the one place where a macro of ours looks at more than its tokens.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::{
    format,
    model::{Arguments, Found, Sql},
};
use crate::diagnostics::Diagnostics;

/// How deep a directory is looked into.
const DEPTH: usize = 8;
/// How many errors there are at most of one directory.
const TOLD: usize = 8;

/// A directory, and all of its files but hidden ones, sorted, with `/` between the parts of their names.
pub(super) struct Listed {
    base: PathBuf,
    /// As it was written.
    shown: String,
    pub(super) files: Vec<String>,
}

/// The migrations of the directory, as far as the arguments say which.
pub(super) fn directory(written: &Arguments, diagnostics: &mut Diagnostics) -> Option<Found> {
    let directory = written.directory.as_ref()?;
    let span = directory.literal.span();
    let listed = match list(&directory.value) {
        Ok(listed) => listed,
        Err(error) => {
            diagnostics.error(span, error);
            return None;
        }
    };
    let mut errors = Vec::new();
    let mut migrations = format::migrations(written.format?, &listed, &mut errors);
    migrations.sort_by(|a, b| a.order.cmp(&b.order));
    if migrations.is_empty() && errors.is_empty() {
        errors.push(format!(
            "`{}` holds no migration of this format: {}",
            listed.shown,
            format::described(written.format?)
        ));
    }
    // Of another tool's directory every file is wrong.
    let untold = errors.len().saturating_sub(TOLD);
    errors.truncate(TOLD);
    if untold > 0 {
        errors.push(format!("and {untold} more of `{}`", listed.shown));
    }
    for error in errors {
        diagnostics.error(span, error);
    }
    let files = listed.files.into_iter().filter(|it| matters(it)).collect();
    Some(Found { files, migrations })
}

/// What may be a migration, or belong to one. The program compares by this rule with what is there when it runs.
fn matters(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.ends_with(".sql") || name == "metadata.toml"
}

fn list(written: &str) -> Result<Listed, String> {
    if Path::new(written).is_absolute() {
        return Err(format!(
            "`{written}` is a place on one machine: name it as seen from the crate's `Cargo.toml`"
        ));
    }
    // Of the crate that is compiled now: Cargo tells rustc, and macros run inside of rustc.
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .ok_or("this needs Cargo: without it nobody says where the directory is")?;
    let base = Path::new(&manifest).join(written);
    let mut listed = Listed {
        base,
        shown: written.to_owned(),
        files: Vec::new(),
    };
    let base = listed.base.clone();
    listed.gather(&base, "", DEPTH)?;
    listed.files.sort();
    Ok(listed)
}

impl Listed {
    fn gather(&mut self, directory: &Path, before: &str, depth: usize) -> Result<(), String> {
        let shown = self.shown(before.trim_end_matches('/'));
        let wrong = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("there is no directory `{shown}` beside the crate's `Cargo.toml`")
            }
            _ => format!("cannot read the directory `{shown}`: {error}"),
        };
        for entry in fs::read_dir(directory).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let name = entry
                .file_name()
                .into_string()
                .map_err(|name| format!("the name of `{shown}/{}` is no UTF-8", name.display()))?;
            if name.starts_with('.') {
                continue;
            }
            // Not `file_type`: that of a symbolic link is its own.
            let path = entry.path();
            if path.is_dir() {
                if depth > 0 {
                    self.gather(&path, &format!("{before}{name}/"), depth - 1)?;
                }
            } else {
                self.files.push(format!("{before}{name}"));
            }
        }
        Ok(())
    }

    /// The file as messages show it.
    pub(super) fn shown(&self, file: &str) -> String {
        match file {
            "" => self.shown.clone(),
            file => format!("{}/{file}", self.shown.trim_end_matches('/')),
        }
    }

    pub(super) fn has(&self, file: &str) -> bool {
        self.files.iter().any(|it| it == file)
    }

    pub(super) fn read(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(self.base.join(file))
            .map_err(|error| format!("cannot read `{}`: {error}", self.shown(file)))
    }

    pub(super) fn sql(&self, file: &str) -> Result<Sql, String> {
        Ok(Sql {
            text: self.read(file)?,
            file: file.to_owned(),
        })
    }
}

#[cfg(test)]
impl Listed {
    /// A directory anywhere.
    pub(super) fn of(base: &Path) -> Result<Self, String> {
        let mut listed = Self {
            base: base.to_owned(),
            shown: "migrations".to_owned(),
            files: Vec::new(),
        };
        listed.gather(base, "", DEPTH)?;
        listed.files.sort();
        Ok(listed)
    }
}
