//! The arguments of `#[migration(..)]`.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use super::model::{Arguments, At, Text};
use crate::{
    attrs::{self, Argument, Key, Keys, Segment},
    diagnostics::Diagnostics,
    literal,
    paths::Runtime,
};

const KEYS: Keys = Keys {
    attribute: "migration",
    known: &[
        Key {
            name: "requires",
            form: "requires = [path, ..]",
        },
        Key {
            name: "id",
            form: "id = \"name\"",
        },
        Key {
            name: "was",
            form: "was = [\"old_name\", ..]",
        },
        Key {
            name: "down",
            form: "down = path",
        },
        Key {
            name: "irreversible",
            form: "irreversible = \"why\"",
        },
        Key {
            name: "transaction",
            form: "transaction = none",
        },
        Key {
            name: "database",
            form: "database = \"name\"",
        },
        Key {
            name: "databases",
            form: "databases = [\"name\", ..]",
        },
        Key {
            name: "crate",
            form: "crate = path",
        },
    ],
    later: &["repeat", "phase", "replaces", "suspends", "manual"],
};

pub(crate) fn arguments(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Arguments {
    let mut arguments = Arguments::default();
    if tokens.is_empty() {
        return arguments;
    }
    for argument in KEYS.parse(tokens, diagnostics) {
        store(&argument, &mut arguments, diagnostics);
    }
    arguments
}

fn store(argument: &Argument, into: &mut Arguments, diagnostics: &mut Diagnostics) {
    let key = argument.key.span();
    match argument.key.to_string().as_str() {
        "requires" => into.requires = requirements(argument, diagnostics),
        "id" => into.id = text(argument, diagnostics),
        "was" => into.was = texts(argument, diagnostics).unwrap_or_default(),
        "down" => {
            into.down = function_path(argument, diagnostics).map(|value| At { key, value });
        }
        "irreversible" => {
            into.irreversible = text(argument, diagnostics).map(|value| At { key, value });
        }
        "transaction" => into.transaction_none = transaction_none(argument, diagnostics),
        "database" => {
            into.database = text(argument, diagnostics).map(|value| At { key, value });
        }
        "databases" => {
            into.databases = texts(argument, diagnostics).map(|value| At { key, value });
        }
        _ => into.runtime = runtime(argument, diagnostics),
    }
}

/// `[path, ..]`
fn requirements(argument: &Argument, diagnostics: &mut Diagnostics) -> Vec<Vec<TokenTree>> {
    let Some(segments) = attrs::list(&argument.value) else {
        let message = if is_path(&argument.value) {
            format!(
                "`requires` takes a list: write `requires = [{}]`",
                source(&argument.value)
            )
        } else {
            "`requires` takes a list of paths: write `requires = [path, ..]`".to_owned()
        };
        argument.wrong(diagnostics, message);
        return Vec::new();
    };
    segments
        .into_iter()
        .filter_map(|segment| requirement(segment, diagnostics))
        .collect()
}

fn requirement(segment: Segment, diagnostics: &mut Diagnostics) -> Option<Vec<TokenTree>> {
    let Segment { tokens, end } = segment;
    if is_path(&tokens) {
        return Some(tokens);
    }
    let Some(first) = tokens.first() else {
        diagnostics.error(end?, "expected a path before this comma");
        return None;
    };
    let message = if let Some(value) = literal::string(first) {
        let unquoted = value.parse::<TokenStream>();
        if unquoted.is_ok_and(|it| is_path(&Vec::from_iter(it))) {
            format!(
                "`requires` takes paths to functions, not strings: write `{value}` without quotes"
            )
        } else {
            "`requires` takes paths to functions, not strings: write `requires = [path::to::function]`".to_owned()
        }
    } else if tokens.iter().any(|token| is_mark(token, '<')) {
        // What rustc suggests for recursive types, which is how it sees a cycle.
        "`requires` takes plain paths, without `<..>`; if a `Box` was suggested: these migrations \
         require each other in a circle, so remove one of the requirements"
            .to_owned()
    } else if tokens.len() > 1 && is_path(std::slice::from_ref(first)) {
        "expected one path; put a comma between two".to_owned()
    } else {
        "expected a path to a function annotated with `#[migration]`".to_owned()
    };
    diagnostics.error_on(&tokens, first.span(), message);
    None
}

/// `path`
fn function_path(argument: &Argument, diagnostics: &mut Diagnostics) -> Option<TokenStream> {
    if is_path(&argument.value) {
        return Some(argument.value.iter().cloned().collect());
    }
    let key = &argument.key;
    let message = match argument.value.as_slice() {
        [only] if literal::string(only).is_some() => {
            format!("`{key}` takes the path to a function, not a string: write `{key} = path`")
        }
        _ => format!("`{key}` takes the path to a function: write `{key} = path`"),
    };
    argument.wrong(diagnostics, message);
    None
}

/// `"text"`, not empty
fn text(argument: &Argument, diagnostics: &mut Diagnostics) -> Option<Text> {
    let key = &argument.key;
    if let [literal] = argument.value.as_slice()
        && let Some(value) = literal::string(literal)
    {
        // An empty id breaks a rule of core, which says so.
        if value.trim().is_empty() && key != "id" {
            argument.wrong(diagnostics, format!("`{key}` cannot be empty"));
            return None;
        }
        return Some(Text {
            literal: literal.clone(),
            value,
        });
    }
    let message = match attrs::peel(&argument.value).as_slice() {
        [TokenTree::Ident(word)] => {
            format!("`{key}` takes a string: write `{key} = \"{word}\"`")
        }
        _ => format!("`{key}` takes a string literal: write `{key} = \"..\"`"),
    };
    argument.wrong(diagnostics, message);
    None
}

/// `["text", ..]`, not empty
fn texts(argument: &Argument, diagnostics: &mut Diagnostics) -> Option<Vec<Text>> {
    let key = &argument.key;
    let Some(segments) = attrs::list(&argument.value) else {
        let message = match argument.value.as_slice() {
            [only] if literal::string(only).is_some() => {
                format!("`{key}` takes a list: write `{key} = [{only}]`")
            }
            _ => format!("`{key}` takes a list of strings: write `{key} = [\"..\", ..]`"),
        };
        argument.wrong(diagnostics, message);
        return None;
    };
    if segments.is_empty() {
        argument.wrong(
            diagnostics,
            format!("`{key}` is empty; name at least one, or remove the key"),
        );
        return None;
    }
    let mut texts = Vec::new();
    for Segment { tokens, end } in segments {
        match tokens.as_slice() {
            [only] if let Some(value) = literal::string(only) => {
                if value.trim().is_empty() {
                    diagnostics.error(only.span(), format!("a name in `{key}` cannot be empty"));
                } else {
                    texts.push(Text {
                        literal: only.clone(),
                        value,
                    });
                }
            }
            other => diagnostics.error_on(
                other,
                end.unwrap_or(argument.key.span()),
                format!("`{key}` takes string literals: write `{key} = [\"..\", ..]`"),
            ),
        }
    }
    Some(texts)
}

/// `none`
fn transaction_none(argument: &Argument, diagnostics: &mut Diagnostics) -> bool {
    if let [TokenTree::Ident(word)] = attrs::peel(&argument.value).as_slice()
        && word == "none"
    {
        return true;
    }
    argument.wrong(
        diagnostics,
        "`transaction` only takes `none`: write `transaction = none`, or remove the key to run \
         inside a transaction",
    );
    false
}

/// `crate = path`
fn runtime(argument: &Argument, diagnostics: &mut Diagnostics) -> Option<Runtime> {
    if is_path(&argument.value) {
        return Some(Runtime::Renamed(argument.value.iter().cloned().collect()));
    }
    argument.wrong(
        diagnostics,
        "`crate` takes the path under which this crate knows migrate-diesel: write `crate = path`",
    );
    None
}

/// `a`, `a::b`, `::a::b`, or what a `macro_rules!` inserted as a path or a type.
fn is_path(tokens: &[TokenTree]) -> bool {
    if let [TokenTree::Group(group)] = tokens {
        let inner: Vec<_> = group.stream().into_iter().collect();
        return group.delimiter() == Delimiter::None && is_path(&inner);
    }
    let mut rest = tokens;
    if let [first, second, after @ ..] = rest
        && is_separator(first, second)
    {
        rest = after;
    }
    loop {
        match rest {
            [segment] => return is_segment(segment),
            [segment, first, second, after @ ..]
                if is_segment(segment) && is_separator(first, second) =>
            {
                rest = after;
            }
            _ => return false,
        }
    }
}

/// An identifier; `_` is one to `proc_macro`.
fn is_segment(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident != "_")
}

fn is_separator(first: &TokenTree, second: &TokenTree) -> bool {
    matches!(first, TokenTree::Punct(it) if it.as_char() == ':' && it.spacing() == Spacing::Joint)
        && is_mark(second, ':')
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(it) if it.as_char() == mark)
}

/// The path as one would write it.
fn source(path: &[TokenTree]) -> String {
    path.iter().map(ToString::to_string).collect()
}
