//! What is written: every template compiles as it is.

use clap::ValueEnum;

/// What kind of migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// A table, and how it goes again
    #[default]
    Table,
    /// A few statements
    Sql,
    /// A view, from the latest migration on
    View,
    /// Rows in batches, each committed by itself and not repeated
    Data,
    /// A mass migration: rows in batches, beside the deploys, by workers
    Mass,
}

/// What a template is filled with.
#[derive(Clone, Debug)]
pub(super) struct Filling {
    /// Of the function, or of the view.
    pub(super) name: String,
    /// `pub`, `pub(crate)` or nothing.
    pub(super) visibility: String,
    pub(super) connection: String,
    /// The path of the latest migration.
    pub(super) latest: Option<String>,
}

impl Template {
    /// The items' names, none of which may be there yet.
    pub(super) fn items(self, name: &str) -> Vec<String> {
        match self {
            Self::Table => vec![name.to_owned(), undo(name)],
            Self::Sql | Self::Data | Self::Mass => vec![name.to_owned()],
            Self::View => vec![type_name(name)],
        }
    }

    /// The text, without indentation.
    pub(super) fn text(self, filling: &Filling) -> String {
        let Filling {
            name,
            visibility,
            connection,
            ..
        } = filling;
        let public = match visibility.as_str() {
            "" => String::new(),
            some => format!("{some} "),
        };
        let sentence = sentence(name);
        let subject = subject(name);
        match self {
            Self::Table => {
                let (attribute, undo) = (
                    filling.attribute(&[format!("down = {}", undo(name))]),
                    undo(name),
                );
                let columns = columns(connection);
                format!(
                    "/// {sentence}\n{attribute}\n\
                     {public}{}\n    \
                         db.batch_execute(\n        \
                             \"CREATE TABLE {subject} (\n{columns}         )\",\n    \
                         )\n\
                     }}\n\n\
                     {}\n    \
                         db.batch_execute(\"DROP TABLE {subject}\")\n\
                     }}\n",
                    function(&public, name, connection),
                    function("", &undo, connection),
                )
            }
            Self::Sql => format!(
                "/// {sentence}\n{}\n\
                 {public}{}\n    \
                     // Several statements may stand here, with semicolons between them.\n    \
                     db.batch_execute(\"SELECT 1\")\n\
                 }}\n",
                filling.attribute(&[]),
                function(&public, name, connection),
            ),
            Self::View => format!(
                "/// {sentence}\n\
                 #[view_manager(\n    \
                     name = \"{name}\",\n    \
                     since = {},\n    \
                     sql = \"SELECT 1 AS id\"\n\
                 )]\n\
                 {public}struct {};\n",
                filling.latest.as_deref().unwrap_or_default(),
                type_name(name)
            ),
            Self::Data => format!(
                "/// {sentence}\n{}\n\
                 {public}{}\n    \
                     const BATCHES: u64 = 10;\n    \
                     const ROWS: u64 = 1_000;\n    \
                     for batch in 0..BATCHES {{\n        \
                         let (from, to) = (batch * ROWS, (batch + 1) * ROWS);\n        \
                         // What is finished is not repeated: a run that was interrupted goes on here.\n        \
                         db.step(&format!(\"rows from {{from}}\"), |db| {{\n            \
                             // For example: UPDATE .. WHERE id >= {{from}} AND id < {{to}}\n            \
                             db.batch_execute(&format!(\"SELECT {{from}}, {{to}}\"))\n        \
                         }})?;\n        \
                         db.progress(batch + 1, BATCHES);\n    \
                     }}\n    \
                     Ok(())\n\
                 }}\n",
                filling.attribute(&["transaction = none".to_owned()]),
                function(&public, name, &format!("Session<{connection}>")),
            ),
            Self::Mass => format!(
                "/// {sentence}\n{}\n\
                 {public}{}\n    \
                     // Each batch in a transaction of its own; without effect until SET says what to do.\n    \
                     diesel::sql_query(format!(\n        \
                         \"UPDATE {subject} SET id = id WHERE {{}}\",\n        \
                         batch.filter()\n    \
                     ))\n    \
                     .execute(db)\n\
                 }}\n",
                filling.mass(&subject),
                over_keys(&public, name, connection),
            ),
        }
    }
}

