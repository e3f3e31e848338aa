//! What the text of a view's definition says that it reads, for databases that keep nothing else.
//!
//! Not a parser: it finds the names that stand where tables do. Where a text leaves a doubt, it says
//! "reads".

mod tokens;

#[cfg(feature = "mysql")]
pub(crate) use tokens::MYSQL;
#[cfg(feature = "sqlite")]
pub(crate) use tokens::SQLITE;
pub(crate) use tokens::{Flavor, Kind, Token, tokens};

/// A definition, taken apart.
#[derive(Debug)]
pub(crate) struct ViewText<'a> {
    tokens: Vec<Token<'a>>,
    references: Vec<Reference>,
    flavor: Flavor,
}

/// A name where a table stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// What stands before the dot.
    pub(crate) schema: Option<String>,
    /// The name.
    pub(crate) name: String,
    /// The token after it, which may be its alias.
    after: usize,
}

impl<'a> ViewText<'a> {
    /// Of a query, or of a `CREATE VIEW` statement, whose head takes no part.
    pub(crate) fn new(sql: &'a str, flavor: Flavor) -> Self {
        let mut tokens = tokens(sql, flavor);
        if tokens.first().is_some_and(|first| first.is_word("create")) {
            let head = tokens.iter().position(|token| token.is_word("as"));
            tokens.drain(..head.map_or(0, |at| at + 1));
        }
        let references = Walk::new(&tokens, flavor).references();
        Self {
            tokens,
            references,
            flavor,
        }
    }

    /// The names in the place of tables, in order, without those that mean a common table expression.
    pub(crate) fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Whether it may read the column `column` of a table, `is_table` being what tells that table:
    /// the name occurs, or something that stands for all columns does.
    pub(crate) fn reads_column(&self, column: &str, is_table: impl Fn(&Reference) -> bool) -> bool {
        let tables: Vec<&Reference> = self
            .references
            .iter()
            .filter(|reference| is_table(reference))
            .collect();
        !tables.is_empty()
            && self.tokens.iter().enumerate().any(|(at, token)| {
                let named = token.is_name() && same(&token.text, column);
                // Joins by columns that it does not name.
                named || token.is_word("natural") || self.is_star(at, token, &tables)
            })
    }

    /// Whether the token is a `*` that stands for the columns of one of these.
    fn is_star(&self, at: usize, token: &Token<'_>, tables: &[&Reference]) -> bool {
        if !self.flavor.stars || !token.is_sign('*') {
            return false;
        }
        let before = |steps| at.checked_sub(steps).and_then(|at| self.tokens.get(at));
        match before(1) {
            Some(before) if before.is_one_of(&["select", "distinct", "all"]) => true,
            Some(comma) if comma.is_sign(',') => true,
            Some(dot) if dot.is_sign('.') => before(2).is_some_and(|qualifier| {
                tables.iter().any(|table| {
                    same(&table.name, &qualifier.text)
                        || self
                            .alias(table)
                            .is_some_and(|alias| same(alias, &qualifier.text))
                })
            }),
            // A multiplication, or `count(*)`.
            _ => false,
        }
    }

    /// What follows a table's name, which is its alias unless it is a keyword.
    fn alias(&self, table: &Reference) -> Option<&str> {
        let next = self.tokens.get(table.after)?;
        let alias = if next.is_word("as") {
            self.tokens.get(table.after + 1)?
        } else {
            next
        };
        Some(&alias.text)
    }
}

/// Whether two names are the same where case does not matter.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// One level of parentheses.
#[derive(Debug, Default)]
struct Level {
    outer: Option<usize>,
    /// Nothing has been in it yet: `WITH` begins a list of common table expressions.
    started: bool,
    /// Between FROM and WHERE: a comma separates tables.
    from: bool,
    /// A table comes next.
    table_next: bool,
    /// Between WITH and SELECT: a comma separates common table expressions.
    with: bool,
    /// The name of a common table expression comes next.
    expression_next: bool,
    expressions: Vec<String>,
}

/// Goes over the tokens and keeps what place each is in.
struct Walk<'t, 'a> {
    tokens: &'t [Token<'a>],
    flavor: Flavor,
    levels: Vec<Level>,
    current: usize,
    /// With the level that each is in.
    found: Vec<(usize, Reference)>,
}

