//! Every member takes its lints and its versions from the workspace, so that there is one place to change each.

use toml::{Table, Value};

use super::Violation;

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What one member's manifest does on its own. `table` is the root's `[workspace.dependencies]`.
pub(super) fn check(place: &str, manifest: &Table, table: &Table) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !inherits(manifest.get("lints")) {
        let message =
            "does not take the workspace's lints; write `[lints]` with `workspace = true`";
        violations.push(Violation::new(place, message));
    }
    for (section, dependencies) in dependency_sections(manifest) {
        for (name, dependency) in dependencies {
            if !inherits(Some(dependency)) {
                let message = format!(
                    "[{section}] `{name}` states its own version; enter it in the root's \
                     [workspace.dependencies] and write `{name}.workspace = true`"
                );
                violations.push(Violation::new(place, message));
            } else if !table.contains_key(name) {
                let message =
                    format!("[{section}] `{name}` is not in the root's [workspace.dependencies]");
                violations.push(Violation::new(place, message));
            }
        }
    }
    violations
}

fn inherits(value: Option<&Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(Value::as_bool)
        == Some(true)
}

/// `[dependencies]` and its kin, also those of `[target.'cfg(..)']`.
fn dependency_sections(manifest: &Table) -> Vec<(String, &Table)> {
    let of_targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .filter_map(|(target, value)| Some((format!("target.'{target}'."), value.as_table()?)));
    std::iter::once((String::new(), manifest))
        .chain(of_targets)
        .flat_map(|(prefix, scope)| {
            KINDS.iter().filter_map(move |kind| {
                let dependencies = scope.get(*kind)?.as_table()?;
                Some((format!("{prefix}{kind}"), dependencies))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(manifest: &str) -> Vec<String> {
        let table: Table = toml::from_str("diesel = '2'\nserde = '1'").expect("a table");
        let manifest: Table = toml::from_str(manifest).expect("a manifest");
        check("x/Cargo.toml", &manifest, &table)
            .iter()
            .map(Violation::to_string)
            .collect()
    }

    #[test]
    fn a_member_that_inherits_all_is_fine() {
        let manifest = "[lints]\nworkspace = true\n[dependencies]\ndiesel.workspace = true\n\
                        serde = { workspace = true, optional = true }";
        assert_eq!(found(manifest), [""; 0]);
    }

    #[test]
    fn lints_must_come_from_the_workspace() {
        for manifest in [
            "",
            "[lints]\nworkspace = false",
            "[lints.rust]\nunsafe_code = 'allow'",
        ] {
            assert_eq!(
                found(manifest),
                [
                    "x/Cargo.toml: does not take the workspace's lints; write `[lints]` with `workspace = true`"
                ]
            );
        }
    }

    #[test]
    fn a_version_of_its_own_is_refused_in_every_section() {
        for section in [
            "dependencies",
            "dev-dependencies",
            "build-dependencies",
            "target.'cfg(unix)'.dependencies",
        ] {
            for dependency in [
                "diesel = '2.3'",
                "diesel = { version = '2.3' }",
                "diesel = { path = '../x' }",
            ] {
                let found = found(&format!(
                    "[lints]\nworkspace = true\n[{section}]\n{dependency}"
                ));
                let start = format!("x/Cargo.toml: [{section}] `diesel` states its own version");
                assert!(
                    found.len() == 1 && found.iter().all(|line| line.starts_with(&start)),
                    "{found:?}"
                );
            }
        }
    }

    #[test]
    fn a_version_must_be_in_the_table() {
        assert_eq!(
            found("[lints]\nworkspace = true\n[dependencies]\nrand.workspace = true"),
            ["x/Cargo.toml: [dependencies] `rand` is not in the root's [workspace.dependencies]"]
        );
    }
}
