//! The statements of declared views.

use migrate_diesel::{__private::UNREGISTERED, View, backend::Aspect};

use crate::database::{Database, USERS, materialized, plain, words};

fn declared(name: &'static str) -> View {
    let place = (file!(), line!(), column!());
    View::new("app::views", "It", name, "", UNREGISTERED, place)
}

fn create(it: &mut Database, view: &View) -> Result<Vec<String>, String> {
    it.views().create(&view.descriptor, None)
}

#[test]
fn declared_views_are_created() {
    let mut it = Database::new(USERS);
    it.run("CREATE SCHEMA \"My schema\"; INSERT INTO users VALUES (1, 'a', true)");
    let plain_one = declared("My schema.V \"x")
        .sql("\n  SELECT id FROM public.users -- all of them; really\n ;\n")
        .options(&[("security_barrier", "true"), ("check_option", "local")]);
    let created = create(&mut it, &plain_one).unwrap();
    assert_eq!(
        created,
        [
            "CREATE VIEW \"My schema\".\"V \"\"x\" WITH (security_barrier = true, check_option = local) AS\n\
          SELECT id FROM public.users"
        ]
    );
    // As the runner sends it: with something behind it.
    it.run(&format!("{}; SELECT 1", created.join("; ")));
    assert_eq!(
        words(&it.snapshot(&plain("My schema.V \"x")), Aspect::Options),
        ["option check_option", "option security_barrier"]
    );
    let matview = declared("totals")
        .sql("SELECT id, count(*) FROM users GROUP BY id")
        .materialized()
        .indexes(&["CREATE UNIQUE INDEX by_id ON totals (id)"]);
    let created = create(&mut it, &matview).unwrap();
    assert_eq!(created.len(), 2);
    it.run(&created.join("; "));
    let snapshot = it.snapshot(&materialized("public.totals"));
    assert_eq!(words(&snapshot, Aspect::Index), ["index by_id"]);
    assert_eq!(words(&snapshot, Aspect::Populated), ["populated"]);
    assert_eq!(
        it.views().find(&["totals"]).unwrap(),
        [Some("public.totals".to_owned())]
    );
    // What is in the text after the query's end does not matter.
    for sql in [
        "SELECT 1 AS a;",
        "SELECT 1 AS a; -- done",
        "SELECT 1 AS a /* ; */ ; /* x */",
    ] {
        let view = declared("v").sql(sql);
        let created = create(&mut it, &view).unwrap().join("; ");
        it.run(&format!("{created}; DROP VIEW v"));
    }
}

#[test]
fn what_a_view_cannot_have_is_said() {
    let mut it = Database::new("");
    let mut error = |view: View| create(&mut it, &view).unwrap_err();
    let view = || declared("v").sql("SELECT 1 AS a");
    assert_eq!(
        error(view().options(&[("algorithm", "merge")])),
        "PostgreSQL has no option `algorithm` for views"
    );
    assert_eq!(
        error(
            view()
                .materialized()
                .options(&[("security_barrier", "true")])
        ),
        "PostgreSQL has the option `security_barrier` for plain views, not for materialized ones"
    );
    assert_eq!(error(declared("v").sql(" ; ")), "its query is empty");
    assert_eq!(
        error(declared("v").sql("SELECT 1; DROP TABLE x")),
        "its query is more than one statement"
    );
    assert_eq!(
        error(declared("v")),
        "it is created by code, not from a query"
    );
}
