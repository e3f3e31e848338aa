//! Every kind of function that has a body.

use std::{error::Error, future::Future};

use migrate_diesel::{NotMigrated, prelude::*, requires_migration};

#[migration]
pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[derive(Debug)]
enum AppError {
    Wait(NotMigrated),
}

impl From<NotMigrated> for AppError {
    fn from(missing: NotMigrated) -> Self {
        Self::Wait(missing)
    }
}

struct Shop<'a> {
    name: &'a str,
}

impl<'a> Shop<'a> {
    #[requires_migration(create_users)]
    fn name<'b>(&'b self) -> Result<&'a str, AppError>
    where
        'a: 'b,
    {
        #![allow(unused_variables)]
        let unused = 1;
        Ok(self.name)
    }

    #[requires_migration(create_users)]
    #[must_use]
    pub async fn longest(&mut self, other: &'a str) -> Result<&'a str, Box<dyn Error + Send + Sync>> {
        if other.len() > self.name.len() {
            self.name = other;
        }
        Ok(self.name)
    }
}

trait Counts {
    #[requires_migration(create_users, on_missing = panic)]
    fn count<F: Fn() -> usize>(&self, f: F) -> usize {
        f()
    }
}

impl Counts for Shop<'_> {}

#[requires_migration(create_users, create_users, on_missing = panic)]
unsafe extern "C" fn foreign() {}

macro_rules! guarded {
    ($path:path, $name:ident -> $type:ty $body:block) => {
        #[requires_migration($path)]
        fn $name() -> $type $body
    };
}

guarded!(create_users, by_macro -> Result<(), NotMigrated> { Ok(()) });

fn sent(_: impl Future<Output = impl Sized> + Send) {}

fn main() {
    let mut shop = Shop { name: "x" };
    assert!(matches!(shop.name(), Err(AppError::Wait(_))));
    assert!(by_macro().is_err());
    sent(shop.longest("xyz"));
    let _: unsafe extern "C" fn() = foreign;
    let _ = |shop: &Shop| shop.count(|| 1);
}
