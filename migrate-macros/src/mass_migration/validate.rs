//! The rules that concern more than one part.

use proc_macro2::{Span, TokenTree};

use super::{
    SUBJECT,
    model::{Arguments, Body, Granularity, Kind, MassMigration, Source},
};
use crate::{
    declaration::{Function, Reference, Signature, source, validate},
    diagnostics::Diagnostics,
    fingerprint::Fingerprint,
    values::{At, Text},
};

/// The declaration. Without a function there is none; with errors, it registers nothing.
pub(super) fn migration(
    mut arguments: Arguments,
    function: Option<Function>,
    diagnostics: &mut Diagnostics,
) -> Option<MassMigration> {
    one_source(&arguments, diagnostics);
    let signature = function.as_ref().and_then(|it| it.signature.as_ref());
    if let Some(signature) = signature {
        let subject = subject(signature, &arguments, diagnostics);
        source_fits(&arguments, &subject, signature.end, diagnostics);
        settings_fit(&arguments, &subject, diagnostics);
    }
    let shared = std::mem::take(&mut arguments.shared);
    let (declaration, registered) = validate::declaration(shared, function, SUBJECT, diagnostics)?;
    let body = registered.map(|(mut registered, signature)| {
        // What it goes over is as much its code as the body is. Sizes and pauses are not.
        registered.fingerprint = fingerprint(&arguments, registered.fingerprint);
        Body {
            registered,
            kind: kind(&mut arguments, &signature),
            signature,
            parameters: arguments.parameters,
            throttle: arguments.throttle,
            settings: arguments.settings,
        }
    });
    Some(MassMigration { declaration, body })
}

/// What is between the connection and the parameters.
enum Subject<'s> {
    Nothing,
    Batch(&'s Reference),
    Cursor,
    /// A row or an item.
    Other(&'s Reference),
}

const SOURCES: [&str; 4] = ["table", "query", "items", "csv"];

/// The first source that was written is the one; the others contradict it.
fn one_source(arguments: &Arguments, diagnostics: &mut Diagnostics) {
    let mut sources = arguments
        .written
        .iter()
        .filter(|key| SOURCES.iter().any(|it| key == it));
    let Some(first) = sources.next() else {
        return;
    };
    for other in sources {
        diagnostics.error(
            other.span(),
            format!("`{other}` contradicts `{first}`; keep one of them"),
        );
    }
}

/// Sorts the parameters after the connection.
fn subject<'s>(
    signature: &'s Signature,
    arguments: &Arguments,
    diagnostics: &mut Diagnostics,
) -> Subject<'s> {
    let mut more = signature.more.as_slice();
    if arguments.written("parameters").is_some() {
        match more.split_last() {
            Some((_, before)) => more = before,
            None => diagnostics.error(
                signature.end,
                "with `parameters = Type` the body takes them last: write `parameters: &Type` here",
            ),
        }
    }
    let Some((first, rest)) = more.split_first() else {
        return Subject::Nothing;
    };
    if let Some(extra) = rest.first() {
        let of = source(&extra.referent);
        let message = match (arguments.written("parameters"), rest.len()) {
            (None, 1) => format!(
                "are these its parameters? Then say so, with `parameters = {of}`; else remove them"
            ),
            _ => "a mass migration takes its connection, what it works on, and its parameters; \
                  remove the others"
                .to_owned(),
        };
        diagnostics.error_on(&extra.referent, extra.ampersand, message);
    }
    match last_name(&first.referent).as_deref() {
        Some("Batch") => Subject::Batch(first),
        Some("Cursor") => Subject::Cursor,
        _ => Subject::Other(first),
    }
}

/// `Batch` of `mass::Batch<i64>`
fn last_name(path: &[TokenTree]) -> Option<String> {
    let names = path
        .iter()
        .map_while(|token| match token {
            TokenTree::Ident(name) => Some(Some(name.to_string())),
            TokenTree::Punct(mark) if mark.as_char() == ':' => Some(None),
            _ => None,
        })
        .flatten();
    names.last()
}

