//! Privileges, and what the deployer's role cannot bring back.

use migrate_diesel::backend::Aspect;

use crate::database::{Database, USERS, function, plain, quoted, words};

#[test]
fn what_default_privileges_give_a_new_view_is_taken_away() {
    let mut it = Database::new(USERS);
    let (owner, reader) = (it.role("owner"), it.role("reader"));
    it.run(&format!(
        "GRANT CREATE ON SCHEMA public TO {owner};
         CREATE VIEW a AS SELECT * FROM users;
         CREATE VIEW b AS SELECT * FROM a;
         ALTER VIEW b OWNER TO {owner};
         CREATE VIEW c AS SELECT * FROM a;
         GRANT INSERT ON c TO {reader};
         REVOKE DELETE ON c FROM CURRENT_USER;
         CREATE FUNCTION f(a) RETURNS int LANGUAGE sql AS 'SELECT 1';
         REVOKE EXECUTE ON FUNCTION f FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
         ALTER DEFAULT PRIVILEGES GRANT INSERT, UPDATE ON TABLES TO {reader} WITH GRANT OPTION;
         ALTER DEFAULT PRIVILEGES GRANT TRUNCATE ON TABLES TO {owner};
         ALTER DEFAULT PRIVILEGES REVOKE TRIGGER, DELETE ON TABLES FROM CURRENT_USER;
         ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {reader};"
    ));
    let objects = [
        plain("public.a"),
        plain("public.b"),
        plain("public.c"),
        function("public.f(public.a)"),
    ];
    let snapshots = it.round_trip(&objects);
    let me = it.text("current_user");
    assert_eq!(words(&snapshots[0], Aspect::Grant), [""; 0]);
    assert_eq!(words(&snapshots[1], Aspect::Grant), [""; 0]);
    assert_eq!(
        words(&snapshots[2], Aspect::Grant),
        [
            format!("DELETE revoked from {me}"),
            format!("INSERT granted to {reader}")
        ]
    );
    assert_eq!(
        words(&snapshots[3], Aspect::Grant),
        ["EXECUTE revoked from everybody"]
    );
}

#[test]
fn grants_are_made_again_by_those_who_made_them() {
    let mut it = Database::new(USERS);
    // The chain goes against the alphabet.
    let (first, second, third) = (it.role("c's"), it.role("B \"q\""), it.role("=a/"));
    let [one, two, three] = [&first, &second, &third].map(|role| quoted(role));
    it.run(&format!(
        "CREATE VIEW v AS SELECT * FROM users;
         GRANT SELECT, UPDATE (email) ON v TO {one} WITH GRANT OPTION;
         SET ROLE {one}; GRANT SELECT, UPDATE (email) ON v TO {two} WITH GRANT OPTION;
         SET ROLE {two}; GRANT SELECT, UPDATE (email) ON v TO {three};
         RESET ROLE;"
    ));
    let snapshot = it.round_trip(&[plain("public.v")]).remove(0);
    assert_eq!(words(&snapshot, Aspect::Grant).len(), 6);
    assert_eq!(it.text("current_setting('role')"), "none");
    // In a transaction of somebody who had taken on a role.
    it.run("ALTER ROLE CURRENT_USER SET statement_timeout = 0");
    let other = it.role("other");
    it.run(&format!("GRANT {} TO {}", one, quoted(&other)));
    it.run(&format!("BEGIN; SET ROLE {}", quoted(&other)));
    let set = &snapshot
        .properties
        .iter()
        .find(|it| it.what.contains(" by "))
        .unwrap()
        .set;
    it.run(set);
    assert_eq!(it.text("current_setting('role')"), other);
    it.run("ROLLBACK; ALTER ROLE CURRENT_USER RESET statement_timeout");
}

#[test]
fn what_would_be_lost_is_said() {
    let mut it = Database::new(USERS);
    let (owner, deployer, stranger) = (it.role("owner"), it.role("deployer"), it.role("stranger"));
    it.run(&format!(
        "CREATE VIEW v AS SELECT id FROM users;
         CREATE SEQUENCE s OWNED BY v.id;
         ALTER EXTENSION plpgsql ADD VIEW v;
         CREATE VIEW w AS SELECT id FROM users;
         ALTER VIEW w OWNER TO {owner};
         CREATE VIEW x AS SELECT id FROM users;
         ALTER VIEW x OWNER TO {deployer};
         GRANT SELECT ON x TO {stranger} WITH GRANT OPTION;
         SET ROLE {stranger}; GRANT SELECT ON x TO {owner}; RESET ROLE;
         CREATE FUNCTION f(x) RETURNS int LANGUAGE internal AS 'int4abs';
         CREATE FUNCTION g(x) RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1';"
    ));
    assert_eq!(
        it.snapshot(&plain("public.v")).lost,
        [
            "it owns sequence public.s, which would go with it",
            "it belongs to the extension `plpgsql`",
        ]
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
    );
    let stale = it.snapshot(&plain("public.w"));
    assert_eq!(stale.lost, [""; 0]);
    it.run(&format!("SET SESSION AUTHORIZATION {deployer}"));
    assert_eq!(
        it.snapshot(&plain("public.w")).lost,
        [
            format!("it belongs to `{owner}`, a role that you are no member of"),
            "you may not create anything in the schema public".to_owned(),
            format!("its owner `{owner}` may not create anything in the schema public"),
        ]
    );
    let lost = it.snapshot(&plain("public.x")).lost;
    assert_eq!(
        lost.last().unwrap(),
        &format!("`{stranger}`, a role that you are no member of, granted privileges on it")
    );
    let functions = it.snapshots(&[
        function("public.f(public.x)"),
        function("public.g(public.x)"),
    ]);
    assert!(
        functions[0].lost[0].starts_with("its language `internal` is for superusers"),
        "{functions:?}"
    );
    assert_eq!(
        functions[1].lost[0],
        "it is leakproof, which only a superuser may say"
    );
    it.run("RESET SESSION AUTHORIZATION; ALTER EXTENSION plpgsql DROP VIEW v");
    it.run(&format!(
        "GRANT {owner} TO {deployer}; GRANT {stranger} TO {deployer}; GRANT CREATE ON SCHEMA public TO {owner};
         DROP FUNCTION f; DROP FUNCTION g;
         SET SESSION AUTHORIZATION {deployer}"
    ));
    it.round_trip(&[plain("public.w"), plain("public.x")]);
    it.run("RESET SESSION AUTHORIZATION");
}
