//! Whatever happens: no row is skipped, none is done twice, only what fails alone is in quarantine, and a
//! run that is let alone comes to its end.

use std::{collections::BTreeMap, time::Duration};

use migrate_core::mass::{
    Live, MassState,
    frontend::{Order, Setting, SkipTarget},
};
use proptest::prelude::*;

use crate::world::{Row, World};

/// What may happen between two atomic things.
#[derive(Clone, Debug)]
enum Happening {
    Step(usize),
    /// The process dies.
    Kill(usize),
    Heartbeat(usize),
    /// Time passes; leases end, whether their owners live or not.
    Pass(u64),
    Throttle(u64),
    Order(Order),
    Insert(i64),
    Delete(i64),
}

const WORKERS: usize = 4;

fn happening() -> impl Strategy<Value = Happening> {
    let worker = 0..WORKERS;
    let order = prop_oneof![
        Just(Order::Pause),
        Just(Order::Resume),
        Just(Order::Cancel),
        Just(Order::Retry),
        (1_u32..12).prop_map(|units| Order::Set(vec![Setting::Batch(units)])),
    ];
    prop_oneof![
        24 => worker.clone().prop_map(Happening::Step),
        2 => worker.clone().prop_map(Happening::Kill),
        2 => worker.prop_map(Happening::Heartbeat),
        3 => (1_u64..150).prop_map(Happening::Pass),
        1 => (1_u64..80).prop_map(Happening::Throttle),
        1 => order.prop_map(Happening::Order),
        1 => (0_i64..400).prop_map(Happening::Insert),
        1 => (0_i64..400).prop_map(Happening::Delete),
    ]
}

fn world() -> impl Strategy<Value = World> {
    (
        proptest::collection::btree_map(0_i64..300, prop::bool::weighted(0.03), 0..200),
        1_u32..20,
        1_i64..6,
    )
        .prop_map(|(rows, batch, shards)| {
            let rows: BTreeMap<i64, Row> = rows
                .into_iter()
                .map(|(key, poison)| (key, Row { counter: 0, poison }))
                .collect();
            let live = Live {
                batch,
                target: None,
                pause: Duration::ZERO,
                max_failures: 1_000,
            };
            World::new(rows, WORKERS, live, shards)
        })
}

fn happens(world: &mut World, what: &Happening) {
    match what {
        Happening::Step(worker) => world.step(*worker),
        Happening::Kill(worker) => world.kill(*worker),
        Happening::Heartbeat(worker) => world.heartbeat(*worker),
        Happening::Pass(ms) => world.now += ms,
        Happening::Throttle(ms) => world.throttle(*ms),
        Happening::Order(order) => world.order(order),
        Happening::Insert(key) => {
            // In the new form already, as the rule wants it of what writes meanwhile: it counts as done
            // once, whether it is visited or not.
            world.rows.entry(*key).or_default();
        }
        Happening::Delete(key) => {
            world.rows.remove(key);
        }
    }
}

/// From here on nobody interferes: people let it go on, workers work in turns.
fn comes_to_its_end(world: &mut World) {
    for _ in 0..20_000 {
        match world.effective() {
            MassState::Paused | MassState::Pausing => world.order(&Order::Resume),
            MassState::Cancelled => world.order(&Order::Retry),
            MassState::Succeeded | MassState::Failed => return,
            _ => {}
        }
        for worker in 0..WORKERS {
            world.step(worker);
        }
        world.now += 7;
    }
    panic!("it does not come to its end: {world:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_row_once_whatever_happens(
        mut world in world(),
        story in proptest::collection::vec(happening(), 0..400),
    ) {
        let at_first = world.rows.clone();
        let mut touched = std::collections::BTreeSet::new();
        for what in &story {
            if let Happening::Insert(key) | Happening::Delete(key) = what {
                touched.insert(*key);
            }
            happens(&mut world, what);
            for (key, row) in &world.rows {
                prop_assert!(row.counter <= 1, "{key} was done twice");
            }
            prop_assert!(!world.applied || world.run.state == MassState::Succeeded);
        }
        comes_to_its_end(&mut world);
        for (key, row) in &world.rows {
            prop_assert!(row.counter <= 1, "{key} was done twice");
            if at_first.contains_key(key) && !touched.contains(key) {
                prop_assert_eq!(row.counter, u32::from(!row.poison), "{} was skipped", key);
                prop_assert_eq!(world.quarantine.contains_key(key), row.poison);
            }
        }
        let poison = world.rows.iter().filter(|(key, row)| row.poison && !touched.contains(key)).count();
        let ended = if world.quarantine.is_empty() { MassState::Succeeded } else { MassState::Failed };
        prop_assert_eq!(world.run.state, ended);
        prop_assert_eq!(world.applied, ended == MassState::Succeeded);
        prop_assert!(world.quarantine.len() >= poison);
    }

    #[test]
    fn what_was_mended_is_tried_again_and_what_was_not_is_not_lost(
        mut world in world(),
        story in proptest::collection::vec(happening(), 0..100),
        mended in prop::bool::ANY,
    ) {
        comes_to_its_end(&mut world);
        if mended {
            world.rows.values_mut().for_each(|row| row.poison = false);
        }
        let open: Vec<i64> = world.quarantine.keys().copied().collect();
        world.order(&Order::Retry);
        for what in &story {
            // Rows stay: it is the quarantine that is looked at.
            if !matches!(what, Happening::Insert(_) | Happening::Delete(_)) {
                happens(&mut world, what);
            }
        }
        comes_to_its_end(&mut world);
        if mended {
            prop_assert_eq!(world.run.state, MassState::Succeeded);
            prop_assert!(world.rows.values().all(|row| row.counter == 1));
        } else {
            let still: Vec<i64> = world.quarantine.keys().copied().collect();
            prop_assert_eq!(&still, &open);
            // A person says that these need nothing.
            world.order(&Order::Skip(SkipTarget::All));
            world.order(&Order::Retry);
            comes_to_its_end(&mut world);
            prop_assert_eq!(world.run.state, MassState::Succeeded);
            prop_assert_eq!(&world.skipped, &open);
        }
        prop_assert!(world.applied);
    }
}
