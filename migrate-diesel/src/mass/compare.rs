//! Keys compared in SQL, so that the index answers.

use super::{
    key::PartKind,
    words::{literal, words},
};
use crate::backend::{Dialect, RowValues};

/// How a key stands to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    /// `>`
    Above,
    /// `>=`
    From,
    /// `<=`
    Through,
    /// `=`
    Equal,
    /// `<`
    Below,
}

impl Compare {
    fn operator(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::From => ">=",
            Self::Through => "<=",
            Self::Equal => "=",
            Self::Below => "<",
        }
    }

    /// For what decides before the last column.
    fn strict(self) -> &'static str {
        match self {
            Self::Above | Self::From => ">",
            Self::Through | Self::Below => "<",
            Self::Equal => "=",
        }
    }
}

/// A condition: the key in `columns`, quoted, stands so to the key with these texts.
pub(crate) fn compare(
    dialect: &Dialect,
    columns: &[String],
    kinds: &[PartKind],
    how: Compare,
    key: &[String],
) -> String {
    let literals: Vec<_> = kinds
        .iter()
        .zip(key)
        .map(|(kind, text)| literal(dialect, *kind, text))
        .collect();
    match (columns, literals.as_slice()) {
        ([column], [literal]) => format!("{column} {} {literal}", how.operator()),
        (columns, literals) if dialect.row_values == RowValues::Indexed => format!(
            "({}) {} ({})",
            columns.join(", "),
            how.operator(),
            literals.join(", ")
        ),
        (columns, literals) if how == Compare::Equal => {
            let equal = columns.iter().zip(literals);
            equal
                .map(|(column, literal)| format!("{column} = {literal}"))
                .collect::<Vec<_>>()
                .join(" AND ")
        }
        (columns, literals) => expanded(columns, literals, how),
    }
}

/// `a > 1 OR (a = 1 AND b > 2)`: what MySQL and MariaDB make ranges of an index of. Before it stands a
/// bound on the first column alone, so that other plans read little more, too.
/// <https://dev.mysql.com/doc/refman/8.4/en/row-constructor-optimization.html>
fn expanded(columns: &[String], literals: &[String], how: Compare) -> String {
    let mut condition = String::new();
    for (column, literal) in columns.iter().zip(literals).rev() {
        condition = if condition.is_empty() {
            format!("{column} {} {literal}", how.operator())
        } else {
            format!(
                "({column} {} {literal} OR ({column} = {literal} AND {condition}))",
                how.strict()
            )
        };
    }
    match (columns.first(), literals.first()) {
        (Some(column), Some(literal)) => {
            format!("{column} {}= {literal} AND {condition}", how.strict())
        }
        _ => condition,
    }
}

/// A condition: the key lies between two others, both included.
///
/// As few columns as can be are compared as a row: PostgreSQL takes a row for as rare as its first column
/// alone, and rather reads the whole table where that has few values.
pub(crate) fn between(
    dialect: &Dialect,
    columns: &[String],
    kinds: &[PartKind],
    first: &[String],
    last: &[String],
) -> String {
    let same = first.iter().zip(last).take_while(|(a, b)| a == b).count();
    let part = |how, key: &[String], from: usize, to: usize| {
        let part = from..to;
        let (columns, kinds) = (columns.get(part.clone())?, kinds.get(part.clone())?);
        let key = key.get(part)?;
        (!columns.is_empty()).then(|| compare(dialect, columns, kinds, how, key))
    };
    let length = columns.len();
    let equal = part(Compare::Equal, first, 0, same);
    let (from, through) = (
        part(Compare::From, first, same, length),
        part(Compare::Through, last, same, length),
    );
    if length <= same + 1 || !words(dialect).estimates {
        return all([equal, from, through]);
    }
    let at = same + 1;
    let low = all([
        part(Compare::Equal, first, same, at),
        part(Compare::From, first, at, length),
    ]);
    let middle = all([
        part(Compare::Above, first, same, at),
        part(Compare::Below, last, same, at),
    ]);
    let high = all([
        part(Compare::Equal, last, same, at),
        part(Compare::Through, last, at, length),
    ]);
    all([equal, Some(format!("(({low}) OR ({middle}) OR ({high}))"))])
}

/// Conditions that all have to hold; empty for none.
pub(crate) fn all(conditions: impl IntoIterator<Item = Option<String>>) -> String {
    let conditions: Vec<_> = conditions.into_iter().flatten().collect();
    conditions.join(" AND ")
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use super::*;

    fn dialect() -> &'static Dialect {
        use crate::backend::Driver as _;
        let connection: diesel::SqliteConnection =
            diesel::Connection::establish(":memory:").unwrap();
        connection.dialect()
    }

    fn parts(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    #[test]
    fn one_column_is_compared_as_it_is_and_several_expand() {
        let dialect = dialect();
        let kinds = [PartKind::Integer, PartKind::Text];
        assert_eq!(
            compare(
                dialect,
                &parts(&["\"id\""]),
                &kinds[..1],
                Compare::Above,
                &parts(&["5"])
            ),
            "\"id\" > 5"
        );
        assert_eq!(
            compare(
                dialect,
                &parts(&["a", "b"]),
                &kinds,
                Compare::Through,
                &parts(&["5", "it's"])
            ),
            "(a, b) <= (5, 'it''s')"
        );
        // Another one's text that is no number does not get into a statement without quotes.
        assert_eq!(
            compare(
                dialect,
                &parts(&["a"]),
                &kinds[..1],
                Compare::Equal,
                &parts(&["1 OR 1=1"])
            ),
            "a = '1 OR 1=1'"
        );
        assert_eq!(
            expanded(&parts(&["a", "b"]), &parts(&["1", "2"]), Compare::Above),
            "a >= 1 AND (a > 1 OR (a = 1 AND b > 2))"
        );
        assert_eq!(
            expanded(
                &parts(&["a", "b", "c"]),
                &parts(&["1", "2", "3"]),
                Compare::Through
            ),
            "a <= 1 AND (a < 1 OR (a = 1 AND (b < 2 OR (b = 2 AND c <= 3))))"
        );
    }
}
