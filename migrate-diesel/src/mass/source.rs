//! [`Keys`]: where the keys of a mass migration are, and batches cut from them.

use migrate_core::mass::{KeySource, Shard};

use super::{
    code::{Piece, Unit},
    compare::{Compare, all, compare},
    key::PartKind,
    probe::Cost,
    words::{as_text, column},
};
use crate::{
    backend::{Dialect, Driver, TextRow},
    migration::BoxError,
};

/// The texts of a key's parts.
pub(crate) type Texts = Vec<String>;

/// A key's texts, from a cursor.
pub(crate) fn decode(cursor: &str) -> Result<Texts, BoxError> {
    serde_json::from_str(cursor)
        .map_err(|_| format!("`{cursor}` is no key: a JSON array of texts is").into())
}

/// A key's texts, as a cursor.
pub(crate) fn encode(key: &[String]) -> String {
    serde_json::Value::from(key).to_string()
}

/// Where keys are, in the words of one database.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) dialect: &'static Dialect,
    /// What stands after `FROM`.
    pub(crate) from: String,
    /// Quoted.
    pub(crate) columns: Vec<String>,
    pub(crate) kinds: Vec<PartKind>,
    pub(super) cost: Cost,
}

/// A part of all keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    /// Exclusive.
    pub(crate) after: Option<Texts>,
    /// Inclusive.
    pub(crate) through: Option<Texts>,
}

impl Bounds {
    pub(crate) fn of(shard: &Shard) -> Result<Self, BoxError> {
        Ok(Self {
            after: shard.after.as_deref().map(decode).transpose()?,
            through: shard.through.as_deref().map(decode).transpose()?,
        })
    }
}

impl Keys {
    pub(crate) fn new(
        dialect: &'static Dialect,
        source: KeySource,
        columns: &[String],
        kinds: &[PartKind],
    ) -> Self {
        Self {
            dialect,
            from: from(dialect, source),
            columns: columns.iter().map(|it| column(dialect, it)).collect(),
            kinds: kinds.to_vec(),
            cost: match source {
                KeySource::Table(_) => Cost::Step,
                KeySource::Query(_) => Cost::Query,
            },
        }
    }

    pub(crate) fn compare(&self, how: Compare, key: &[String]) -> String {
        compare(self.dialect, &self.columns, &self.kinds, how, key)
    }

    /// ` WHERE ..`, or nothing.
    pub(crate) fn within(&self, bounds: &Bounds) -> String {
        let condition = all([
            bounds
                .after
                .as_deref()
                .map(|key| self.compare(Compare::Above, key)),
            bounds
                .through
                .as_deref()
                .map(|key| self.compare(Compare::Through, key)),
        ]);
        if condition.is_empty() {
            condition
        } else {
            format!(" WHERE {condition}")
        }
    }

