//! Whether this user could create a view again as it is.

use diesel::{
    MysqlConnection, QueryResult, QueryableByName, RunQueryDsl as _, deserialize,
    mysql::Mysql,
    row::{Field as _, NamedRow, Row},
    sql_query,
    sql_types::Text,
};

use super::{
    attributes::Attributes,
    name::{Name, quoted, quoted_name, quoted_part},
};
use crate::backend::Driver as _;

/// From `'user'@'host'`, where quotes within are not marked. A role has no host.
pub(super) fn account(grantee: &str) -> String {
    let inner = grantee
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap_or(grantee);
    match inner.rsplit_once("'@'") {
        Some(("PUBLIC", "")) => "PUBLIC".to_owned(),
        Some((user, "")) => quoted_part(user),
        Some((user, host)) => format!("{}@{}", quoted_part(user), quoted_part(host)),
        None => quoted(inner),
    }
}

/// Whether this user may create views that run as somebody else.
pub(super) struct Rights {
    user: String,
    pub(super) any_definer: bool,
    /// The privilege for it.
    pub(super) needed: &'static str,
}

/// What `SHOW GRANTS` says; its one column is called after the user.
struct GrantRow(String);

impl QueryableByName<Mysql> for GrantRow {
    fn build<'a>(row: &impl NamedRow<'a, Mysql>) -> deserialize::Result<Self> {
        let field = Row::get(row, 0).ok_or("SHOW GRANTS without a column")?;
        deserialize::FromSql::<Text, Mysql>::from_nullable_sql(field.value()).map(Self)
    }
}

impl Rights {
    pub(super) fn read(db: &mut MysqlConnection) -> QueryResult<Self> {
        let rows = db.rows(
            "SELECT CURRENT_USER() AS c0, VERSION() AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5",
        )?;
        let row = rows.into_iter().next().unwrap_or_default();
        let version = row.c1.unwrap_or_default();
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse::<u32>().ok());
        let (needed, privileges): (_, &[&str]) = match version.contains("MariaDB") {
            // <https://mariadb.com/kb/en/grant/#super>
            true if major.is_some_and(|major| major >= 11) => ("SET USER", &["SET USER"]),
            true => ("SET USER", &["SET USER", "SUPER"]),
            false => ("SET_USER_ID", &["SET_USER_ID", "SET_ANY_DEFINER", "SUPER"]),
        };
        // Of the roles that are on, too; the information schema shows an ordinary user only their own.
        let grants: Vec<GrantRow> = sql_query("SHOW GRANTS").load(db)?;
        let (user, host) = row
            .c0
            .as_deref()
            .and_then(|it| it.rsplit_once('@'))
            .unwrap_or_default();
        Ok(Self {
            user: format!("{}@{}", quoted_part(user), quoted_part(host)),
            any_definer: grants.iter().any(|GrantRow(line)| gives(line, privileges)),
            needed,
        })
    }

    /// Whether `definer`, in backquotes, is this user.
    pub(super) fn are_of(&self, definer: &str) -> bool {
        self.user == definer
    }
}

/// Whether a line `GRANT a, b ON *.* TO ..` gives one of these privileges.
fn gives(line: &str, privileges: &[&str]) -> bool {
    let list = line
        .strip_prefix("GRANT ")
        .and_then(|rest| rest.split_once(" ON *.* TO "))
        .map(|(list, _)| list)
        .unwrap_or_default();
    list.split(", ")
        .any(|given| given == "ALL PRIVILEGES" || privileges.contains(&given))
}

/// Why this user could not create it: the server is asked to prepare the statement, not to run it.
pub(super) fn cannot_be_created(
    db: &mut MysqlConnection,
    attributes: &Attributes,
    name: &Name,
    query: &str,
) -> Option<String> {
    let mut plain = attributes.clone();
    plain.collation = None;
    let create = plain.statement("CREATE OR REPLACE", &quoted_name(name), query);
    let literal = create.replace('\\', "\\\\").replace('\'', "\\'");
    let asked = db.batch(&format!(
        "SET @migrate_sql_mode = @@SESSION.sql_mode, SESSION sql_mode = ''; \
         PREPARE migrate_view FROM '{literal}'; DEALLOCATE PREPARE migrate_view"
    ));
    let back = db.batch("SET SESSION sql_mode = @migrate_sql_mode");
    asked
        .and(back)
        .err()
        .map(|error| format!("it could not be created again: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts() {
        for (grantee, quoted) in [
            ("'reader'@'%'", "`reader`@`%`"),
            ("'o'brien'@'local`host'", "`o'brien`@`local``host`"),
            ("'role'@''", "`role`"),
            ("'PUBLIC'@''", "PUBLIC"),
        ] {
            assert_eq!(account(grantee), quoted);
        }
    }

    #[test]
    fn privileges_in_a_line() {
        let gives = |line| gives(line, &["SET USER", "SUPER"]);
        assert!(gives(
            "GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION"
        ));
        assert!(gives("GRANT SELECT, SUPER ON *.* TO `a`@`%`"));
        assert!(gives("GRANT SET USER ON *.* TO `role`"));
        assert!(!gives("GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`"));
        assert!(!gives("GRANT `SUPER` TO `a`@`%`"));
        assert!(!gives("GRANT SELECT ON *.* TO `SUPER`@`%`"));
    }
}
