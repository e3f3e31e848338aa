//! The struct, its fields and their attributes.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use crate::{
    attrs::{self, Argument, Key, Keys},
    diagnostics::Diagnostics,
    docs::Docs,
    item::Tokens,
    literal,
    paths::Runtime,
    values::{self, At, Named, Text, is_mark},
};

const OF_THE_STRUCT: Keys = Keys {
    attribute: "parameters",
    known: &[
        Key {
            name: "validate",
            form: "validate = path",
        },
        Key {
            name: "crate",
            form: "crate = path",
        },
    ],
    later: &[],
};

const OF_A_FIELD: Keys = Keys {
    attribute: "parameter",
    known: &[
        Key {
            name: "default",
            form: "default = value",
        },
        Key {
            name: "choices",
            form: "choices = [\"..\", ..]",
        },
        Key {
            name: "masked",
            form: "masked",
        },
    ],
    later: &[],
};

/// A struct of parameters. What was wrong is absent here and an error elsewhere.
pub(super) struct Item {
    pub(super) name: Ident,
    pub(super) fields: Vec<Field>,
    pub(super) validate: Option<At<TokenStream>>,
    pub(super) runtime: Runtime,
}

pub(super) struct Field {
    pub(super) name: String,
    pub(super) help: String,
    pub(super) kind: Kind,
    /// As JSON.
    pub(super) default: Option<String>,
    pub(super) choices: Vec<Text>,
    pub(super) is_masked: bool,
}

/// What may be typed, as the type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Number,
    Switch,
    Json,
}

pub(super) fn item(item: TokenStream, diagnostics: &mut Diagnostics) -> Option<Item> {
    let mut tokens = Tokens::new(item);
    let (_, arguments) = attributes(&mut tokens, &OF_THE_STRUCT, diagnostics);
    tokens.visibility();
    let word = tokens.0.next()?;
    if !matches!(&word, TokenTree::Ident(word) if word == "struct") {
        diagnostics.error(word.span(), "parameters are a struct with named fields");
        return None;
    }
    let Some(TokenTree::Ident(name)) = tokens.0.next() else {
        return None;
    };
    if let Some(open) = tokens.next_if_mark('<') {
        diagnostics.error(
            open.span(),
            "parameters cannot be generic: a run stores them",
        );
        return None;
    }
    let fields = match tokens.0.next() {
        Some(TokenTree::Group(fields)) if fields.delimiter() == Delimiter::Brace => {
            split(fields.stream())
        }
        Some(other) if !is_mark(&other, ';') => {
            diagnostics.error(
                other.span(),
                "the fields of parameters have names: write `struct Name { field: Type }`",
            );
            return None;
        }
        _ => Vec::new(),
    };
    let mut item = Item {
        name,
        fields: Vec::new(),
        validate: None,
        runtime: Runtime::default(),
    };
    for argument in &arguments {
        if argument.key == "validate" {
            item.validate = values::path(argument, Named::Function, diagnostics);
        } else if let Some(runtime) = values::runtime(argument, diagnostics) {
            item.runtime = runtime;
        }
    }
    item.fields = fields
        .into_iter()
        .filter_map(|tokens| field(tokens, diagnostics))
        .collect();
    Some(item)
}

/// The doc comment, and what stands in the attributes of ours.
fn attributes(
    tokens: &mut Tokens,
    keys: &Keys,
    diagnostics: &mut Diagnostics,
) -> (Docs, Vec<Argument>) {
    let mut docs = Docs::default();
    let mut arguments = Vec::new();
    while tokens.next_if_mark('#').is_some() {
        let Some(TokenTree::Group(group)) = tokens.0.next() else {
            continue;
        };
        let mut inner = Tokens::new(group.stream()).0;
        match (inner.next(), inner.next()) {
            (Some(TokenTree::Ident(name)), Some(TokenTree::Group(group)))
                if name == keys.attribute =>
            {
                arguments.extend(keys.parse(group.stream(), diagnostics));
            }
            (Some(TokenTree::Ident(name)), Some(_)) if name == "doc" => {
                if let Some(value) = inner.next() {
                    docs.push(&value);
                }
            }
            _ => {}
        }
    }
    (docs, arguments)
}

