//! What only materialized views have.

use super::building::{Building, split};
use crate::backend::{
    Aspect,
    postgres::{
        acl::{UNIT, quote},
        text,
    },
};

impl Building {
    /// The access method and the tablespace stand in the statement that creates it as well, and cost
    /// nothing then.
    pub(super) fn materialized(&mut self, method: &str, spaces: &str, toast: &str, state: &str) {
        let (space, usual) = spaces.split_once(UNIT).unwrap_or((spaces, ""));
        let name = self.name.clone();
        let alter = format!("ALTER MATERIALIZED VIEW {name}");
        let head = &mut self.create.0;
        head.push_str(&format!(" USING {}", quote(method)));
        let set = |key: &str, value: &str| format!("{alter} SET {key} {}", quote(value));
        if method != "heap" {
            self.property(
                Aspect::Column,
                "access method",
                None,
                set("ACCESS METHOD", method),
                set("ACCESS METHOD", "heap"),
            );
        }
        if !space.is_empty() {
            self.create
                .0
                .push_str(&format!(" TABLESPACE {}", quote(space)));
            self.property(
                Aspect::Column,
                "tablespace",
                None,
                set("TABLESPACE", space),
                set("TABLESPACE", usual),
            );
        }
        for option in split(toast) {
            let (key, value) = option.split_once('=').unwrap_or((&option, "true"));
            self.option(&format!("toast.{key}"), value);
        }
        let identity = match state.chars().last() {
            Some('f') => "FULL",
            Some('n') => "NOTHING",
            // The default. An index cannot be it: it would need columns that are not null.
            _ => "",
        };
        if !identity.is_empty() {
            self.property(
                Aspect::Column,
                "replica identity",
                None,
                format!("{alter} REPLICA IDENTITY {identity}"),
                format!("{alter} REPLICA IDENTITY DEFAULT"),
            );
        }
        if state.starts_with("true") {
            self.property(
                Aspect::Populated,
                "populated",
                None,
                format!("REFRESH MATERIALIZED VIEW {name}"),
                format!("REFRESH MATERIALIZED VIEW {name} WITH NO DATA"),
            );
        }
    }

    /// Of a materialized view's column: statistics target, storage, compression, options.
    pub(super) fn stored_column(
        &mut self,
        number: &str,
        target: &str,
        storage: &str,
        options: &str,
    ) {
        let Some(column) = self.column(number) else {
            return;
        };
        let alter = self.alter_column(&column);
        let mut property = |what: &str, set: String, unset: String| {
            self.property(
                Aspect::Column,
                &format!("{what} of column {column}"),
                Some(column.clone()),
                format!("{alter} {set}"),
                format!("{alter} {unset}"),
            );
        };
        if !target.is_empty() {
            property(
                "statistics target",
                format!("SET STATISTICS {target}"),
                "SET STATISTICS -1".to_owned(),
            );
        }
        let mut storage = storage.split(UNIT);
        let mut next = || storage.next().unwrap_or_default();
        let (own, usual, compression) = (next(), next(), next());
        if !own.is_empty() {
            property(
                "storage",
                format!("SET STORAGE {}", storage_word(own)),
                format!("SET STORAGE {}", storage_word(usual)),
            );
        }
        let compression = match compression {
            "p" => "pglz",
            "l" => "lz4",
            // Whatever the server's default is when a row is written.
            _ => "",
        };
        if !compression.is_empty() {
            property(
                "compression",
                format!("SET COMPRESSION {compression}"),
                "SET COMPRESSION DEFAULT".to_owned(),
            );
        }
        // Since the releases of November 2026 the server keeps a mark of its own here, `pg_attver`.
        let options = split(options).into_iter();
        for option in options.filter(|option| !option.starts_with("pg_")) {
            let (key, value) = option.split_once('=').unwrap_or((&option, "true"));
            property(
                &format!("option {key}"),
                format!("SET ({key} = {})", text(value)),
                format!("RESET ({key})"),
            );
        }
    }

    pub(super) fn alter_column(&self, column: &str) -> String {
        let Building { word, name, .. } = self;
        format!("ALTER {word} {name} ALTER COLUMN {}", quote(column))
    }
}

fn storage_word(letter: &str) -> &'static str {
    match letter {
        "p" => "PLAIN",
        "e" => "EXTERNAL",
        "m" => "MAIN",
        _ => "EXTENDED",
    }
}
