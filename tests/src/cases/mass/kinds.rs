//! Every kind of body, from its attribute to its last row.

use std::fs;

use migrate_diesel::{
    core::mass::{
        MassState,
        frontend::{MassStatus, Order, SkipTarget, StartRequest, WorkRequest},
    },
    mass::{Cursor, MassParameters, Next},
    prelude::*,
};
use serde::{Deserialize, Serialize};

use super::{Mass, succeeded};
use crate::database::Scratch;

const LINES: &str = "CREATE TABLE mass_lines (id INTEGER NOT NULL PRIMARY KEY, what VARCHAR(200))";

fn write(db: &mut AnyConnection, id: i32, what: &str) -> QueryResult<()> {
    let what = what.replace('\'', "''");
    db.batch_execute(&format!(
        "INSERT INTO mass_lines (id, what) VALUES ({id}, '{what}')"
    ))
}

fn lines(scratch: &Scratch) -> Vec<String> {
    scratch.texts("SELECT what AS value FROM mass_lines ORDER BY id")
}

impl Mass<'_> {
    fn run_with(&self, name: &str, value: &str) -> MassStatus {
        let request = WorkRequest {
            runs: vec![StartRequest {
                parameters: [(name.to_owned(), value.to_owned())].into(),
                ..self.start()
            }],
            ..WorkRequest::default()
        };
        let report = self.program().mass().work(
            &request,
            &migrate_diesel::core::Interrupt::new(),
            &mut |_| {},
        );
        assert!(report.failure.is_none(), "{:?}", report.failure);
        report.runs.into_iter().next().unwrap()
    }
}

#[derive(QueryableByName)]
pub(crate) struct Person {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    id: i32,
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

#[mass_migration(database = "mass_people", table = "mass_people", batch = 7, shards = 3)]
pub(crate) fn mass_people(db: &mut AnyConnection, person: &Person) -> QueryResult<()> {
    let Person { id, name } = person;
    let domain = name.split_once('@').map_or("none", |(_, domain)| domain);
    db.batch_execute(&format!(
        "UPDATE mass_people SET n = n + 1, domain = '{domain}' WHERE id = {id}"
    ))
}

#[mass_migration(
    database = "mass_some_people",
    query = "SELECT p.id AS id, p.name AS name FROM mass_people p JOIN mass_chosen c ON c.person = p.id",
    key = ["name", "id"],
    batch = 2
)]
pub(crate) fn mass_some_people(
    db: &mut Session<AnyConnection>,
    person: &Person,
) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "UPDATE mass_people SET n = n + 1 WHERE id = {}",
        person.id
    ))
    .execute(db)
}

/// Rows, typed: of a table by its primary key, and of a query by a key of its own.
pub fn rows_that_diesel_loads(scratch: &Scratch) {
    scratch.sql(
        "CREATE TABLE mass_people (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL, domain VARCHAR(50), \
         n INTEGER NOT NULL DEFAULT 0)",
    );
    scratch.sql("CREATE TABLE mass_chosen (person INTEGER NOT NULL PRIMARY KEY)");
    scratch.sql(
        "INSERT INTO mass_people (id, name) WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 50) \
         SELECT i, CONCAT('p', i % 5, '@d', i) FROM k",
    );
    scratch.sql("INSERT INTO mass_chosen SELECT id FROM mass_people WHERE id <= 13");
    let status = Mass::new(scratch, "mass_people", "mass_people").run(2);
    succeeded(&status);
    assert_eq!(status.progress.rows, 50);
    let right =
        "SELECT count(*) AS value FROM mass_people WHERE n = 1 AND domain = CONCAT('d', id)";
    assert_eq!(scratch.number(right), 50);
    let status = Mass::new(scratch, "mass_some_people", "mass_some_people").run(1);
    succeeded(&status);
    assert_eq!((status.progress.rows, status.progress.batches), (13, 7));
    let again = "SELECT count(*) AS value FROM mass_people WHERE n = 2 AND id <= 13";
    assert_eq!(scratch.number(again), 13);
}

#[derive(Serialize, Deserialize, MassParameters)]
#[parameters(validate = UpTo::check)]
pub(crate) struct UpTo {
    /// The last number.
    up_to: i32,
    #[parameter(masked, default = "unspoken")]
    secret: String,
}

impl UpTo {
    fn check(&self) -> Result<(), String> {
        if self.up_to > 0 && !self.secret.is_empty() {
            Ok(())
        } else {
            Err("`up_to` has to be more than nothing".to_owned())
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "so that what it returns may outlive the call"
)]
pub(crate) fn mass_numbers(
    after: Option<i32>,
    parameters: UpTo,
) -> Result<impl Iterator<Item = Result<(i32, String), String>>, String> {
    let numbers = after.map_or(1, |it| it + 1)..=parameters.up_to;
    Ok(numbers.map(|n| Ok((n, n.to_string()))))
}

fn mass_numbers_before(db: &mut AnyConnection, parameters: &UpTo) -> QueryResult<()> {
    write(db, -1, &format!("before {}", parameters.up_to))
}

fn mass_numbers_after(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    write(db, 1_000, "after")
}

fn mass_numbers_failed(db: &mut AnyConnection, error: &str) -> QueryResult<()> {
    write(db, 2_000, &format!("failed: {error}"))
}

#[mass_migration(
    database = "mass_numbers",
    items = mass_numbers,
    parameters = UpTo,
    before = mass_numbers_before,
    after = mass_numbers_after,
    on_error = mass_numbers_failed,
    batch = 4
)]
#[expect(clippy::ptr_arg, reason = "an item is borrowed as it is")]
pub(crate) fn mass_numbers_items(
    db: &mut AnyConnection,
    item: &String,
    parameters: &UpTo,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let n: i32 = item.parse()?;
    let forbidden = "SELECT count(*) AS value FROM mass_lines WHERE what = 'seven is forbidden'";
    if n == 7 && crate::database::number(db, forbidden) > 0 {
        return Err("seven".into());
    }
    Ok(write(db, n, &format!("{n} of {}", parameters.up_to))?)
}

