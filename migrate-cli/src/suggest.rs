//! "Did you mean".

/// The candidate that reads most like `word`: at most one slip for each three characters.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(slips, candidate)| slips * 3 <= candidate.chars().count())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognized_and_strangers_are_not() {
        let keys = ["database_url", "history_table", "ordering", "lock_wait"];
        assert_eq!(nearest("databse_url", keys), Some("database_url"));
        assert_eq!(nearest("lockwait", keys), Some("lock_wait"));
        assert_eq!(nearest("colour", keys), None);
    }
}
