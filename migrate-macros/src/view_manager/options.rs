//! `options = [security_barrier, check_option = local, ..]`

use proc_macro2::{Ident, TokenTree};

use super::model::ViewOption;
use crate::{
    attrs::{self, Argument, Segment, nearest},
    diagnostics::Diagnostics,
    literal,
    values::{At, is_mark},
};

/// One option that a backend understands.
struct Known {
    name: &'static str,
    takes: Takes,
}

#[derive(Clone, Copy)]
enum Takes {
    /// `true`, `false`, or nothing for `true`.
    Truth,
    /// One of these.
    Word(&'static [&'static str]),
    Text,
}

/// <https://www.postgresql.org/docs/current/sql-createview.html>,
/// <https://mariadb.com/kb/en/create-view/>
const OPTIONS: [Known; 5] = [
    Known {
        name: "security_barrier",
        takes: Takes::Truth,
    },
    Known {
        name: "security_invoker",
        takes: Takes::Truth,
    },
    Known {
        name: "check_option",
        takes: Takes::Word(&["local", "cascaded"]),
    },
    Known {
        name: "algorithm",
        takes: Takes::Word(&["merge", "temptable", "undefined"]),
    },
    Known {
        name: "definer",
        takes: Takes::Text,
    },
];

pub(super) fn parse(argument: &Argument, diagnostics: &mut Diagnostics) -> At<Vec<ViewOption>> {
    let mut options: Vec<ViewOption> = Vec::new();
    match attrs::list(&argument.value) {
        None => argument.wrong(
            diagnostics,
            "`options` takes a list: write `options = [security_barrier, check_option = local]`",
        ),
        Some(segments) => {
            for segment in segments {
                let Some((name, option)) = option(segment, diagnostics) else {
                    continue;
                };
                if options.iter().any(|it| it.name == option.name) {
                    let message = format!("`{name}` is given twice; keep one");
                    diagnostics.error(name.span(), message);
                } else {
                    options.push(option);
                }
            }
        }
    }
    At {
        key: argument.key.span(),
        value: options,
    }
}

fn option(segment: Segment, diagnostics: &mut Diagnostics) -> Option<(Ident, ViewOption)> {
    let Segment { tokens, end } = segment;
    let (name, value) = match tokens.as_slice() {
        [TokenTree::Ident(name)] => (name, None),
        [TokenTree::Ident(name), equals, value @ ..] if is_mark(equals, '=') => (name, Some(value)),
        [first, ..] => {
            let message = "expected `option` or `option = value`";
            diagnostics.error_on(&tokens, first.span(), message);
            return None;
        }
        [] => {
            diagnostics.error(end?, "expected an option before this comma");
            return None;
        }
    };
    let known = look_up(name, diagnostics)?;
    let Some(value) = known.takes.value(value) else {
        let message = format!("`{name}` takes {}", known.takes.form(known.name));
        match tokens.get(2..) {
            Some(value) => diagnostics.error_on(value, name.span(), message),
            None => diagnostics.error(name.span(), message),
        }
        return None;
    };
    let option = ViewOption {
        name: known.name,
        value,
    };
    Some((name.clone(), option))
}

fn look_up(name: &Ident, diagnostics: &mut Diagnostics) -> Option<&'static Known> {
    let known = OPTIONS.iter().find(|it| name == it.name);
    if known.is_none() {
        let nearest = nearest(&name.to_string(), OPTIONS.iter().map(|it| it.name))
            .map_or_else(String::new, |it| format!(", did you mean `{it}`?"));
        let names = OPTIONS.map(|it| format!("`{}`", it.name)).join(", ");
        diagnostics.error(
            name.span(),
            format!("unknown option `{name}` of a view{nearest}\nthe options are {names}"),
        );
    }
    known
}

impl Takes {
    /// In the form in which it is registered; `None` when it is not one of these.
    fn value(self, written: Option<&[TokenTree]>) -> Option<String> {
        let word = match written {
            None => return matches!(self, Self::Truth).then(|| "true".to_owned()),
            Some([TokenTree::Ident(word)]) if !matches!(self, Self::Text) => word.to_string(),
            Some([only]) => literal::string(only)?,
            Some(_) => return None,
        };
        let allowed: &[&str] = match self {
            Self::Truth => &["true", "false"],
            Self::Word(words) => words,
            Self::Text => return (!word.trim().is_empty()).then_some(word),
        };
        let word = word.to_ascii_lowercase();
        allowed.contains(&word.as_str()).then_some(word)
    }

    fn form(self, name: &str) -> String {
        match self {
            Self::Truth => format!("`true` or `false`: write `{name}` or `{name} = false`"),
            Self::Word(words) => {
                let words: Vec<_> = words.iter().map(|it| format!("`{name} = {it}`")).collect();
                format!("one word: write {}", words.join(" or "))
            }
            Self::Text => format!("a string: write `{name} = \"user@host\"`"),
        }
    }
}
