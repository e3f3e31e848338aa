//! Names of views: `name` in the current database, `database.name` in another one.

use diesel::{MysqlConnection, QueryResult};

use crate::backend::Driver as _;

/// The current database, and how names compare in it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Empty where none is chosen.
    pub(super) database: String,
    /// Upper and lower case are the same.
    folds: bool,
}

/// A view or table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    pub(super) database: String,
    pub(super) name: String,
}

impl Place {
    pub(super) fn of(db: &mut MysqlConnection) -> QueryResult<Self> {
        let rows = db.rows(
            "SELECT DATABASE() AS c0, CAST(@@lower_case_table_names AS CHAR) AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5",
        )?;
        let row = rows.into_iter().next().unwrap_or_default();
        Ok(Self {
            database: row.c0.unwrap_or_default(),
            folds: row.c1.is_some_and(|setting| setting != "0"),
        })
    }

    /// From a name as people write it, or an identity.
    pub(super) fn name(&self, identity: &str) -> Name {
        let (database, name) = identity
            .split_once('.')
            .unwrap_or((self.database.as_str(), identity));
        self.fold(database, name)
    }

    /// As it compares.
    pub(super) fn fold(&self, database: &str, name: &str) -> Name {
        let fold = |text: &str| {
            if self.folds {
                text.to_lowercase()
            } else {
                text.to_owned()
            }
        };
        Name {
            database: fold(database),
            name: fold(name),
        }
    }

    /// With the database where it is another one, and where a dot in the name would look like one.
    pub(super) fn identity(&self, database: &str, name: &str) -> String {
        let is_here =
            self.fold(database, name) == self.fold(&self.database, name) && !name.contains('.');
        if is_here {
            name.to_owned()
        } else {
            format!("{database}.{name}")
        }
    }
}

/// An identity in backquotes.
pub(super) fn quoted(identity: &str) -> String {
    match identity.split_once('.') {
        Some((database, name)) => format!("{}.{}", quoted_part(database), quoted_part(name)),
        None => quoted_part(identity),
    }
}

pub(super) fn quoted_name(name: &Name) -> String {
    format!(
        "{}.{}",
        quoted_part(&name.database),
        quoted_part(&name.name)
    )
}

pub(super) fn quoted_part(part: &str) -> String {
    format!("`{}`", part.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities() {
        let place = |folds| Place {
            database: "Shop".to_owned(),
            folds,
        };
        for (database, name, identity) in [
            ("Shop", "v", "v"),
            ("shop", "v", "shop.v"),
            ("other", "v", "other.v"),
            ("Shop", "v.w", "Shop.v.w"),
        ] {
            let place = place(false);
            assert_eq!(place.identity(database, name), identity);
            assert_eq!(place.name(identity), place.fold(database, name));
        }
        assert_eq!(place(true).identity("shop", "V"), "V");
        assert_eq!(place(true).name("V"), place(true).name("SHOP.v"));
        assert_eq!(quoted("a`b.c.d"), "`a``b`.`c.d`");
    }
}
