//! What the database says of a key: its columns, and what they hold.

use migrate_core::{
    Location,
    mass::{KeySource, MassFacts, MassKind},
};

use super::{
    code::MassCode,
    key::PartKind,
    source::{Keys, from, six},
    words::column,
};
use crate::{
    backend::{Dialect, Driver, TextRow},
    migration::BoxError,
};

/// Why the key of a mass migration is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The table is not there.
    #[error("there is no table `{table}`, which the mass migration at {location} goes over")]
    NoTable {
        /// As declared.
        table: String,
        /// Where the migration is.
        location: Location,
    },
    /// No key was declared, and the table has none.
    #[error(
        "`{table}` has no primary key: name the columns of another one with `key = ..` at {location}"
    )]
    NoPrimaryKey {
        /// As declared.
        table: String,
        /// Where the migration is.
        location: Location,
    },
    /// A query has no primary key.
    #[error("a query has no primary key: name the columns with `key = ..` at {location}")]
    NoKey {
        /// Where the migration is.
        location: Location,
    },
    /// A column of the key is not there.
    #[error(
        "`{table}` has no column `{column}`, which `key` names at {location}; it has {}",
        list(known)
    )]
    NoColumn {
        /// As declared.
        table: String,
        /// As declared.
        column: String,
        /// What it has.
        known: Vec<String>,
        /// Where the migration is.
        location: Location,
    },
    /// The body takes a key of another length.
    #[error("the key of {over} has {} ({}), and the body at {location} takes {takes}", plural(columns.len()), list(columns))]
    Length {
        /// The table or the query.
        over: String,
        /// Of the key.
        columns: Vec<String>,
        /// Parts of the body's key.
        takes: usize,
        /// Where the migration is.
        location: Location,
    },
    /// More columns than a cursor can have.
    #[error("the key of {over} has {} ({}), and a key has at most 4: see {location}", plural(columns.len()), list(columns))]
    TooLong {
        /// The table or the query.
        over: String,
        /// Of the key.
        columns: Vec<String>,
        /// Where the migration is.
        location: Location,
    },
    /// A column holds something else than the body takes.
    #[error(
        "`{column}` of {over} holds {holds}, and the key of the body at {location} takes {takes} there"
    )]
    Kind {
        /// The table or the query.
        over: String,
        /// Of the key.
        column: String,
        /// In words.
        holds: &'static str,
        /// In words.
        takes: &'static str,
        /// Where the migration is.
        location: Location,
    },
    /// Some rows have no key.
    #[error(
        "`{column}` of {over} is NULL in some rows: no batch would ever reach them; see the `key` at {location}"
    )]
    Null {
        /// The table or the query.
        over: String,
        /// Of the key.
        column: String,
        /// Where the migration is.
        location: Location,
    },
}

fn list(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|it| format!("`{it}`")).collect();
    names.join(", ")
}

fn plural(columns: usize) -> String {
    if columns == 1 {
        "1 column".to_owned()
    } else {
        format!("{columns} columns")
    }
}

/// The table, or that it is a query.
pub(super) fn over(source: KeySource) -> String {
    match source {
        KeySource::Table(table) => format!("`{table}`"),
        KeySource::Query(_) => "the query".to_owned(),
    }
}

/// The columns of the key, as declared or as the catalog says; none for a body that goes over no keys.
pub(crate) fn columns(
    driver: &mut dyn Driver,
    facts: &MassFacts,
    code: &dyn MassCode,
    location: Location,
) -> Result<Vec<String>, BoxError> {
    let MassKind::Keys { source, key, .. } = facts.kind else {
        return Ok(Vec::new());
    };
    let columns = match source {
        KeySource::Table(table) => of_table(driver, table, key, location)?,
        KeySource::Query(_) if key.is_empty() => return Err(KeyError::NoKey { location }.into()),
        KeySource::Query(_) => key.iter().map(|it| (*it).to_owned()).collect(),
    };
    let takes = code.key().len();
    if takes > 0 && takes != columns.len() {
        let over = over(source);
        return Err(KeyError::Length {
            over,
            columns,
            takes,
            location,
        }
        .into());
    }
    if columns.len() > 4 {
        let over = over(source);
        return Err(KeyError::TooLong {
            over,
            columns,
            location,
        }
        .into());
    }
    Ok(columns)
}

