//! `#[migration]`, `#[view_manager]` and `migrations_dir!` write into the sections of linkme's slices themselves. Here
//! linkme's own attribute puts elements into the same slices; all have to be found, whole and once.

use migrate_diesel::{
    __private, Declared, DeclaredView, Migration, View, core::view::Definition, prelude::*,
};

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
    assert_eq!(names, ["linkmes", "ours", "sql_broken", "sql_first"]);
}

#[view_manager(since = ours, file = "tests/one_slice/view.sql")]
struct OurView;

#[__private::linkme::distributed_slice(__private::VIEWS)]
#[linkme(crate = __private::linkme)]
static LINKMES_VIEW: View = View::new(
    module_path!(),
    "LinkmesView",
    "linkmes_view",
    "",
    <ours as Declared>::NODE,
    (file!(), line!(), 1),
)
.sql("SELECT 2");

#[test]
fn views_of_linkme_and_of_the_attribute_make_one_slice() {
    let package = module_path!();
    let mut found: Vec<_> = __private::VIEWS
        .iter()
        .map(|view| &view.descriptor)
        .filter(|view| view.id.package() == package)
        .map(|view| (view.name, view.definition))
        .collect();
    found.sort_unstable_by_key(|(name, _)| *name);
    let of_the_file = include_str!("one_slice/view.sql");
    assert_eq!(
        found,
        [
            ("linkmes_view", Definition::Sql("SELECT 2")),
            ("our_view", Definition::Sql(of_the_file)),
        ]
    );
    assert!(
        __private::VIEWS
            .iter()
            .any(|view| std::ptr::eq(&raw const view.descriptor, OurView::VIEW.get()))
    );
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

mod files {
    migrate_diesel::migrations_dir!("sql/plain", format = plain);
}

#[__private::linkme::distributed_slice(__private::DIRECTORIES)]
#[linkme(crate = __private::linkme)]
static LINKMES_DIRECTORY: __private::Directory = __private::Directory {
    module_path: module_path!(),
    absolute: "",
    written: "linkmes",
    files: &[],
    location: (file!(), line!(), 1),
};

#[test]
fn directories_of_linkme_and_of_the_macro_make_one_slice() {
    let package = module_path!();
    let directories = __private::DIRECTORIES.iter();
    let ours = directories.filter(|it| it.module_path.split("::").next() == Some(package));
    let mut found: Vec<_> = ours.map(|it| (it.written, it.files)).collect();
    found.sort_unstable();
    let files: &[&str] = &["1_sql_first.sql", "2_sql_broken.sql"];
    assert_eq!(found, [("linkmes", &[] as &[&str]), ("sql/plain", files)]);
}
