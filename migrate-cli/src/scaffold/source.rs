//! Enough of Rust's grammar to find migrations and modules in a file, and the places between them.

/// A file's text, and the same without what stands in comments and literals: every byte of these is a
/// space, so that offsets agree.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) text: String,
    pub(super) bare: String,
}

/// An attribute: where it begins, and its last bracket.
pub(super) struct Attribute {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// From where an item can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visibility {
    Private,
    Super,
    Crate,
}

impl Source {
    pub(super) fn new(text: String) -> Self {
        let bare = bare(&text);
        Self { text, bare }
    }

    /// `bare` from `at` on.
    pub(super) fn rest(&self, at: usize) -> &str {
        self.bare.get(at..).unwrap_or_default()
    }

    /// The attributes whose path ends in `name`: `#[name(..)]`, `#[a::name]`.
    pub(super) fn attributes(&self, name: &str) -> Vec<Attribute> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = self.rest(from).find("#[") {
            let start = from + at;
            let end = self.closing(start + 1).unwrap_or(self.bare.len());
            let inner = self.bare.get(start + 2..end).unwrap_or_default();
            let path = inner.split('(').next().unwrap_or_default().trim();
            if path.rsplit("::").next().map(str::trim) == Some(name) {
                found.push(Attribute { start, end });
            }
            from = end.max(start + 2);
        }
        found
    }

    /// Where the bracket that opens at `open` is closed.
    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, c) in self.rest(open).char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(open + at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Behind white space and attributes.
    pub(super) fn after_attributes(&self, mut at: usize) -> usize {
        loop {
            let rest = self.rest(at);
            at += rest.len() - rest.trim_start().len();
            if !self.rest(at).starts_with("#[") {
                return at;
            }
            match self.closing(at + 1) {
                Some(end) => at = end + 1,
                None => return self.bare.len(),
            }
        }
    }

    /// A visibility at `at`, and what comes behind it.
    pub(super) fn visibility(&self, at: usize) -> (Visibility, usize) {
        let rest = self.rest(at);
        let Some(behind) = rest.strip_prefix("pub") else {
            return (Visibility::Private, at);
        };
        let trimmed = behind.trim_start();
        let at = at + rest.len() - trimmed.len();
        if !trimmed.starts_with('(') {
            return (Visibility::Crate, at);
        }
        let end = self.closing(at).unwrap_or(at);
        let visibility = match self.bare.get(at + 1..end).map(str::trim) {
            Some("super") => Visibility::Super,
            Some("self") => Visibility::Private,
            _ => Visibility::Crate,
        };
        let rest = self.rest(end + 1);
        (visibility, end + 1 + rest.len() - rest.trim_start().len())
    }

    /// The names of the modules written out around `at`; `None` inside anything else.
    pub(super) fn modules_around(&self, at: usize) -> Option<Vec<String>> {
        let mut open: Vec<Option<String>> = Vec::new();
        for (position, c) in self.bare.char_indices().take_while(|(it, _)| *it < at) {
            match c {
                '{' => open.push(self.module_before(position)),
                '}' => {
                    open.pop();
                }
                _ => {}
            }
        }
        open.into_iter().collect()
    }

    /// The name in `mod name {`.
    fn module_before(&self, brace: usize) -> Option<String> {
        let before = self.bare.get(..brace)?.trim_end();
        let name = before.rsplit(|c| !is_word(c)).next()?;
        let keyword = before.strip_suffix(name)?;
        let before = keyword.strip_suffix(char::is_whitespace)?.trim_end();
        let is_module =
            before.ends_with("mod") && !before.trim_end_matches("mod").ends_with(is_word);
        is_module.then(|| name.to_owned())
    }

    /// Every `mod name;` and `mod name {`: name, visibility, where its line begins, where `;` or `{` is.
    pub(super) fn modules(&self) -> Vec<Module> {
        let mut found = Vec::new();
        for (at, _) in self.bare.match_indices("mod") {
            let before = self.bare.get(..at).unwrap_or_default();
            let rest = self.rest(at + 3);
            if before.ends_with(is_word) || !rest.starts_with(char::is_whitespace) {
                continue;
            }
            let trimmed = rest.trim_start();
            let name: String = trimmed.chars().take_while(|c| is_word(*c)).collect();
            let behind = trimmed.get(name.len()..).unwrap_or_default().trim_start();
            let form = match behind.chars().next() {
                Some(';') => Form::File,
                Some('{') => Form::Inline,
                _ => continue,
            };
            let line = before.rfind('\n').map_or(0, |newline| newline + 1);
            let start = self.bare.get(line..at).unwrap_or_default();
            let indent = start.len() - start.trim_start().len();
            let visibility = self.visibility(line + indent).0;
            let attributes = self.attached(line);
            found.push(Module {
                is_test: self
                    .bare
                    .get(attributes..line)
                    .is_some_and(|text| text.contains("cfg(test)")),
                name,
                visibility,
                written: start.trim().to_owned(),
                start: attributes,
                end: self.bare.len() - behind.len(),
                form,
            });
        }
        found
    }

    /// Where the attributes and doc comments above the line that begins at `line` begin.
    fn attached(&self, line: usize) -> usize {
        let mut start = line;
        while let Some(above) = start.checked_sub(1) {
            let begin = self
                .text
                .get(..above)
                .and_then(|text| text.rfind('\n'))
                .map_or(0, |newline| newline + 1);
            let text = self.text.get(begin..above).unwrap_or_default().trim();
            if !text.starts_with("#[") && !text.starts_with("///") {
                break;
            }
            start = begin;
        }
        start
    }
}

