//! [`Building`]: a snapshot that is not complete yet.

use std::collections::BTreeSet;

use crate::backend::{
    Aspect, Object, ObjectKind, Property, Snapshot, TextRow,
    postgres::{
        DIALECT,
        acl::{self, Securable, UNIT, quote},
        text,
    },
};

/// A snapshot, and what is needed to complete it.
#[derive(Debug)]
pub(super) struct Building {
    pub(super) snapshot: Snapshot,
    /// With their turns within an aspect.
    pub(super) properties: Vec<(usize, Property)>,
    pub(super) oid: String,
    pub(super) owner: String,
    pub(super) schema: String,
    /// As it stands in statements.
    pub(super) name: String,
    pub(super) word: &'static str,
    /// What came before `AS`, and what after it.
    pub(super) create: (String, String),
    /// Class and number of what hangs on it.
    pub(super) parts: BTreeSet<(String, String)>,
    pub(super) has_column_grants: bool,
    /// Others than the owner, who granted something.
    pub(super) grantors: BTreeSet<String>,
}

impl Building {
    pub(super) fn relation(object: &Object, row: TextRow) -> Option<Self> {
        let facts = row.c2?;
        let facts: Vec<&str> = facts.split('\u{1e}').collect();
        let &[kind, oid, owner, options, default, list, schema] = facts.as_slice() else {
            return None;
        };
        let (kind, word) = match kind {
            "m" => (ObjectKind::MaterializedView, "MATERIALIZED VIEW"),
            "v" => (ObjectKind::View, "VIEW"),
            _ => return None,
        };
        let name = DIALECT.identifier(&object.identity);
        let query = row.c4?;
        let mut building = Self {
            snapshot: Snapshot {
                object: Object {
                    identity: object.identity.clone(),
                    kind,
                },
                columns: split(row.c3.as_deref().unwrap_or_default()),
                create: String::new(),
                properties: Vec::new(),
                lost: Vec::new(),
            },
            properties: Vec::new(),
            oid: oid.to_owned(),
            owner: owner.to_owned(),
            schema: schema.to_owned(),
            create: (
                format!("CREATE {word} {name}"),
                query.trim_end().trim_end_matches(';').to_owned(),
            ),
            name,
            word,
            parts: BTreeSet::new(),
            has_column_grants: row.c5.as_deref() == Some("true"),
            grantors: BTreeSet::new(),
        };
        building.owned();
        for option in split(options) {
            let (key, value) = option.split_once('=').unwrap_or((&option, "true"));
            building.option(key, value);
        }
        building.grants(list, default, None);
        Some(building)
    }

    pub(super) fn add(&mut self, kind: &str, row: TextRow) {
        match kind {
            "comment" => self.comment(row),
            "part" => {
                let part = row.c2.zip(row.c3);
                self.parts.extend(part);
            }
            "member" => {
                let extension = row.c2.unwrap_or_default();
                self.lost(format!("it belongs to the extension `{extension}`"));
            }
            "extension" => {
                let extension = row.c2.unwrap_or_default();
                let what = format!("dependence on extension {extension}");
                let (word, name) = (self.word, &self.name);
                let set = format!(
                    "ALTER {word} {name} DEPENDS ON EXTENSION {}",
                    quote(&extension)
                );
                self.property(Aspect::Comment, &what, None, set, String::new());
            }
            "label" => {
                let provider = row.c2.unwrap_or_default();
                self.lost(format!("it has a security label of `{provider}`"));
            }
            "type" => {
                let (list, default) = (row.c2.unwrap_or_default(), row.c3.unwrap_or_default());
                self.grant_list(
                    &list,
                    &default,
                    &format!("TYPE {}", self.name),
                    " on its row type",
                    None,
                );
            }
            _ => {}
        }
    }

    /// Without a list nothing differs from the default.
    pub(super) fn grants(&mut self, list: &str, default: &str, column: Option<&str>) {
        let words = column.map_or_else(String::new, |column| format!(" on column {column}"));
        self.grant_list(list, default, &self.name.clone(), &words, column);
    }