impl Filling {
    fn mass(&self, table: &str) -> String {
        let requires = self.latest.iter().map(|it| format!("requires = [{it}]"));
        let over = [format!("table = \"{table}\""), "batch = 1_000".to_owned()];
        let keys: Vec<String> = requires.chain(over).collect();
        format!("#[mass_migration({})]", keys.join(", "))
    }

    fn attribute(&self, more: &[String]) -> String {
        let requires = self.latest.iter().map(|it| format!("requires = [{it}]"));
        let keys: Vec<String> = requires.chain(more.iter().cloned()).collect();
        if keys.is_empty() {
            return "#[migration]".to_owned();
        }
        format!("#[migration({})]", keys.join(", "))
    }
}

/// The first line of a body over a range of keys, or its first lines.
fn over_keys(public: &str, name: &str, connection: &str) -> String {
    let (db, batch) = (format!("db: &mut {connection}"), "batch: &Batch<i64>");
    let line = format!("fn {name}({db}, {batch}) -> QueryResult<usize> {{");
    if public.len() + line.len() <= 100 {
        return line;
    }
    format!("fn {name}(\n    {db},\n    {batch},\n) -> QueryResult<usize> {{")
}

/// The first line of a function, or three, as rustfmt has it. `public` stands before it.
fn function(public: &str, name: &str, connection: &str) -> String {
    let line = format!("fn {name}(db: &mut {connection}) -> QueryResult<()> {{");
    if public.len() + line.len() <= 100 {
        return line;
    }
    format!("fn {name}(\n    db: &mut {connection},\n) -> QueryResult<()> {{")
}

/// A key and a name, as this database has them.
fn columns(connection: &str) -> String {
    let (key, text) = match connection {
        "SqliteConnection" => ("INTEGER PRIMARY KEY", "TEXT"),
        "PgConnection" => ("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "TEXT"),
        "MysqlConnection" => ("BIGINT AUTO_INCREMENT PRIMARY KEY", "VARCHAR(255)"),
        _ => ("INTEGER PRIMARY KEY", "VARCHAR(255)"),
    };
    format!("             id {key},\n             name {text} NOT NULL\n")
}

fn undo(name: &str) -> String {
    format!("undo_{name}")
}

/// The words of a name, without a stamp.
fn words(name: &str) -> Vec<&str> {
    let is_stamp = |word: &&str| {
        let digits = word.strip_prefix('m').unwrap_or(word);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
    };
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    let plain: Vec<&str> = words.iter().copied().filter(|it| !is_stamp(it)).collect();
    if plain.is_empty() { words } else { plain }
}

/// `create_order_lines` is about `order_lines`.
fn subject(name: &str) -> String {
    let words = words(name);
    let mut rest = words.as_slice();
    if let [
        "create" | "add" | "new" | "make" | "fill" | "backfill",
        more @ ..,
    ] = rest
        && !more.is_empty()
    {
        rest = more;
    }
    if let [more @ .., "table"] = rest
        && !more.is_empty()
    {
        rest = more;
    }
    rest.join("_")
}

/// `Create order lines.`
pub(super) fn sentence(name: &str) -> String {
    let text = words(name).join(" ");
    let mut chars = text.chars();
    let first: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", chars.as_str())
}

/// `active_users` is `ActiveUsers`.
fn type_name(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut chars = word.chars();
        let first: String = chars
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect();
        format!("{first}{}", chars.as_str())
    };
    words.map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_it_is_about() {
        assert_eq!(subject("create_order_lines"), "order_lines");
        assert_eq!(subject("users_table"), "users");
        assert_eq!(subject("create"), "create");
        assert_eq!(subject("m20260330_001122_add_users"), "users");
        assert_eq!(subject("add_users_20260330_001"), "users");
        assert_eq!(sentence("m20260330_000001_add_users"), "Add users.");
        assert_eq!(type_name("active_users"), "ActiveUsers");
    }
}