/// Items with parameters; hooks once each; one item that fails, and later does not.
pub fn items_parameters_and_hooks(scratch: &Scratch) {
    scratch.sql(LINES);
    scratch.sql("INSERT INTO mass_lines VALUES (5000, 'seven is forbidden')");
    let mass = Mass::new(scratch, "mass_numbers", "mass_numbers_items");
    for (name, value, says) in [
        ("up_too", "10", "no parameter `up_too`"),
        ("up_to", "ten", "`up_to` is a whole number"),
        ("up_to", "-1", "more than nothing"),
    ] {
        let request = StartRequest {
            parameters: [(name.to_owned(), value.to_owned())].into(),
            ..mass.start()
        };
        let failure = mass.program().mass().enqueue(&request).unwrap_err();
        let told = format!("{failure:?}");
        assert!(told.contains(says), "{told}");
    }
    let status = mass.run_with("up_to", "10");
    assert_eq!(status.state, MassState::Failed, "{status:?}");
    assert_eq!((status.progress.units, status.progress.failures), (10, 1));
    let mut expected: Vec<String> = (1..=10)
        .filter(|n| *n != 7)
        .map(|n| format!("{n} of 10"))
        .collect();
    expected.insert(0, "before 10".to_owned());
    expected.push("failed: 1 unit is in quarantine".to_owned());
    expected.push("seven is forbidden".to_owned());
    assert_eq!(lines(scratch), expected);
    scratch.sql("DELETE FROM mass_lines WHERE id >= 2000");
    mass.control(&Order::Retry);
    succeeded(&mass.run(1));
    let after = lines(scratch);
    assert_eq!((after.len(), after.last().unwrap().as_str()), (12, "after"));
    assert!(after.contains(&"7 of 10".to_owned()), "{after:?}");
}

#[derive(Serialize, Deserialize, MassParameters)]
pub(crate) struct Folder {
    /// Where the file is.
    folder: String,
}

#[derive(Deserialize)]
pub(crate) struct Zip {
    zip: i32,
    city: String,
}

#[mass_migration(database = "mass_zips", csv = "${folder}/zips.csv", parameters = Folder, batch = 3)]
pub(crate) fn mass_zips(db: &mut AnyConnection, zip: &Zip, _: &Folder) -> QueryResult<()> {
    write(db, zip.zip, &zip.city)
}

/// Records of a file; a broken one is told with its line, and can be left out.
pub fn records_of_a_file(scratch: &Scratch) {
    scratch.sql(LINES);
    let folder = scratch.directory().to_str().unwrap();
    fs::write(
        scratch.directory().join("zips.csv"),
        "zip,city\n1,'s-Gravenhage\n2,\"two\nlines\"\nthree,Nowhere\n4,Delft\n",
    )
    .unwrap();
    let mass = Mass::new(scratch, "mass_zips", "mass_zips");
    let status = mass.run_with("folder", folder);
    assert_eq!(status.state, MassState::Failed, "{status:?}");
    assert_eq!(lines(scratch), ["'s-Gravenhage", "two\nlines", "Delft"]);
    let failures = mass.program().mass().failures(mass.id, 10).unwrap();
    let [broken] = failures.as_slice() else {
        panic!("{failures:?}")
    };
    assert!(broken.error.contains("line 5"), "{}", broken.error);
    mass.control(&Order::Skip(SkipTarget::Key("line 5".to_owned())));
    succeeded(&mass.run(1));
}

#[mass_migration(database = "mass_pages")]
pub(crate) fn mass_pages(
    db: &mut AnyConnection,
    at: &Cursor<(i32, String)>,
) -> QueryResult<Next<(i32, String)>> {
    let page = at.position().map_or(0, |(page, _)| *page);
    write(db, page, &format!("page {page}"))?;
    Ok(match page {
        4 => Next::Done,
        page => Next::More {
            cursor: (page + 1, "token".to_owned()),
            units: 100,
        },
    })
}

#[mass_migration(database = "mass_step")]
pub(crate) fn mass_step(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    let id = db.migration().name().len();
    write(db, i32::try_from(id).unwrap_or_default(), "step")
}

/// A body with a cursor of its own, and one that is a single step.
pub fn a_cursor_and_a_step(scratch: &Scratch) {
    scratch.sql(LINES);
    let status = Mass::new(scratch, "mass_pages", "mass_pages").run(3);
    succeeded(&status);
    assert_eq!((status.progress.units, status.progress.batches), (400, 5));
    assert_eq!(
        lines(scratch),
        ["page 0", "page 1", "page 2", "page 3", "page 4"]
    );
    scratch.sql("DELETE FROM mass_lines");
    succeeded(&Mass::new(scratch, "mass_step", "mass_step").run(2));
    assert_eq!(lines(scratch), ["step"]);
}
