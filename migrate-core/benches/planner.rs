//! How long the resolver and the planner take: `cargo bench -p migrate-core`.

#![expect(
    clippy::indexing_slicing,
    reason = "it is this file that made the arrays"
)]

use divan::Bencher;
use migrate_core::{
    AppliedMigration, Descriptor, Fingerprint, Graph, History, Location, MigrationId, NodeRef,
    Ordering, Plan, Repeat, Reversal, Standing, State, TransactionMode,
    frontend::{Repeats, Target},
    view::Unmanaged,
};

fn main() {
    divan::main();
}

/// In which order the linker hands migrations over.
#[derive(Clone, Copy, Debug)]
enum Registration {
    Forward,
    Reverse,
    Shuffled,
}

const REGISTRATIONS: [Registration; 3] = [
    Registration::Forward,
    Registration::Reverse,
    Registration::Shuffled,
];

/// A generator of numbers that is the same on every machine (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap_or_default() % limit
    }
}

fn text(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Three crates, fifty migrations a file, three requirements each among all earlier ones.
fn migrations(count: usize, registration: Registration) -> Vec<&'static Descriptor> {
    let mut random = Random(42);
    let mut made: Vec<&'static Descriptor> = Vec::with_capacity(count);
    let mut place = ("", "");
    for number in 0..count {
        if number % 50 == 0 {
            let package = ["shop", "billing", "stock"][number / 50 % 3];
            place = (
                package,
                text(format!("src/migrations/part_{:04}.rs", number / 50)),
            );
        }
        let requires = (0..3.min(number)).map(|_| NodeRef::new(made[random.below(number)]));
        made.push(Box::leak(Box::new(Descriptor {
            id: MigrationId::new(place.0, text(format!("create_table_20260330_{number:06}"))),
            was: &[],
            description: "",
            location: Location {
                file: place.1,
                line: u32::try_from(10 * (number % 50)).unwrap_or_default(),
                column: 1,
            },
            requires: Box::leak(requires.collect()),
            transaction: TransactionMode::Atomic,
            databases: &[],
            reversal: Reversal::Unspecified,
            fingerprint: Fingerprint(number as u64),
            limits: migrate_core::Limits::NONE,
            suspends: &[],
            unmanaged: Unmanaged::Refuse,
            sql: None,
            repeat: Repeat::Never,
            replaces: &[],
            scale: migrate_core::Scale::Step,
            key: number as u64,
        })));
    }
    match registration {
        Registration::Forward => {}
        Registration::Reverse => made.reverse(),
        Registration::Shuffled => {
            for last in (1..count).rev() {
                made.swap(last, random.below(last + 1));
            }
        }
    }
    made
}

fn resolved(migrations: &[&'static Descriptor], ordering: Ordering) -> Graph {
    match Graph::resolve(migrations, &["shop", "billing"], ordering) {
        Ok(graph) => graph,
        Err(problems) => unreachable!("{problems:?}"),
    }
}

fn all_applied(graph: &Graph) -> History {
    let rows = graph.iter().map(|it| {
        let mut row = AppliedMigration::new(it.id.to_string(), State::Applied);
        row.fingerprint = Some(it.fingerprint);
        row
    });
    History::new(rows.collect())
}

/// Three requirements each; 100,000 are to take 100 ms at most, and ten times as long as 10,000.
#[divan::bench(args = [1_000, 10_000, 100_000])]
fn resolve(bencher: Bencher<'_, '_>, count: usize) {
    let migrations = migrations(count, Registration::Shuffled);
    bencher.bench_local(|| resolved(&migrations, Ordering::Declared));
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn resolve_stamped(bencher: Bencher<'_, '_>, count: usize) {
    let migrations = migrations(count, Registration::Shuffled);
    bencher.bench_local(|| resolved(&migrations, Ordering::Stamped));
}

/// Resolve, join with history, plan, where everything is applied: 2 ms at most for 5,000.
#[divan::bench(args = REGISTRATIONS, consts = [1_000, 5_000])]
fn nothing_to_do<const COUNT: usize>(bencher: Bencher<'_, '_>, registration: Registration) {
    let migrations = migrations(COUNT, registration);
    let history = all_applied(&resolved(&migrations, Ordering::Declared));
    bencher.bench_local(|| {
        let graph = resolved(&migrations, Ordering::Declared);
        let plan = Plan::up(
            &graph,
            &Standing::new(&graph, &history),
            &Target::All,
            Repeats::AsNeeded,
        );
        assert!(plan.is_ok_and(|plan| plan.is_empty()));
    });
}

/// The parts of `nothing_to_do` after resolving.
#[divan::bench(args = [5_000])]
fn standing_and_plan(bencher: Bencher<'_, '_>, count: usize) {
    let graph = resolved(
        &migrations(count, Registration::Shuffled),
        Ordering::Declared,
    );
    let history = all_applied(&graph);
    bencher.bench_local(|| {
        Plan::up(
            &graph,
            &Standing::new(&graph, &history),
            &Target::All,
            Repeats::AsNeeded,
        )
    });
}
