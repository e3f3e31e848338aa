//! The table of changes, the pace, the split, the rate.

use std::time::Duration;

use migrate_core::mass::{
    Live, MassState, legal,
    pace::{self, AfterFailure, Probe},
    progress::{Speedometer, WINDOW, eta},
};
use proptest::prelude::*;

fn live(target: Option<Duration>) -> Live {
    Live {
        batch: 1_000,
        target,
        pause: Duration::ZERO,
        max_failures: 10,
    }
}

#[test]
fn what_succeeded_stays_and_everything_else_can_get_there() {
    assert!(
        MassState::ALL
            .iter()
            .all(|to| !legal(MassState::Succeeded, *to))
    );
    for from in MassState::ALL {
        assert!(!legal(from, from), "to stay is no change: {from}");
        let mut reached = vec![from];
        let mut at = 0;
        while let Some(state) = reached.get(at).copied() {
            for to in MassState::ALL {
                if legal(state, to) && !reached.contains(&to) {
                    reached.push(to);
                }
            }
            at += 1;
        }
        assert!(
            reached.contains(&MassState::Succeeded),
            "{from} is a dead end"
        );
    }
}

#[test]
fn words_are_read_back() {
    for state in MassState::ALL {
        assert_eq!(state.as_str().parse::<MassState>().unwrap(), state);
    }
    assert!("errored".parse::<MassState>().is_err());
}

#[test]
fn a_batch_steers_itself_to_its_target() {
    // 0.1 ms for a unit: 500 ms are 5,000 of them.
    let live = live(Some(Duration::from_millis(500)));
    let mut size = live.batch;
    for _ in 0..10 {
        let took = Duration::from_micros(100) * size;
        size = pace::next_size(&live, size, size.into(), took);
    }
    assert_eq!(size, 5_000);
    // One outlier does not throw it about, and what was not full says nothing.
    assert_eq!(
        pace::next_size(&live, size, size.into(), Duration::from_secs(60)),
        2_500
    );
    assert_eq!(
        pace::next_size(&live, size, 3, Duration::from_micros(1)),
        5_000
    );
}

#[test]
fn without_a_target_all_batches_are_of_one_size() {
    let next = pace::next_size(&live(None), 17, 17, Duration::from_secs(9));
    assert_eq!(next, 1_000);
}

proptest! {
    /// However units fail, each of them is met: alone, or in a batch that succeeded.
    #[test]
    fn a_split_finds_exactly_what_fails(
        poison in proptest::collection::vec(prop::bool::weighted(0.05), 1..300),
        size in 1_u32..64,
    ) {
        let (mut at, mut probe, mut attempts) = (0, Probe::default(), 0);
        let mut quarantined = Vec::new();
        while at < poison.len() {
            attempts += 1;
            prop_assert!(attempts < 10_000, "it comes to its end");
            let limit = probe.limit(size) as usize;
            let piece = &poison[at..poison.len().min(at + limit)];
            if piece.contains(&true) {
                match probe.failed(piece.len() as u64) {
                    AfterFailure::Smaller => continue,
                    AfterFailure::Quarantine => quarantined.push(at),
                }
            }
            at += piece.len();
            probe.moved(piece.len() as u64);
        }
        let expected: Vec<usize> = poison.iter().enumerate().filter(|(_, bad)| **bad).map(|(at, _)| at).collect();
        prop_assert_eq!(quarantined, expected);
    }
}

#[test]
fn one_bad_unit_of_a_thousand_costs_few_attempts() {
    let (mut at, mut probe, mut attempts) = (0_u64, Probe::default(), 0);
    while at < 1_000 {
        attempts += 1;
        let limit = u64::from(probe.limit(1_000)).min(1_000 - at);
        if (at..at + limit).contains(&617) && probe.failed(limit) == AfterFailure::Smaller {
            continue;
        }
        at += limit;
        probe.moved(limit);
    }
    assert!(!probe.is_splitting());
    assert!(attempts <= 60, "{attempts}");
}

#[test]
fn the_rate_is_that_of_late() {
    let mut speed = Speedometer::default();
    assert_eq!(speed.rate(), None);
    // A fast minute, then nothing for another one.
    for second in 0..60 {
        speed.sample(Duration::from_secs(second), second * 1_000);
    }
    assert!((speed.rate().unwrap() - 1_000.0).abs() < 1.0);
    for second in 60..120 {
        speed.sample(Duration::from_secs(second), 59_000);
    }
    assert!(speed.rate().unwrap() < 1.0);
    assert!(WINDOW < Duration::from_secs(60));
}

#[test]
fn an_estimate_is_never_negative() {
    assert_eq!(
        eta(400, Some(1_000), Some(100.0)),
        Some(Duration::from_secs(6))
    );
    assert_eq!(eta(1_001, Some(1_000), Some(100.0)), None);
    assert_eq!(eta(1, None, Some(100.0)), None);
    assert_eq!(eta(1, Some(2), Some(0.0)), None);
}