/// Whether what the body takes is what the source gives.
fn source_fits(
    arguments: &Arguments,
    subject: &Subject<'_>,
    end: Span,
    diagnostics: &mut Diagnostics,
) {
    let from = SOURCES.iter().find_map(|it| arguments.written(it));
    let over_keys = from.is_some_and(|it| it == "table" || it == "query");
    match (from, subject) {
        (None, Subject::Nothing | Subject::Cursor) | (Some(_), Subject::Other(_)) => {}
        (Some(_), Subject::Batch(_)) if over_keys => {}
        (None, Subject::Batch(_)) => diagnostics.error(
            Span::call_site(),
            "a batch of what? Add `table = \"name\"`, or `query = \"SELECT ..\"` and its `key`",
        ),
        (None, Subject::Other(it)) => diagnostics.error_on(
            &it.referent,
            it.ampersand,
            format!(
                "where does it get `&{of}` from? Add `table`, `query`, `items` or `csv`; or, if \
                 these are its parameters, `parameters = {of}`",
                of = source(&it.referent)
            ),
        ),
        (Some(key), Subject::Nothing) => {
            let takes = if over_keys {
                "a batch of keys, or a row of it: write `batch: &Batch<i64>` or `row: &Row` here"
            } else {
                "one item after the other: write `item: &Item` here"
            };
            diagnostics.error(end, format!("with `{key}` the body takes {takes}"));
        }
        (Some(key), Subject::Batch(it)) => diagnostics.error_on(
            &it.referent,
            it.ampersand,
            format!(
                "batches are of keys of a table or a query; with `{key}` the body takes one item \
                 after the other: write `item: &Item`"
            ),
        ),
        (Some(key), Subject::Cursor) => diagnostics.error(
            key.span(),
            format!("a body that takes a `Cursor` goes over what it likes: remove `{key}`"),
        ),
    }
    if let Some(query) = arguments.written("query")
        && arguments.written("key").is_none()
    {
        diagnostics.error(
            query.span(),
            "a query has no primary key: say what orders its rows, with `key = \"column\"`",
        );
    }
}

/// Settings that mean nothing for what it goes over.
fn settings_fit(arguments: &Arguments, subject: &Subject<'_>, diagnostics: &mut Diagnostics) {
    let has = |keys: &[&str]| keys.iter().any(|it| arguments.written(it).is_some());
    let over_keys = has(&["table", "query"]) || matches!(subject, Subject::Batch(_));
    if !over_keys {
        for name in ["key", "shards", "added"] {
            if let Some(key) = arguments.written(name) {
                diagnostics.error(
                    key.span(),
                    format!(
                        "`{key}` is for what goes over the keys of a table or a query: remove it, \
                         or add `table = \"name\"`"
                    ),
                );
            }
        }
    }
    if !over_keys && !has(&["items", "csv"]) && matches!(subject, Subject::Nothing) {
        for name in ["batch", "target", "pause", "max_failures"] {
            if let Some(key) = arguments.written(name) {
                diagnostics.error(
                    key.span(),
                    format!(
                        "a mass migration that only takes its connection is one step, without \
                         batches: remove `{key}`, or say what it goes over, as with `table = \"name\"`"
                    ),
                );
            }
        }
    }
}

/// Of a declaration without errors.
fn kind(arguments: &mut Arguments, signature: &Signature) -> Kind {
    let subject = subject(signature, arguments, &mut Diagnostics::default());
    let table = arguments.table.take().map(|it| Source::Table(it.value));
    let query = arguments.query.take().map(|it| Source::Query(it.value));
    if let Some(source) = table.or(query) {
        return Kind::Keys {
            source,
            key: arguments.key.take().map_or_else(Vec::new, |it| it.value),
            granularity: match subject {
                Subject::Batch(_) => Granularity::Range,
                _ => Granularity::Row,
            },
        };
    }
    if let Some(items) = arguments.items.take() {
        return Kind::Items(items);
    }
    if let Some(csv) = arguments.csv.take() {
        return Kind::Csv(csv.value.literal);
    }
    match subject {
        Subject::Nothing => Kind::Simple,
        _ => Kind::Custom,
    }
}

fn fingerprint(arguments: &Arguments, of_body: u64) -> u64 {
    let mut fingerprint = Fingerprint::new();
    fingerprint.word(&of_body.to_string());
    let texts = [&arguments.table, &arguments.query, &arguments.csv];
    for (name, text) in ["table", "query", "csv"].into_iter().zip(texts) {
        if let Some(At { value: text, .. }) = text {
            fingerprint.word(name);
            fingerprint.word(&text.value);
        }
    }
    for Text { value, .. } in arguments.key.iter().flat_map(|it| &it.value) {
        fingerprint.word("key");
        fingerprint.word(value);
    }
    fingerprint.value()
}