    /// `id AS k0, ..`
    pub(super) fn named(&self) -> String {
        let named = self.columns.iter().enumerate();
        named
            .map(|(at, column)| format!("{column} AS k{at}"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// `k0, ..`
    fn names(&self) -> String {
        let names: Vec<_> = (0..self.columns.len()).map(|at| format!("k{at}")).collect();
        names.join(", ")
    }

    /// The parts `k0`, .. as texts in the columns `c0`, ..; `rest` follows them, as many as are left of six.
    fn texts(&self, rest: &[String]) -> String {
        let kinds = self.kinds.iter().enumerate();
        let parts = kinds.map(|(at, kind)| as_text(self.dialect, *kind, &format!("k{at}")));
        six(parts.chain(rest.iter().cloned()))
    }

    /// The keys after `cursor`, at most `limit`.
    fn limited(&self, bounds: &Bounds, cursor: Option<Texts>, limit: u32) -> String {
        let bounds = Bounds {
            after: cursor.or_else(|| bounds.after.clone()),
            through: bounds.through.clone(),
        };
        format!(
            "SELECT {} FROM {}{} ORDER BY {} LIMIT {limit}",
            self.named(),
            self.from,
            self.within(&bounds),
            self.columns.join(", ")
        )
    }

    /// One statement that gives the next batch.
    pub(crate) fn cutting(&self, bounds: &Bounds, cursor: Option<Texts>, limit: u32) -> Cutting {
        let limited = self.limited(bounds, cursor, limit);
        if let [kind @ PartKind::Integer] = self.kinds.as_slice() {
            let text = |expression: &str| as_text(self.dialect, *kind, expression);
            return Cutting {
                sql: format!(
                    "SELECT {} FROM ({limited}) AS batch",
                    six([text("min(k0)"), text("max(k0)"), text("count(*)")])
                ),
                shape: Shape::Aggregated,
            };
        }
        // Not min() and max(): several columns have none, nor have some types, and a collation that an
        // aggregate forgets would give other ends than the order does.
        let count = |expression: &str| as_text(self.dialect, PartKind::Integer, expression);
        let parts = self.columns.len();
        Cutting {
            sql: format!(
                "SELECT {} FROM (SELECT {names}, row_number() OVER (ORDER BY {names}) AS n, count(*) OVER () AS total \
                 FROM ({limited}) AS batch) AS ranked WHERE n = 1 OR n = total ORDER BY n",
                self.texts(&[count("total")]),
                names = self.names(),
            ),
            shape: Shape::Ends { parts },
        }
    }

    /// The next batch of a shard.
    pub(crate) fn cut(
        &self,
        driver: &mut dyn Driver,
        bounds: &Bounds,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Piece>, BoxError> {
        let cursor = cursor.map(decode).transpose()?;
        let limit = limit.max(1);
        if let Some((first, last)) = self.probe(driver, bounds, cursor.as_ref(), limit)? {
            return Ok(Some(Piece {
                first: encode(&first),
                last: encode(&last),
                units: u64::from(limit),
                unit: Unit::More,
            }));
        }
        // The last one, which is not full.
        let cutting = self.cutting(bounds, cursor, limit);
        let rows = driver.rows(&cutting.sql)?;
        let Some((first, last, units)) = cutting.shape.read(rows)? else {
            return Ok(None);
        };
        Ok(Some(Piece {
            first: encode(&first),
            last: encode(&last),
            units,
            unit: if units < u64::from(limit) {
                Unit::Last
            } else {
                Unit::More
            },
        }))
    }

    /// The unit with one key.
    pub(crate) fn single(
        &self,
        driver: &mut dyn Driver,
        key: &str,
    ) -> Result<Option<Piece>, BoxError> {
        let texts = decode(key)?;
        let rows = driver.rows(&format!(
            "SELECT {} FROM {} WHERE {}",
            six([as_text(self.dialect, PartKind::Integer, "count(*)")]),
            self.from,
            self.compare(Compare::Equal, &texts)
        ))?;
        let units = rows
            .first()
            .and_then(|row| row.c0.as_ref()?.parse().ok())
            .unwrap_or(0);
        Ok((units > 0).then(|| Piece {
            first: key.to_owned(),
            last: key.to_owned(),
            units,
            unit: Unit::More,
        }))
    }

    /// How many keys there are.
    pub(crate) fn count(&self, driver: &mut dyn Driver) -> Result<u64, BoxError> {
        let rows = driver.rows(&format!(
            "SELECT {} FROM {}",
            six([as_text(self.dialect, PartKind::Integer, "count(*)")]),
            self.from
        ))?;
        let count = rows.first().and_then(|row| row.c0.as_ref()?.parse().ok());
        count.ok_or_else(|| "the database did not count".into())
    }

    /// The key that comes `steps` after `after`, for 0 the next one; `None` when there are fewer.
    pub(crate) fn step(
        &self,
        driver: &mut dyn Driver,
        after: Option<Texts>,
        steps: u64,
    ) -> Result<Option<Texts>, BoxError> {
        let bounds = Bounds {
            after,
            through: None,
        };
        let rows = driver.rows(&format!(
            "SELECT {} FROM ({} OFFSET {steps}) AS step",
            self.texts(&[]),
            self.limited(&bounds, None, 1)
        ))?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|row| parts(row, self.columns.len())))
    }

    /// The highest key.
    pub(crate) fn highest(&self, driver: &mut dyn Driver) -> Result<Option<Texts>, BoxError> {
        let descending: Vec<_> = self.columns.iter().map(|it| format!("{it} DESC")).collect();
        let rows = driver.rows(&format!(
            "SELECT {} FROM (SELECT {} FROM {}{} ORDER BY {} LIMIT 1) AS highest",
            self.texts(&[]),
            self.named(),
            self.from,
            self.present(),
            descending.join(", ")
        ))?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|row| parts(row, self.columns.len())))
    }

    /// NULL sorts first or last, as the database likes, and is no key.
    fn present(&self) -> String {
        let present = self
            .columns
            .iter()
            .map(|it| Some(format!("{it} IS NOT NULL")));
        format!(" WHERE {}", all(present))
    }
}

/// What stands after `FROM`.
pub(crate) fn from(dialect: &Dialect, source: KeySource) -> String {
    match source {
        KeySource::Table(table) => dialect.identifier(table),
        KeySource::Query(query) => format!("({query}) AS source"),
    }
}

/// `.. AS c0` to `.. AS c5`.
pub(crate) fn six(expressions: impl IntoIterator<Item = String>) -> String {
    let mut expressions = expressions.into_iter();
    let columns: Vec<_> = (0..6)
        .map(|at| {
            format!(
                "{} AS c{at}",
                expressions.next().unwrap_or_else(|| "NULL".to_owned())
            )
        })
        .collect();
    columns.join(", ")
}

/// The first `count` texts of a row; `None` when one of them is NULL.
fn parts(row: TextRow, count: usize) -> Option<Texts> {
    [row.c0, row.c1, row.c2, row.c3]
        .into_iter()
        .take(count)
        .collect()
}

/// A statement that gives the next batch, and how to read what it answers.
#[derive(Debug)]
pub(crate) struct Cutting {
    pub(crate) sql: String,
    shape: Shape,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// One row: lowest, highest, number.
    Aggregated,
    /// A row for the lowest, and one for the highest where that is another.
    Ends { parts: usize },
}

impl Shape {
    /// The first key, the last one, and how many there are.
    fn read(self, rows: Vec<TextRow>) -> Result<Option<(Texts, Texts, u64)>, BoxError> {
        let mut rows = rows.into_iter();
        let Some(first) = rows.next() else {
            return Ok(None);
        };
        let (ends, total) = match self {
            Self::Aggregated => {
                let ends = first.c0.map(|it| vec![it]).zip(first.c1.map(|it| vec![it]));
                (ends, first.c2)
            }
            Self::Ends { parts: count } => {
                let total = match count {
                    1 => first.c1.clone(),
                    2 => first.c2.clone(),
                    3 => first.c3.clone(),
                    _ => first.c4.clone(),
                };
                let first = parts(first, count);
                let last = match rows.next() {
                    Some(row) => parts(row, count),
                    None => first.clone(),
                };
                (first.zip(last), total)
            }
        };
        let total = total.and_then(|total| total.parse().ok()).unwrap_or(0);
        match ends {
            _ if total == 0 => Ok(None),
            Some((first, last)) => Ok(Some((first, last, total))),
            // Never to be taken for the end: what lies behind it would be left out.
            None => Err("there is a row whose key is NULL: no order has a place for it".into()),
        }
    }
}
