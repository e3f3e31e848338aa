//! The ends of a full batch, by two steps in an index.

use diesel::QueryResult;

use super::{
    key::PartKind,
    source::{Bounds, Keys, Texts, six},
    words::as_text,
};
use crate::backend::{Driver, HOLE};

/// What it costs to look at one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// A step in an index.
    Step,
    /// Perhaps as much as looking at all of them.
    Query,
}

impl Keys {
    /// The ends of the next batch, if that is a full one: its first key and its last, two steps in an index rather
    /// than a look at everything in between.
    pub(super) fn probe(
        &self,
        driver: &mut dyn Driver,
        bounds: &Bounds,
        cursor: Option<&Texts>,
        limit: u32,
    ) -> QueryResult<Option<(Texts, Texts)>> {
        let ([kind], [column], Cost::Step) =
            (self.kinds.as_slice(), self.columns.as_slice(), self.cost)
        else {
            return Ok(None);
        };
        let text = as_text(self.dialect, *kind, "k0");
        let statement = |condition: &str| {
            let nth = |offset| {
                format!(
                    "(SELECT {text} FROM (SELECT {} FROM {}{condition} ORDER BY {column} LIMIT 1 OFFSET {offset}) AS probe)",
                    self.named(),
                    self.from,
                )
            };
            format!("SELECT {}", six([nth(0), nth(limit - 1)]))
        };
        let bounds = Bounds {
            after: cursor.or(bounds.after.as_ref()).cloned(),
            through: bounds.through.clone(),
        };
        let prepared = self.numbers(&bounds).and_then(|(condition, numbers)| {
            let twice = [numbers.as_slice(), numbers.as_slice()].concat();
            driver.rows_prepared(&statement(&condition), &twice)
        });
        let rows = match prepared {
            Some(rows) => rows?,
            None => driver.rows(&statement(&self.within(&bounds)))?,
        };
        let ends = rows.into_iter().next().map(|row| (row.c0, row.c1));
        Ok(ends.and_then(|(first, last)| Some((vec![first?], vec![last?]))))
    }

    /// As [`within`](Self::within), with holes for its numbers, where it has nothing but one or two of them.
    fn numbers(&self, bounds: &Bounds) -> Option<(String, Vec<i64>)> {
        let ([PartKind::Integer], [column]) = (self.kinds.as_slice(), self.columns.as_slice())
        else {
            return None;
        };
        let after = bounds.after.iter().map(|key| (">", key));
        let through = bounds.through.iter().map(|key| ("<=", key));
        let (mut conditions, mut numbers) = (Vec::new(), Vec::new());
        for (operator, key) in after.chain(through) {
            let [number] = key.as_slice() else {
                return None;
            };
            numbers.push(number.parse().ok()?);
            conditions.push(format!("{column} {operator} {HOLE}"));
        }
        let condition = conditions.join(" AND ");
        (!numbers.is_empty()).then(|| (format!(" WHERE {condition}"), numbers))
    }
}
