//! [`MassParameters`]: what a run can be told when it is started.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::code::{Masked, Parameters};
use crate::migration::BoxError;

/// What a run can be told when it is started, as a type.
///
/// `#[derive(MassParameters)]` writes it for a struct: the doc comment of a field is its help, and its
/// type says what it may be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the parameters of a mass migration",
    note = "write `#[derive(MassParameters)]` above the struct"
)]
pub trait MassParameters: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its fields, in the order in which forms show them.
    const FIELDS: &'static [Field];

    /// Checks values that fit their types.
    ///
    /// # Errors
    /// What is wrong, in words for who typed it.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// What may be typed.
    pub kind: FieldKind,
    /// What it is when nothing is said, as JSON; `None` where something has to be said.
    pub default: Option<&'static str>,
    /// What it may be; empty for anything of its kind.
    pub choices: &'static [&'static str],
    /// Whether it is shown.
    pub secrecy: Secrecy,
}

impl Field {
    /// One that has to be said, and is shown.
    #[must_use]
    pub const fn new(name: &'static str, kind: FieldKind) -> Self {
        Self {
            name,
            help: "",
            kind,
            default: None,
            choices: &[],
            secrecy: Secrecy::Shown,
        }
    }

    /// What it is for.
    #[must_use]
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// What it is when nothing is said, as JSON.
    #[must_use]
    pub const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }

    /// What it may be.
    #[must_use]
    pub const fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    /// It is never shown.
    #[must_use]
    pub const fn masked(mut self) -> Self {
        self.secrecy = Secrecy::Masked;
        self
    }
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A text; what is typed is taken as it is.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Switch,
    /// Anything else, as JSON.
    Json,
}

/// Whether a parameter is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrecy {
    /// It is.
    #[default]
    Shown,
    /// It never reaches a log, a status, an event or an error.
    Masked,
}

/// Without parameters.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Serialize, serde::Deserialize)]
pub struct NoParameters {}

impl MassParameters for NoParameters {
    const FIELDS: &'static [Field] = &[];
}

/// What stands for a masked value.
pub const MASK: &str = "***";

/// What was wrong with the parameters of a run: all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ParametersError {
    /// One sentence each.
    pub problems: Vec<String>,
}

impl fmt::Display for ParametersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the parameters do not fit: ")?;
        f.write_str(&self.problems.join("; "))
    }
}

/// What was typed, as JSON: a text is taken as it is, everything else is parsed. What cannot be parsed
/// stays a text, for [`check`] to refuse.
pub(crate) fn parse<'t>(
    fields: &[Field],
    typed: impl IntoIterator<Item = (&'t str, &'t str)>,
) -> Parameters {
    let value = |name: &str, text: &str| {
        let kind = fields.iter().find(|it| it.name == name).map(|it| it.kind);
        match kind {
            Some(FieldKind::Text) => Value::from(text),
            _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        }
    };
    typed
        .into_iter()
        .map(|(name, text)| (name.to_owned(), value(name, text)))
        .collect()
}

/// Checks parameters; says which are masked.
pub(crate) fn check<P: MassParameters>(parameters: &Parameters) -> Result<Masked, BoxError> {
    read::<P>(parameters)?;
    Ok(masked(P::FIELDS))
}

/// Those that are never shown.
pub(crate) fn masked(fields: &[Field]) -> Masked {
    fields
        .iter()
        .filter(|it| it.secrecy == Secrecy::Masked)
        .map(|it| it.name)
        .collect()
}

/// As they may be shown.
pub(crate) fn shown(parameters: &Parameters, masked: &[&str]) -> Parameters {
    let show = |(name, value): (&String, &Value)| {
        let value = if masked.contains(&name.as_str()) {
            Value::from(MASK)
        } else {
            value.clone()
        };
        (name.clone(), value)
    };
    parameters.iter().map(show).collect()
}

