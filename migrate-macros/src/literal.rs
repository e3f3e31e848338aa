//! The value of a string literal, which `proc_macro` only gives as source text.

use proc_macro2::{Literal, TokenTree};

/// The value, if the token is a string literal: `".."` or `r#".."#`, not `b".."` or `c".."`.
pub(crate) fn string(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Literal(literal) => value(literal),
        // From a `$x:literal` of a `macro_rules!`.
        TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::None => {
            let mut inner = group.stream().into_iter();
            let first = inner.next()?;
            inner.next().is_none().then(|| string(&first)).flatten()
        }
        _ => None,
    }
}

fn value(literal: &Literal) -> Option<String> {
    let source = literal.to_string();
    if let Some(raw) = source.strip_prefix('r') {
        let raw = raw.trim_matches('#');
        return raw.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    }
    let inner = source.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        unescape(inner)
    } else {
        Some(inner.to_owned())
    }
}

/// <https://doc.rust-lang.org/reference/tokens.html#string-literals>
fn unescape(source: &str) -> Option<String> {
    let mut value = String::with_capacity(source.len());
    let mut rest = source.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        match rest.next()? {
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            't' => value.push('\t'),
            '0' => value.push('\0'),
            'x' => {
                let digits: String = rest.by_ref().take(2).collect();
                value.push(char::from(u8::from_str_radix(&digits, 16).ok()?));
            }
            'u' => {
                let digits: String = rest
                    .by_ref()
                    .take_while(|&it| it != '}')
                    .filter(char::is_ascii_hexdigit)
                    .collect();
                value.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
            }
            // A line that goes on: the break and what indents the next line is no part of it.
            '\n' => rest = rest.as_str().trim_start().chars(),
            plain => value.push(plain),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn value_of(source: &str) -> Option<String> {
        string(&TokenTree::Literal(Literal::from_str(source).unwrap()))
    }

    #[test]
    fn the_forms_of_a_string() {
        for (source, value) in [
            (r#""plain""#, "plain"),
            (
                r#""a \"b\" \\ \n \x41 \u{1F600} \u{4_1} \'""#,
                "a \"b\" \\ \n A \u{1F600} A '",
            ),
            ("\"one \\\n     two\"", "one two"),
            (r##"r"raw \n""##, r"raw \n"),
            (r###"r#"a "quoted" b"#"###, "a \"quoted\" b"),
            (r###"r##"ends in #"#"##"###, "ends in #\"#"),
            (r#""""#, ""),
        ] {
            assert_eq!(value_of(source).as_deref(), Some(value), "{source}");
        }
    }

    #[test]
    fn other_literals_are_none() {
        for source in ["1", "'a'", "b\"bytes\"", "c\"c\"", "1.5", "br\"x\""] {
            assert_eq!(value_of(source), None, "{source}");
        }
    }
}
