//! The order rule: the cases of edwh-migrate's own suite, and properties over random graphs.

#![expect(
    clippy::expect_used,
    reason = "an oracle may fail a test; clippy exempts the bodies of tests only"
)]

mod support;

use migrate_core::{Descriptor, Graph, Ordering};
use proptest::prelude::*;
use support::{Dag, dags, declare, draft, names, resolved};

fn orders(lines: &str) -> [Vec<&'static str>; 2] {
    let migrations = declare(lines);
    [Ordering::Declared, Ordering::Stamped].map(|ordering| names(&resolved(&migrations, ordering)))
}

/// The rule once more, as slowly and plainly as it reads in the documentation.
fn by_the_book(dag: &Dag, crates: &[&str], ordering: Ordering) -> Vec<&'static Descriptor> {
    let stamp = |it: &Descriptor| match (ordering, it.id.name().rsplit_once('_')) {
        (Ordering::Stamped, Some((_, digits))) => digits.parse().expect("made by `dags`"),
        _ => 0_u32,
    };
    let place = |it: &Descriptor| {
        let named = crates.iter().position(|name| *name == it.id.package());
        named.unwrap_or(crates.len())
    };
    let mut left = dag.migrations.clone();
    let mut order: Vec<&'static Descriptor> = Vec::new();
    while !left.is_empty() {
        let is_done = |it: &Descriptor| order.iter().any(|done| done.id == it.id);
        let ready = left
            .iter()
            .enumerate()
            .filter(|(_, it)| it.requires.iter().all(|required| is_done(required.get())));
        let (next, _) = ready
            .min_by_key(|(_, it)| {
                let declared = (place(it), it.id.package(), it.location, it.id.name());
                (it.requires.is_empty(), stamp(it), declared)
            })
            .expect("no circles");
        order.push(left.remove(next));
    }
    order
}

#[test]
fn a_dependant_follows_its_last_requirement_at_once() {
    // E-order-cascade: edwh `test_cascading_order`.
    let [declared, _] = orders("c1; c2; c3; c4; c5; c6; a1: c2; a2; a3: c4, c6; a4; a5");
    assert_eq!(declared.join(" "), "c1 c2 a1 c3 c4 c5 c6 a3 a2 a4 a5");
}

/// Two files, the second by another party, numbered to interleave.
fn interleaving(extra: &str) -> Vec<&'static Descriptor> {
    let mut migrations = declare(&format!(
        "define_item_000; define_tag_000; {extra}; rename_item_002; execute_me_early_004: define_item_000"
    ));
    for (name, line) in [("update_tag_001", 1), ("update_tag_003", 2)] {
        migrations.push(draft(&format!("whitelabel:{name}"), line).leak());
    }
    migrations
}

#[test]
fn declared_order_keeps_files_apart() {
    // E-order-legacy: edwh `test_import_legacy_ordering_keeps_definition_order`.
    let graph = resolved(&interleaving(""), Ordering::Declared);
    assert_eq!(
        names(&graph),
        [
            "define_item_000",
            "execute_me_early_004",
            "define_tag_000",
            "rename_item_002",
            "update_tag_001",
            "update_tag_003",
        ]
    );
}

#[test]
fn stamped_order_interleaves_files() {
    // E-order-intertwined: edwh `test_import_intertwined_suffix_ordering`.
    let graph = resolved(&interleaving("old_style_without_suffix"), Ordering::Stamped);
    assert_eq!(
        names(&graph),
        [
            "define_item_000",
            "execute_me_early_004",
            "define_tag_000",
            "old_style_without_suffix",
            "update_tag_001",
            "rename_item_002",
            "update_tag_003",
        ]
    );
}

#[test]
fn without_a_stamp_comes_before_every_stamp() {
    // E-suffixless-first.
    let [declared, stamped] = orders("b_20260101_001; z; a_1; y");
    assert_eq!(declared.join(" "), "b_20260101_001 z a_1 y");
    assert_eq!(stamped.join(" "), "z y a_1 b_20260101_001");
}

#[test]
fn dependants_come_first_in_either_order() {
    // E-pullup-chain.
    let [declared, stamped] = orders("a_001; q_002; b_900: a_001; c_800: b_900; d_850: a_001");
    assert_eq!(declared.join(" "), "a_001 b_900 c_800 d_850 q_002");
    assert_eq!(stamped.join(" "), "a_001 d_850 b_900 c_800 q_002");
}

