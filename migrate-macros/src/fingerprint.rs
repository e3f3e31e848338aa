//! The hash of a body, which does not see how it is formatted.
//!
//! Not over `TokenStream::to_string()`: its spacing follows the source and the version of rustc.

use proc_macro2::{Delimiter, Spacing, TokenTree};

/// FNV-1a, 64 bits: <https://datatracker.ietf.org/doc/html/rfc9923>. Written out because the value
/// is stored in databases and must never change, as that of `DefaultHasher` may.
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn value(&self) -> u64 {
        self.0
    }

    /// Adds the tokens: every identifier, literal and punctuation mark, without spacing, comments,
    /// doc comments and the last comma of a group.
    pub(crate) fn tokens<T>(&mut self, tokens: T)
    where
        T: IntoIterator<Item = TokenTree, IntoIter: Clone>,
    {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Ident(ident) => self.word(&ident.to_string()),
                TokenTree::Literal(literal) => self.word(&literal.to_string()),
                TokenTree::Punct(punct) => {
                    let mark = punct.as_char();
                    match (mark, tokens.peek()) {
                        (',', None) => {}
                        ('#', Some(TokenTree::Group(next))) if is_doc(next) => {
                            tokens.next();
                        }
                        ('#', Some(TokenTree::Punct(bang))) if bang.as_char() == '!' => {
                            let mut ahead = tokens.clone();
                            ahead.next();
                            if matches!(ahead.next(), Some(TokenTree::Group(it)) if is_doc(&it)) {
                                tokens = ahead;
                            } else {
                                self.word("#");
                            }
                        }
                        // `a && b` and `a & &b` differ; nothing else does by spacing.
                        ('&' | '|', Some(TokenTree::Punct(next)))
                            if punct.spacing() == Spacing::Joint && next.as_char() == mark =>
                        {
                            tokens.next();
                            self.bytes(&[b'2', mark as u8]);
                        }
                        _ => self.word(mark.encode_utf8(&mut [0; 4])),
                    }
                }
            }
        }
    }

    fn group(&mut self, delimiter: Delimiter, stream: proc_macro2::TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => (b"(", b")"),
            Delimiter::Brace => (b"{", b"}"),
            Delimiter::Bracket => (b"[", b"]"),
            // Around what a `macro_rules!` inserted; not written by anyone.
            Delimiter::None => return self.tokens(stream),
        };
        self.bytes(open);
        self.tokens(stream);
        self.bytes(close);
    }

    /// A token and its end, so that `ab c` and `a bc` differ.
    pub(crate) fn word(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0]);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Whether `#group` is a doc comment or attribute.
fn is_doc(group: &proc_macro2::Group) -> bool {
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(it)) if it == "doc")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> u64 {
        let mut fingerprint = Fingerprint::new();
        fingerprint.tokens(source.parse::<proc_macro2::TokenStream>().unwrap());
        fingerprint.value()
    }

    /// Stored in databases: a change of these values makes every applied migration look edited.
    #[test]
    fn values_are_for_ever() {
        assert_eq!(of(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(
            of("(db: &mut C) -> R { db.f(\"x\", 1)?; a && b }"),
            0x58bd_6332_cb6a_ef7d
        );
    }

    #[test]
    fn formatting_is_not_seen() {
        let plain = of("{ f(a, b); let v: Vec<Vec<u8>> = x; S { a, b } }");
        for same in [
            "{\n\tf( a,b ) ;\r\n let v : Vec < Vec<u8> > = x ; S{a,b} }",
            "{ f(a, b,); let v: Vec<Vec<u8> > = x; S { a, b, } }",
            "{ // why\n f(a, /* this */ b); let v: Vec<Vec<u8>> = x; S { a, b } }",
            "{ //! inner\n f(a, b); /// outer\n let v: Vec<Vec<u8>> = x; S { a, b } }",
            "{ #![doc = \"inner\"] f(a, b); #[doc(hidden)] let v: Vec<Vec<u8>> = x; S { a, b } }",
        ] {
            assert_eq!(of(same), plain, "{same}");
        }
    }

    #[test]
    fn edits_are_seen() {
        let sources = [
            "{ f(a, b) }",
            "{ f(a, b); }",
            "{ f(b, a) }",
            "{ f(ab) }",
            "{ f(a b) }",
            "{ f(a), b }",
            "{ f[a, b] }",
            "{ g(a, b) }",
            "{ f(\"a\", b) }",
            "{ f(\"a \", b) }",
            "{ f(\"a  \", b) }",
            "{ f(1, b) }",
            "{ f(1u8, b) }",
            "{ f('1', b) }",
            "{ f(a && b) }",
            "{ f(a & &b) }",
            "{ f(a || b) }",
            "{ f(a | |b| b) }",
            "{ #[cfg(x)] f(a, b) }",
            "{ #![cfg(x)] f(a, b) }",
            "{ #!f(a, b) }",
        ];
        for (at, one) in sources.iter().enumerate() {
            for other in &sources[at + 1..] {
                assert_ne!(of(one), of(other), "{one} and {other}");
            }
        }
    }
}
