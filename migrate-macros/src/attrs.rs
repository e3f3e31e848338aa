//! The grammar that the arguments of our attributes share: `key = value, key = value`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::diagnostics::Diagnostics;

/// A key and the tokens of its value, as they were written; a flag has none.
pub(crate) struct Argument {
    pub(crate) key: Ident,
    pub(crate) value: Vec<TokenTree>,
}

impl Argument {
    /// Where an error goes that is about the value as a whole.
    pub(crate) fn wrong(&self, diagnostics: &mut Diagnostics, message: impl Into<String>) {
        diagnostics.error_on(&self.value, self.key.span(), message);
    }
}

/// One key that an attribute understands.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// How it is written, for messages. That of a flag is its name alone.
    pub(crate) form: &'static str,
}

impl Key {
    fn is_flag(&self) -> bool {
        self.form == self.name
    }
}

/// What an attribute understands: the data behind its messages.
pub(crate) struct Keys {
    /// `migration`, or `name!` of a macro that is called.
    pub(crate) attribute: &'static str,
    pub(crate) known: &'static [Key],
    /// Reserved for what is designed but does nothing yet: refused, so that nobody relies on it.
    pub(crate) later: &'static [&'static str],
}

impl Keys {
    /// The arguments with a known key, each key once. The rest becomes errors.
    pub(crate) fn parse(
        &self,
        arguments: TokenStream,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Argument> {
        let mut parsed: Vec<Argument> = Vec::new();
        for segment in split_commas(arguments) {
            let Some(argument) = self.argument(segment, diagnostics) else {
                continue;
            };
            if parsed.iter().any(|it| it.key == argument.key) {
                diagnostics.error(
                    argument.key.span(),
                    format!("`{}` is given twice; keep one", argument.key),
                );
                continue;
            }
            parsed.push(argument);
        }
        parsed
    }

    fn argument(&self, segment: Segment, diagnostics: &mut Diagnostics) -> Option<Argument> {
        let Segment { tokens, end } = segment;
        let mut rest = tokens.into_iter();
        let key = match rest.next() {
            Some(TokenTree::Ident(key)) => key,
            Some(other) => {
                diagnostics.error(
                    other.span(),
                    format!("expected `key = value`; {}", self.list()),
                );
                return None;
            }
            None => {
                diagnostics.error(end?, "expected `key = value` before this comma");
                return None;
            }
        };
        let known = self.look_up(&key, diagnostics)?;
        let form = known.form;
        if known.is_flag() {
            return self.flag(key, rest.next(), diagnostics);
        }
        match rest.next() {
            Some(TokenTree::Punct(equals)) if equals.as_char() == '=' => {
                let mut value: Vec<_> = rest.collect();
                self.missing_comma(&mut value, diagnostics);
                if value.is_empty() {
                    diagnostics.error(key.span(), format!("`{key}` lacks a value: write `{form}`"));
                    return None;
                }
                Some(Argument { key, value })
            }
            Some(_) => {
                diagnostics.error(
                    key.span(),
                    format!("expected `=` after `{key}`: write `{form}`"),
                );
                None
            }
            None => {
                diagnostics.error(key.span(), format!("`{key}` lacks a value: write `{form}`"));
                None
            }
        }
    }

    /// A key that stands alone; `after` is what should not be there.
    fn flag(
        &self,
        key: Ident,
        after: Option<TokenTree>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Argument> {
        match after {
            None => {}
            Some(TokenTree::Ident(next)) if self.known.iter().any(|it| next == it.name) => {
                diagnostics.error(next.span(), format!("expected a comma before `{next}`"));
            }
            Some(_) => {
                diagnostics.error(
                    key.span(),
                    format!("`{key}` takes no value: write `{key}` alone, or remove it"),
                );
                return None;
            }
        }
        Some(Argument {
            key,
            value: Vec::new(),
        })
    }

    /// `a = 1 b = 2`: says so, and keeps `1`.
    fn missing_comma(&self, value: &mut Vec<TokenTree>, diagnostics: &mut Diagnostics) {
        let is_key = |word: &Ident| self.known.iter().any(|it| word == it.name);
        let is_flag = |word: &Ident| self.known.iter().any(|it| it.is_flag() && word == it.name);
        let begins = |rest: &[TokenTree]| match rest {
            [TokenTree::Ident(key), TokenTree::Punct(equals), ..] => {
                equals.as_char() == '=' && is_key(key)
            }
            [TokenTree::Ident(flag), TokenTree::Ident(key), ..] => is_flag(flag) && is_key(key),
            [TokenTree::Ident(flag)] => is_flag(flag),
            _ => false,
        };
        let next = (1..value.len()).find(|&at| value.get(at..).is_some_and(begins));
        if let Some((at, token)) = next.and_then(|at| value.get(at).map(|token| (at, token))) {
            diagnostics.error(token.span(), format!("expected a comma before `{token}`"));
            value.truncate(at);
        }
    }

    fn look_up(&self, key: &Ident, diagnostics: &mut Diagnostics) -> Option<&'static Key> {
        if let Some(known) = self.known.iter().find(|it| key == it.name) {
            return Some(known);
        }
        let name = key.to_string();
        if self.later.contains(&name.as_str()) {
            diagnostics.error(key.span(), format!("`{name}` is not supported yet"));
            return None;
        }
        let place = match self.attribute.strip_suffix('!') {
            Some(called) => format!("{called}!(..)"),
            None => format!("#[{}(..)]", self.attribute),
        };
        let nearest = nearest(&name, self.known.iter().map(|it| it.name));
        let message = match nearest {
            Some(nearest) => {
                format!("unknown key `{name}` in `{place}`, did you mean `{nearest}`?")
            }
            None => format!("unknown key `{name}` in `{place}`"),
        };
        diagnostics.error(key.span(), format!("{message}\n{}", self.list()));
        None
    }

    fn list(&self) -> String {
        let names: Vec<_> = self
            .known
            .iter()
            .map(|it| format!("`{}`", it.name))
            .collect();
        format!("the keys are {}", names.join(", "))
    }
}

/// What stands between two commas.
pub(crate) struct Segment {
    pub(crate) tokens: Vec<TokenTree>,
    /// The comma after it.
    pub(crate) end: Option<Span>,
}

/// Splits at the commas of the outermost level. A comma at the end opens no further segment.
pub(crate) fn split_commas(tokens: TokenStream) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut current = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => segments.push(Segment {
                tokens: std::mem::take(&mut current),
                end: Some(comma.span()),
            }),
            other => current.push(other),
        }
    }
    if !current.is_empty() {
        segments.push(Segment {
            tokens: current,
            end: None,
        });
    }
    segments
}

