//! What the core's crates may depend on, and that they take nothing optional of it.

use crate::manifest::{Dependency, Kind, Manifest, Workspace};
use crate::{Finding, Tree};

const RULE: &str = "dependencies";

/// The packages that a crate may depend on, by the crate's folder. Its tests are free.
const LISTS: &[(&str, &[&str])] = &[
    ("limits", &["thiserror"]),
    // `hashbrown` only where a measurement shows that a hash table is needed.
    ("ipam-core", &["limits", "ipnet", "thiserror", "hashbrown"]),
];

/// Finds dependencies of the core's crates that are not on the list, or that come with features, be they
/// the default ones or others.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    Workspace::check(tree, |workspace| {
        let listed = LISTS.iter().filter_map(|(folder, list)| {
            let manifest = workspace.crates.iter().find(|manifest| manifest.folder == *folder)?;
            Some((manifest, *list))
        });
        listed.flat_map(|(manifest, list)| check_one(workspace, manifest, list)).collect()
    })
}

fn check_one(workspace: &Workspace, manifest: &Manifest, list: &[&str]) -> Vec<Finding> {
    let advice = |dependency: &Dependency| {
        let package = workspace.package(dependency);
        if !list.contains(&package.as_str()) {
            let (folder, list) = (manifest.folder, list.join(", "));
            return Some(format!("remove `{package}`: `{folder}` depends on nothing but {list}"));
        }
        let features = features(workspace, dependency);
        if !features.is_empty() {
            let features = features.join(", ");
            return Some(format!(
                "remove the features of `{package}`, in the root's table and here: {features}"
            ));
        }
        let ours = workspace.target(manifest, dependency).is_some();
        (!ours && !bare(workspace, dependency)).then(|| {
            format!("turn the default features of `{package}` off, in the root's table and here")
        })
    };
    let normal = manifest.dependencies().into_iter().filter(|entry| entry.kind == Kind::Normal);
    normal
        .filter_map(|entry| Some(Finding::new(RULE, manifest.file, entry.line, advice(&entry)?)))
        .collect()
}

/// The features that are named here and in the shared table.
fn features(workspace: &Workspace, dependency: &Dependency) -> Vec<String> {
    let shared = workspace.shared(dependency);
    let shared = shared.iter().filter(|_| dependency.flag("workspace") == Some(true));
    let entries = std::iter::once(dependency.list_at("features"));
    let all = entries.chain(shared.map(|entry| entry.list_at("features")));
    all.flatten().map(str::to_owned).collect()
}

/// Whether the default features are off. A member can turn on again what the shared table turned off, but not the reverse.
fn bare(workspace: &Workspace, dependency: &Dependency) -> bool {
    let off = |entry: &Dependency| entry.flag("default-features") == Some(false);
    if dependency.flag("workspace") != Some(true) {
        return off(dependency);
    }
    dependency.flag("default-features") != Some(true)
        && workspace.shared(dependency).as_ref().is_some_and(off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_core(dependencies: &str, expected: &str) {
        let text = format!(
            r#"
== Cargo.toml
[workspace.dependencies]
limits = {{ path = "limits" }}
ipnet = {{ version = "2", default-features = false }}
thiserror = "2"
hashbrown = {{ version = "1", default-features = false, features = ["std"] }}
nets = {{ package = "ipnetwork", version = "1" }}
serde = "1"
== limits/Cargo.toml
package.name = "limits"
== ipam-core/Cargo.toml
{dependencies}
"#
        );
        crate::testing::check(check, &text, expected);
    }

    #[test]
    fn the_list_without_default_features_and_anything_for_tests_is_allowed() {
        check_core(
            "[dependencies]\nipnet.workspace = true\nlimits.workspace = true\n[dev-dependencies]\nserde.workspace = true",
            "",
        );
    }

    #[test]
    fn what_is_not_on_the_list_is_found_under_any_name() {
        let only = "`ipam-core` depends on nothing but limits, ipnet, thiserror, hashbrown";
        let expected = format!("ipam-core/Cargo.toml:2: remove `ipnetwork`: {only}");
        check_core("[dependencies]\nnets.workspace = true", &expected);
        check_core(
            "[dependencies]\nipnet = { package = \"ipnetwork\", version = \"1\" }",
            &expected,
        );
        let expected = format!("ipam-core/Cargo.toml:2: remove `serde`: {only}");
        check_core("[dependencies]\nserde = { workspace = true, optional = true }", &expected);
        check_core("[build-dependencies]\nserde.workspace = true", &expected);
        check_core("[target.'cfg(unix)'.dependencies]\nserde.workspace = true", &expected);
    }

    #[test]
    fn features_are_found_wherever_they_are_named() {
        let expected = |name: &str| {
            format!(
                "ipam-core/Cargo.toml:2: remove the features of `{name}`, in the root's table and here: std"
            )
        };
        check_core(
            "[dependencies]\nipnet = { workspace = true, features = [\"std\"] }",
            &expected("ipnet"),
        );
        check_core("[dependencies]\nhashbrown.workspace = true", &expected("hashbrown"));
        check_core(
            "[dependencies]\nlimits = { path = \"../limits\", features = [\"std\"] }",
            &expected("limits"),
        );
        check_core("[dev-dependencies]\nhashbrown.workspace = true", "");
    }

    #[test]
    fn default_features_are_found_wherever_they_are_turned_on() {
        let expected = |name: &str| {
            format!(
                "ipam-core/Cargo.toml:2: turn the default features of `{name}` off, in the root's table and here"
            )
        };
        check_core("[dependencies]\nthiserror.workspace = true", &expected("thiserror"));
        check_core(
            "[dependencies]\nipnet = { workspace = true, default-features = true }",
            &expected("ipnet"),
        );
        check_core("[dependencies]\nipnet = \"2\"", &expected("ipnet"));
        check_core("[dependencies]\nthiserror = { version = \"2\", default-features = false }", "");
    }
}