/// Takes the values of masked parameters out of a text, for an error that may repeat them.
pub(crate) fn without_masked(mut text: String, parameters: &Parameters, masked: &[&str]) -> String {
    for (_, value) in parameters
        .iter()
        .filter(|(name, _)| masked.contains(&name.as_str()))
    {
        let plain = match value {
            Value::String(text) => text.clone(),
            // Too short to say which occurrence is the value: `1` and `true` are in many a sentence.
            other => Some(other.to_string())
                .filter(|it| it.len() > 5)
                .unwrap_or_default(),
        };
        if !plain.is_empty() {
            text = text.replace(&plain, MASK);
        }
    }
    text
}

/// Parameters as a type, defaults filled in.
pub(crate) fn read<P: MassParameters>(parameters: &Parameters) -> Result<P, ParametersError> {
    let (object, problems) = complete(P::FIELDS, parameters);
    if !problems.is_empty() {
        return Err(ParametersError { problems });
    }
    let masked = masked(P::FIELDS);
    let refuse = |problem: String| ParametersError {
        problems: vec![without_masked(problem, parameters, &masked)],
    };
    let value: P = serde_json::from_value(Value::Object(object.clone()))
        .map_err(|error| refuse(blame(P::FIELDS, &object, &error)))?;
    value.validate().map_err(refuse)?;
    Ok(value)
}

