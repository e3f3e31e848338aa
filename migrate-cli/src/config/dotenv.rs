//! `.env`: variables that the environment does not have.

use std::path::Path;

use migrate_core::Failure;

use super::{Entry, Origin, mistake};

/// The variables of a `.env`, in the order of the file. The process environment stays as it is.
///
/// # Errors
/// It cannot be read, or a line is no assignment: a line that is skipped in silence could be the one
/// that says which database is meant.
pub(super) fn read(path: &Path, shown: &str) -> Result<Vec<(String, Entry)>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| mistake(format!("cannot read {shown}: {error}")))?;
    parse(&text, shown)
}

fn parse(text: &str, shown: &str) -> Result<Vec<(String, Entry)>, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    let mut variables = Vec::new();
    for item in dotenvy::from_read_iter(text.as_bytes()) {
        let (name, value) = item.map_err(|error| broken(&error, text, shown))?;
        // dotenvy unquotes; an empty variable is an unset one.
        if value.is_empty() {
            continue;
        }
        let origin = Origin::Dotenv {
            shown: shown.to_owned(),
            line: line_of_assignment(text, &name),
            name: name.clone(),
        };
        variables.push((
            name,
            Entry {
                text: value,
                origin,
            },
        ));
    }
    Ok(variables)
}

/// dotenvy names the line's text but not its number. The text is not repeated: it may hold a password.
fn broken(error: &dotenvy::Error, text: &str, shown: &str) -> Failure {
    let line = match error {
        dotenvy::Error::LineParse(line, _) => text
            .lines()
            .position(|candidate| {
                line.lines()
                    .next()
                    .is_some_and(|first| candidate.trim() == first.trim())
            })
            .map_or(1, |at| at + 1),
        _ => return mistake(format!("cannot read {shown}: {error}")),
    };
    mistake(format!("{shown}:{line}: this line is no assignment"))
        .next("write NAME=value, with quotes around a value that has spaces or `#`")
}

fn line_of_assignment(text: &str, name: &str) -> usize {
    text.lines()
        .position(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
            line.strip_prefix(name)
                .is_some_and(|rest| rest.trim_start().starts_with('='))
        })
        .map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quotes_comments_and_export_with_lines() {
        let text = "# a comment\n\nA=1\nexport B=\"two words\"\nEMPTY=\nC='$A'\n";
        let variables = parse(text, ".env").unwrap();
        let seen: Vec<String> = variables
            .iter()
            .map(|(_, entry)| format!("{} -> {}", entry.origin, entry.text))
            .collect();
        assert_eq!(
            seen,
            [
                ".env:3: A -> 1",
                ".env:4: B -> two words",
                ".env:6: C -> $A"
            ]
        );
    }

    #[test]
    fn a_broken_line_is_named_and_not_repeated() {
        let failure = parse("A=1\nsecret s3cret\n", ".env").unwrap_err();
        assert_eq!(failure.message, ".env:2: this line is no assignment");
    }
}