fn of_table(
    driver: &mut dyn Driver,
    table: &str,
    key: &[&str],
    location: Location,
) -> Result<Vec<String>, BoxError> {
    let found = table_columns(driver, table)?;
    if found.is_empty() {
        let table = table.to_owned();
        return Err(KeyError::NoTable { table, location }.into());
    }
    if key.is_empty() {
        let mut primary: Vec<_> = found
            .into_iter()
            .filter_map(|it| Some((it.primary?, it.name)))
            .collect();
        primary.sort();
        if primary.is_empty() {
            let table = table.to_owned();
            return Err(KeyError::NoPrimaryKey { table, location }.into());
        }
        return Ok(primary.into_iter().map(|(_, name)| name).collect());
    }
    let sqlite = driver.dialect().name == "sqlite";
    let folds = driver.dialect().name != "postgres";
    let known = |name: &str| {
        // SQLite's own key, which no catalog lists.
        (sqlite && ["rowid", "oid", "_rowid_"].contains(&name.to_ascii_lowercase().as_str()))
            || found
                .iter()
                .any(|it| it.name == name || (folds && it.name.eq_ignore_ascii_case(name)))
    };
    match key.iter().find(|name| !known(name)) {
        None => Ok(key.iter().map(|it| (*it).to_owned()).collect()),
        Some(column) => Err(KeyError::NoColumn {
            table: table.to_owned(),
            column: (*column).to_owned(),
            known: found.iter().map(|it| it.name.clone()).collect(),
            location,
        }
        .into()),
    }
}

struct Column {
    name: String,
    /// Its place in the primary key.
    primary: Option<u32>,
    /// Whether the table refuses NULL in it.
    never_null: bool,
}

fn table_columns(driver: &mut dyn Driver, table: &str) -> Result<Vec<Column>, BoxError> {
    let dialect = driver.dialect();
    let (schema, name) = match table.split_once('.') {
        Some((schema, name)) => (Some(schema), name),
        None => (None, table),
    };
    let text = dialect.text;
    let sql = match dialect.name {
        "sqlite" => format!(
            "SELECT {} FROM pragma_table_xinfo({}, {}) ORDER BY cid",
            six(["name".to_owned(), "CAST(nullif(pk, 0) AS TEXT)".to_owned()]),
            text(name),
            text(schema.unwrap_or("main"))
        ),
        "mysql" => format!(
            "SELECT {} FROM information_schema.columns c LEFT JOIN information_schema.statistics s \
             ON s.table_schema = c.table_schema AND s.table_name = c.table_name \
             AND s.column_name = c.column_name AND s.index_name = 'PRIMARY' \
             WHERE c.table_schema = {} AND c.table_name = {} ORDER BY c.ordinal_position",
            six([
                "c.column_name".to_owned(),
                "CAST(s.seq_in_index AS CHAR)".to_owned()
            ]),
            schema.map_or_else(|| "DATABASE()".to_owned(), text),
            text(name)
        ),
        _ => format!(
            "SELECT {} FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = to_regclass({}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            six([
                "a.attname::text".to_owned(),
                "array_position(i.indkey::int2[], a.attnum)::text".to_owned(),
                "a.attnotnull::int::text".to_owned(),
            ]),
            text(&dialect.identifier(table))
        ),
    };
    let rows = driver.rows(&sql)?;
    let column = |row: TextRow| {
        let [name, primary, never_null, ..] = row.into_columns();
        Some(Column {
            name: name?,
            never_null: never_null.as_deref() == Some("1"),
            primary: primary.and_then(|at| at.parse().ok()),
        })
    };
    Ok(rows.into_iter().filter_map(column).collect())
}

/// What a column of a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Integer,
    /// With a fraction.
    Number,
    Text,
    Uuid,
    Bytes,
}

impl Held {
    /// From what the database calls it.
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "integer" | "bigint" | "smallint" | "unsigned integer" => Self::Integer,
            "real" | "double" | "decimal" | "numeric" | "double precision" => Self::Number,
            "uuid" => Self::Uuid,
            "bytea" | "blob" | "bit" => Self::Bytes,
            _ => Self::Text,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Integer => "integers",
            Self::Number => "numbers with fractions",
            Self::Text => "texts",
            Self::Uuid => "UUIDs",
            Self::Bytes => "bytes",
        }
    }

    /// Whether literals and texts of a kind compare with it as its index does.
    fn fits(self, kind: PartKind, dialect: &Dialect) -> bool {
        // With SQLite every number is below every text, whatever it says.
        let numbers_by_text = self == Self::Number && dialect.name != "sqlite";
        match kind {
            PartKind::Integer => matches!(self, Self::Integer) || numbers_by_text,
            PartKind::Text => matches!(self, Self::Text | Self::Uuid) || numbers_by_text,
            PartKind::Uuid => matches!(self, Self::Uuid | Self::Text | Self::Bytes),
            PartKind::Bytes => self == Self::Bytes,
        }
    }

    /// For a body that does not say.
    fn kind(self) -> PartKind {
        match self {
            Self::Integer => PartKind::Integer,
            Self::Number | Self::Text => PartKind::Text,
            Self::Uuid => PartKind::Uuid,
            Self::Bytes => PartKind::Bytes,
        }
    }
}

fn takes(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Integer => "an integer",
        PartKind::Text => "a text",
        PartKind::Uuid => "a UUID",
        PartKind::Bytes => "bytes",
    }
}

