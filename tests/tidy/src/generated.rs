//! Every generated file has a test that keeps it fresh.

use crate::tokens::functions;
use crate::{Finding, Tree};

const RULE: &str = "generated";

/// What the first line of a generated file holds, written so that no line here holds it.
const MARK: &str = concat!("@", "generated");

/// A generated file and the test that fails when it differs from what would be generated now.
struct Generated {
    file: &'static str,
    mark: Mark,
    test_file: &'static str,
    test: &'static str,
}

/// By what a file says that it is generated.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    /// Its first line.
    FirstLine,
    /// Nothing but this table: its format has no comments.
    PathAlone,
}

/// All generated files.
const GENERATED: &[Generated] = &[
    Generated {
        file: "deploy/crds/ciliumnodes.yaml",
        mark: Mark::FirstLine,
        test_file: "ipam-core/crd/tests/it/crdgen.rs",
        test: "the_committed_definition_is_fresh",
    },
    Generated {
        file: "limits/src/table.rs",
        mark: Mark::FirstLine,
        test_file: "limits/generate/tests/generate/commands.rs",
        test: "the_committed_table_is_fresh",
    },
    Generated {
        file: "limits/generate/instance-types.json",
        mark: Mark::PathAlone,
        test_file: "limits/generate/tests/generate/committed.rs",
        test: "the_snapshot_is_as_fetch_writes_it",
    },
];

/// Cargo writes the mark into its lock files, and `--locked` in every step of `.ci/run` fails when one is stale: the
/// root's, and those of the folders of fuzz targets.
pub(crate) fn is_lock(path: &str) -> bool {
    path == "Cargo.lock" || path.ends_with("/fuzz/Cargo.lock")
}

/// Finds files that say that they are generated and are not in the table, and rows whose file, mark or test is missing.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let marked = tree.iter().filter(|(path, text)| !is_lock(path) && is_marked(text));
    let unlisted = marked.filter(|(path, _)| !GENERATED.iter().any(|row| row.file == *path));
    let unlisted = unlisted.map(|(path, _)| {
        let advice = "write a test that keeps it fresh, and name it in tests/tidy/src/generated.rs";
        Finding::new(RULE, path, 1, advice)
    });
    unlisted.chain(GENERATED.iter().flat_map(|row| missing(tree, row))).collect()
}

fn is_marked(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.contains(MARK))
}

fn missing(tree: &Tree, row: &Generated) -> Vec<Finding> {
    let mut findings = Vec::new();
    let text = tree.get(row.file);
    if text.is_none() && row.mark == Mark::PathAlone {
        findings.push(Finding::new(RULE, row.file, 1, "generate it"));
    }
    if row.mark == Mark::FirstLine && !text.is_some_and(is_marked) {
        let advice = format!("generate it, with `{MARK}` in its first line");
        findings.push(Finding::new(RULE, row.file, 1, advice));
    }
    let tokens = tree.get(row.test_file).and_then(|text| text.parse().ok());
    let tests = tokens.map(functions).unwrap_or_default();
    if !tests.iter().any(|function| function.is_test && function.name == row.test) {
        let Generated { file, test, .. } = row;
        let advice = format!("write the test `{test}`, which keeps {file} fresh");
        findings.push(Finding::new(RULE, row.test_file, 1, advice));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree in which everything is as the table says, and `text`, which may put other files over it.
    #[track_caller]
    fn check_with(text: &str, expected: &str) {
        let files = GENERATED.iter().map(|Generated { file, test_file, test, .. }| {
            format!("== {file}\n# {MARK} by us\n== {test_file}\n#[test]\nfn {test}() {{}}\n")
        });
        crate::testing::check(check, &(files.collect::<String>() + text), expected);
    }

    #[test]
    fn a_generated_file_has_its_row() {
        check_with("== a.rs\n// By hand.\n// @generated\n", "");
        check_with(
            &format!("== a.rs\n// {MARK} by b\n"),
            "a.rs:1: write a test that keeps it fresh, and name it in tests/tidy/src/generated.rs",
        );
    }

    #[test]
    fn a_row_has_its_file_mark_and_test() {
        for Generated { file, mark, test_file, test } in GENERATED {
            let unmarked = match mark {
                Mark::FirstLine => {
                    format!("{file}:1: generate it, with `{MARK}` in its first line")
                }
                Mark::PathAlone => String::new(),
            };
            check_with(&format!("== {file}\n# By hand.\n"), &unmarked);
            let untested =
                format!("{test_file}:1: write the test `{test}`, which keeps {file} fresh");
            check_with(&format!("== {test_file}\n// fn {test}() {{}}\n"), &untested);
            check_with(&format!("== {test_file}\nfn {test}() {{}}\n"), &untested);
        }
    }
}
