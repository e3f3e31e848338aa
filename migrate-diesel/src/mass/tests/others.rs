//! Items, cursors of one's own, one step; hooks.

use std::marker::PhantomData;

use diesel::{QueryResult, RunQueryDsl as _, SqliteConnection, sql_query, sql_types};
use migrate_core::mass::MassKind;
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    mass::{
        Cursor, CustomCode, Field, FieldKind, Hook, ItemsCode, MassParameters, Next, OnError,
        Secrecy, SimpleCode,
    },
    migration::Down,
    session::Session,
};

const SEEN: &str = "CREATE TABLE seen (id INTEGER PRIMARY KEY, what TEXT)";

fn seen(db: &mut SqliteConnection) -> Vec<String> {
    texts(db, "what", "FROM seen ORDER BY id")
}

fn note(db: &mut SqliteConnection, what: &str) -> QueryResult<usize> {
    sql_query("INSERT INTO seen (what) VALUES (?)")
        .bind::<sql_types::Text, _>(what)
        .execute(db)
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Options {
    prefix: String,
}

impl MassParameters for Options {
    const FIELDS: &'static [Field] = &[Field {
        name: "prefix",
        help: "",
        kind: FieldKind::Text,
        default: Some("\"p\""),
        choices: &[],
        secrecy: Secrecy::Shown,
    }];
}

/// Numbers up to 9; the seventh cannot be read.
fn numbers(
    after: Option<u32>,
    options: Options,
) -> Result<impl Iterator<Item = Result<(u32, String), String>>, String> {
    let prefix = options.prefix;
    Ok((after.map_or(1, |it| it + 1)..10).map(move |n| {
        if n == 7 && prefix == "broken" {
            Err("the seventh cannot be read".to_owned())
        } else {
            Ok((n, format!("{prefix}{n}")))
        }
    }))
}

fn item(db: &mut SqliteConnection, item: &String, options: &Options) -> Result<(), BoxError> {
    if item == "p5" {
        return Err(format!("{} does not like {item}", options.prefix).into());
    }
    note(db, item)?;
    Ok(())
}

#[test]
fn items_go_on_behind_a_cursor_and_one_of_them_can_be_tried_alone() {
    let mut db = database(SEEN);
    let code = ItemsCode(numbers, item, PhantomData);
    let (facts, shard) = (facts(MassKind::Items), shard(None, None));
    let parameters = Parameters::new();
    let open = || {
        code.open(Opening {
            facts: &facts,
            columns: &[],
            shard: &shard,
            parameters: &parameters,
        })
        .unwrap()
    };
    let mut feed = open();
    let first = feed.cut(&mut db, None, 4).unwrap().unwrap();
    assert_eq!(
        (first.first.as_str(), first.last.as_str(), first.units),
        ("[1,null]", "[4,3]", 4)
    );
    // From the same cursor, smaller: the beginning of the same.
    let mut smaller = feed.cut(&mut db, None, 2).unwrap().unwrap();
    assert_eq!((smaller.last.as_str(), smaller.units), ("[2,1]", 2));
    erased(&mut db, |erased| feed.run(erased, &mut smaller)).unwrap();
    assert_eq!(seen(&mut db), ["p1", "p2"]);
    // A successor knows nothing but the cursor.
    let mut feed = open();
    let mut next = feed.cut(&mut db, Some("[2,1]"), 3).unwrap().unwrap();
    assert_eq!(
        (next.first.as_str(), next.last.as_str()),
        ("[3,2]", "[5,4]")
    );
    let error = erased(&mut db, |erased| feed.run(erased, &mut next)).unwrap_err();
    assert_eq!(error.to_string(), "p does not like p5");
    let mut alone = feed.single(&mut db, "[5,4]").unwrap().unwrap();
    assert_eq!((alone.last.as_str(), alone.units), ("[5,4]", 1));
    assert!(erased(&mut db, |erased| feed.run(erased, &mut alone)).is_err());
    let (pieces, rows) = drain(&mut *feed, &mut db, Some("[5,4]".to_owned()), 3).unwrap();
    assert_eq!((pieces.len(), rows), (2, 4));
    assert_eq!((pieces[0].unit, pieces[1].unit), (Unit::More, Unit::Last));
    assert_eq!(feed.cut(&mut db, Some("[9,8]"), 3).unwrap(), None);
    assert_eq!(feed.single(&mut db, "[44,43]").unwrap(), None);
    assert!(feed.cut(&mut db, Some("nonsense"), 3).is_err());
}

