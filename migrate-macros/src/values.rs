//! The values that keys of our attributes take: paths, texts and words.

use proc_macro2::{Delimiter, Ident, Spacing, Span, TokenStream, TokenTree};

use crate::{
    attrs::{self, Argument, Segment},
    diagnostics::Diagnostics,
    literal,
    paths::Runtime,
};

/// A value and the span of its key.
pub(crate) struct At<T> {
    pub(crate) key: Span,
    pub(crate) value: T,
}

/// A string literal.
pub(crate) struct Text {
    pub(crate) literal: TokenTree,
    pub(crate) value: String,
}

/// A path, as it was written.
pub(crate) type Path = Vec<TokenTree>;

/// What a path names, for messages.
#[derive(Clone, Copy)]
pub(crate) enum Named {
    /// A function under `#[migration]`.
    Migration,
    /// A function.
    Function,
    /// A type under `#[view_manager]`.
    View,
    /// A type.
    Type,
    /// A static.
    Static,
}

impl Named {
    fn plural(self) -> &'static str {
        match self {
            Self::Migration | Self::Function => "functions",
            Self::View => "views",
            Self::Type => "types",
            Self::Static => "statics",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Migration | Self::Function => "path::to::function",
            Self::View => "path::to::View",
            Self::Type => "path::to::Type",
            Self::Static => "path::to::STATIC",
        }
    }

    fn described(self) -> &'static str {
        match self {
            Self::Migration => "a function annotated with `#[migration]`",
            Self::Function => "a function",
            Self::View => "a type annotated with `#[view_manager]`",
            Self::Type => "a type",
            Self::Static => "a static",
        }
    }
}

/// `[path, ..]`
pub(crate) fn paths(argument: &Argument, named: Named, diagnostics: &mut Diagnostics) -> Vec<Path> {
    let key = &argument.key;
    let Some(segments) = attrs::list(&argument.value) else {
        let message = if is_path(&argument.value) {
            format!(
                "`{key}` takes a list: write `{key} = [{}]`",
                source(&argument.value)
            )
        } else {
            format!("`{key}` takes a list of paths: write `{key} = [path, ..]`")
        };
        argument.wrong(diagnostics, message);
        return Vec::new();
    };
    segments
        .into_iter()
        .filter_map(|segment| element(key, segment, named, diagnostics))
        .collect()
}

fn element(
    key: &Ident,
    segment: Segment,
    named: Named,
    diagnostics: &mut Diagnostics,
) -> Option<Path> {
    let Segment { tokens, end } = segment;
    if is_path(&tokens) {
        return Some(tokens);
    }
    let Some(first) = tokens.first() else {
        diagnostics.error(end?, "expected a path before this comma");
        return None;
    };
    let what = named.plural();
    let message = if let Some(value) = literal::string(first) {
        let unquoted = value.parse::<TokenStream>();
        if unquoted.is_ok_and(|it| is_path(&Vec::from_iter(it))) {
            format!("`{key}` takes paths to {what}, not strings: write `{value}` without quotes")
        } else {
            let example = named.example();
            format!("`{key}` takes paths to {what}, not strings: write `{key} = [{example}]`")
        }
    } else if tokens.iter().any(|token| is_mark(token, '<')) {
        // What rustc suggests for recursive types, which is how it sees a cycle.
        let circle = match named {
            Named::Migration | Named::Function => {
                "; if a `Box` was suggested: these migrations require each other in a circle, so \
                 remove one of the requirements"
            }
            Named::View | Named::Type | Named::Static => "",
        };
        format!("`{key}` takes plain paths, without `<..>`{circle}")
    } else if tokens.len() > 1 && is_path(std::slice::from_ref(first)) {
        "expected one path; put a comma between two".to_owned()
    } else {
        format!("expected a path to {}", named.described())
    };
    diagnostics.error_on(&tokens, first.span(), message);
    None
}

/// `path`
pub(crate) fn path(
    argument: &Argument,
    named: Named,
    diagnostics: &mut Diagnostics,
) -> Option<At<TokenStream>> {
    let key = &argument.key;
    if is_path(&argument.value) {
        return Some(At {
            key: key.span(),
            value: argument.value.iter().cloned().collect(),
        });
    }
    let what = named.described();
    let message = match argument.value.as_slice() {
        [only] if literal::string(only).is_some() => {
            format!("`{key}` takes the path to {what}, not a string: write `{key} = path`")
        }
        _ if attrs::list(&argument.value).is_some() => {
            format!("`{key}` takes one path, not a list: write `{key} = path`")
        }
        _ => format!("`{key}` takes the path to {what}: write `{key} = path`"),
    };
    argument.wrong(diagnostics, message);
    None
}

/// Whether a text may be empty as far as the macro is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    Refused,
    /// A rule of core says so.
    LeftToCore,
}

/// `"text"`
pub(crate) fn text(
    argument: &Argument,
    empty: Empty,
    diagnostics: &mut Diagnostics,
) -> Option<At<Text>> {
    let key = &argument.key;
    if let [literal] = argument.value.as_slice()
        && let Some(value) = literal::string(literal)
    {
        if empty == Empty::Refused && value.trim().is_empty() {
            argument.wrong(diagnostics, format!("`{key}` cannot be empty"));
            return None;
        }
        return Some(At {
            key: key.span(),
            value: Text {
                literal: literal.clone(),
                value,
            },
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
pub(crate) fn texts(argument: &Argument, diagnostics: &mut Diagnostics) -> Option<At<Vec<Text>>> {
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
                    diagnostics.error(only.span(), format!("an entry of `{key}` cannot be empty"));
                } else {
                    texts.push(Text {
                        literal: only.clone(),
                        value,
                    });
                }
            }
            other => diagnostics.error_on(
                other,
                end.unwrap_or(key.span()),
                format!("`{key}` takes string literals: write `{key} = [\"..\", ..]`"),
            ),
        }
    }
    Some(At {
        key: key.span(),
        value: texts,
    })
}

