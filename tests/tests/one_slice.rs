//! `#[migration]` writes into the section of linkme's slice itself. Here linkme's own attribute puts
//! an element into the same slice; both have to be found, whole and once.

use migrate_diesel::{__private, Migration, prelude::*};

#[migration]
fn ours(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[__private::linkme::distributed_slice(__private::MIGRATIONS)]
#[linkme(crate = __private::linkme)]
static LINKMES: Migration = Migration::new(
    module_path!(),
    "linkmes",
    "",
    0,
    &[],
    (file!(), line!(), 1),
    1,
)
.up(&__private::Typed::<SqliteConnection, _>(ours));

#[test]
fn elements_of_linkme_and_of_the_attribute_make_one_slice() {
    let package = module_path!();
    let mut names: Vec<_> = __private::MIGRATIONS
        .iter()
        .map(|migration| migration.descriptor.id)
        .filter(|id| id.package() == package)
        .map(migrate_diesel::core::MigrationId::name)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["linkmes", "ours"]);
}

#[test]
fn an_element_is_the_node_that_others_require() {
    let [ours] = migrate_diesel::migrations![ours];
    let found = __private::MIGRATIONS
        .iter()
        .find(|migration| migration.descriptor.id.name() == "ours")
        .map(|migration| &raw const migration.descriptor);
    assert_eq!(found, Some(&raw const *ours.get()));
}
