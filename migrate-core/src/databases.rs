//! Names of configured databases, patterns of them (`tenant_*`), and which comes before which.

mod order;

pub use order::Order;

/// Whether it is a pattern, and so means all configured databases that match.
///
/// ```
/// use migrate_core::databases::is_pattern;
///
/// assert!(is_pattern("tenant_*") && !is_pattern("analytics"));
/// ```
#[must_use]
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// Whether `name` is `pattern`, or matches it: `*` stands for any characters, `?` for one.
///
/// ```
/// use migrate_core::databases::matches;
///
/// assert!(matches("tenant_*", "tenant_a") && matches("tenant_?", "tenant_a"));
/// assert!(matches("analytics", "analytics") && !matches("tenant_*", "analytics"));
/// ```
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    if !is_pattern(pattern) {
        return pattern == name;
    }
    // Where to go on if it turns out that the last `*` took too little: what follows it in the pattern,
    // and how much of the name it has taken.
    let mut retry: Option<(&str, &str)> = None;
    let (mut pattern, mut name) = (pattern, name);
    loop {
        let mut wanted = pattern.chars();
        let mut found = name.chars();
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern = wanted.as_str();
                retry = Some((pattern, name));
                continue;
            }
            (Some('?'), Some(_)) => {
                (pattern, name) = (wanted.as_str(), found.as_str());
                continue;
            }
            (Some(one), Some(other)) if one == other => {
                (pattern, name) = (wanted.as_str(), found.as_str());
                continue;
            }
            _ => {}
        }
        let Some((after, taken)) = retry else {
            return false;
        };
        let mut longer = taken.chars();
        if longer.next().is_none() {
            return false;
        }
        (pattern, name) = (after, longer.as_str());
        retry = Some((after, name));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "default", true),
            ("tenant_*", "tenant_", true),
            ("tenant_*", "tenant", false),
            ("*_eu", "shop_eu_eu", true),
            ("*_eu", "shop_eu_us", false),
            ("a*b*c", "a__b__b__c", true),
            ("a*b*c", "a__c__b", false),
            ("??", "é1", true),
            ("??", "a", false),
            ("default", "Default", false),
            ("a*", "ba", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    /// What it means, without care for the time it takes.
    fn plain(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, _) => name.is_empty(),
            (Some(('*', rest)), _) => {
                plain(rest, name)
                    || name
                        .split_first()
                        .is_some_and(|(_, less)| plain(pattern, less))
            }
            (Some((_, _)), None) => false,
            (Some((one, rest)), Some((other, less))) => {
                (*one == '?' || one == other) && plain(rest, less)
            }
        }
    }

    proptest! {
        #[test]
        fn as_the_plain_rule_says(pattern in "[ab*?]{0,7}", name in "[ab]{0,9}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), plain(&chars(&pattern), &chars(&name)));
        }
    }
}
