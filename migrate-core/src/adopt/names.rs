//! Whose name is whose.
//!
//! In this order, the first that finds something: the same name (or a former one, or the full id, or that
//! under which their tool records a file of SQL that we have from it); the same number and the same words; the same number, where one of the two has no words; the same words,
//! where ours has no number. Upper and lower case, `-` and `_` are alike, and an `m` or a `v` before a
//! number counts for nothing: Rust's names cannot begin with a digit.

use super::error::Why;
use crate::{Descriptor, Graph};

/// Digits that make a number at the end of a name a date rather than a part of a word.
const DIGITS_OF_A_DATE: usize = 8;
/// How alike two names have to be for one to be proposed for the other.
const ALIKE: f64 = 0.6;

/// Our names, and what is known of theirs.
pub(super) struct Names<'g> {
    graph: &'g Graph,
    ours: Vec<Parts>,
    /// Names of their directories.
    known: Vec<(Parts, &'g str)>,
}

/// Whether one of ours is meant.
type Rule<'r> = dyn Fn(&Descriptor, &Parts) -> bool + 'r;

/// A name as number and words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Parts {
    /// Digits without leading zeros; `None` where there is no number.
    number: Option<String>,
    words: String,
}

impl<'g> Names<'g> {
    pub(super) fn new(graph: &'g Graph, known: &'g [String]) -> Self {
        Self {
            graph,
            ours: graph.iter().map(|it| Parts::of(it.id.name())).collect(),
            known: known
                .iter()
                .map(|it| (Parts::of(it), it.as_str()))
                .collect(),
        }
    }

    /// The one of ours that this is.
    pub(super) fn find(&self, theirs: &str) -> Result<usize, Why> {
        let mut parts = Parts::of(theirs);
        if parts.words.is_empty()
            && let Some((known, _)) = self.known.iter().find(|it| it.0.number == parts.number)
        {
            parts = known.clone();
        }
        let same_name = |it: &Descriptor, _: &Parts| is_called(it, theirs);
        let same_parts = |_: &Descriptor, ours: &Parts| *ours == parts;
        let same_number = |_: &Descriptor, ours: &Parts| {
            parts.number.is_some()
                && ours.number == parts.number
                && (parts.words.is_empty() || ours.words.is_empty())
        };
        let same_words = |_: &Descriptor, ours: &Parts| {
            !parts.words.is_empty() && ours.number.is_none() && ours.words == parts.words
        };
        let rules: [&Rule<'_>; 4] = [&same_name, &same_parts, &same_number, &same_words];
        for rule in rules {
            let all = self.graph.iter().zip(&self.ours).enumerate();
            let found: Vec<usize> = all
                .filter(|(_, (descriptor, ours))| rule(descriptor, ours))
                .map(|(at, _)| at)
                .collect();
            match found.as_slice() {
                [] => {}
                [at] => return Ok(*at),
                several => {
                    let ids = several.iter().filter_map(|&at| self.graph.get(at));
                    return Err(Why::Several(ids.map(|it| it.id).collect()));
                }
            }
        }
        Err(Why::Nothing)
    }

    /// The id of ours that is most like it.
    pub(super) fn nearest(&self, theirs: &str) -> Option<String> {
        let words = Parts::of(theirs).words;
        let alike = |ours: &Parts| strsim::normalized_levenshtein(&ours.words, &words);
        let all = self.graph.iter().zip(&self.ours);
        let (best, likeness) = all
            .filter(|_| !words.is_empty())
            .map(|(descriptor, ours)| (descriptor, alike(ours)))
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        (likeness >= ALIKE).then(|| best.id.to_string())
    }
}

fn is_called(descriptor: &Descriptor, name: &str) -> bool {
    let short = |id: &str| id.split_once(':').map_or(id == name, |(_, it)| it == name);
    descriptor
        .sql
        .is_some_and(|it| !name.is_empty() && it.recorded_as == name)
        || descriptor.id.name() == name
        || descriptor.id.to_string() == name
        || descriptor
            .was
            .iter()
            .any(|former| *former == name || short(former))
}

impl Parts {
    fn of(name: &str) -> Self {
        let name = name.to_lowercase();
        let groups: Vec<&str> = name
            .split(|char: char| !char.is_alphanumeric())
            .filter(|group| !group.is_empty())
            .collect();
        let is_number = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
        let mut first = groups.first().copied().unwrap_or_default();
        if let Some(rest) = first.strip_prefix(['m', 'v'])
            && !rest.is_empty()
            && is_number(rest)
        {
            first = rest;
        }
        let groups: Vec<&str> = std::iter::once(first)
            .filter(|it| !it.is_empty())
            .chain(groups.into_iter().skip(1))
            .collect();
        let leading = groups.iter().take_while(|it| is_number(it)).count();
        let trailing = groups.iter().rev().take_while(|it| is_number(it)).count();
        let (before, after) = groups.split_at(leading);
        let (words, last) = groups.split_at(groups.len() - trailing);
        let (number, words) = if leading > 0 {
            (before.concat(), after)
        } else if last.concat().len() >= DIGITS_OF_A_DATE {
            (last.concat(), words)
        } else {
            (String::new(), groups.as_slice())
        };
        Self {
            number: (!number.is_empty()).then(|| number.trim_start_matches('0').to_owned()),
            words: words.join("_"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> (Option<String>, String) {
        let Parts { number, words } = Parts::of(name);
        (number, words)
    }

    #[test]
    fn numbers_and_words() {
        let dated = (Some("20240101000000".to_owned()), "create_users".to_owned());
        for name in [
            "2024-01-01-000000_create_users",
            "20240101000000_create_users",
            "m20240101_000000_create_users",
            "create_users_20240101_000000",
            "V20240101000000__Create_Users",
        ] {
            assert_eq!(parts(name), dated, "{name}");
        }
        let first = (Some("1".to_owned()), "users".to_owned());
        for name in [
            "V1__users",
            "v1_users",
            "0001_users",
            "1_users",
            "m_1_users",
        ] {
            let expected = if name == "m_1_users" {
                (None, "m_1_users".to_owned())
            } else {
                first.clone()
            };
            assert_eq!(parts(name), expected, "{name}");
        }
        assert_eq!(parts("line_2"), (None, "line_2".to_owned()));
        assert_eq!(parts("00000000000000").0, Some(String::new()));
        assert_eq!(parts(""), (None, String::new()));
    }
}