/// A module declaration.
#[derive(Clone, Debug)]
pub(super) struct Module {
    pub(super) name: String,
    pub(super) visibility: Visibility,
    /// What stands before `mod`: `pub`, `pub(crate)` or nothing.
    pub(super) written: String,
    /// With attributes.
    pub(super) start: usize,
    /// Its `;` or `{`.
    pub(super) end: usize,
    pub(super) form: Form,
    pub(super) is_test: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    File,
    Inline,
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `text` with spaces instead of comments and literals.
fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_inside_word = bare.ends_with(is_word);
        let skipped = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => string(rest),
            '\'' => character(rest),
            'r' | 'b' | 'c' if !is_inside_word => literal_with_prefix(rest),
            _ => 0,
        };
        let taken = if skipped == 0 {
            first.len_utf8()
        } else {
            skipped
        };
        let (piece, left) = rest.split_at(taken);
        if skipped == 0 {
            bare.push(first);
        } else {
            // Byte by byte, because offsets are in bytes.
            bare.extend(piece.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        }
        rest = left;
    }
    bare
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `".."`.
fn string(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `'x'`; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
        }
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// The length of `r".."`, `r#".."#`, `b".."`, `br".."`, `c".."`; 0 for a word.
fn literal_with_prefix(text: &str) -> usize {
    let prefix: String = text.chars().take_while(|c| is_word(*c)).collect();
    let body = text.get(prefix.len()..).unwrap_or_default();
    match prefix.as_str() {
        "b" | "c" if body.starts_with('"') => prefix.len() + string(body),
        "r" | "br" | "cr" => {
            let hashes = body.len() - body.trim_start_matches('#').len();
            let Some(inner) = body.get(hashes..).and_then(|it| it.strip_prefix('"')) else {
                return 0;
            };
            let end = format!("\"{}", "#".repeat(hashes));
            match inner.find(&end) {
                Some(at) => prefix.len() + hashes + 1 + at + end.len(),
                None => text.len(),
            }
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Source {
        Source::new(text.to_owned())
    }

    #[test]
    fn comments_and_literals_are_blank_and_offsets_stay() {
        let text =
            "a // é {\n/* { /* } */ { */ b \"{\\\"ü\" r#\"\"{\"# 'x' '\\'' 'a: br\"{\" r#mod c";
        let source = of(text);
        assert_eq!(source.bare.len(), text.len());
        assert_eq!(
            source.bare.split_whitespace().collect::<Vec<_>>(),
            ["a", "b", "'a:", "r#mod", "c"]
        );
    }

    #[test]
    fn modules_with_what_belongs_to_them() {
        let source = of(
            "//! x\nuse a;\n/// One.\n#[cfg(test)]\nmod one;\npub(crate) mod two {\n    pub mod three;\n}\nfn model() { }\n",
        );
        let found: Vec<_> = source
            .modules()
            .into_iter()
            .map(|it| (it.name, it.written, it.visibility, it.form, it.is_test))
            .collect();
        use Visibility::{Crate, Private};
        assert_eq!(
            found,
            [
                ("one".to_owned(), String::new(), Private, Form::File, true),
                (
                    "two".to_owned(),
                    "pub(crate)".to_owned(),
                    Crate,
                    Form::Inline,
                    false
                ),
                (
                    "three".to_owned(),
                    "pub".to_owned(),
                    Crate,
                    Form::File,
                    false
                ),
            ]
        );
        let one = &source.modules()[0];
        assert!(source.text[one.start..].starts_with("/// One."));
        let three = source.bare.find("three").unwrap();
        assert_eq!(source.modules_around(three), Some(vec!["two".to_owned()]));
        let body = source.bare.find("{ }").unwrap() + 1;
        assert_eq!(source.modules_around(body), None);
    }

    #[test]
    fn attributes_by_the_end_of_their_path() {
        let source = of(
            "#[migration]\nfn a() {}\n#[m::migration(x = [b])] fn c() {}\n// #[migration]\n#[migrations] fn d() {}",
        );
        let found = source.attributes("migration");
        assert_eq!(found.len(), 2);
        assert!(source.rest(found[1].start).starts_with("#[m::migration"));
        let after = source.after_attributes(found[1].start);
        assert!(source.rest(after).starts_with("fn c"));
    }
}
