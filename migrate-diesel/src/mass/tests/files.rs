//! CSV files.
#![cfg(feature = "csv")]

use std::{fmt::Write as _, fs, marker::PhantomData};

use diesel::{QueryResult, RunQueryDsl as _, SqliteConnection, sql_query, sql_types};
use migrate_core::mass::MassKind;
use serde::{Deserialize, Serialize};

use super::*;
use crate::mass::{CsvCode, Field, FieldKind, MassParameters, Secrecy};

#[derive(Debug, Deserialize)]
struct Place {
    zip: u32,
    city: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Where {
    directory: String,
}

impl MassParameters for Where {
    const FIELDS: &'static [Field] = &[Field {
        name: "directory",
        help: "",
        kind: FieldKind::Text,
        default: None,
        choices: &[],
        secrecy: Secrecy::Shown,
    }];
}

fn place(db: &mut SqliteConnection, place: &Place, _: &Where) -> QueryResult<usize> {
    sql_query("INSERT INTO places (zip, city) VALUES (?, ?)")
        .bind::<sql_types::BigInt, _>(i64::from(place.zip))
        .bind::<sql_types::Text, _>(&place.city)
        .execute(db)
}

struct File {
    directory: tempfile::TempDir,
    parameters: Parameters,
}

impl File {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap().to_owned();
        let file = Self {
            directory,
            parameters: [("directory".to_owned(), path.into())]
                .into_iter()
                .collect(),
        };
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        fs::write(self.directory.path().join("zips.csv"), text).unwrap();
    }

    fn with<R>(&self, f: impl FnOnce(&mut dyn Feed) -> R) -> R {
        let code = CsvCode("${directory}/zips.csv", place, PhantomData);
        let (facts, shard) = (facts(MassKind::Items), shard(None, None));
        let mut feed = code
            .open(Opening {
                facts: &facts,
                columns: &[],
                shard: &shard,
                parameters: &self.parameters,
            })
            .unwrap();
        f(&mut *feed)
    }
}

const PLACES: &str = "CREATE TABLE places (zip INTEGER PRIMARY KEY, city TEXT)";

#[test]
fn records_by_name_with_quoted_newlines_resumed_by_seeking() {
    let file = File::new(
        "city,zip\nGroningen,9711\n\"'s-Hertogen\n\nbosch, \"\"Den Bosch\"\"\",5211\n\nDelft,2611\r\nUtrecht,3511",
    );
    let mut db = database(PLACES);
    let cursor = file.with(|feed| {
        let mut piece = feed.cut(&mut db, None, 2).unwrap().unwrap();
        assert_eq!(piece.units, 2);
        erased(&mut db, |erased| feed.run(erased, &mut piece)).unwrap();
        piece.last
    });
    assert!(cursor.contains(r#""line":3"#), "{cursor}");
    // In another process, later.
    file.with(|feed| {
        let (pieces, rows) = drain(feed, &mut db, Some(cursor), 10).unwrap();
        assert_eq!((pieces.len(), rows, pieces[0].unit), (1, 2, Unit::Last));
    });
    assert_eq!(
        texts(&mut db, "zip || city", "FROM places ORDER BY zip"),
        [
            "2611Delft",
            "3511Utrecht",
            "5211's-Hertogen\n\nbosch, \"Den Bosch\"",
            "9711Groningen"
        ]
    );
}

#[test]
fn a_broken_record_is_one_unit_that_fails_with_its_line() {
    let file = File::new("zip,city\n1,A\nmany,B\n3\n4,D\n");
    let mut db = database(PLACES);
    file.with(|feed| {
        let mut all = feed.cut(&mut db, None, 10).unwrap().unwrap();
        assert_eq!(all.units, 4);
        assert!(erased(&mut db, |erased| feed.run(erased, &mut all)).is_err());
        // Down to one, as the engine does.
        let mut cursor = None;
        let mut errors = Vec::new();
        while let Some(mut piece) = feed.cut(&mut db, cursor.as_deref(), 1).unwrap() {
            if let Err(error) = erased(&mut db, |erased| feed.run(erased, &mut piece)) {
                errors.push((piece.first.clone(), error.to_string()));
            }
            cursor = Some(piece.last);
        }
        assert_eq!(errors.len(), 2);
        assert!(errors[0].1.starts_with("line 3: "), "{errors:?}");
        assert!(errors[1].1.starts_with("line 4: "), "{errors:?}");
        // It can be tried alone, and its key leads straight to it.
        let mut alone = feed.single(&mut db, &errors[0].0).unwrap().unwrap();
        assert_eq!((&alone.first, alone.units), (&errors[0].0, 1));
        let error = erased(&mut db, |erased| feed.run(erased, &mut alone)).unwrap_err();
        assert_eq!(error.to_string(), errors[0].1);
    });
    assert_eq!(
        texts(&mut db, "zip", "FROM places ORDER BY zip"),
        ["1", "4"]
    );
}

#[test]
fn another_file_is_refused() {
    let file = File::new("zip,city\n1,A\n2,B\n");
    let mut db = database(PLACES);
    let cursor = file.with(|feed| feed.cut(&mut db, None, 1).unwrap().unwrap().last);
    for other in ["zip,city\n1,A\n2,B\n3,C\n", "zip,city\n1,A\n2,X\n"] {
        file.write(other);
        file.with(|feed| {
            let error = feed.cut(&mut db, Some(&cursor), 1).unwrap_err().to_string();
            assert!(
                error.contains("is not the file that the run began with"),
                "{error}"
            );
            assert!(feed.single(&mut db, &cursor).is_err());
        });
    }
    fs::remove_file(file.directory.path().join("zips.csv")).unwrap();
    let code = CsvCode("${directory}/zips.csv", place, PhantomData);
    let error = code.check(&file.parameters).unwrap_err().to_string();
    assert!(
        error.contains("cannot open") && error.contains("zips.csv"),
        "{error}"
    );
    let nowhere = CsvCode("${folder}/zips.csv", place, PhantomData);
    let error = nowhere.check(&file.parameters).unwrap_err().to_string();
    assert!(error.contains("`folder`"), "{error}");
}

#[test]
fn every_record_once_whatever_the_batches() {
    let mut text = "zip,city\n".to_owned();
    for n in 0..1_000 {
        let city = [
            "plain".to_owned(),
            format!("\"two\nlines {n}\""),
            "\"\"".to_owned(),
        ][n % 3]
            .clone();
        writeln!(text, "{n},{city}").unwrap();
    }
    let file = File::new(&text);
    for limit in [1, 7, 1_000, 5_000] {
        let mut db = database(PLACES);
        let mut cursor: Option<String> = None;
        // A new process for every third batch.
        loop {
            let done = file.with(|feed| {
                for _ in 0..3 {
                    let Some(mut piece) = feed.cut(&mut db, cursor.as_deref(), limit).unwrap()
                    else {
                        return true;
                    };
                    erased(&mut db, |erased| feed.run(erased, &mut piece)).unwrap();
                    cursor = Some(piece.last);
                }
                false
            });
            if done {
                break;
            }
        }
        assert_eq!(
            texts(&mut db, "count(*) || ' ' || sum(zip)", "FROM places"),
            ["1000 499500"]
        );
    }
}
