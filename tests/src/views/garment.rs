//! [`Garment`]: what somebody hangs on random views, and builds on them, by hand.

use super::{
    dice::Dice,
    dress::{OWNER, READER, WRITER, literal, quoted},
    random::Node,
};
use crate::database::Backend;

/// Statements in order; the roles of `dress` are there.
#[derive(Debug)]
pub(super) struct Garment<'d> {
    dice: &'d mut Dice,
    backend: Backend,
    pub(super) statements: Vec<String>,
}

impl<'d> Garment<'d> {
    pub(super) fn new(dice: &'d mut Dice, backend: Backend) -> Self {
        Self {
            dice,
            backend,
            statements: Vec::new(),
        }
    }

    pub(super) fn dress(&mut self, nodes: &[Node]) {
        for (at, node) in nodes.iter().enumerate() {
            let name = quoted(self.backend, &node.name);
            match self.backend {
                Backend::Sqlite => self.triggers(at, &name, node),
                Backend::Mysql => self.grants(&name, node),
                Backend::Postgres => {
                    self.on_any(&name, node);
                    if node.materialized {
                        self.on_rows(at, &name, node);
                    } else {
                        self.on_plain(at, &name, node);
                    }
                }
            }
        }
        if self.backend == Backend::Mysql {
            for node in nodes {
                self.definer(node);
            }
        }
    }

    fn add(&mut self, statement: String) {
        self.statements.push(statement);
    }

