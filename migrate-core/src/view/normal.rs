//! SQL text without what means nothing.

/// `sql` without comments, with one blank for each run of blanks outside of quotes, and without a
/// semicolon at the end. Line ends in quotes become `\n`.
///
/// Quotes are `'..'`, `".."`, `` `..` `` and PostgreSQL's `$tag$..$tag$`; comments are `-- ..` and
/// `/* .. */`, nested as the SQL standard has them.
#[must_use]
pub fn normalize_sql(sql: &str) -> String {
    let sql = sql.replace("\r\n", "\n");
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql.as_str();
    let mut blank = false;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = skipped(rest) {
            blank = true;
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        if std::mem::take(&mut blank) && !out.is_empty() {
            out.push(' ');
        }
        let length = quoted(rest).unwrap_or_else(|| first.len_utf8());
        let (taken, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(taken);
        rest = left;
    }
    while out.ends_with([';', ' ']) {
        out.pop();
    }
    out
}

/// Length of the blanks or the comment that `text` begins with.
fn skipped(text: &str) -> Option<usize> {
    if text.starts_with("--") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        let mut depth = 0_usize;
        let mut at = 0;
        let bytes = text.as_bytes();
        while let Some(pair) = bytes.get(at..at + 2) {
            match pair {
                b"/*" => depth += 1,
                b"*/" => depth -= 1,
                _ => {
                    at += 1;
                    continue;
                }
            }
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        }
        return Some(text.len());
    }
    let blanks = text.len() - text.trim_start().len();
    (blanks > 0).then_some(blanks)
}

/// Length of the quoted piece that `text` begins with.
fn quoted(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    match first {
        '\'' | '"' | '`' => {
            // A doubled quote ends one piece and begins another, which comes to the same.
            let end = text.get(1..)?.find(first)?;
            Some(end + 2)
        }
        '$' => {
            let tag_end = text.get(1..)?.find('$')? + 2;
            let tag = text.get(..tag_end)?;
            let is_tag = tag
                .trim_matches('$')
                .chars()
                .all(|char| char.is_alphanumeric() || char == '_')
                && !tag
                    .get(1..2)?
                    .starts_with(|char: char| char.is_ascii_digit());
            let end = text.get(tag_end..)?.find(tag)?;
            is_tag.then_some(tag_end + end + tag_end)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nothing_goes() {
        for (written, normal) in [
            (
                "SELECT  id\r\n FROM users -- all\n ;\n",
                "SELECT id FROM users",
            ),
            ("SELECT/* a /* b */ c */1", "SELECT 1"),
            ("SELECT 'a  -- b', \"x  y\"", "SELECT 'a  -- b', \"x  y\""),
            ("SELECT 'it''s  '", "SELECT 'it''s  '"),
            (
                "SELECT $x$ a  /* b */ $x$,  $1",
                "SELECT $x$ a  /* b */ $x$, $1",
            ),
            ("SELECT 'open", "SELECT 'open"),
        ] {
            assert_eq!(normalize_sql(written), normal, "{written}");
        }
    }
}
