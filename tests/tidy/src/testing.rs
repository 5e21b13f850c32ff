//! The door through which every rule is tested.

use crate::{Finding, Tree};

/// Applies `rule` to the files in `text`, each of which starts with a line `== path`, and compares what it finds, one
/// `file:line: advice` a line, with `expected`.
#[track_caller]
pub(crate) fn check(rule: fn(&Tree) -> Vec<Finding>, text: &str, expected: &str) {
    let mut findings = rule(&tree(text));
    findings.sort();
    let found: Vec<String> = findings
        .iter()
        .map(|Finding { file, line, advice, .. }| format!("{file}:{line}: {advice}"))
        .collect();
    assert_eq!(found.join("\n"), expected.trim(), "in:\n{text}");
}

/// The files in `text`. The first line of a file is the one after `== path`.
fn tree(text: &str) -> Tree {
    let mut tree = Tree::default();
    for file in format!("\n{text}").split("\n== ").skip(1) {
        let (path, content) = file.split_once('\n').unwrap_or((file, ""));
        tree.insert(path, content);
    }
    tree
}