#[test]
fn an_iterator_that_cannot_go_on_loses_nothing_that_came_before() {
    let mut db = database(SEEN);
    let code = ItemsCode(numbers, item, PhantomData);
    let (facts, shard) = (facts(MassKind::Items), shard(None, None));
    let parameters = code_parameters(r#"{"prefix":"broken"}"#);
    let mut feed = code
        .open(Opening {
            facts: &facts,
            columns: &[],
            shard: &shard,
            parameters: &parameters,
        })
        .unwrap();
    let piece = feed.cut(&mut db, Some("[4,3]"), 10).unwrap().unwrap();
    assert_eq!(
        (piece.last.as_str(), piece.units, piece.unit),
        ("[6,5]", 2, Unit::More)
    );
    for _ in 0..2 {
        let error = feed.cut(&mut db, Some("[6,5]"), 10).unwrap_err();
        assert_eq!(error.to_string(), "the seventh cannot be read");
    }
}

fn code_parameters(json: &str) -> Parameters {
    serde_json::from_str(json).unwrap()
}

fn three_pages(
    db: &mut Session<'_, SqliteConnection>,
    at: &Cursor<(String, u32)>,
) -> QueryResult<Next<(String, u32)>> {
    let page = at.position().map_or(0, |(_, page)| *page);
    note(db, &format!("page {page} of {}", at.limit()))?;
    Ok(match page {
        2 => Next::Done,
        page => Next::More {
            cursor: ("token".to_owned(), page + 1),
            units: 40,
        },
    })
}

#[test]
fn a_cursor_of_ones_own() {
    let mut db = database(SEEN);
    let code = CustomCode(three_pages, PhantomData);
    let facts = facts(MassKind::Custom);
    let (pieces, _) = run(&code, &facts, &mut db, 50).unwrap();
    assert_eq!(
        seen(&mut db),
        ["page 0 of 50", "page 1 of 50", "page 2 of 50"]
    );
    let ends: Vec<_> = pieces
        .iter()
        .map(|it| (it.last.as_str(), it.units, it.unit))
        .collect();
    assert_eq!(
        ends,
        [
            (r#"["token",1]"#, 40, Unit::More),
            (r#"["token",2]"#, 40, Unit::More),
            (r#"["token",2]"#, 0, Unit::Last)
        ]
    );
    assert!(!facts.kind.has_units());
}

#[test]
fn done_at_once_leaves_a_cursor_that_begins_again() {
    fn nothing(_: &mut SqliteConnection, at: &Cursor<u8>) -> QueryResult<Next<u8>> {
        assert_eq!(at.position(), None);
        Ok(Next::Done)
    }
    let mut db = database(SEEN);
    let (pieces, _) = run(
        &CustomCode(nothing, PhantomData),
        &facts(MassKind::Custom),
        &mut db,
        5,
    )
    .unwrap();
    assert_eq!(pieces[0].unit, Unit::Last);
}

#[test]
fn one_step() {
    fn step(db: &mut SqliteConnection) -> QueryResult<usize> {
        note(db, "step")
    }
    let mut db = database(SEEN);
    let code = SimpleCode(step, PhantomData);
    let facts = facts(MassKind::Simple);
    let (pieces, rows) = run(&code, &facts, &mut db, 50).unwrap();
    assert_eq!((pieces.len(), rows, pieces[0].unit), (1, 1, Unit::Last));
    assert_eq!(laid_out_total(&code, &facts, &mut db), Some(1));
    // Nothing is left for a successor.
    let (shard, parameters) = (shard(None, None), Parameters::new());
    let mut feed = code
        .open(Opening {
            facts: &facts,
            columns: &[],
            shard: &shard,
            parameters: &parameters,
        })
        .unwrap();
    assert_eq!(feed.cut(&mut db, Some(&pieces[0].last), 1).unwrap(), None);
}

fn laid_out_total(
    code: &dyn MassCode,
    facts: &MassFacts,
    db: &mut SqliteConnection,
) -> Option<u64> {
    layout::layout(db, facts, code, &[], 1, HERE).unwrap().total
}

#[test]
fn hooks_take_the_parameters_or_do_without() {
    fn plain(db: &mut SqliteConnection) -> QueryResult<()> {
        note(db, "plain").map(|_| ())
    }
    fn with(db: &mut Session<'_, SqliteConnection>, options: &Options) -> QueryResult<()> {
        note(db, &format!("with {}", options.prefix)).map(|_| ())
    }
    fn failed(db: &mut SqliteConnection, error: &str) -> QueryResult<()> {
        note(db, &format!("failed: {error}")).map(|_| ())
    }
    fn failed_with(_: &mut SqliteConnection, error: &str, options: &Options) -> Result<(), String> {
        Err(format!("{} cannot mourn {error}", options.prefix))
    }
    let mut db = database(SEEN);
    let hooks: [&dyn Hook; 3] = [
        &Down(plain, PhantomData),
        &Down(with, PhantomData),
        &OnError(failed, PhantomData),
    ];
    let given = code_parameters(r#"{"prefix":"x"}"#);
    for hook in hooks {
        erased(&mut db, |erased| hook.call(erased, &given, "why")).unwrap();
    }
    assert_eq!(seen(&mut db), ["plain", "with x", "failed: why"]);
    let hook: &dyn Hook = &OnError(failed_with, PhantomData);
    let error = erased(&mut db, |erased| hook.call(erased, &given, "why")).unwrap_err();
    assert_eq!(error.to_string(), "x cannot mourn why");
}
