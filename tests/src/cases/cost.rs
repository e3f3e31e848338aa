//! What a migration costs beside its body, counted.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use diesel::connection::InstrumentationEvent;
use migrate_diesel::{AnyConnection, Migrator, core::NodeRef, migrations, prelude::*};

use crate::{
    database::Scratch,
    proxy::Proxy,
    run::{migrator, up_with},
};

macro_rules! many {
    ($($name:ident)*) => {
        $(
            #[migration]
            pub(crate) fn $name(db: &mut AnyConnection) -> QueryResult<()> {
                db.batch_execute(concat!("CREATE TABLE ", stringify!($name), " (id INTEGER)"))
            }
        )*

        fn many() -> Vec<NodeRef> {
            migrations![$($name),*].to_vec()
        }
    };
}

many! { many_1 many_2 many_3 many_4 many_5 many_6 many_7 many_8 many_9 many_10 many_11 }

fn first(count: usize) -> Migrator {
    migrator(many().into_iter().take(count))
}

/// PostgreSQL: two round trips per migration, its body's among them; two when there is nothing to do.
pub fn round_trips(scratch: &Scratch) {
    let proxy = Proxy::start(scratch.address());
    let url = scratch.url_at(proxy.address());
    let count = |migrator: &Migrator| {
        let mut connection = AnyConnection::open(&url).unwrap();
        let before = proxy.times_ready();
        let applied = up_with(&mut connection, migrator, &Default::default())
            .done()
            .applied;
        (applied, proxy.times_ready() - before)
    };
    let (applied, one) = count(&first(1));
    assert_eq!(applied, 1);
    // The tables are there now; every run has the same frame around its migrations.
    let (applied, next) = count(&first(2));
    assert_eq!(applied, 1);
    let (applied, many) = count(&first(11));
    assert_eq!(applied, 9);
    assert!(
        many - next <= 8 * 2,
        "8 migrations more cost {} round trips more ({one}, {next}, {many})",
        many - next
    );
    let (applied, nothing) = count(&first(11));
    assert_eq!(applied, 0);
    assert!((1..=2).contains(&nothing), "{nothing} round trips");
}

/// SQLite: four statements per migration, its body's among them; two when there is nothing to do.
pub fn statements(scratch: &Scratch) {
    let count = |migrator: &Migrator| {
        let statements = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&statements);
        let mut connection = scratch.connect();
        let AnyConnection::Sqlite(sqlite) = &mut connection else {
            panic!("{connection:?}")
        };
        sqlite.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                // No text of ours holds a semicolon.
                let text = query.to_string();
                let parts = text.split(';').filter(|part| !part.trim().is_empty());
                counted.fetch_add(parts.count(), SeqCst);
            }
        });
        let applied = up_with(&mut connection, migrator, &Default::default())
            .done()
            .applied;
        (applied, statements.load(SeqCst))
    };
    let (applied, one) = count(&first(1));
    assert_eq!(applied, 1);
    let (applied, next) = count(&first(2));
    assert_eq!(applied, 1);
    let (applied, many) = count(&first(11));
    assert_eq!(applied, 9);
    assert_eq!(many - next, 8 * 4, "{one}, {next}, {many}");
    let (applied, nothing) = count(&first(11));
    assert_eq!(applied, 0);
    assert!((1..=2).contains(&nothing), "{nothing} statements");
}
