//! Who may depend on whom inside the workspace.

use crate::manifest::{Dependency, Kind, Manifest, Workspace};
use crate::{Finding, Tree};

const RULE: &str = "arrows";

/// Rows of a crate's folder and the folders that arrows lead to from there.
type Table = &'static [(&'static str, &'static [&'static str])];

/// The folder of every crate of the workspace, and those of the crates it may depend on. An arrow that is not here needs a
/// decision.
const ARROWS: Table = &[
    ("limits", &[]),
    ("limits/generate", &["limits"]),
    ("ipam-core", &["limits"]),
    ("ipam-core/crd", &["ipam-core", "limits"]),
    ("ipam-core/shell", &[]),
    ("operator", &["ipam-core", "ipam-core/crd", "ipam-core/shell", "limits"]),
    ("agent", &["agent/cni", "ipam-core", "ipam-core/crd", "ipam-core/shell"]),
    ("agent/cni", &[]),
    ("benches", &[]),
    ("tests/ec2-sim", &[]),
    ("tests/kube-sim", &[]),
    ("tests/kube-sim/contract", &[]),
    ("tests/model", &["ipam-core"]),
    (
        "tests/playground",
        &[
            "agent",
            "agent/cni",
            "ipam-core",
            "ipam-core/crd",
            "ipam-core/shell",
            "limits",
            "operator",
            "tests/ec2-sim",
            "tests/kube-sim",
            "tests/truth",
        ],
    ),
    (
        "tests/real",
        &[
            "agent",
            "ipam-core",
            "ipam-core/crd",
            "tests/ec2-sim",
            "tests/kube-sim",
            "tests/kube-sim/contract",
        ],
    ),
    ("tests/real/fabric", &[]),
    ("tests/sim", &["ipam-core", "limits", "tests/ec2-sim", "tests/truth"]),
    ("tests/tidy", &[]),
    ("tests/truth", &["ipam-core", "limits", "tests/ec2-sim"]),
];

/// What the tests, benches and examples of a crate may depend on besides.
const DEV_ARROWS: Table = &[
    ("operator", &["tests/ec2-sim", "tests/kube-sim", "tests/truth"]),
    ("agent", &["tests/ec2-sim", "tests/kube-sim"]),
    (
        "benches",
        &[
            "agent",
            "agent/cni",
            "ipam-core",
            "ipam-core/crd",
            "limits",
            "operator",
            "tests/ec2-sim",
            "tests/kube-sim",
        ],
    ),
    ("tests/kube-sim", &["ipam-core/crd", "tests/kube-sim/contract"]),
];

/// Finds crates without a row in the table, and dependencies on crates of the workspace that the row does not allow.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    Workspace::check(tree, |workspace| {
        workspace.crates.iter().flat_map(|from| leaving(workspace, from)).collect()
    })
}

fn leaving(workspace: &Workspace, from: &Manifest) -> Vec<Finding> {
    if reach(ARROWS, from.folder).is_none() {
        let advice = format!(
            "decide which crates `{}` may depend on, and add its row to ARROWS in tests/tidy/src/arrows.rs",
            from.folder
        );
        let line = from.line_of("package.name");
        return vec![Finding::new(RULE, from.file, line, advice)];
    }
    let refused = |dependency: &Dependency| {
        let target = workspace.target(from, dependency)?;
        let advice = refusal(from.folder, dependency.kind, target)?;
        Some(Finding::new(RULE, from.file, dependency.line, advice))
    };
    from.dependencies().iter().filter_map(refused).collect()
}

/// Why no arrow leads from the crate at `from` to the one at `to`, or nothing where one does.
fn refusal(from: &str, kind: Kind, to: &str) -> Option<String> {
    if kind == Kind::Normal && is_test(to) && !is_test(from) {
        return Some(format!(
            "remove it: `{from}` is shipped, and nothing shipped depends on `tests/`"
        ));
    }
    let leads = |table| reach(table, from).is_some_and(|reach| reach.contains(&to));
    let allowed = leads(ARROWS) || kind == Kind::Dev && leads(DEV_ARROWS);
    (!allowed).then(|| {
        format!("remove it: no arrow leads from `{from}` to `{to}` (tests/tidy/src/arrows.rs)")
    })
}

