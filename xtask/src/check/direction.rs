//! Who may depend on whom.
//!
//! Front ends know the core only, so that they serve any runtime; core and macros know nothing of ours, so that they
//! stay pure; and no part of the product knows the tests, the examples or these chores.

use std::path::Path;

use super::Violation;
use super::workspace::{Dependency, Package};

/// What a crate is, as far as dependencies are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Part of the product: sees what is listed, and `optional` only behind a feature.
    Product {
        always: &'static [&'static str],
        optional: &'static [&'static str],
    },
    /// Tests, examples and benchmarks: see all but the chores.
    Outside,
    /// These chores: they install what the product needs to be built, and so must be built without it.
    Chores,
}

/// The product's crates. A new one is entered here, which is the moment to think about its place.
const PRODUCT: &[(&str, Role)] = &[
    (
        "migrate-core",
        Role::Product {
            always: &[],
            optional: &[],
        },
    ),
    (
        "migrate-macros",
        Role::Product {
            always: &[],
            optional: &[],
        },
    ),
    (
        "migrate-cli",
        Role::Product {
            always: &["migrate-core"],
            optional: &[],
        },
    ),
    (
        "migrate-diesel",
        Role::Product {
            always: &["migrate-core", "migrate-macros"],
            optional: &["migrate-cli"],
        },
    ),
    (
        "migrate-apalis",
        Role::Product {
            always: &["migrate-diesel"],
            optional: &[],
        },
    ),
];

/// Every dependency on a crate of ours that points the wrong way.
pub(super) fn check(root: &Path, packages: &[Package]) -> Vec<Violation> {
    let roles: Vec<(&Package, Option<Role>)> = packages
        .iter()
        .map(|package| (package, role(root, package)))
        .collect();
    let role_of = |name: &str| {
        roles
            .iter()
            .find(|(package, _)| package.name == name)
            .map(|(_, role)| *role)
    };
    let mut violations = Vec::new();
    for (package, own) in &roles {
        let place = place(root, package);
        let Some(own) = own else {
            let message = format!(
                "`{}` has no place in the direction of dependencies; enter it in xtask/src/check/direction.rs",
                package.name
            );
            violations.push(Violation::new(place, message));
            continue;
        };
        for dependency in &package.dependencies {
            // `None`: not a crate of ours. An unknown one of ours is reported above, once.
            let Some(Some(target)) = role_of(&dependency.name) else {
                continue;
            };
            if let Some(reason) = refusal(*own, target, dependency) {
                let message = format!(
                    "`{}` must not depend on `{}`: {reason}",
                    package.name, dependency.name
                );
                violations.push(Violation::new(place.clone(), message));
            }
        }
    }
    violations
}

fn refusal(own: Role, target: Role, dependency: &Dependency) -> Option<String> {
    match (own, target) {
        (_, Role::Chores) => Some("nothing sees the chores".to_owned()),
        (Role::Chores, _) => {
            Some("the chores must build on a machine where the product cannot yet".to_owned())
        }
        (Role::Outside, _) => None,
        (Role::Product { .. }, Role::Outside) => {
            Some("the product does not see its tests and examples".to_owned())
        }
        (Role::Product { always, optional }, Role::Product { .. }) => {
            let name = dependency.name.as_str();
            if always.contains(&name) || (optional.contains(&name) && dependency.optional) {
                None
            } else if optional.contains(&name) {
                Some("only as an optional dependency behind a feature".to_owned())
            } else if always.is_empty() {
                Some("it sees no crate of ours".to_owned())
            } else {
                Some(format!("it sees only {}", always.join(" and ")))
            }
        }
    }
}

fn role(root: &Path, package: &Package) -> Option<Role> {
    if let Some((_, role)) = PRODUCT.iter().find(|(name, _)| *name == package.name) {
        return Some(*role);
    }
    let path = package.manifest_path.strip_prefix(root).ok()?;
    match path.iter().next()?.to_str()? {
        "tests" | "examples" | "benches" => Some(Role::Outside),
        "xtask" => Some(Role::Chores),
        _ => None,
    }
}