    pub(super) fn grant_list(
        &mut self,
        list: &str,
        default: &str,
        on: &str,
        words: &str,
        column: Option<&str>,
    ) {
        if list.is_empty() {
            return;
        }
        if !acl::is_known(list) {
            self.lost("it has a privilege of a kind that is not known here".to_owned());
        }
        let securable = Securable {
            on,
            words,
            column,
            owner: &self.owner,
        };
        self.properties
            .extend(acl::grants(list, default, securable));
        self.grantors.extend(acl::grantors(list, &self.owner));
    }

    pub(super) fn owned(&mut self) {
        let set = format!(
            "ALTER {} {} OWNER TO {}",
            self.word,
            self.name,
            quote(&self.owner)
        );
        self.property(Aspect::Owner, "owner", None, set, String::new());
    }

    pub(super) fn option(&mut self, key: &str, value: &str) {
        let (word, name) = (self.word, &self.name);
        let set = format!("ALTER {word} {name} SET ({key} = {})", text(value));
        let unset = format!("ALTER {word} {name} RESET ({key})");
        // How a materialized view is stored is no part of its declaration: a new one does not take it
        // away.
        let aspect = match self.snapshot.object.kind {
            ObjectKind::MaterializedView => Aspect::Column,
            _ => Aspect::Options,
        };
        self.property(aspect, &format!("option {key}"), None, set, unset);
    }

    fn comment(&mut self, row: TextRow) {
        let column = row.c2.and_then(|number| self.column(&number));
        let (what, on) = match &column {
            Some(column) => (
                format!("comment on column {column}"),
                format!("COLUMN {}.{}", self.name, quote(column)),
            ),
            None => ("comment".to_owned(), format!("{} {}", self.word, self.name)),
        };
        let set = format!("COMMENT ON {on} IS {}", text(&row.c4.unwrap_or_default()));
        let unset = format!("COMMENT ON {on} IS NULL");
        self.property(Aspect::Comment, &what, column, set, unset);
    }

    /// By its number; views never lose one, so that there are no gaps.
    pub(super) fn column(&self, number: &str) -> Option<String> {
        let at = number.parse::<usize>().ok()?.checked_sub(1)?;
        self.snapshot.columns.get(at).cloned()
    }

    pub(super) fn property(
        &mut self,
        aspect: Aspect,
        what: &str,
        column: Option<String>,
        set: String,
        unset: String,
    ) {
        self.later(0, aspect, what, column, set, unset);
    }

    /// One whose turn comes after others of its aspect.
    pub(super) fn later(
        &mut self,
        turn: usize,
        aspect: Aspect,
        what: &str,
        columns: impl IntoIterator<Item = String>,
        set: String,
        unset: String,
    ) {
        let property = Property {
            aspect,
            what: what.to_owned(),
            columns: columns.into_iter().collect(),
            set,
            unset,
        };
        self.properties.push((turn, property));
    }

    pub(super) fn lost(&mut self, clause: String) {
        if !self.snapshot.lost.contains(&clause) {
            self.snapshot.lost.push(clause);
        }
    }

    pub(super) fn done(self) -> Snapshot {
        let Self {
            mut snapshot,
            mut properties,
            create: (head, body),
            ..
        } = self;
        let (head, body, end) = match snapshot.object.kind {
            ObjectKind::Function => (head.as_str(), "", ""),
            ObjectKind::MaterializedView => (head.as_str(), body.as_str(), "\n WITH NO DATA"),
            _ => (head.as_str(), body.as_str(), ""),
        };
        snapshot.create = if body.is_empty() {
            head.to_owned()
        } else {
            format!("{head} AS\n{body}{end}")
        };
        properties.sort_by(|(turn, a), (other, b)| {
            (a.aspect, turn, &a.what).cmp(&(b.aspect, other, &b.what))
        });
        snapshot.properties = properties
            .into_iter()
            .map(|(_, property)| property)
            .collect();
        snapshot
    }
}

/// The items of a list that a question of ours gives.
pub(super) fn split(list: &str) -> Vec<String> {
    let items = list.split(UNIT).filter(|it| !it.is_empty());
    items.map(str::to_owned).collect()
}
