//! `${VAR}` and `${VAR:-default}` in a value of the file.

use std::collections::HashMap;

use super::Entry;
use crate::invocation::Invocation;

/// What `${..}` can name: the environment, then `.env`. Empty ones are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(HashMap<String, String>);

impl Variables {
    pub(super) fn new(invocation: &Invocation, dotenv: &[(String, Entry)]) -> Self {
        let mut variables = HashMap::new();
        for (name, entry) in dotenv {
            variables
                .entry(name.clone())
                .or_insert_with(|| entry.text.clone());
        }
        for (name, value) in &invocation.environment {
            if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
                && !value.is_empty()
            {
                variables.insert(name.to_owned(), value.to_owned());
            }
        }
        Self(variables)
    }
}

/// Why a value cannot be expanded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ExpandError {
    #[error("the variable `{0}` is not set")]
    Undefined(String),
    #[error("`${{` is never closed by `}}`")]
    Open,
    #[error("`${{{0}}}` does not name a variable")]
    Name(String),
}

/// Replaces every `${..}`. What a variable holds is taken as it is, not looked into again.
pub(super) fn expand(text: &str, variables: &Variables) -> Result<String, ExpandError> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            // `$${`: meant literally.
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let (inside, after) = after.split_once('}').ok_or(ExpandError::Open)?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_name(name) {
            return Err(ExpandError::Name(inside.to_owned()));
        }
        let value = variables.0.get(name).map(String::as_str).or(default);
        expanded.push_str(value.ok_or_else(|| ExpandError::Undefined(name.to_owned()))?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn variables() -> Variables {
        Variables(HashMap::from([
            ("A".to_owned(), "one".to_owned()),
            ("B".to_owned(), "${A}".to_owned()),
        ]))
    }

    #[test]
    fn table() {
        for (text, expected) in [
            ("plain", Ok("plain")),
            ("a $ b $c $", Ok("a $ b $c $")),
            ("${A}-${A}", Ok("one-one")),
            ("${X:-two}", Ok("two")),
            ("${X:-}", Ok("")),
            ("${A:-two}", Ok("one")),
            ("${B}", Ok("${A}")),
            ("$${A}", Ok("${A}")),
            ("${X}", Err(ExpandError::Undefined("X".to_owned()))),
            ("${A", Err(ExpandError::Open)),
            ("${}", Err(ExpandError::Name(String::new()))),
            ("${A B}", Err(ExpandError::Name("A B".to_owned()))),
        ] {
            assert_eq!(
                expand(text, &variables()),
                expected.map(str::to_owned),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn text_without_a_reference_stays(text in "[^$]*") {
            prop_assert_eq!(expand(&text, &variables()), Ok(text));
        }

        #[test]
        fn doubling_the_dollar_escapes(text in "[A-Za-z{}]*") {
            let reference = format!("${{{text}");
            prop_assert_eq!(expand(&format!("${reference}"), &variables()), Ok(reference));
        }
    }
}
