//! Grants as single properties, from access control lists as PostgreSQL writes them.

use super::text;
use crate::backend::{Aspect, Property};

/// What separates the items of a list that a question of ours gives.
pub(super) const UNIT: char = '\u{1f}';

/// Something that privileges are granted on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Securable<'a> {
    /// What follows `ON`: `"app"."v"`, `TYPE "app"."v"`, `ROUTINE "app"."f"(integer)`.
    pub(super) on: &'a str,
    /// In words, behind "granted": empty, ` on column email`.
    pub(super) words: &'a str,
    pub(super) column: Option<&'a str>,
    /// The owner, who grants unless somebody else is named.
    pub(super) owner: &'a str,
}

/// One privilege of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    /// Empty for everybody.
    grantee: String,
    grantor: String,
    privilege: &'static str,
    grantable: bool,
}

/// What the list says beyond the default list, and what it lacks of it, each with its turn: what
/// others than the owner granted comes last and in its order, because they may only pass on what they
/// were granted.
pub(super) fn grants(list: &str, default: &str, it: Securable<'_>) -> Vec<(usize, Property)> {
    let (list, default) = (parse(list), parse(default));
    let revoked = default.iter().filter(|grant| {
        // With the right to pass it on: there, and more.
        !list.contains(grant) && !list.contains(&grant.with(true))
    });
    let revoked = revoked.map(|grant| {
        let property = property(grant, it);
        let role = role_words(&grant.grantee);
        Property {
            what: format!("{} revoked from {role}{}", grant.privilege, it.words),
            set: property.unset,
            unset: property.set,
            ..property
        }
    });
    let there = list.iter().enumerate();
    let there = there.filter(|(_, grant)| !default.contains(grant));
    let there = there.map(|(at, grant)| {
        let mut property = property(grant, it);
        // Beyond the default is no more than the right to pass it on.
        if default.contains(&grant.with(false)) {
            property.unset = property
                .unset
                .replacen("REVOKE ", "REVOKE GRANT OPTION FOR ", 1);
        }
        let turn = if grant.grantor == it.owner { 0 } else { at + 1 };
        (turn, property)
    });
    revoked.map(|property| (0, property)).chain(there).collect()
}

impl Grant {
    fn with(&self, grantable: bool) -> Self {
        Self {
            grantable,
            ..self.clone()
        }
    }
}

/// Whether every item of the list is understood.
pub(super) fn is_known(list: &str) -> bool {
    list.is_empty() || list.split(UNIT).all(|item| parse_item(item).is_some())
}

/// Roles other than the owner that granted something: they have to do so again.
pub(super) fn grantors(list: &str, owner: &str) -> Vec<String> {
    let mut names: Vec<String> = parse(list)
        .into_iter()
        .map(|grant| grant.grantor)
        .filter(|grantor| grantor != owner)
        .collect();
    names.sort();
    names.dedup();
    names
}

fn property(grant: &Grant, it: Securable<'_>) -> Property {
    let column = it
        .column
        .map_or_else(String::new, |column| format!(" ({})", quote(column)));
    let privilege = format!("{}{column} ON {}", grant.privilege, it.on);
    let role = match grant.grantee.as_str() {
        "" => "PUBLIC".to_owned(),
        name => quote(name),
    };
    let option = if grant.grantable {
        " WITH GRANT OPTION"
    } else {
        ""
    };
    let may_pass_on = if grant.grantable {
        " and may grant it"
    } else {
        ""
    };
    let (by, as_grantor): (String, Box<dyn Fn(String) -> String>) = if grant.grantor == it.owner {
        (String::new(), Box::new(|sql| sql))
    } else {
        (
            format!(" by {}", grant.grantor),
            Box::new(|sql| as_role(&grant.grantor, &sql)),
        )
    };
    Property {
        aspect: Aspect::Grant,
        what: format!(
            "{} granted to {}{}{by}{may_pass_on}",
            grant.privilege,
            role_words(&grant.grantee),
            it.words
        ),
        columns: it.column.map(str::to_owned).into_iter().collect(),
        set: as_grantor(format!("GRANT {privilege} TO {role}{option}")),
        unset: as_grantor(format!("REVOKE {privilege} FROM {role}")),
    }
}

