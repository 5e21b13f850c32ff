//! Every rule, applied to the repository. The rules and what they allow stand in `src`.

use std::path::Path;
use std::sync::LazyLock;
use std::{fs, io};

use tidy::{
    Finding, Tree, alone, arrows, commands, dependencies, generated, leftovers, length, links,
    no_std, once, planted, promises, sdk, shown, skipped, workspace,
};

static TREE: LazyLock<io::Result<Tree>> =
    LazyLock::new(|| Tree::of_repository(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")));

#[track_caller]
fn holds(rule: fn(&Tree) -> Vec<Finding>) {
    let findings = match &*TREE {
        Ok(tree) => lines(rule(tree)),
        Err(error) => vec![format!("the repository cannot be read: {error}")],
    };
    let count = findings.len();
    assert!(findings.is_empty(), "{count} places break this rule:\n{}", findings.join("\n"));
}

fn lines(mut findings: Vec<Finding>) -> Vec<String> {
    findings.sort();
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_tree_is_really_read() {
    let tree = TREE.as_ref().unwrap();
    let root = tree.get("Cargo.toml").unwrap();
    assert!(root.contains("[workspace]"));
    assert!(tree.get("tests/tidy/tests/tree.rs").is_some());
    assert!(tree.iter().all(|(path, _)| !path.starts_with("target/")));
}

#[test]
fn a_source_archive_is_read_without_git() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("archive");
    let _ = fs::remove_dir_all(&root);
    for file in ["a.md", "target/b", ".ci/run", ".ci/cache/moto/c.py", "tests/target/d.rs"] {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    let tree = Tree::of_repository(&root).unwrap();
    let found: Vec<_> = tree.iter().collect();
    let expected = [".ci/run", "a.md", "tests/target/d.rs"].map(|file| (file, file));
    assert_eq!(found, expected);
}

#[test]
fn arrows_between_crates_lead_one_way() {
    holds(arrows::check);
}

#[test]
fn the_core_depends_on_its_list_alone() {
    holds(dependencies::check);
}

#[test]
fn crates_inherit_what_the_workspace_decides() {
    holds(workspace::check_crates);
}

#[test]
fn folders_are_those_of_the_design() {
    holds(workspace::check_folders);
}

#[test]
fn the_core_is_without_the_standard_library() {
    holds(no_std::check);
}

#[test]
fn functions_and_files_are_short() {
    holds(length::check);
}

#[test]
fn nothing_unfinished_is_left() {
    holds(leftovers::check);
}

#[test]
fn the_sdk_is_named_in_few_places() {
    holds(sdk::check);
}

#[test]
fn no_test_is_skipped() {
    holds(skipped::check);
}

#[test]
fn links_between_documents_lead_somewhere() {
    holds(links::check);
}

#[test]
fn the_repository_speaks_of_itself_alone() {
    holds(alone::check);
}

#[test]
fn planted_bugs_are_built_for_the_simulation_alone() {
    holds(planted::check);
}

#[test]
fn promises_are_functions_of_the_audit() {
    holds(promises::check);
}

#[test]
fn generated_files_are_kept_fresh() {
    holds(generated::check);
}

#[test]
fn the_readme_has_its_test_command() {
    holds(commands::check_test_command);
}

#[test]
fn commands_in_documents_exist() {
    holds(commands::check_documents);
}

#[test]
fn blocks_of_commands_are_run() {
    holds(shown::check_blocks);
}

#[test]
fn commands_in_sentences_are_run() {
    holds(shown::check_inline);
}

#[test]
fn aliases_pass_their_arguments_on() {
    holds(commands::check_aliases);
}

#[test]
fn the_toolchain_is_named_once() {
    holds(once::check_toolchain);
}

#[test]
fn the_licence_is_there() {
    holds(once::check_licence);
}
