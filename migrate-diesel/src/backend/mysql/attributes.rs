//! What stands before and after the query in `CREATE VIEW`, which no statement of its own can change.

use migrate_core::ViewDescriptor;

use super::name::quoted_part;
use crate::backend::{
    Aspect, Property, Snapshot,
    view_text::{MYSQL, Token, tokens},
};

/// Of one view. What is not said is the server's to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    /// `undefined`, `merge`, `temptable`.
    algorithm: Option<String>,
    /// In backquotes.
    pub(super) definer: Option<String>,
    /// `definer`, `invoker`.
    security: Option<String>,
    /// `local`, `cascaded`.
    check_option: Option<String>,
    /// Of the literals in it, where it is not the session's.
    pub(super) collation: Option<String>,
}

/// The words of a property, before its value.
const ALGORITHM: &str = "algorithm ";
const DEFINER: &str = "definer ";
const SECURITY: &str = "sql security ";
const CHECK_OPTION: &str = "check option ";
const COLLATION: &str = "collation of its literals ";

impl Attributes {
    /// As properties: without `set`, for they come with the statement that creates it.
    pub(super) fn properties(&self) -> Vec<Property> {
        [
            (ALGORITHM, &self.algorithm),
            (DEFINER, &self.definer),
            (SECURITY, &self.security),
            (CHECK_OPTION, &self.check_option),
            (COLLATION, &self.collation),
        ]
        .into_iter()
        .filter_map(|(words, value)| {
            Some(Property {
                aspect: Aspect::Options,
                what: format!("{words}{}", value.as_ref()?),
                columns: Vec::new(),
                set: String::new(),
                unset: String::new(),
            })
        })
        .collect()
    }

    /// Those of a view that there was.
    pub(super) fn of(old: &Snapshot) -> Self {
        let value = |words: &str| {
            old.properties
                .iter()
                .find_map(|it| it.what.strip_prefix(words))
                .map(str::to_owned)
        };
        Self {
            algorithm: value(ALGORITHM),
            definer: value(DEFINER),
            security: value(SECURITY),
            check_option: value(CHECK_OPTION),
            collation: value(COLLATION),
        }
    }

    /// Puts what is declared in place of what was.
    pub(super) fn declare(&mut self, view: &ViewDescriptor) -> Result<(), String> {
        for &(option, value) in view.options {
            let one_of = |values: &[&str]| {
                if values.contains(&value) {
                    Ok(Some(value.to_owned()))
                } else {
                    Err(format!(
                        "option {option}: it is one of {}, not `{value}`",
                        values.join(", ")
                    ))
                }
            };
            match option {
                "algorithm" => self.algorithm = one_of(&["undefined", "merge", "temptable"])?,
                "check_option" => self.check_option = one_of(&["local", "cascaded"])?,
                "definer" => self.definer = Some(account(value)),
                "security_invoker" => {
                    let invoker = one_of(&["true", "false"])?.is_some_and(|it| it == "true");
                    self.security = Some(if invoker { "invoker" } else { "definer" }.to_owned());
                }
                _ => return Err(format!("option {option}: MySQL's views have none such")),
            }
        }
        Ok(())
    }

    /// The statement; `name` in quotes, `query` with what else belongs behind the name.
    pub(super) fn statement(&self, verb: &str, name: &str, query: &str) -> String {
        let part = |before: &str, value: &Option<String>, after: &str| {
            value.as_ref().map_or_else(String::new, |value| {
                format!("{before}{}{after}", value.to_ascii_uppercase())
            })
        };
        let definer = self.definer.as_ref();
        let create = format!(
            "{verb}{}{}{} VIEW {name} {query}{}",
            part(" ALGORITHM=", &self.algorithm, ""),
            definer.map_or_else(String::new, |it| format!(" DEFINER={it}")),
            part(" SQL SECURITY ", &self.security, ""),
            part("\nWITH ", &self.check_option, " CHECK OPTION"),
        );
        match &self.collation {
            Some(collation) => {
                format!("{SET_COLLATION}'{collation}';\n{create}{RESET_COLLATION}")
            }
            None => create,
        }
    }
}

const SET_COLLATION: &str =
    "SET @migrate_collation = @@collation_connection, collation_connection = ";
const RESET_COLLATION: &str = ";\nSET collation_connection = @migrate_collation";
const PLAIN_MODE: &str = "SET @migrate_sql_mode = @@SESSION.sql_mode, SESSION sql_mode = '';\n";
const RESET_MODE: &str = ";\nSET SESSION sql_mode = @migrate_sql_mode";

/// The server writes literals with backslashes, whatever the mode in which the text will be run.
pub(super) fn with_plain_mode(create: String) -> String {
    if create.contains('\\') {
        format!("{PLAIN_MODE}{create}{RESET_MODE}")
    } else {
        create
    }
}