fn role_words(name: &str) -> &str {
    if name.is_empty() { "everybody" } else { name }
}

/// In one message, so that it holds outside of a transaction as well; the role before is kept in a
/// setting of ours, as `RESET ROLE` would go back to another one.
fn as_role(role: &str, sql: &str) -> String {
    format!(
        "SELECT set_config('migrate.role', current_setting('role'), true), set_config('role', {}, true); {sql}; \
         SELECT set_config('role', current_setting('migrate.role'), true)",
        text(role)
    )
}

pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `grantee=r*w/grantor`, several of them. A name with other characters than letters, digits and
/// underscores is in quotes. <https://www.postgresql.org/docs/current/ddl-priv.html>
fn parse(list: &str) -> Vec<Grant> {
    list.split(UNIT).filter_map(parse_item).flatten().collect()
}

fn parse_item(item: &str) -> Option<Vec<Grant>> {
    let (grantee, rest) = parse_role(item)?;
    let (letters, grantor) = rest.strip_prefix('=')?.split_once('/')?;
    let (grantor, _) = parse_role(grantor)?;
    let mut grants: Vec<Grant> = Vec::new();
    for letter in letters.chars() {
        if letter == '*' {
            grants.last_mut()?.grantable = true;
            continue;
        }
        grants.push(Grant {
            grantee: grantee.clone(),
            grantor: grantor.clone(),
            privilege: privilege(letter)?,
            grantable: false,
        });
    }
    Some(grants)
}

/// A name and what follows it.
fn parse_role(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['=', '/']).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        return Some((name.to_owned(), rest));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

const fn privilege(letter: char) -> Option<&'static str> {
    Some(match letter {
        'r' => "SELECT",
        'a' => "INSERT",
        'w' => "UPDATE",
        'd' => "DELETE",
        'D' => "TRUNCATE",
        'x' => "REFERENCES",
        't' => "TRIGGER",
        'm' => "MAINTAIN",
        'X' => "EXECUTE",
        'U' => "USAGE",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let grant = |grantee: &str, privilege, grantable| Grant {
            grantee: grantee.to_owned(),
            grantor: "o\"d".to_owned(),
            privilege,
            grantable,
        };
        assert_eq!(
            parse("\"=/ x\"=r*w/\"o\"\"d\"\u{1f}=x/\"o\"\"d\""),
            [
                grant("=/ x", "SELECT", true),
                grant("=/ x", "UPDATE", false),
                grant("", "REFERENCES", false)
            ]
        );
    }

    #[test]
    fn only_what_differs_from_the_default() {
        let it = Securable {
            on: "v",
            words: "",
            column: None,
            owner: "o",
        };
        let sql = |list: &str, default: &str| {
            let list = grants(list, default, it).into_iter();
            list.map(|(_, it)| (it.set, it.unset)).collect::<Vec<_>>()
        };
        let pair = |set: &str, unset: &str| (set.to_owned(), unset.to_owned());
        assert_eq!(sql("o=rw/o", "o=rw/o"), []);
        assert_eq!(
            sql("o=r/o\u{1f}a=r*/o", "o=rw/o"),
            [
                pair(
                    "REVOKE UPDATE ON v FROM \"o\"",
                    "GRANT UPDATE ON v TO \"o\""
                ),
                pair(
                    "GRANT SELECT ON v TO \"a\" WITH GRANT OPTION",
                    "REVOKE SELECT ON v FROM \"a\""
                ),
            ]
        );
        assert_eq!(
            sql("o=r*/o", "o=r/o"),
            [pair(
                "GRANT SELECT ON v TO \"o\" WITH GRANT OPTION",
                "REVOKE GRANT OPTION FOR SELECT ON v FROM \"o\""
            )]
        );
    }
}
