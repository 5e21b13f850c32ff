//! Nothing unfinished stays in the repository.

use syn::{Expr, Stmt};

use crate::tokens::rust_files;
use crate::{Finding, Tree};

const RULE: &str = "leftovers";

/// Marks of unfinished work, written so that this file does not hold them.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Finds marks of unfinished work in any file, and code in the comments of Rust files.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let marks = tree.iter().flat_map(|file| lines(file, marked));
    let code = rust_files(tree).flat_map(|file| lines(file, commented_out));
    marks.chain(code).collect()
}

fn lines((path, text): (&str, &str), advice: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let numbered = text.lines().zip(1..);
    numbered
        .filter_map(|(line, number)| Some(Finding::new(RULE, path, number, advice(line)?)))
        .collect()
}

fn marked(line: &str) -> Option<String> {
    let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let mark = words.find(|word| MARKS.contains(word))?;
    Some(format!("do it now, or write an issue and remove `{mark}`"))
}

fn commented_out(line: &str) -> Option<String> {
    let comment = line.trim_start().strip_prefix("// ")?;
    is_code(comment.trim()).then(|| "remove the code in the comment: git remembers it".to_owned())
}

/// Whether `text` is surely a statement or its beginning. Prose rarely ends like one, and hardly ever parses.
fn is_code(text: &str) -> bool {
    let statement = match text.chars().last() {
        Some('{') => syn::parse_str::<Stmt>(&format!("{text}}}")),
        Some(';') => syn::parse_str::<Stmt>(text),
        _ => return false,
    };
    match statement {
        Ok(Stmt::Expr(expression, _)) => !matches!(expression, Expr::Path(_)),
        parsed => parsed.is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_line(file: &str, line: &str, expected: &str) {
        let expected =
            if expected.is_empty() { String::new() } else { format!("{file}:1: {expected}") };
        crate::testing::check(check, &format!("== {file}\n{line}\n"), &expected);
    }

    #[test]
    fn marks_are_found_in_every_file() {
        for mark in MARKS {
            let expected = format!("do it now, or write an issue and remove `{mark}`");
            check_line("a.rs", &format!("// {mark}: later"), &expected);
            check_line("a.md", &format!("({mark})"), &expected);
            check_line("a.md", &format!("mktemp a.{mark}{mark}"), "");
            check_line("a.rs", &format!("const {mark}_LIST: u8 = 1;"), "");
        }
    }

    #[test]
    fn code_in_comments_is_found() {
        let expected = "remove the code in the comment: git remembers it";
        for code in [
            "let x = 1;",
            "pub fn a(b: u8) -> u8 {",
            "if a == b {",
            "for a in b {",
            "use a::b;",
            "a.b(c)?;",
            "a = b;",
            "println!(\"{a}\");",
            "#[cfg(test)] mod tests;",
            "return;",
        ] {
            check_line("a.rs", &format!("    // {code}"), expected);
        }
    }

    #[test]
    fn prose_is_no_code() {
        for prose in [
            "let us see what happens;",
            "if the caller knows it;",
            "use the newest;",
            "nothing;",
            "a list: (a; b;",
            "the fields of `{`",
            "match what EC2 says {",
            "for each of them: `fn a() {}`",
        ] {
            check_line("a.rs", &format!("// {prose}"), "");
        }
        check_line("a.rs", "/// let x = 1;", "");
        check_line("a.md", "// let x = 1;", "");
    }
}
