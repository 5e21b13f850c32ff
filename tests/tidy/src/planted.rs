//! The bugs that the simulation has to find are built by nobody else, and by nothing that does not ask for them.

use toml::de::DeTable;

use crate::manifest::{Manifest, Workspace};
use crate::{Finding, Tree};

const RULE: &str = "planted";
/// The feature that has them, of the crate and of whoever passes it on.
const FEATURE: &str = "planted";
/// Where alone it is passed on: the crate's folder, the feature, and what that turns on.
const ALLOWED: (&str, &str, &str) = ("tests/sim", FEATURE, "ipam-core/planted");

/// Finds every other feature and every dependency that turns planted bugs on. That of no crate is a default then.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    Workspace::check(tree, |workspace| {
        let manifests = std::iter::once(&workspace.root).chain(&workspace.crates);
        manifests.flat_map(check_one).collect()
    })
}

fn check_one(manifest: &Manifest) -> Vec<Finding> {
    let features = manifest.get("features").and_then(|value| value.get_ref().as_table());
    let names = features.into_iter().flat_map(DeTable::keys).map(|name| name.get_ref().as_ref());
    let by_feature = names.flat_map(|feature: &str| {
        let turned_on = manifest.list_at(&format!("features.{feature}")).into_iter();
        let bugs = turned_on.filter(move |(_, name)| {
            turns_on(name) && (manifest.folder, feature, *name) != ALLOWED
        });
        bugs.map(|(line, _)| line)
    });
    let all = manifest.dependencies().into_iter().chain(manifest.shared());
    let by_dependency = all
        .filter(|entry| entry.list_at("features").into_iter().any(turns_on))
        .map(|entry| entry.line);
    let lines = by_feature.chain(by_dependency);
    lines.map(|line| Finding::new(RULE, manifest.file, line, ADVICE)).collect()
}

const ADVICE: &str = "remove `planted`: the feature `planted` of tests/sim alone turns planted bugs on, and nothing turns on that one";

/// Whether a feature, as it stands in a list, has the bugs: `planted`, `sim/planted`, `ipam-core?/planted`.
fn turns_on(feature: &str) -> bool {
    feature.rsplit('/').next() == Some(FEATURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = r#"
== Cargo.toml
[workspace.dependencies]
ipam-core = { path = "ipam-core" }
== ipam-core/Cargo.toml
[features]
planted = []
== tests/sim/Cargo.toml
[features]
planted = ["ipam-core/planted"]
[dependencies]
ipam-core.workspace = true
"#;

    /// A tree where something else stands in the place of `from`, and what is found in it.
    #[track_caller]
    fn check_with(from: &str, to: &str, file_and_line: &str) {
        assert!(TREE.contains(from), "{from}");
        let expected = match file_and_line {
            "" => String::new(),
            place => format!("{place}: {ADVICE}"),
        };
        crate::testing::check(check, &TREE.replacen(from, to, 1), &expected);
    }

    #[test]
    fn the_simulation_passes_the_feature_on() {
        check_with("planted = []", "planted = []\ndefault = []", "");
    }

    #[test]
    fn no_default_and_no_other_feature_has_it() {
        let core = "ipam-core/Cargo.toml:3";
        check_with("planted = []", "planted = []\ndefault = [\"planted\"]", core);
        check_with("planted = []", "planted = []\nall = [\"planted\"]", core);
        let sim = "[\"ipam-core/planted\"]\n";
        let with = |more: &str| format!("{sim}{more}\n");
        check_with(sim, &with("default = [\"planted\"]"), "tests/sim/Cargo.toml:3");
        check_with(sim, &with("default = [\"ipam-core/planted\"]"), "tests/sim/Cargo.toml:3");
        check_with(sim, &with("other = [\"ipam-core?/planted\"]"), "tests/sim/Cargo.toml:3");
    }

    #[test]
    fn no_dependency_has_it() {
        let path = "{ path = \"ipam-core\" }";
        let with = "{ path = \"ipam-core\", features = [\"planted\"] }";
        check_with(path, with, "Cargo.toml:2");
        let inherited = "ipam-core.workspace = true";
        let with = "ipam-core = { workspace = true, features = [\"planted\"] }";
        check_with(inherited, with, "tests/sim/Cargo.toml:4");
        let other = "== operator/Cargo.toml\n[dev-dependencies]\n";
        let with =
            format!("{other}sim = {{ workspace = true, features = [\"planted\"] }}\n== ipam-core");
        check_with("== ipam-core", &with, "operator/Cargo.toml:2");
    }

    #[test]
    fn other_crates_have_no_such_feature() {
        let with =
            "== agent/Cargo.toml\n[features]\nplanted = [\"ipam-core/planted\"]\n== ipam-core";
        check_with("== ipam-core", with, "agent/Cargo.toml:2");
    }
}