impl<'t, 'a> Walk<'t, 'a> {
    fn new(tokens: &'t [Token<'a>], flavor: Flavor) -> Self {
        Self {
            tokens,
            flavor,
            levels: vec![Level::default()],
            current: 0,
            found: Vec::new(),
        }
    }

    fn references(mut self) -> Vec<Reference> {
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            at = self.step(at, token);
        }
        let Self { found, levels, .. } = self;
        let shadowed = |mut level: Option<usize>, name: &str| {
            while let Some(here) = level.and_then(|level| levels.get(level)) {
                if here.expressions.iter().any(|known| same(known, name)) {
                    return true;
                }
                level = here.outer;
            }
            false
        };
        found
            .into_iter()
            .filter(|(level, it)| it.schema.is_some() || !shadowed(Some(*level), &it.name))
            .map(|(_, reference)| reference)
            .collect()
    }

    /// Takes one token, or a whole name; says which is the next.
    fn step(&mut self, at: usize, token: &Token<'_>) -> usize {
        let index = self.current;
        let Some(level) = self.levels.get_mut(index) else {
            return self.tokens.len();
        };
        let names = token.is_name() || (self.flavor.text_is_name && token.kind == Kind::Text);
        let starts = !std::mem::replace(&mut level.started, true);
        match token.kind {
            Kind::Sign('(') => {
                let table_next = std::mem::take(&mut level.table_next);
                self.current = self.levels.len();
                self.levels.push(Level {
                    outer: Some(index),
                    from: table_next,
                    table_next,
                    ..Level::default()
                });
            }
            Kind::Sign(')') => self.current = level.outer.unwrap_or_default(),
            Kind::Sign(',') => {
                level.expression_next = level.with;
                level.table_next = level.from && !level.with;
            }
            _ if token.is_one_of(&["select", "values"]) => {
                level.from = false;
                level.table_next = false;
                level.with = false;
            }
            _ if starts && token.is_word("with") => {
                level.from = false;
                level.table_next = false;
                level.with = true;
                level.expression_next = true;
            }
            _ if level.expression_next && names && !token.is_word("recursive") => {
                level.expression_next = false;
                level.expressions.push(token.text.clone().into_owned());
            }
            _ if level.table_next && names && !token.is_word("lateral") => {
                level.table_next = false;
                return self.reference(at);
            }
            _ => self.keyword(at, token),
        }
        at + 1
    }

    /// What a keyword says of the place that what follows it is in.
    fn keyword(&mut self, at: usize, token: &Token<'_>) {
        let neighbour = |at: Option<usize>| at.and_then(|at| self.tokens.get(at));
        // `IS DISTINCT FROM x` compares.
        let compares = neighbour(at.checked_sub(1)).is_some_and(|it| it.is_word("distinct"));
        let opens = neighbour(at.checked_add(1)).is_some_and(|it| it.is_sign('('));
        let Some(level) = self.levels.get_mut(self.current) else {
            return;
        };
        if token.is_word("from") {
            level.from = !compares;
            level.table_next = !compares;
        } else if token.is_one_of(&["join", "straight_join"]) {
            level.from = true;
            level.table_next = true;
        } else if token.is_word("in") {
            // `x IN users`, which SQLite has.
            level.table_next = !opens;
        } else if token.is_one_of(&[
            "where",
            "group",
            "having",
            "order",
            "limit",
            "union",
            "except",
            "intersect",
        ]) {
            level.from = false;
        }
    }

    fn at(&self, at: usize) -> Option<&'t Token<'a>> {
        self.tokens.get(at)
    }

    /// Takes the name that begins here: `a`, `a.b`, rarely more.
    fn reference(&mut self, first: usize) -> usize {
        let mut at = first;
        let mut schema: Option<&str> = None;
        let mut name = self.at(first).map(|token| token.text.as_ref());
        while let Some(next) = self
            .at(at + 1)
            .filter(|dot| dot.is_sign('.'))
            .and_then(|_| self.at(at + 2))
        {
            schema = name;
            name = Some(next.text.as_ref());
            at += 2;
        }
        at += 1;
        // `json_each(..)` and the like.
        let function = self.at(at).is_some_and(|next| next.is_sign('('));
        if let Some(name) = name.filter(|_| !function) {
            let reference = Reference {
                schema: schema.map(str::to_owned),
                name: name.to_owned(),
                after: at,
            };
            self.found.push((self.current, reference));
        }
        at
    }
}

/// What a user wrote as the query of a view, without the semicolon and the comments at its end.
///
/// # Errors
/// When there is nothing, or something after the semicolon.
pub(crate) fn query(sql: &str, flavor: Flavor) -> Result<&str, String> {
    let tokens = tokens(sql, flavor);
    let last = tokens
        .iter()
        .rposition(|token| !token.is_sign(';'))
        .ok_or("its query is empty")?;
    let statement = tokens.get(..=last).unwrap_or_default();
    if statement.iter().any(|token| token.is_sign(';')) {
        return Err("its query is more than one statement".to_owned());
    }
    let end = statement.last().map_or(sql.len(), |token| token.end);
    Ok(sql.get(..end).unwrap_or(sql).trim_start())
}

/// What `users`, `app.users`, `users.email` or `app.users.email` can mean, the likelier first.
pub(crate) fn meanings(target: &str) -> Vec<Meaning<'_>> {
    let meaning = |schema, table, column| Meaning {
        schema,
        table,
        column,
    };
    let parts: Vec<&str> = target.split('.').collect();
    match parts.as_slice() {
        [a, b] => vec![meaning(None, a, Some(*b)), meaning(Some(*a), b, None)],
        [a, b, c] => vec![meaning(Some(*a), b, Some(*c))],
        _ => vec![meaning(None, target, None)],
    }
}

/// A table or a column of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning<'a> {
    pub(crate) schema: Option<&'a str>,
    pub(crate) table: &'a str,
    pub(crate) column: Option<&'a str>,
}

/// Why none of the [`meanings`] was found: one clause. `table` is one that is there, but has no such column.
pub(crate) fn not_there(target: &str, table: Option<&str>) -> String {
    match table {
        Some(table) => {
            let column = target.rsplit('.').next().unwrap_or(target);
            format!("table `{table}` has no column `{column}`")
        }
        None if target.contains('.') => format!("there is no table and no column `{target}`"),
        None => format!("there is no table `{target}`"),
    }
}

#[cfg(test)]
mod tests;