/// The elements of `[a, b]`, if that is what the value is.
pub(crate) fn list(value: &[TokenTree]) -> Option<Vec<Segment>> {
    match value {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => {
            Some(split_commas(group.stream()))
        }
        _ => None,
    }
}

/// Takes away the invisible group around what a `macro_rules!` inserted.
pub(crate) fn peel(tokens: &[TokenTree]) -> Vec<TokenTree> {
    match tokens {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            peel(&Group::stream(group).into_iter().collect::<Vec<_>>())
        }
        plain => plain.to_vec(),
    }
}

/// The nearest candidate that is near enough to be what was meant.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| distance * 3 <= candidate.len().max(3))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Edits that turn one into the other (optimal string alignment: a swap of neighbours is one).
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let at =
                |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX);
            let replaced = at(&above, column) + usize::from(a != b);
            let mut best = replaced
                .min(at(&above, column + 1) + 1)
                .min(at(&current, column) + 1);
            let swapped = row > 0
                && column > 0
                && from.get(row - 1) == Some(b)
                && to.get(column - 1) == Some(a);
            if swapped {
                best = best.min(at(&before, column - 1) + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let keys = ["requires", "id", "was", "down", "database", "databases"];
        for (typed, meant) in [
            ("require", Some("requires")),
            ("reqiures", Some("requires")),
            ("depends", None),
            ("dwon", Some("down")),
            ("databse", Some("database")),
            ("name", None),
        ] {
            assert_eq!(nearest(typed, keys.into_iter()), meant, "{typed}");
        }
    }
}
