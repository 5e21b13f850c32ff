//! The repository speaks of itself alone: it reads the same on every machine.

use crate::generated::is_lock;
use crate::{Finding, Tree};

const RULE: &str = "alone";

/// Paths of somebody's machine and hosts that serve packages.
const FOREIGN: &[&str] = &[
    "/work/",
    "/tmp/",
    "/root/",
    "/home/",
    "../shared",
    "crates.io-index",
    "index.crates.io",
    "static.crates.io",
    "pypi.org",
    "files.pythonhosted.org",
    "proxy.golang.org",
    "registry.npmjs.org",
];

/// Where one of them may stand: file, text, reason.
const ALLOWED: &[(&str, &str, &str)] =
    &[("deny.toml", "crates.io-index", "names the one registry that dependencies may come from")];

/// This file names what it forbids.
const EXEMPT: &str = "tests/tidy/src/alone.rs";

/// Finds foreign paths and hosts, and allowances that are no longer needed.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    // Lock files are Cargo's, and name the registry in every entry.
    let files = tree.iter().filter(|(path, _)| *path != EXEMPT && !is_lock(path));
    let foreign = files.flat_map(|(path, text)| {
        let lines = text.lines().zip(1..);
        lines.flat_map(move |(line, number)| mentions(path, line, number))
    });
    foreign.chain(ALLOWED.iter().filter_map(|(path, word, _)| unneeded(tree, path, word))).collect()
}

fn mentions(path: &str, line: &str, number: usize) -> impl Iterator<Item = Finding> {
    let found = FOREIGN.iter().filter(move |word| line.contains(**word) && !is_allowed(path, word));
    found.map(move |word| {
        let advice = format!(
            "remove `{word}`, or add it to ALLOWED in tests/tidy/src/alone.rs with the reason"
        );
        Finding::new(RULE, path, number, advice)
    })
}

fn is_allowed(path: &str, word: &str) -> bool {
    ALLOWED.iter().any(|(file, allowed, _)| *file == path && *allowed == word)
}

fn unneeded(tree: &Tree, path: &str, word: &str) -> Option<Finding> {
    let text = tree.get(path)?;
    (!text.contains(word)).then(|| {
        let advice = format!("remove the row of `{word}` from ALLOWED in tests/tidy/src/alone.rs");
        Finding::new(RULE, path, 1, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_file(file: &str, expected: &str) {
        crate::testing::check(check, &format!("== {file}\n"), expected);
    }

    #[test]
    fn foreign_paths_and_hosts_are_found() {
        for word in FOREIGN {
            let expected = format!(
                "a.md:2: remove `{word}`, or add it to ALLOWED in tests/tidy/src/alone.rs with the reason"
            );
            check_file(&format!("a.md\n\nsee {word}x"), &expected);
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_in_its_file() {
        check_file("deny.toml\nallow = [\"crates.io-index\"]", "");
        check_file("tests/tidy/src/alone.rs\n/work/", "");
        check_file("a.md\nworkspace/tmp and crates.io", "");
    }

    #[test]
    fn an_allowance_that_is_not_needed_is_found() {
        check_file(
            "deny.toml\nallow = []",
            "deny.toml:1: remove the row of `crates.io-index` from ALLOWED in tests/tidy/src/alone.rs",
        );
    }
}