/// The folders in the row of the crate at `from`.
fn reach(table: Table, from: &str) -> Option<&'static [&'static str]> {
    let row = table.iter().find(|(folder, _)| *folder == from);
    row.map(|(_, reach)| *reach)
}

fn is_test(folder: &str) -> bool {
    folder.starts_with("tests/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRATES: &str = r#"
== Cargo.toml
[workspace.dependencies]
ipam-core = { path = "ipam-core" }
limits = { path = "limits" }
tidy = { path = "tests/tidy" }
words = { path = "ipam-core/crd", package = "cilium-node" }
serde = "1"
== limits/Cargo.toml
package.name = "limits"
== tests/tidy/Cargo.toml
package.name = "tidy"
== ipam-core/crd/Cargo.toml
package.name = "cilium-node"
"#;

    #[track_caller]
    fn check_core(dependencies: &str, expected: &str) {
        let core =
            format!("== ipam-core/Cargo.toml\npackage.name = \"ipam-core\"\n{dependencies}\n");
        crate::testing::check(check, &(CRATES.to_owned() + &core), expected);
    }

    #[test]
    fn arrows_of_the_table_and_crates_of_others_are_allowed() {
        check_core("[dependencies]\nlimits.workspace = true\nserde.workspace = true", "");
    }

    #[test]
    fn an_inherited_dependency_against_the_arrows_is_found_under_any_name() {
        let expected = "ipam-core/Cargo.toml:3: remove it: no arrow leads from `ipam-core` to `ipam-core/crd` (tests/tidy/src/arrows.rs)";
        check_core("[dependencies]\nwords.workspace = true", expected);
        check_core("[dependencies]\nwords = { workspace = true, optional = true }", expected);
        check_core("[dev-dependencies]\nwords.workspace = true", expected);
        check_core("[build-dependencies]\nwords.workspace = true", expected);
        check_core("[target.'cfg(unix)'.dependencies]\nwords.workspace = true", expected);
    }

    #[test]
    fn a_dependency_by_path_or_by_name_is_found() {
        let expected = "ipam-core/Cargo.toml:3: remove it: no arrow leads from `ipam-core` to `ipam-core/crd` (tests/tidy/src/arrows.rs)";
        check_core("[dependencies]\nx = { path = \"../ipam-core/./crd\" }", expected);
        check_core("[dependencies]\ncilium-node = \"0.1\"", expected);
        check_core(
            "[dependencies]\nx = { version = \"0.1\", package = \"cilium-node\" }",
            expected,
        );
    }

    #[test]
    fn nothing_shipped_depends_on_tests() {
        check_core(
            "[dependencies]\ntidy.workspace = true",
            "ipam-core/Cargo.toml:3: remove it: `ipam-core` is shipped, and nothing shipped depends on `tests/`",
        );
    }

    #[test]
    fn what_only_tests_may_use_is_no_normal_dependency() {
        let benches = |section: &str| {
            let manifest = "package.name = \"benches\"";
            format!(
                "{CRATES}== benches/Cargo.toml\n{manifest}\n[{section}]\nlimits.workspace = true\n"
            )
        };
        crate::testing::check(check, &benches("dev-dependencies"), "");
        crate::testing::check(
            check,
            &benches("dependencies"),
            "benches/Cargo.toml:3: remove it: no arrow leads from `benches` to `limits` (tests/tidy/src/arrows.rs)",
        );
    }

    #[test]
    fn a_crate_without_a_row_needs_a_decision() {
        crate::testing::check(
            check,
            &format!("{CRATES}== extra/Cargo.toml\n[package]\nname = \"extra\"\n"),
            "extra/Cargo.toml:2: decide which crates `extra` may depend on, and add its row to ARROWS in tests/tidy/src/arrows.rs",
        );
    }

    #[test]
    fn an_unreadable_manifest_is_found() {
        crate::testing::check(
            check,
            "== Cargo.toml\n[workspace]\nmembers = [\n",
            "Cargo.toml:2: write valid TOML: unclosed array, expected `]`",
        );
    }
}