#[test]
fn stamps_at_either_end_agree_and_words_have_none() {
    let [_, stamped] = orders(
        "m20260105_001_c; d_20260106; add_2fa_20260104; users2; add_2fa; v2_003; b_1_1500000; a_2_000",
    );
    assert_eq!(
        stamped.join(" "),
        "users2 add_2fa b_1_1500000 a_2_000 v2_003 add_2fa_20260104 m20260105_001_c d_20260106"
    );
}

#[test]
fn a_requirement_may_be_declared_later_and_elsewhere() {
    // E-cross-module.
    let base = draft("app:base", 1).file("src/z.rs").leak();
    let early = draft("app:early", 1)
        .file("src/a.rs")
        .requires(&[base])
        .leak();
    let graph = resolved(&[early, base], Ordering::Declared);
    assert_eq!(names(&graph), ["base", "early"]);
    assert_eq!(graph.requirements(1), [0]);
    assert_eq!(graph.dependants(0), [1]);
}

#[test]
fn a_duplicate_requirement_is_harmless() {
    // E-dup-req-harmless.
    let a = draft("app:a", 1).leak();
    let b = draft("app:b", 2).requires(&[a, a]).leak();
    let graph = resolved(&[b, a], Ordering::Declared);
    assert_eq!(names(&graph), ["a", "b"]);
    assert_eq!(graph.requirements(1), [0]);
}

#[test]
fn crates_come_as_main_names_them_then_by_name() {
    let migrations = ["zeta:a", "alpha:b", "shop:c", "billing:d"].map(|id| draft(id, 1).leak());
    let graph = Graph::resolve(&migrations, &["shop", "billing"], Ordering::Declared);
    assert_eq!(names(&graph.expect("valid")), ["c", "d", "b", "a"]);
}

#[test]
fn lines_compare_as_numbers_and_files_as_paths() {
    let at = |name: &str, file: &str, line| draft(&format!("app:{name}"), line).file(file).leak();
    let migrations = [
        at("e", "src/b.rs", 1),
        at("d", "src/a/inner.rs", 1),
        at("c", "src/a.rs", 10),
        at("b", "src/a.rs", 9),
        // One place, by a macro of the user's: the name decides.
        at("a", "src/a.rs", 10),
    ];
    let graph = resolved(&migrations, Ordering::Declared);
    assert_eq!(names(&graph).join(""), "bacde");
}

/// Handed in in another order, some twice.
fn permuted(
    migrations: &[&'static Descriptor],
) -> impl Strategy<Value = Vec<&'static Descriptor>> + use<> {
    let twice = migrations.iter().copied().step_by(3);
    let all: Vec<_> = migrations.iter().copied().chain(twice).collect();
    Just(all).prop_shuffle()
}

fn with_permutation() -> impl Strategy<Value = (Dag, Vec<&'static Descriptor>)> {
    dags(30).prop_flat_map(|dag| {
        let permuted = permuted(&dag.migrations);
        (Just(dag), permuted)
    })
}

fn ordering() -> impl Strategy<Value = Ordering> {
    prop_oneof![Just(Ordering::Declared), Just(Ordering::Stamped)]
}

proptest! {
    #[test]
    fn the_order_is_by_the_book((dag, permuted) in with_permutation(), ordering in ordering()) {
        let crates = ["crate2", "crate0"];
        let graph = Graph::resolve(&permuted, &crates, ordering).expect("valid");
        let expected: Vec<_> = by_the_book(&dag, &crates, ordering).iter().map(|it| it.id).collect();
        let order: Vec<_> = graph.iter().map(|it| it.id).collect();
        prop_assert_eq!(order, expected);
    }

    #[test]
    fn every_prefix_is_closed_and_edges_are_those_declared(dag in dags(30), ordering in ordering()) {
        let graph = Graph::resolve(&dag.migrations, &[], ordering).expect("valid");
        prop_assert_eq!(graph.len(), dag.migrations.len());
        for (at, descriptor) in graph.iter().enumerate() {
            prop_assert_eq!(graph.position(descriptor.id), Some(at));
            let mut declared: Vec<u32> = Vec::new();
            for required in descriptor.requires {
                let position = graph.position(required.get().id).expect("carried");
                prop_assert!(position < at);
                declared.push(u32::try_from(position).expect("few"));
            }
            declared.sort_unstable();
            declared.dedup();
            prop_assert_eq!(graph.requirements(at), declared);
            let dependants: Vec<u32> = (0..u32::try_from(graph.len()).expect("few"))
                .filter(|other| graph.requirements(*other as usize).iter().any(|it| *it as usize == at))
                .collect();
            prop_assert_eq!(graph.dependants(at), dependants);
        }
    }
}