/// Without what sets the session for it.
pub(super) fn alone(create: &str) -> &str {
    let create = create.strip_prefix(PLAIN_MODE).unwrap_or(create);
    let create = create.strip_suffix(RESET_MODE).unwrap_or(create);
    let create = match create.strip_prefix(SET_COLLATION) {
        Some(rest) => rest.split_once(";\n").map_or(rest, |(_, create)| create),
        None => create,
    };
    create.strip_suffix(RESET_COLLATION).unwrap_or(create)
}

/// `user@host` in quotes; `current_user` as it is.
fn account(written: &str) -> String {
    if written.eq_ignore_ascii_case("current_user") {
        return "CURRENT_USER".to_owned();
    }
    match written.rsplit_once('@') {
        Some((user, host)) => format!("{}@{}", quoted_part(user), quoted_part(host)),
        None => quoted_part(written),
    }
}

/// What `SHOW CREATE VIEW` says, taken apart.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) attributes: Attributes,
    /// What follows the name, without the check option: perhaps columns, `AS` and the query.
    pub(super) query: &'a str,
}

/// `None` for something else.
pub(super) fn shown(create: &str) -> Option<Shown<'_>> {
    let tokens = tokens(create, MYSQL);
    let view = tokens.iter().position(|token| token.is_word("view"))?;
    let head = tokens.get(..view)?;
    let after = |word: &str, steps: usize| {
        let at = head.iter().position(|token| token.is_word(word))?;
        head.get(at + steps)
    };
    let lower = |token: &Token<'_>| token.text.to_ascii_lowercase();
    let definer = after("definer", 2).and_then(|first| {
        let end = after("sql", 0)?.start;
        create.get(first.start..end).map(|it| it.trim().to_owned())
    });
    let mut name_end = view + 1;
    while tokens.get(name_end + 1).is_some_and(|it| it.is_sign('.')) {
        name_end += 2;
    }
    let start = tokens.get(name_end)?.end;
    let end_of = |count: usize| tokens.get(tokens.len().checked_sub(count)?);
    let has_option = end_of(1).is_some_and(|it| it.is_word("option"))
        && end_of(2).is_some_and(|it| it.is_word("check"))
        && end_of(4).is_some_and(|it| it.is_word("with"));
    let end = end_of(4)
        .filter(|_| has_option)
        .map_or(create.len(), |with| with.start);
    Some(Shown {
        attributes: Attributes {
            algorithm: after("algorithm", 2).map(lower),
            definer,
            security: after("security", 1).map(lower),
            check_option: end_of(3).filter(|_| has_option).map(lower),
            collation: None,
        },
        query: create.get(start..end)?.trim(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_taken_apart_and_made_again() {
        for create in [
            "CREATE ALGORITHM=UNDEFINED DEFINER=`a b`@`%` SQL SECURITY DEFINER VIEW `d`.`v` AS select 1 AS `view`",
            "CREATE ALGORITHM=MERGE DEFINER=`sql`@`localhost` SQL SECURITY INVOKER VIEW `v` (`id`) AS select 1 from `t`\nWITH CASCADED CHECK OPTION",
            "CREATE ALGORITHM=UNDEFINED DEFINER=`role` SQL SECURITY DEFINER VIEW `v` AS select 'with local check option'",
        ] {
            let shown = shown(create).unwrap();
            let name = if create.contains("`d`") {
                "`d`.`v`"
            } else {
                "`v`"
            };
            assert_eq!(
                shown.attributes.statement("CREATE", name, shown.query),
                create
            );
            let snapshot = Snapshot {
                object: crate::backend::Object::view("v", migrate_core::ViewKind::Plain),
                columns: Vec::new(),
                create: String::new(),
                properties: shown.attributes.properties(),
                lost: Vec::new(),
            };
            assert_eq!(Attributes::of(&snapshot), shown.attributes);
        }
    }

    #[test]
    fn what_sets_the_session_is_taken_off_again() {
        let attributes = Attributes {
            algorithm: Some("merge".to_owned()),
            ..Attributes::default()
        };
        for query in ["AS select 1", "AS select ';\n\\\\'"] {
            let bare = attributes.statement("CREATE", "`v`", query);
            let with_collation = Attributes {
                collation: Some("latin1_bin".to_owned()),
                ..attributes.clone()
            };
            for full in [&attributes, &with_collation] {
                let full = with_plain_mode(full.statement("CREATE", "`v`", query));
                assert_eq!(alone(&full), bare);
            }
        }
    }

    #[test]
    fn accounts() {
        assert_eq!(account("a`b@c@localhost"), "`a``b@c`@`localhost`");
        assert_eq!(account("reporting"), "`reporting`");
        assert_eq!(account("current_user"), "CURRENT_USER");
    }
}
