//! What `up --dry-run` of the program in memory sees.

use std::time::Duration;

use migrate_core::report::{Rehearsal, Rehearsed, Statement};

use super::{Body, FakeApp};

pub(crate) fn statement(sql: &str, micros: u64) -> Statement {
    Statement {
        sql: sql.to_owned(),
        duration: Some(Duration::from_micros(micros)),
    }
}

impl FakeApp {
    pub(crate) fn rehearsal(&self, id: &str) -> Rehearsal {
        let migration = self.migrations.iter().find(|it| it.id == id).unwrap();
        if !migration.atomic {
            return Rehearsal::NotShown("it runs outside a transaction".to_owned());
        }
        Rehearsal::Ran(Rehearsed {
            statements: vec![
                statement("CREATE TABLE rehearsed (\n        id INTEGER\n      )", 400),
                statement("INSERT INTO t VALUES ($1) -- binds: [7]", 1_200),
            ],
            duration: Duration::from_millis(2),
            rows: Some(1),
            deferred: match &migration.body {
                Body::NotYet(reason) => Some(reason.clone()),
                _ => None,
            },
        })
    }
}
