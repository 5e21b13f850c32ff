//! What every crate shares, and which folders there are.

use std::collections::BTreeSet;

use crate::manifest::{Manifest, Workspace};
use crate::{Finding, Tree};

const RULE: &str = "workspace";

/// The top-level folders of the design. Folders that start with a dot hold settings of tools.
const FOLDERS: &[&str] =
    &["agent", "benches", "deploy", "ipam-core", "limits", "operator", "tests"];

/// The keys of `[package]` that the root decides for all crates.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

/// Finds missing and surplus top-level folders.
#[must_use]
pub fn check_folders(tree: &Tree) -> Vec<Finding> {
    let folders = tree.iter().filter_map(|(path, _)| path.split_once('/'));
    let there: BTreeSet<&str> =
        folders.map(|(folder, _)| folder).filter(|folder| !folder.starts_with('.')).collect();
    let wanted: BTreeSet<&str> = FOLDERS.iter().copied().collect();
    let missing = wanted.difference(&there).map(|folder| {
        let advice = "create it with a file that git can track: the design has this folder";
        Finding::new(RULE, *folder, 1, advice)
    });
    let surplus = there.difference(&wanted).map(|folder| {
        let advice = "move it into the folder of its owner: the design has no such folder";
        Finding::new(RULE, *folder, 1, advice)
    });
    missing.chain(surplus).collect()
}

/// Finds crates that are not members, members that are no crates, and what a crate says itself instead of inheriting it.
#[must_use]
pub fn check_crates(tree: &Tree) -> Vec<Finding> {
    Workspace::check(tree, |workspace| {
        let own = workspace.crates.iter().flat_map(|manifest| {
            package(manifest).into_iter().chain(lints(manifest)).chain(versions(manifest))
        });
        own.chain(members(workspace)).collect()
    })
}

fn package(manifest: &Manifest) -> Vec<Finding> {
    let own = INHERITED.iter().filter(|key| !manifest.is_true(&format!("package.{key}.workspace")));
    own.map(|key| {
        let line = manifest.line_of(&format!("package.{key}"));
        Finding::new(
            RULE,
            manifest.file,
            line,
            format!("write `{key}.workspace = true` in [package]"),
        )
    })
    .collect()
}

fn lints(manifest: &Manifest) -> Option<Finding> {
    let advice = "write `workspace = true` in [lints]";
    let line = manifest.line_of("lints");
    (!manifest.is_true("lints.workspace")).then(|| Finding::new(RULE, manifest.file, line, advice))
}

fn versions(manifest: &Manifest) -> Vec<Finding> {
    let dependencies = manifest.dependencies().into_iter();
    let own = dependencies.filter(|dependency| dependency.flag("workspace") != Some(true));
    own.map(|dependency| {
        let key = dependency.key;
        let advice = format!(
            "write `{key}.workspace = true`, and the rest in the root's [workspace.dependencies]"
        );
        Finding::new(RULE, manifest.file, dependency.line, advice)
    })
    .collect()
}

fn members(workspace: &Workspace) -> Vec<Finding> {
    let listed = workspace.root.list_at("workspace.members");
    let is_crate = |folder: &str| workspace.crates.iter().any(|manifest| manifest.folder == folder);
    let unlisted = workspace
        .crates
        .iter()
        .filter(|manifest| !listed.iter().any(|(_, member)| *member == manifest.folder));
    let unlisted = unlisted.map(|manifest| {
        let advice = format!("add `{}` to the members in the root's Cargo.toml", manifest.folder);
        Finding::new(RULE, manifest.file, 1, advice)
    });
    let absent = listed.iter().filter(|(_, member)| !is_crate(member)).map(|(line, member)| {
        let advice = format!("remove `{member}`: there is no such crate");
        Finding::new(RULE, workspace.root.file, *line, advice)
    });
    unlisted.chain(absent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INHERITING: &str = "[package]
name = \"limits\"
version.workspace = true
edition = { workspace = true }
rust-version.workspace = true
license.workspace = true
publish.workspace = true
[dependencies]
thiserror.workspace = true
[lints]
workspace = true
";

    #[track_caller]
    fn check_limits(members: &str, manifest: &str, expected: &str) {
        let text = format!(
            "== Cargo.toml\n[workspace]\nmembers = {members}\n== limits/Cargo.toml\n{manifest}"
        );
        crate::testing::check(check_crates, &text, expected);
    }

    #[track_caller]
    fn check_changed(from: &str, to: &str, expected: &str) {
        assert!(INHERITING.contains(from));
        check_limits("[\"limits\"]", &INHERITING.replace(from, to), expected);
    }

    #[test]
    fn a_crate_that_inherits_everything_is_fine() {
        check_changed("", "", "");
    }

    #[test]
    fn what_a_crate_decides_itself_is_found() {
        check_changed(
            "version.workspace = true\nedition",
            "version = \"1.0.0\"\nedition",
            "limits/Cargo.toml:3: write `version.workspace = true` in [package]",
        );
        check_changed(
            "license.workspace = true\n",
            "",
            "limits/Cargo.toml:1: write `license.workspace = true` in [package]",
        );
        check_changed(
            "[lints]\nworkspace = true\n",
            "",
            "limits/Cargo.toml:1: write `workspace = true` in [lints]",
        );
        check_changed(
            "[lints]\nworkspace = true\n",
            "[lints.rust]\nmissing_docs = \"allow\"\n",
            "limits/Cargo.toml:10: write `workspace = true` in [lints]",
        );
    }

    #[test]
    fn versions_stand_in_the_shared_table() {
        let expected = "limits/Cargo.toml:9: write `thiserror.workspace = true`, and the rest in the root's [workspace.dependencies]";
        check_changed("thiserror.workspace = true", "thiserror = \"2\"", expected);
        check_changed("thiserror.workspace = true", "thiserror = { path = \"../x\" }", expected);
        check_changed(
            "[dependencies]\nthiserror.workspace = true",
            "[target.'cfg(unix)'.dev-dependencies]\nthiserror = \"2\"",
            expected,
        );
    }

    #[test]
    fn crates_and_members_are_the_same() {
        check_limits(
            "[]",
            INHERITING,
            "limits/Cargo.toml:1: add `limits` to the members in the root's Cargo.toml",
        );
        check_limits(
            "[\n\"limits\",\n\"operator\",\n]",
            INHERITING,
            "Cargo.toml:4: remove `operator`: there is no such crate",
        );
    }

    #[test]
    fn folders_are_those_of_the_design() {
        let designed = FOLDERS.join("/README.md\n== ");
        let designed = format!("== {designed}/README.md\n");
        let check =
            |text: &str, expected: &str| crate::testing::check(check_folders, text, expected);
        check(&format!("{designed}== .ci/run\n== README.md\n"), "");
        check(
            &designed.replace("== agent/README.md\n", ""),
            "agent:1: create it with a file that git can track: the design has this folder",
        );
        check(
            &format!("{designed}== scripts/build.sh\n"),
            "scripts:1: move it into the folder of its owner: the design has no such folder",
        );
    }
}
