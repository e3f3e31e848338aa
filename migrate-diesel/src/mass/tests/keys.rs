//! Ranges of keys and rows.

use std::marker::PhantomData;

use diesel::{
    QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _, sql_query, sql_types,
};
use migrate_core::mass::{Added, MassFacts};

use super::*;
use crate::{
    mass::{Batch, EachCode, RangeCode},
    session::Session,
};

const NUMBERS: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0);
    WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 95) INSERT INTO t (id) SELECT i * 3 FROM k";

fn count(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    sql_query(format!("UPDATE t SET n = n + 1 WHERE {}", batch.filter())).execute(db)
}

/// Every row once: nothing is lost, nothing is done twice.
fn once(db: &mut SqliteConnection) {
    let n = texts(db, "min(n) || ' ' || max(n)", "FROM t");
    assert_eq!(n, ["1 1"]);
}

#[test]
fn integers() {
    let mut db = database(NUMBERS);
    let (pieces, rows) = run(
        &RangeCode(count, PhantomData),
        &table("t", &[]),
        &mut db,
        10,
    )
    .unwrap();
    assert_eq!(rows, 95);
    assert_eq!(pieces.len(), 10);
    assert_eq!(
        (
            pieces[0].first.as_str(),
            pieces[0].last.as_str(),
            pieces[0].units
        ),
        (r#"["3"]"#, r#"["30"]"#, 10)
    );
    assert_eq!((pieces[9].units, pieces[9].unit), (5, Unit::Last));
    once(&mut db);
}

#[test]
fn a_smaller_batch_from_the_same_cursor_is_its_beginning() {
    let mut db = database(NUMBERS);
    let code = RangeCode(count, PhantomData);
    let (columns, shard, parameters) = (["id".to_owned()], shard(None, None), Parameters::new());
    let facts = table("t", &[]);
    let mut feed = code
        .open(Opening {
            facts: &facts,
            columns: &columns,
            shard: &shard,
            parameters: &parameters,
        })
        .unwrap();
    let whole = feed.cut(&mut db, Some(r#"["30"]"#), 10).unwrap().unwrap();
    let one = feed.cut(&mut db, Some(r#"["30"]"#), 1).unwrap().unwrap();
    assert_eq!((whole.first.clone(), 1), (one.first, one.units));
    // What is in quarantine is run alone, unless it is gone.
    assert_eq!(
        feed.single(&mut db, &whole.first).unwrap().unwrap().units,
        1
    );
    assert_eq!(feed.single(&mut db, r#"["31"]"#).unwrap(), None);
    assert_eq!(feed.cut(&mut db, Some(r#"["285"]"#), 10).unwrap(), None);
    assert!(feed.cut(&mut db, Some("285"), 10).is_err());
}

fn pairs(
    db: &mut Session<'_, SqliteConnection>,
    batch: &Batch<(String, i32)>,
) -> QueryResult<usize> {
    assert_eq!(batch.columns(), ["a", "b c"]);
    sql_query(format!(
        "UPDATE t AS x SET n = n + 1 WHERE {}",
        batch.filter_of("x")
    ))
    .execute(db)
}

#[test]
fn several_columns_are_one_key() {
    let mut db = database(
        "CREATE TABLE t (n INTEGER NOT NULL DEFAULT 0, \"b c\" INT, a TEXT, PRIMARY KEY (a, \"b c\")) WITHOUT ROWID;
         WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i < 99)
         INSERT INTO t (a, \"b c\") SELECT 'it''s ' || (i / 40), i % 40 FROM k",
    );
    let (pieces, rows) = run(&RangeCode(pairs, PhantomData), &table("t", &[]), &mut db, 7).unwrap();
    assert_eq!((pieces.len(), rows), (15, 100));
    assert_eq!(pieces[5].last, r#"["it's 1","1"]"#);
    once(&mut db);
}

fn by_text(db: &mut SqliteConnection, batch: &Batch<String>) -> QueryResult<usize> {
    sql_query(format!("UPDATE t SET n = n + 1 WHERE {}", batch.filter())).execute(db)
}

#[test]
fn texts_are_compared_as_their_index_does() {
    // In the order of the collation 'b' comes after 'A' and 'a', and before 'C'; in that of bytes it does not.
    let mut db = database(
        "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0);
         INSERT INTO t (id) VALUES ('a'), ('B'), ('c'), ('D'), ('e'), ('O''Brien'), ('z' || char(0) || 'y'), ('z'), ('é')",
    );
    let (pieces, rows) = run(
        &RangeCode(by_text, PhantomData),
        &table("t", &[]),
        &mut db,
        2,
    )
    .unwrap();
    assert_eq!((pieces.len(), rows), (5, 9));
    assert_eq!(
        (pieces[0].first.as_str(), pieces[0].last.as_str()),
        (r#"["a"]"#, r#"["B"]"#)
    );
    once(&mut db);
}

#[test]
fn rows_that_compare_equal_stay_together() {
    let mut db = database(
        "CREATE TABLE t (rest INTEGER PRIMARY KEY, id TEXT COLLATE NOCASE, n INTEGER NOT NULL DEFAULT 0);
         CREATE INDEX i ON t (id); INSERT INTO t (id) VALUES ('a'), ('A'), ('a'), ('b'), ('B'), ('c')",
    );
    let (pieces, rows) = run(
        &RangeCode(by_text, PhantomData),
        &table("t", &["id"]),
        &mut db,
        2,
    )
    .unwrap();
    assert_eq!((pieces.len(), rows), (3, 6));
    once(&mut db);
}

fn by_bytes(db: &mut SqliteConnection, batch: &Batch<Vec<u8>>) -> QueryResult<usize> {
    sql_query(format!("UPDATE t SET n = n + 1 WHERE {}", batch.filter())).execute(db)
}

#[test]
fn bytes_and_queries() {
    let mut db = database(
        "CREATE TABLE t (id BLOB PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0, old INTEGER NOT NULL DEFAULT 1);
         INSERT INTO t (id) VALUES (X''), (X'00'), (X'FF'), (X'ABCD'), (X'61');
         INSERT INTO t (id, old, n) VALUES (X'62', 0, 1)",
    );
    let old = query("SELECT id AS \"key\" FROM t WHERE old = 1", &["key"]);
    fn with_own_name(db: &mut SqliteConnection, batch: &Batch<Vec<u8>>) -> QueryResult<usize> {
        let filter = batch.filter().replace("\"key\"", "id");
        sql_query(format!("UPDATE t SET n = n + 1 WHERE old = 1 AND {filter}")).execute(db)
    }
    let (pieces, rows) = run(&RangeCode(with_own_name, PhantomData), &old, &mut db, 2).unwrap();
    assert_eq!((pieces.len(), rows), (3, 5));
    assert_eq!(pieces[0].first, r#"["\\x"]"#);
    once(&mut db);
    run(
        &RangeCode(by_bytes, PhantomData),
        &table("t", &[]),
        &mut db,
        4,
    )
    .unwrap();
    assert_eq!(texts(&mut db, "min(n) || ' ' || max(n)", "FROM t"), ["2 2"]);
}

#[cfg(feature = "uuid")]
#[test]
fn uuids_as_bytes_and_as_texts() {
    fn by_uuid(db: &mut SqliteConnection, batch: &Batch<uuid::Uuid>) -> QueryResult<usize> {
        assert!(batch.first() <= batch.last());
        sql_query(format!("UPDATE t SET n = n + 1 WHERE {}", batch.filter())).execute(db)
    }
    for one in [
        "randomblob(16)",
        "printf('%08x-0000-4000-8000-%012x', random() & 4294967295, i)",
    ] {
        let mut db = database(&format!(
            "CREATE TABLE t (id PRIMARY KEY NOT NULL, n INTEGER NOT NULL DEFAULT 0);
             WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 20) INSERT INTO t (id) SELECT {one} FROM k"
        ));
        let (pieces, rows) = run(
            &RangeCode(by_uuid, PhantomData),
            &table("t", &[]),
            &mut db,
            6,
        )
        .unwrap();
        assert_eq!((pieces.len(), rows), (4, 20));
        once(&mut db);
    }
}

fn refusal(db: &mut SqliteConnection, facts: &MassFacts, code: &dyn MassCode) -> String {
    run(code, facts, db, 10).unwrap_err().to_string()
}

#[test]
fn what_is_no_key_is_refused_before_any_body_runs() {
    let mut db = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT, share REAL, n INTEGER NOT NULL DEFAULT 0);
         INSERT INTO t (label, share) VALUES ('a', 1.5), (NULL, 2.5);
         CREATE TABLE bare (x INTEGER); CREATE TABLE mixed (k PRIMARY KEY NOT NULL); INSERT INTO mixed VALUES (1), ('x')",
    );
    let (by_number, by_text) = (
        RangeCode(count, PhantomData),
        RangeCode(by_text, PhantomData),
    );
    let two = RangeCode(pairs, PhantomData);
    let says = [
        refusal(&mut db, &table("nothing", &[]), &by_number),
        refusal(&mut db, &table("bare", &[]), &by_number),
        refusal(&mut db, &table("t", &["lable"]), &by_text),
        refusal(&mut db, &table("t", &[]), &two),
        refusal(&mut db, &table("t", &["label"]), &by_text),
        refusal(&mut db, &table("t", &["label"]), &by_number),
        refusal(&mut db, &table("t", &["share"]), &by_text),
        refusal(&mut db, &query("SELECT id FROM t", &[]), &by_number),
        refusal(&mut db, &table("mixed", &[]), &by_number),
    ];
    assert_eq!(
        says,
        [
            "there is no table `nothing`, which the mass migration at src/here.rs:7 goes over",
            "`bare` has no primary key: name the columns of another one with `key = ..` at src/here.rs:7",
            "`t` has no column `lable`, which `key` names at src/here.rs:7; it has `id`, `label`, `share`, `n`",
            "the key of `t` has 1 column (`id`), and the body at src/here.rs:7 takes 2",
            "`label` of `t` is NULL in some rows: no batch would ever reach them; see the `key` at src/here.rs:7",
            "`label` of `t` holds texts, and the key of the body at src/here.rs:7 takes an integer there",
            "`share` of `t` holds numbers with fractions, and the key of the body at src/here.rs:7 takes a text there",
            "a query has no primary key: name the columns with `key = ..` at src/here.rs:7",
            "`k` of `mixed` holds texts, and the key of the body at src/here.rs:7 takes an integer there",
        ]
    );
    assert_eq!(texts(&mut db, "sum(n)", "FROM t"), ["0"]);
    // A row that comes later with a key that no type of the body's can hold.
    db.batch_execute("INSERT INTO t (id) VALUES (9223372036854775807)")
        .unwrap();
    fn small(_: &mut SqliteConnection, _: &Batch<i32>) -> QueryResult<usize> {
        Ok(0)
    }
    let error = refusal(&mut db, &table("t", &[]), &RangeCode(small, PhantomData));
    assert_eq!(
        error,
        "the key `9223372036854775807` does not fit into an `i32`"
    );
    assert_eq!(
        refusal(
            &mut db,
            &table("t", &["rowid"]),
            &RangeCode(small, PhantomData)
        ),
        error
    );
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::BigInt)]
    id: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    label: Option<String>,
}

fn each(db: &mut SqliteConnection, row: &Row) -> QueryResult<()> {
    let label = row.label.as_deref().unwrap_or("none").to_uppercase();
    sql_query("UPDATE t SET n = n + 1, label = ? WHERE id = ?")
        .bind::<sql_types::Text, _>(label)
        .bind::<sql_types::BigInt, _>(row.id)
        .execute(db)
        .map(|_| ())
}

#[test]
fn rows_are_loaded_in_order_and_handed_over_one_by_one() {
    let mut db = database(
        "CREATE TABLE t (id BIGINT PRIMARY KEY NOT NULL, label TEXT, n INTEGER NOT NULL DEFAULT 0);
         INSERT INTO t (id, label) VALUES (1, 'a'), (2, NULL), (3, 'c'), (4, 'd'), (-5, 'e')",
    );
    let (pieces, rows) = run(&EachCode(each, PhantomData), &table("t", &[]), &mut db, 2).unwrap();
    assert_eq!((pieces.len(), rows), (3, 5));
    once(&mut db);
    assert_eq!(
        texts(&mut db, "label", "FROM t ORDER BY id"),
        ["E", "A", "NONE", "C", "D"]
    );
    // A type of the key is not needed: the database says what it holds.
    let some = query("SELECT id, label FROM t WHERE id > 1", &["label"]);
    let (_, rows) = run(&EachCode(each, PhantomData), &some, &mut db, 2).unwrap();
    assert_eq!(rows, 3);
    let nothing = query("SELECT id, label FROM t WHERE id > 100", &["label"]);
    assert_eq!(
        run(&EachCode(each, PhantomData), &nothing, &mut db, 2)
            .unwrap()
            .1,
        0
    );
}

fn laid_out(db: &mut SqliteConnection, facts: &MassFacts, code: &dyn MassCode) -> layout::Layout {
    let columns = catalog::columns(db, facts, code, HERE).unwrap();
    layout::layout(db, facts, code, &columns, 1, HERE).unwrap()
}

#[test]
fn shards_cover_everything_once_and_are_of_a_size() {
    let mut dense = database(NUMBERS);
    let mut sparse = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0);
         WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 94) INSERT INTO t (id) SELECT i * i FROM k;
         INSERT INTO t (id) VALUES (9223372036854775807)",
    );
    let code = RangeCode(count, PhantomData);
    for db in [&mut dense, &mut sparse] {
        for added in [Added::Follow, Added::Ignore] {
            let mut facts = table("t", &[]);
            facts.shards = Some(4);
            facts.added = added;
            let layout = laid_out(db, &facts, &code);
            assert_eq!((layout.total, layout.through.len()), (Some(95), 4));
            assert_eq!(layout.through[3].is_none(), added == Added::Follow);
            let mut sizes = Vec::new();
            for (after, through) in layout.shards() {
                let shard = shard(after, through);
                let (columns, parameters) = (["id".to_owned()], Parameters::new());
                let mut feed = code
                    .open(Opening {
                        facts: &facts,
                        columns: &columns,
                        shard: &shard,
                        parameters: &parameters,
                    })
                    .unwrap();
                sizes.push(drain(&mut *feed, db, None, 10).unwrap().1);
            }
            assert_eq!(sizes.iter().sum::<u64>(), 95, "{sizes:?}");
            assert!(
                sizes.iter().all(|size| (20..=28).contains(size)),
                "{sizes:?}"
            );
        }
        let n = texts(db, "min(n) || ' ' || max(n)", "FROM t");
        assert_eq!(n, ["2 2"]);
    }
}

#[test]
fn keys_without_arithmetic_are_cut_by_a_walk_along_the_index() {
    let mut db = database(
        "CREATE TABLE t (a TEXT, b INTEGER, n INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (a, b)) WITHOUT ROWID;
         WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i < 99) INSERT INTO t (a, b) SELECT char(65 + i / 50), i FROM k",
    );
    fn body(_: &mut SqliteConnection, _: &Batch<(String, i64)>) -> QueryResult<()> {
        Ok(())
    }
    let layout = laid_out(&mut db, &table("t", &[]), &RangeCode(body, PhantomData));
    assert_eq!(layout.through.len(), 10);
    assert_eq!(layout.through[4].as_deref(), Some(r#"["A","49"]"#));
    assert_eq!(layout.through[5].as_deref(), Some(r#"["B","59"]"#));
    // Nothing to cut, and nothing to do.
    db.batch_execute("DELETE FROM t").unwrap();
    let empty = laid_out(&mut db, &table("t", &[]), &RangeCode(body, PhantomData));
    assert_eq!((empty.total, empty.through), (Some(0), vec![None]));
}

#[test]
fn the_index_answers() {
    let mut db = database(
        "CREATE TABLE t (a TEXT, b INTEGER, n INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID; CREATE TABLE u (id INTEGER PRIMARY KEY)",
    );
    use crate::mass::{
        PartKind,
        source::{Bounds, Keys},
    };
    let keys = |from, columns: &[&str], kinds: &[PartKind], db: &SqliteConnection| {
        let columns: Vec<_> = columns.iter().map(|it| (*it).to_owned()).collect();
        Keys::new(db.dialect(), KeySource::Table(from), &columns, kinds)
    };
    let two = keys("t", &["a", "b"], &[PartKind::Text, PartKind::Integer], &db);
    let one = keys("u", &["id"], &[PartKind::Integer], &db);
    for (keys, key, plan) in [
        (
            two,
            vec!["x".to_owned(), "1".to_owned()],
            "SEARCH t USING PRIMARY KEY ((a,b)>(?,?))",
        ),
        (
            one,
            vec!["1".to_owned()],
            "SEARCH u USING INTEGER PRIMARY KEY (rowid>?)",
        ),
    ] {
        let sql = keys.cutting(&Bounds::default(), Some(key), 10).sql;
        #[derive(QueryableByName)]
        struct Plan {
            #[diesel(sql_type = sql_types::Text)]
            detail: String,
        }
        let plans: Vec<Plan> = sql_query(format!("EXPLAIN QUERY PLAN {sql}"))
            .load(&mut db)
            .unwrap();
        let details: Vec<_> = plans.into_iter().map(|it| it.detail).collect();
        assert!(details.iter().any(|it| it == plan), "{details:#?}");
        assert!(
            !details
                .iter()
                .any(|it| it.contains("TEMP B-TREE FOR ORDER BY") && it.contains("SEARCH")),
            "{details:#?}"
        );
    }
}