/// Splits at commas that are not between `<` and `>`.
fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut fields = vec![TokenStream::new()];
    let mut depth = 0_i32;
    for token in tokens {
        if is_mark(&token, '<') {
            depth += 1;
        } else if is_mark(&token, '>') {
            depth -= 1;
        } else if is_mark(&token, ',') && depth == 0 {
            fields.push(TokenStream::new());
            continue;
        }
        if let Some(last) = fields.last_mut() {
            last.extend([token]);
        }
    }
    fields.retain(|field| !field.is_empty());
    fields
}

fn field(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<Field> {
    let mut tokens = Tokens::new(tokens);
    let (docs, arguments) = attributes(&mut tokens, &OF_A_FIELD, diagnostics);
    tokens.visibility();
    let Some(TokenTree::Ident(name)) = tokens.0.next() else {
        return None;
    };
    tokens.next_if_mark(':')?;
    let of: Vec<_> = tokens.0.collect();
    let (kind, is_optional) = kind(&of);
    let mut field = Field {
        name: values::unraw(&name),
        help: docs.first_paragraph(),
        kind,
        default: is_optional.then(|| "null".to_owned()),
        choices: Vec::new(),
        is_masked: false,
    };
    for argument in &arguments {
        match argument.key.to_string().as_str() {
            "default" => {
                field.default = default(argument, diagnostics).or(field.default);
            }
            "choices" => {
                let choices = values::texts(argument, diagnostics);
                field.choices = choices.map_or_else(Vec::new, |it| it.value);
            }
            _ => field.is_masked = true,
        }
    }
    Some(field)
}

/// By the last name in a type; whether it is an `Option`.
fn kind(of: &[TokenTree]) -> (Kind, bool) {
    let open = of.iter().position(|it| is_mark(it, '<'));
    let outer = of.get(..open.unwrap_or(of.len())).unwrap_or_default();
    let Some(TokenTree::Ident(name)) = outer.last() else {
        return (Kind::Json, false);
    };
    let kind_of = match name.to_string().as_str() {
        "Option" => {
            let inner = open.and_then(|open| of.get(open + 1..of.len().saturating_sub(1)));
            return (kind(inner.unwrap_or_default()).0, true);
        }
        _ if open.is_some() => Kind::Json,
        "String" | "PathBuf" | "char" => Kind::Text,
        "f32" | "f64" => Kind::Number,
        "bool" => Kind::Switch,
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
        | "usize" => Kind::Integer,
        _ => Kind::Json,
    };
    (kind_of, false)
}

/// A literal, as JSON.
fn default(argument: &Argument, diagnostics: &mut Diagnostics) -> Option<String> {
    let value = attrs::peel(&argument.value);
    let json = match value.as_slice() {
        [one] if literal::string(one).is_some() => literal::string(one).map(|text| json(&text)),
        [TokenTree::Ident(word)] if word == "true" || word == "false" => Some(word.to_string()),
        [TokenTree::Literal(number)] => number_text(&number.to_string()),
        [minus, TokenTree::Literal(number)] if is_mark(minus, '-') => {
            number_text(&number.to_string()).map(|it| format!("-{it}"))
        }
        _ => None,
    };
    if json.is_none() {
        argument.wrong(
            diagnostics,
            "`default` takes a text, a number without suffix, `true` or `false`",
        );
    }
    json
}

/// `1_000`, `0.5`: as JSON has it.
fn number_text(source: &str) -> Option<String> {
    let plain = source.replace('_', "");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    (digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0')))
        .then_some(plain)
}

/// <https://www.rfc-editor.org/rfc/rfc8259#section-7>
fn json(text: &str) -> String {
    let mut json = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}