/// What the columns hold, as the rows with the lowest and the highest key say: SQLite sorts by type
/// first. Nothing when there is no row.
fn held(
    driver: &mut dyn Driver,
    source: KeySource,
    columns: &[String],
) -> Result<Vec<Vec<Held>>, BoxError> {
    let dialect = driver.dialect();
    let quoted: Vec<_> = columns.iter().map(|it| column(dialect, it)).collect();
    let kind = |column: &String| match dialect.name {
        "sqlite" => format!("typeof({column})"),
        // Bytes and texts differ in nothing but their character set, and MariaDB's dates have none either.
        "mysql" => format!(
            "IF(JSON_TYPE(JSON_EXTRACT(JSON_ARRAY({column}), '$[0]')) IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL'), \
             JSON_TYPE(JSON_EXTRACT(JSON_ARRAY({column}), '$[0]')), IF(CHARSET({column}) = 'binary' AND TIMESTAMP({column}) IS NULL, 'BLOB', 'STRING'))"
        ),
        _ => format!("pg_typeof({column})::text"),
    };
    let present: Vec<_> = quoted
        .iter()
        .map(|it| format!("{it} IS NOT NULL"))
        .collect();
    let kinds = six(quoted.iter().map(kind));
    let from = from(dialect, source);
    let present = present.join(" AND ");
    let end = |order: &str| {
        let order: Vec<_> = quoted.iter().map(|it| format!("{it} {order}")).collect();
        format!(
            "SELECT * FROM (SELECT {kinds} FROM {from} WHERE {present} ORDER BY {} LIMIT 1) AS held",
            order.join(", ")
        )
    };
    let rows = driver.rows(&format!("{} UNION ALL {}", end("ASC"), end("DESC")))?;
    let row = |row: TextRow| {
        let words = row.into_columns().into_iter().take(columns.len());
        words
            .map(|word| Held::of(word.as_deref().unwrap_or_default()))
            .collect()
    };
    Ok(rows.into_iter().map(row).collect())
}

/// The kinds of a key: the body's, where it says, else what the columns hold. `None` for an unknown key
/// of no rows.
pub(crate) fn kinds(
    driver: &mut dyn Driver,
    source: KeySource,
    columns: &[String],
    declared: &[PartKind],
) -> Result<Option<Vec<PartKind>>, BoxError> {
    if !declared.is_empty() {
        return Ok(Some(declared.to_vec()));
    }
    let held = held(driver, source, columns)?;
    let lowest = held.into_iter().next();
    Ok(lowest.map(|held| held.into_iter().map(Held::kind).collect()))
}

/// Refuses a key that does not hold what the body takes, or that is NULL somewhere.
pub(super) fn check(
    driver: &mut dyn Driver,
    source: KeySource,
    columns: &[String],
    declared: &[PartKind],
    location: Location,
) -> Result<(), BoxError> {
    let dialect = driver.dialect();
    let ends = held(driver, source, columns)?;
    let kinds: Vec<_> = match ends.first() {
        Some(lowest) if declared.is_empty() => lowest.iter().map(|it| it.kind()).collect(),
        _ => declared.to_vec(),
    };
    for held in ends {
        for ((column, held), kind) in columns.iter().zip(held).zip(&kinds) {
            if !held.fits(*kind, dialect) {
                return Err(KeyError::Kind {
                    over: over(source),
                    column: column.clone(),
                    holds: held.words(),
                    takes: takes(*kind),
                    location,
                }
                .into());
            }
        }
    }
    nulls(driver, source, columns, location)
}

fn nulls(
    driver: &mut dyn Driver,
    source: KeySource,
    columns: &[String],
    location: Location,
) -> Result<(), BoxError> {
    let dialect = driver.dialect();
    let from = from(dialect, source);
    let known = match source {
        KeySource::Table(table) => table_columns(driver, table)?,
        KeySource::Query(_) => Vec::new(),
    };
    let never = |name: &String| known.iter().any(|it| it.name == *name && it.never_null);
    let one = |name: &String| {
        // The whole table would be read for it, as no plan begins with the answer.
        if never(name) {
            return "NULL".to_owned();
        }
        format!(
            "(SELECT '1' FROM {from} WHERE {} IS NULL LIMIT 1)",
            column(dialect, name)
        )
    };
    let rows = driver.rows(&format!("SELECT {}", six(columns.iter().map(one))))?;
    let found = rows.into_iter().next().map(TextRow::into_columns);
    let null = columns
        .iter()
        .zip(found.into_iter().flatten())
        .find(|(_, found)| found.is_some());
    match null {
        None => Ok(()),
        Some((column, _)) => Err(KeyError::Null {
            over: over(source),
            column: column.clone(),
            location,
        }
        .into()),
    }
}

/// The key in the words of the database; `None` when it has no rows and the body does not say what it is.
pub(crate) fn keys(
    driver: &mut dyn Driver,
    source: KeySource,
    columns: &[String],
    declared: &[PartKind],
) -> Result<Option<Keys>, BoxError> {
    let kinds = kinds(driver, source, columns, declared)?;
    Ok(kinds.map(|kinds| Keys::new(driver.dialect(), source, columns, &kinds)))
}