/// `"text"`, or `["text", ..]`
pub(crate) fn text_or_texts(
    argument: &Argument,
    diagnostics: &mut Diagnostics,
) -> Option<At<Vec<Text>>> {
    if attrs::list(&argument.value).is_some() {
        return texts(argument, diagnostics);
    }
    text(argument, Empty::LeftToCore, diagnostics).map(|At { key, value }| At {
        key,
        value: vec![value],
    })
}

/// A whole number, or the path to a constant.
pub(crate) fn number(
    argument: &Argument,
    diagnostics: &mut Diagnostics,
) -> Option<At<TokenStream>> {
    let is_number = match attrs::peel(&argument.value).as_slice() {
        [TokenTree::Literal(literal)] => literal
            .to_string()
            .starts_with(|it: char| it.is_ascii_digit()),
        _ => false,
    };
    if is_number || is_path(&argument.value) {
        return Some(At {
            key: argument.key.span(),
            value: argument.value.iter().cloned().collect(),
        });
    }
    let key = &argument.key;
    argument.wrong(
        diagnostics,
        format!("`{key}` takes a whole number: write `{key} = 100`"),
    );
    None
}

/// The one word that a key takes; `otherwise` is what removing the key means.
pub(crate) fn word(
    argument: &Argument,
    wanted: &str,
    otherwise: &str,
    diagnostics: &mut Diagnostics,
) -> bool {
    if let [TokenTree::Ident(word)] = attrs::peel(&argument.value).as_slice()
        && word == wanted
    {
        return true;
    }
    let key = &argument.key;
    argument.wrong(
        diagnostics,
        format!(
            "`{key}` only takes `{wanted}`: write `{key} = {wanted}`, or remove the key to {otherwise}"
        ),
    );
    false
}

/// One of a few words.
pub(crate) fn choice(
    argument: &Argument,
    words: &[&'static str],
    diagnostics: &mut Diagnostics,
) -> Option<At<&'static str>> {
    let key = &argument.key;
    let peeled = attrs::peel(&argument.value);
    let written = match peeled.as_slice() {
        [TokenTree::Ident(word)] => Some(word.to_string()),
        [only] => literal::string(only),
        _ => None,
    };
    let chosen = words
        .iter()
        .find(|word| written.as_deref() == Some(**word))
        .copied();
    let is_word = matches!(peeled.as_slice(), [TokenTree::Ident(_)]);
    if let Some(value) = chosen.filter(|_| is_word) {
        return Some(At {
            key: key.span(),
            value,
        });
    }
    let forms: Vec<String> = words
        .iter()
        .map(|word| format!("`{key} = {word}`"))
        .collect();
    let message = match chosen {
        Some(word) => format!("`{key}` takes a word, not a string: write `{key} = {word}`"),
        None => format!(
            "`{key}` takes one of a few words: write {}",
            forms.join(" or ")
        ),
    };
    argument.wrong(diagnostics, message);
    None
}

/// `unmanaged = restore`
pub(crate) fn restore(argument: &Argument, diagnostics: &mut Diagnostics) -> bool {
    let otherwise = "stop where undeclared views stand in the way";
    word(argument, "restore", otherwise, diagnostics)
}

/// `crate = path`
pub(crate) fn runtime(argument: &Argument, diagnostics: &mut Diagnostics) -> Option<Runtime> {
    if is_path(&argument.value) {
        return Some(Runtime::Renamed(argument.value.iter().cloned().collect()));
    }
    argument.wrong(
        diagnostics,
        "`crate` takes the path under which this crate knows migrate-diesel: write `crate = path`",
    );
    None
}

/// What `database` or `databases` name, not both.
pub(crate) fn databases(
    one: Option<At<Text>>,
    several: Option<At<Vec<Text>>>,
    diagnostics: &mut Diagnostics,
) -> Vec<Text> {
    match (one, several) {
        (None, None) => Vec::new(),
        (Some(one), None) => vec![one.value],
        (None, Some(several)) => several.value,
        (Some(one), Some(_)) => {
            diagnostics.error(
                one.key,
                "`database` and `databases` exclude each other; put all names into `databases = [..]`",
            );
            Vec::new()
        }
    }
}

pub(crate) fn literals(texts: &[Text]) -> impl Iterator<Item = &TokenTree> {
    texts.iter().map(|text| &text.literal)
}

/// `a`, `a::b`, `::a::b`, or what a `macro_rules!` inserted as a path or a type.
pub(crate) fn is_path(tokens: &[TokenTree]) -> bool {
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

pub(crate) fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(it) if it.as_char() == mark)
}

/// The path as one would write it.
fn source(path: &[TokenTree]) -> String {
    path.iter().map(ToString::to_string).collect()
}

/// The identifier without `r#`.
pub(crate) fn unraw(name: &Ident) -> String {
    let text = name.to_string();
    text.strip_prefix("r#").unwrap_or(&text).to_owned()
}