fn place(root: &Path, package: &Package) -> String {
    let path = package.manifest_path.strip_prefix(root);
    path.unwrap_or(&package.manifest_path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, directory: &str, dependencies: &[(&str, bool)]) -> Package {
        Package {
            name: name.to_owned(),
            manifest_path: Path::new("/repo").join(directory).join("Cargo.toml"),
            dependencies: dependencies
                .iter()
                .map(|(name, optional)| Dependency {
                    name: (*name).to_owned(),
                    optional: *optional,
                })
                .collect(),
            targets: Vec::new(),
        }
    }

    fn found(changed: Package) -> Vec<String> {
        let mut packages = vec![
            package("migrate-core", "migrate-core", &[("thiserror", false)]),
            package("migrate-macros", "migrate-macros", &[("syn", false)]),
            package("migrate-cli", "migrate-cli", &[("migrate-core", false)]),
            package(
                "migrate-diesel",
                "migrate-diesel",
                &[
                    ("migrate-core", false),
                    ("migrate-macros", false),
                    ("migrate-cli", true),
                ],
            ),
            package("shop", "examples/shop", &[("migrate-diesel", false)]),
            package(
                "migrate-tests",
                "tests",
                &[("migrate-diesel", false), ("shop", false)],
            ),
            package("xtask", "xtask", &[("clap", false)]),
        ];
        packages.retain(|package| package.name != changed.name);
        packages.push(changed);
        check(Path::new("/repo"), &packages)
            .iter()
            .map(Violation::to_string)
            .collect()
    }

    #[test]
    fn the_intended_direction_is_fine() {
        assert_eq!(
            found(package(
                "billing",
                "examples/billing",
                &[("migrate-diesel", false)]
            )),
            [""; 0]
        );
    }

    #[test]
    fn a_front_end_sees_only_the_core() {
        let found = found(package(
            "migrate-cli",
            "migrate-cli",
            &[("migrate-core", false), ("migrate-macros", false)],
        ));
        assert_eq!(
            found,
            [
                "migrate-cli/Cargo.toml: `migrate-cli` must not depend on `migrate-macros`: it sees only migrate-core"
            ]
        );
    }

    #[test]
    fn the_command_line_is_optional_for_the_runtime() {
        let found = found(package(
            "migrate-diesel",
            "migrate-diesel",
            &[("migrate-cli", false)],
        ));
        assert_eq!(
            found,
            [
                "migrate-diesel/Cargo.toml: `migrate-diesel` must not depend on `migrate-cli`: \
              only as an optional dependency behind a feature"
            ]
        );
    }

    #[test]
    fn core_and_macros_see_nothing_of_ours() {
        for name in ["migrate-core", "migrate-macros"] {
            let found = found(package(name, name, &[("migrate-cli", true)]));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(
                found
                    .iter()
                    .all(|line| line.ends_with("it sees no crate of ours")),
                "{found:?}"
            );
        }
    }

    #[test]
    fn the_product_does_not_see_the_examples() {
        let found = found(package("migrate-core", "migrate-core", &[("shop", false)]));
        assert!(
            found
                .iter()
                .any(|line| line.ends_with("does not see its tests and examples")),
            "{found:?}"
        );
    }

    #[test]
    fn nothing_sees_the_chores_nor_they_the_product() {
        let tests = found(package("migrate-tests", "tests", &[("xtask", false)]));
        assert!(
            tests
                .iter()
                .any(|line| line.ends_with("nothing sees the chores")),
            "{tests:?}"
        );
        let chores = found(package("xtask", "xtask", &[("migrate-diesel", false)]));
        assert!(
            chores.iter().any(|line| line.contains("cannot yet")),
            "{chores:?}"
        );
    }

    #[test]
    fn a_new_crate_must_be_placed() {
        let found = found(package("migrate-console", "migrate-console", &[]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found
                .iter()
                .all(|line| line.contains("enter it in xtask/src/check/direction.rs")),
            "{found:?}"
        );
    }
}
