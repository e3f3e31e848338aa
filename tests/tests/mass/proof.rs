//! A million rows that come and go, a worker that is killed each second, one row that cannot be done.

use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection as _;
use migrate_diesel::core::mass::{MassState, Shard, ShardState};
use migrate_tests::database::{Backend, Scratch};

use crate::{
    crew::{Crew, Place},
    on_each_backend,
};

const ROWS: u32 = 1_000_000;
const HIGHEST: i64 = 2 * ROWS as i64;
const POISON: i64 = 1_234_568;
/// It does not come to its end before.
const KILLS: u32 = 5;

on_each_backend! { every_row_counts_once }

fn every_row_counts_once(backend: Backend) {
    let scratch = Scratch::new(backend);
    scratch.fill_proof(ROWS);
    scratch.sql(&format!("UPDATE proof SET bad = 1 WHERE id = {POISON}"));
    let place = Place {
        scratch: &scratch,
        database: "proof",
        id: "proof_count",
    };
    place.order("run --detach --pause 50ms");
    assert_eq!(place.status().state, MassState::Enqueued);
    let mut crew = Crew::new(&place, 3);

    let inserted = insert_while_it_rests(&place);
    while_rows_come_and_go(&scratch, || work_and_die(&place, &mut crew));

    let status = place.status();
    assert_eq!(
        status.reason.as_deref(),
        Some("1 unit is in quarantine"),
        "{status:?}"
    );
    assert_eq!(place.number("proof WHERE n > 1"), 0, "none twice");
    let left =
        scratch.texts("SELECT CONCAT(id, '') AS value FROM proof WHERE n = 0 AND id % 2 = 0");
    assert_eq!(
        left,
        [POISON.to_string()],
        "none of those throughout skipped"
    );
    inserted.are_right(&place);
    let quarantined = scratch
        .texts("SELECT CONCAT(unit_key, ' ', state) AS value FROM migrate_history_quarantine");
    assert_eq!(quarantined, [format!("[\"{POISON}\"] open")]);
    assert_eq!(
        place.number("migrate_history"),
        0,
        "nothing that requires it may begin"
    );

    scratch.sql(&format!("UPDATE proof SET bad = 0 WHERE id = {POISON}"));
    place.order("retry --reason mended");
    place.wait_until(MassState::Succeeded);
    crew.go_home();
    assert_eq!(place.number("proof WHERE n <> 1 AND id % 2 = 0"), 0);
    assert_eq!(place.number("proof WHERE n > 1"), 0);
    inserted.are_right(&place);
    assert_eq!(place.number("migrate_history WHERE state = 'applied'"), 1);
    assert_eq!(
        place.number("migrate_history_quarantine WHERE state = 'resolved'"),
        1
    );
}

/// Works until the end, while a worker dies each second; fast as soon as enough have died.
fn work_and_die(place: &Place<'_>, crew: &mut Crew<'_>) {
    let began = Instant::now();
    loop {
        let next = Instant::now() + Duration::from_secs(1);
        while Instant::now() < next {
            let status = place.status();
            match status.state {
                MassState::Failed => {
                    assert!(crew.killed >= KILLS, "after {}", crew.killed);
                    assert!(crew.said().contains("\"taken_over\""), "nobody's shard");
                    return;
                }
                MassState::Succeeded | MassState::Paused | MassState::Cancelled => {
                    panic!("{status:?}")
                }
                _ => assert!(began.elapsed() < Duration::from_secs(600), "{status:?}"),
            }
            thread::sleep(Duration::from_millis(50));
        }
        crew.replace_one();
        if crew.killed == KILLS {
            place.order("set --pause 0s");
        }
    }
}

/// Rows that came at a moment when nobody was at work, so that it is certain which of them count.
struct Inserted {
    behind: i64,
    ahead: i64,
}

/// Rows above the highest one there was.
const ABOVE: i64 = 500;

/// Pauses, inserts, and resumes.
fn insert_while_it_rests(place: &Place<'_>) -> Inserted {
    place.wait_for(|status| status.progress.batches > 5);
    place.order("pause");
    place.wait_until(MassState::Paused);
    let detail = place.detail();
    let begun = detail.shards.iter().find_map(|it| it.cursor.as_deref());
    let untouched = |it: &&Shard| it.cursor.is_none() && it.state == ShardState::Open;
    let later = detail
        .shards
        .iter()
        .filter(|it| it.shard > 0)
        .find(untouched);
    let last = detail.shards.iter().max_by_key(|it| it.shard).unwrap();
    assert_eq!(
        (last.through.as_deref(), last.state),
        (None, ShardState::Open)
    );
    let inserted = Inserted {
        behind: key(begun.unwrap()) - 1,
        ahead: key(later.unwrap().after.as_deref().unwrap()) + 1,
    };
    assert!(inserted.behind % 2 == 1 && inserted.ahead % 2 == 1, "free");
    let Inserted { behind, ahead } = inserted;
    let above = (1..=ABOVE).map(|it| format!(", ({})", HIGHEST + 2 * it + 1));
    place.scratch.sql(&format!(
        "INSERT INTO proof (id) VALUES ({behind}), ({ahead}){}",
        above.collect::<String>()
    ));
    place.order("resume");
    inserted
}

fn key(json: &str) -> i64 {
    let digits = json.trim_matches(|c: char| !c.is_ascii_digit());
    digits.parse().unwrap()
}

impl Inserted {
    /// The rule: what is ahead of the cursor, or above all, is visited; what is behind it is not.
    fn are_right(&self, place: &Place<'_>) {
        let Self { behind, ahead } = self;
        let of = |id: &i64| {
            place.scratch.number(&format!(
                "SELECT count(*) AS value FROM proof WHERE n = 1 AND id = {id}"
            ))
        };
        assert_eq!((of(behind), of(ahead)), (0, 1));
        let above = format!("proof WHERE id > {HIGHEST} AND id <= {HIGHEST} + 2 * {ABOVE} + 1");
        assert_eq!(place.number(&format!("{above} AND n = 1")), ABOVE);
    }
}

/// Others insert and delete meanwhile, here and there and at the end.
fn while_rows_come_and_go(scratch: &Scratch, work: impl FnOnce()) {
    let over = AtomicBool::new(false);
    /// Also when it panics.
    struct Over<'o>(&'o AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let (mut came, mut went) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            came = again_and_again(scratch, &over, |at| {
                let id = match at % 4 {
                    0 => HIGHEST + 100_001 + 2 * at,
                    _ => at * 7_919 % (HIGHEST / 2) * 2 + 1,
                };
                format!("INSERT INTO proof (id) VALUES ({id})")
            });
        });
        scope.spawn(|| {
            went = again_and_again(scratch, &over, |at| {
                let id = match at * 7_907 % (HIGHEST / 2) * 2 {
                    POISON => 2,
                    id => id,
                };
                format!("DELETE FROM proof WHERE id = {id}")
            });
        });
        let _over = Over(&over);
        work();
    });
    assert!(came > 20 && went > 20, "{came} came, {went} went");
}

/// How often it could be done: one who meets another at the same row may lose.
fn again_and_again(scratch: &Scratch, over: &AtomicBool, sql: impl Fn(i64) -> String) -> u32 {
    let mut connection = scratch.connect();
    let mut done = 0;
    for at in 1.. {
        if over.load(SeqCst) {
            break;
        }
        done += u32::from(connection.batch_execute(&sql(at)).is_ok());
        thread::sleep(Duration::from_millis(4));
    }
    done
}
