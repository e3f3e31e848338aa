//! What the command line itself costs, around a program that answers at once.
//!
//! `cargo bench -p migrate-cli`
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that panics is no benchmark"
)]

#[expect(dead_code, reason = "tests need more of it")]
#[path = "../tests/it/fake.rs"]
mod fake;
#[expect(dead_code, reason = "tests need more of it")]
#[path = "../tests/it/typist.rs"]
mod typist;

use fake::{FakeApp, migration};
use typist::Typist;

fn main() {
    divan::main();
}

fn applied(n: usize) -> FakeApp {
    let migrations = (0..n)
        .map(|at| migration(&format!("shop:m{at:05}"), &[]))
        .collect();
    FakeApp::of(migrations).applied()
}

/// The fake looks its states up one by one: its own share is measured by `fake_alone`.
#[divan::bench(args = [100, 5_000])]
fn up(bencher: divan::Bencher<'_, '_>, n: usize) {
    let (app, typist) = (applied(n), Typist::new());
    bencher.bench_local(|| typist.types(&app, "up"));
}

#[divan::bench(args = [100, 5_000])]
fn fake_alone(bencher: divan::Bencher<'_, '_>, n: usize) {
    use migrate_core::{Application, DatabaseSettings, DatabaseUrl, Settings, frontend::UpRequest};
    let app = applied(n);
    let database = DatabaseSettings {
        name: "default".to_owned(),
        url: DatabaseUrl::new("sqlite://x.db"),
    };
    bencher.bench_local(|| {
        let mut deployment = app.open(&Settings::default(), &database).unwrap();
        deployment.up(&UpRequest::default(), &mut |_| {})
    });
}

#[divan::bench(args = [100, 5_000])]
fn status(bencher: divan::Bencher<'_, '_>, n: usize) {
    let (app, typist) = (applied(n), Typist::new());
    bencher.bench_local(|| typist.types(&app, "status"));
}

#[divan::bench(args = ["text", "svg"])]
fn graph_of_5000(bencher: divan::Bencher<'_, '_>, format: &str) {
    let mut app = applied(5_000);
    for at in 1..5_000 {
        let requires = [at - 1, at / 2, at / 3].map(|to| format!("shop:m{to:05}"));
        app.migrations[at].requires = requires.to_vec();
    }
    let typist = Typist::without_configuration();
    bencher.bench_local(|| typist.types(&app, &format!("graph --format {format}")));
}