/// As [`read`], for a hook, which need not take the parameters of its migration.
pub(crate) fn read_known<P: MassParameters>(parameters: &Parameters) -> Result<P, ParametersError> {
    let known = parameters
        .iter()
        .filter(|(name, _)| P::FIELDS.iter().any(|it| it.name == *name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    read(&known)
}

/// With defaults.
#[cfg(feature = "csv")]
pub(crate) fn filled(fields: &[Field], parameters: &Parameters) -> Parameters {
    complete(fields, parameters).0
}

/// What serde says of a value, without repeating it where it is masked.
fn blame(fields: &[Field], object: &Parameters, error: &serde_json::Error) -> String {
    let hidden = fields
        .iter()
        .any(|it| it.secrecy == Secrecy::Masked && object.contains_key(it.name));
    if hidden {
        // serde repeats a value in forms of its own (`string "..."` with escapes), which no search finds.
        "a value does not fit its type".to_owned()
    } else {
        error.to_string()
    }
}

/// With defaults, and all that is wrong at first sight.
fn complete(fields: &[Field], parameters: &Parameters) -> (Parameters, Vec<String>) {
    let mut problems = Vec::new();
    for name in parameters.keys() {
        if !fields.iter().any(|it| it.name == name) {
            problems.push(unknown(fields, name));
        }
    }
    let mut object = Parameters::new();
    for field in fields {
        match (parameters.get(field.name), field.default) {
            (Some(value), _) => {
                if let Some(problem) = misfit(field, value) {
                    problems.push(problem);
                }
                object.insert(field.name.to_owned(), value.clone());
            }
            (None, Some(default)) => {
                // The derive made it from a value of the field's type.
                let value = serde_json::from_str(default).unwrap_or_else(|_| Value::from(default));
                object.insert(field.name.to_owned(), value);
            }
            (None, None) => problems.push(format!("`{}` is missing", field.name)),
        }
    }
    (object, problems)
}

fn unknown(fields: &[Field], name: &str) -> String {
    if fields.is_empty() {
        return format!("it takes no parameters, and got `{name}`");
    }
    let known: Vec<_> = fields.iter().map(|it| format!("`{}`", it.name)).collect();
    format!("it has no parameter `{name}`, only {}", known.join(", "))
}

fn misfit(field: &Field, value: &Value) -> Option<String> {
    let (fits, wanted) = match field.kind {
        FieldKind::Text => (value.is_string() || value.is_null(), "a text"),
        FieldKind::Integer => (
            value.is_i64() || value.is_u64() || value.is_null(),
            "a whole number",
        ),
        FieldKind::Number => (value.is_number() || value.is_null(), "a number"),
        FieldKind::Switch => (value.is_boolean() || value.is_null(), "`true` or `false`"),
        FieldKind::Json => (true, "JSON"),
    };
    let name = field.name;
    let given = match field.secrecy {
        Secrecy::Shown => format!(", not {value}"),
        Secrecy::Masked => String::new(),
    };
    if !fits {
        return Some(format!("`{name}` is {wanted}{given}"));
    }
    let text = value.as_str()?;
    if field.choices.is_empty() || field.choices.contains(&text) {
        return None;
    }
    let choices: Vec<_> = field.choices.iter().map(|it| format!("`{it}`")).collect();
    Some(format!("`{name}` is one of {}{given}", choices.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, serde::Deserialize)]
    struct Sample {
        table: String,
        limit: u8,
        token: String,
        mode: String,
        dry: bool,
    }

    const fn field(name: &'static str, kind: FieldKind) -> Field {
        Field {
            name,
            help: "",
            kind,
            default: None,
            choices: &[],
            secrecy: Secrecy::Shown,
        }
    }

    impl MassParameters for Sample {
        const FIELDS: &'static [Field] = &[
            field("table", FieldKind::Text),
            field("limit", FieldKind::Integer),
            Field {
                secrecy: Secrecy::Masked,
                ..field("token", FieldKind::Text)
            },
            Field {
                choices: &["fast", "slow"],
                default: Some("\"slow\""),
                ..field("mode", FieldKind::Text)
            },
            Field {
                default: Some("false"),
                ..field("dry", FieldKind::Switch)
            },
        ];

        fn validate(&self) -> Result<(), String> {
            if self.token.len() > 3 {
                Ok(())
            } else {
                Err(format!("the token {} is too short", self.token))
            }
        }
    }

    fn typed(given: &[(&str, &str)]) -> Result<Sample, ParametersError> {
        read(&parse(Sample::FIELDS, given.iter().copied()))
    }

    #[test]
    fn texts_are_taken_as_they_are_and_defaults_filled_in() {
        let read = typed(&[("table", "123"), ("limit", "7"), ("token", "secret")]).unwrap();
        assert_eq!((read.table.as_str(), read.limit), ("123", 7));
        assert_eq!((read.mode.as_str(), read.dry), ("slow", false));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let error = typed(&[
            ("tabel", "x"),
            ("limit", "many"),
            ("mode", "medium"),
            ("dry", "1"),
            ("token", "s3cret-value"),
        ])
        .unwrap_err();
        assert_eq!(
            error.problems,
            [
                "it has no parameter `tabel`, only `table`, `limit`, `token`, `mode`, `dry`",
                "`table` is missing",
                "`limit` is a whole number, not \"many\"",
                "`mode` is one of `fast`, `slow`, not \"medium\"",
                "`dry` is `true` or `false`, not 1",
            ]
        );
    }

    #[test]
    fn what_is_masked_is_in_no_error() {
        let wrong_type = read::<Sample>(
            &serde_json::from_str(r#"{"table":"t","limit":300,"token":"s3cret"}"#).unwrap(),
        );
        let too_short = typed(&[("table", "t"), ("limit", "1"), ("token", "x9")]);
        let no_text = read::<Sample>(
            &serde_json::from_str(r#"{"table":"t","limit":1,"token":4711}"#).unwrap(),
        );
        for (error, says) in [
            (wrong_type.unwrap_err(), "does not fit its type"),
            (too_short.unwrap_err(), "the token *** is too short"),
            (no_text.unwrap_err(), "`token` is a text"),
        ] {
            let error = error.to_string();
            assert!(error.contains(says), "{error}");
            for secret in ["s3cret", "x9", "4711"] {
                assert!(!error.contains(secret), "{error}");
            }
        }
        let shown = shown(
            &serde_json::from_str(r#"{"table":"t","token":"s3cret"}"#).unwrap(),
            &masked(Sample::FIELDS),
        );
        assert_eq!(
            Value::Object(shown).to_string(),
            r#"{"table":"t","token":"***"}"#
        );
    }

    #[test]
    fn without_parameters_any_is_too_many() {
        let error = read::<NoParameters>(&parse(&[], [("x", "1")])).unwrap_err();
        assert_eq!(error.problems, ["it takes no parameters, and got `x`"]);
    }
}
