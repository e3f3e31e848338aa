//! Eight deployers started together on an empty database, fifty times: each migration is applied
//! once, and every process ends well.

use migrate_tests::{
    child::Deployer,
    database::{Backend, Scratch},
    deploy::TABLES,
};

const DEPLOYER: &str = env!("CARGO_BIN_EXE_deployer");
const DEPLOYERS: usize = 8;
const ROUNDS: usize = 50;

fn together(backend: Backend) {
    for round in 0..ROUNDS {
        let scratch = Scratch::new(backend);
        let mut deployers: Vec<Deployer> = (0..DEPLOYERS)
            .map(|_| Deployer::start(DEPLOYER, "deployers", &scratch.url(), ""))
            .collect();
        deployers.iter_mut().for_each(Deployer::go);
        for deployer in deployers {
            let output = deployer.finish();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                output.status.success(),
                "round {round}: {} {said}",
                output.status
            );
        }
        assert_eq!(scratch.effects(), TABLES, "round {round}");
        let applied = scratch
            .texts("SELECT id AS value FROM migrate_history WHERE state = 'applied' ORDER BY id");
        let expected: Vec<String> = TABLES
            .iter()
            .map(|name| format!("migrate_tests:{name}"))
            .collect();
        assert_eq!(applied, expected, "round {round}");
    }
}

#[test]
fn sqlite_eight_together() {
    together(Backend::Sqlite);
}

#[test]
fn postgres_eight_together() {
    together(Backend::Postgres);
}

#[test]
fn mysql_eight_together() {
    together(Backend::Mysql);
}
