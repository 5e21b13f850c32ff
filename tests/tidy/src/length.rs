//! How long functions and files may be.

use crate::tokens::{check_file, functions, rust_files};
use crate::{Finding, Tree};

const RULE: &str = "length";

/// The most lines of a function, from the word `fn` to the closing brace. What is longer has a decision and its execution in
/// one place, or two decisions.
const FUNCTION_LINES_MAX: usize = 70;

/// The most lines of a Rust file. The aim is 400.
const FILE_LINES_MAX: usize = 600;

/// Files that may be longer, with the reason.
const LONG_FILES: &[(&str, &str)] =
    &[("limits/src/table.rs", "generated: one line for each of EC2's instance types")];

/// Finds functions and Rust files that are too long.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    rust_files(tree)
        .flat_map(|file| long_functions(file).into_iter().chain(long_file(file)))
        .collect()
}

fn long_functions((path, text): (&str, &str)) -> Vec<Finding> {
    check_file(RULE, (path, text), |tokens| {
        let lengths = functions(tokens).into_iter().map(|function| {
            let lines = function.last - function.first + 1;
            (function, lines)
        });
        let long = lengths.filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
        long.map(|(function, lines)| {
            let name = function.name;
            let advice = format!("split `{name}`: {lines} lines, at most {FUNCTION_LINES_MAX}");
            Finding::new(RULE, path, function.first, advice)
        })
        .collect()
    })
}

fn long_file((path, text): (&str, &str)) -> Option<Finding> {
    let lines = text.lines().count();
    let exempt = LONG_FILES.iter().any(|(file, _)| *file == path);
    (lines > FILE_LINES_MAX && !exempt).then(|| {
        let advice = format!("split the file: {lines} lines, at most {FILE_LINES_MAX}");
        Finding::new(RULE, path, FILE_LINES_MAX + 1, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(path: &str, text: &str, expected: &str) {
        crate::testing::check(check, &format!("== {path}\n{text}"), expected);
    }

    fn function(lines: usize) -> String {
        format!("\nfn a() {{\n{}}}\n", "    b();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_has_at_most_seventy_lines() {
        check_text("a.rs", &function(70), "");
        check_text("a.rs", &function(71), "a.rs:2: split `a`: 71 lines, at most 70");
        let inside = format!("impl A {{{}}}", function(71));
        check_text("tests/a.rs", &inside, "tests/a.rs:2: split `a`: 71 lines, at most 70");
        check_text("a.py", &function(71), "");
    }

    #[test]
    fn a_file_has_at_most_six_hundred_lines() {
        check_text("a.rs", &"use a;\n".repeat(600), "");
        let long = "use a;\n".repeat(601);
        check_text("a.rs", &long, "a.rs:601: split the file: 601 lines, at most 600");
        check_text("limits/src/table.rs", &long, "");
    }

    #[test]
    fn what_is_not_rust_is_found() {
        check_text(
            "a.rs",
            "fn a() {\n",
            "a.rs:1: write valid Rust: cannot parse string into token stream",
        );
    }
}