    fn column<'n>(&mut self, node: &'n Node) -> &'n str {
        &self.dice.pick(&node.columns).0
    }

    fn triggers(&mut self, at: usize, name: &str, node: &Node) {
        let column = self.column(node);
        for (index, event) in ["INSERT", "DELETE", &format!("UPDATE OF {column}")]
            .iter()
            .enumerate()
        {
            if self.dice.one_in(3) {
                self.add(format!(
                    "CREATE TRIGGER \"On {at}; {index}\" INSTEAD OF {event} ON {name} BEGIN \
                     INSERT INTO effects VALUES ('{at}; END'); END"
                ));
            }
        }
    }

    /// After all grants: MariaDB takes none on a view of the invoker's over one of another definer's.
    fn definer(&mut self, node: &Node) {
        let owner = quoted(Backend::Mysql, OWNER);
        let name = quoted(Backend::Mysql, &node.name);
        let security = *self.dice.pick(&["DEFINER", "INVOKER"]);
        let algorithm = *self.dice.pick(&["UNDEFINED", "MERGE", "TEMPTABLE"]);
        if self.dice.one_in(3) {
            self.add(format!(
                "ALTER ALGORITHM={algorithm} DEFINER={owner}@'%' SQL SECURITY {security} VIEW {name} AS {}",
                node.query
            ));
        }
    }

    fn grants(&mut self, name: &str, node: &Node) {
        if self.dice.one_in(2) {
            let option = *self.dice.pick(&["", " WITH GRANT OPTION"]);
            self.add(format!(
                "GRANT SELECT, UPDATE ON {name} TO {READER}@'%'{option}"
            ));
        }
        if self.dice.one_in(3) {
            let column = self.column(node);
            self.add(format!(
                "GRANT SELECT ({column}), INSERT (id, {column}) ON {name} TO {WRITER}@'%'"
            ));
        }
    }

    fn on_any(&mut self, name: &str, node: &Node) {
        let word = if node.materialized {
            "MATERIALIZED VIEW"
        } else {
            "VIEW"
        };
        let text = literal(&format!("about {name}: it's;\n-- migrate: view x"));
        if self.dice.one_in(2) {
            self.add(format!("COMMENT ON {word} {name} IS {text}"));
        }
        if self.dice.one_in(3) {
            let column = self.column(node);
            self.add(format!("COMMENT ON COLUMN {name}.{column} IS {text}"));
        }
        if self.dice.one_in(2) {
            self.add(format!("GRANT SELECT ON {name} TO {READER}"));
        }
        if self.dice.one_in(3) {
            self.add(format!(
                "GRANT SELECT ON {name} TO {WRITER} WITH GRANT OPTION"
            ));
            self.add(format!(
                "SET ROLE {WRITER}; GRANT SELECT ON {name} TO PUBLIC; RESET ROLE"
            ));
        }
        if self.dice.one_in(3) {
            let column = self.column(node);
            self.add(format!("GRANT SELECT ({column}) ON {name} TO {READER}"));
        }
    }

    fn on_plain(&mut self, at: usize, name: &str, node: &Node) {
        if self.dice.one_in(4) {
            // Who owns a view reads what it reads.
            self.add(format!(
                "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {0}; ALTER VIEW {name} OWNER TO {0}",
                quoted(Backend::Postgres, OWNER)
            ));
        }
        if self.dice.one_in(4) {
            self.add(format!("ALTER VIEW {name} SET (security_barrier = false)"));
        }
        if self.dice.one_in(3) {
            let column = self.column(node);
            self.add(format!(
                "ALTER VIEW {name} ALTER COLUMN {column} SET DEFAULT NULL"
            ));
        }
        if self.dice.one_in(3) {
            self.add(
                "CREATE OR REPLACE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
                    .to_owned(),
            );
            self.add(format!(
                "CREATE TRIGGER \"On {at}\" INSTEAD OF INSERT OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION stay('{at};'); \
                 COMMENT ON TRIGGER \"On {at}\" ON {name} IS 'on {at}'"
            ));
        }
        if self.dice.one_in(3) {
            self.add(format!(
                "CREATE RULE \"Rule {at}\" AS ON UPDATE TO {name} DO INSTEAD INSERT INTO effects VALUES (new.id::text)"
            ));
        }
    }

    fn on_rows(&mut self, at: usize, name: &str, node: &Node) {
        let column = self.column(node);
        self.add(format!(
            "CREATE INDEX \"Index {at}\" ON {name} (id, {column}) WITH (fillfactor = 75)"
        ));
        if self.dice.one_in(2) {
            self.add(format!("COMMENT ON INDEX \"Index {at}\" IS 'on {at}'"));
        }
        if self.dice.one_in(2) {
            self.add(format!(
                "ALTER MATERIALIZED VIEW {name} CLUSTER ON \"Index {at}\""
            ));
        }
        if self.dice.one_in(2) {
            self.add(format!(
                "ALTER MATERIALIZED VIEW {name} ALTER COLUMN {column} SET STATISTICS {at}"
            ));
        }
        if self.dice.one_in(2) {
            self.add(format!(
                "CREATE STATISTICS \"Both {at}\" ON id, {column} FROM {name}"
            ));
        }
        if self.dice.one_in(2) {
            self.add(format!(
                "ALTER MATERIALIZED VIEW {name} SET (autovacuum_enabled = false)"
            ));
        }
        // Nothing else could be filled from it.
        if !node.is_used && self.dice.one_in(2) {
            self.add(format!("REFRESH MATERIALIZED VIEW {name} WITH NO DATA"));
        }
    }

    /// Views and functions that nobody declared, on these and on each other.
    pub(super) fn undeclared(&mut self, nodes: &[Node], tables: &[&str]) {
        let postgres = self.backend == Backend::Postgres;
        // Those without rows are on top of everything.
        let full = nodes.iter().filter(|it| !it.materialized || it.is_used);
        let mut sources: Vec<String> = full.map(|it| quoted(self.backend, &it.name)).collect();
        let count = self.dice.below(4);
        for at in 0..count {
            let on_table = !tables.is_empty() && self.dice.one_in(3);
            let (source, column) = if on_table {
                ((*self.dice.pick(tables)).to_owned(), "a")
            } else {
                (self.dice.pick(&sources).clone(), "id")
            };
            let name = quoted(self.backend, &format!("By \"hand\" {at}"));
            let materialized = postgres && self.dice.one_in(3);
            let word = if materialized {
                "MATERIALIZED VIEW"
            } else {
                "VIEW"
            };
            self.add(format!(
                "CREATE {word} {name} AS SELECT it.id AS id, it.{column} AS x0 FROM {source} it"
            ));
            match self.backend {
                Backend::Sqlite => {}
                Backend::Mysql => self.add(format!("GRANT SELECT ON {name} TO {READER}@'%'")),
                Backend::Postgres => {
                    self.add(format!("GRANT SELECT ON {name} TO {READER}"));
                    self.add(format!("COMMENT ON COLUMN {name}.x0 IS 'by; hand'"));
                    if self.dice.one_in(3) {
                        self.add(format!(
                            "CREATE FUNCTION \"Of {at}\"(it {name}) RETURNS int LANGUAGE sql AS 'SELECT it.id; SELECT 1'; \
                             COMMENT ON FUNCTION \"Of {at}\" IS 'of {at}'"
                        ));
                    }
                }
            }
            sources.push(name);
        }
    }
}
