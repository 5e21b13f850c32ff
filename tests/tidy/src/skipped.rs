//! No test is skipped in silence.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::tokens::{check_file, rust_files};
use crate::{Finding, Tree};

const RULE: &str = "skipped";

/// The attribute that makes `cargo test` pass a test over.
const IGNORE: &str = "ignore";

/// Finds tests that are passed over unless somebody asks for them by a flag.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    rust_files(tree)
        .flat_map(|(path, text)| {
            check_file(RULE, (path, text), |tokens| {
                let lines = ignored(tokens).into_iter();
                let advice = "let the test run, or say in its output why it cannot";
                lines.map(|line| Finding::new(RULE, path, line, advice)).collect()
            })
        })
        .collect()
}

/// The lines of the attributes in `tokens` that ignore a test, always or under a condition.
fn ignored(tokens: TokenStream) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut after_hash = false;
    for token in tokens {
        let hash = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '#');
        if let TokenTree::Group(group) = token {
            if after_hash && group.delimiter() == Delimiter::Bracket && ignores(group.stream()) {
                lines.push(group.span().start().line);
            } else {
                lines.extend(ignored(group.stream()));
            }
        }
        after_hash = hash;
    }
    lines
}

/// Whether this is the inside of `#[ignore]`, `#[ignore = "why"]` or `#[cfg_attr(when, ignore)]`.
fn ignores(attribute: TokenStream) -> bool {
    let mut tokens = attribute.into_iter();
    let Some(TokenTree::Ident(name)) = tokens.next() else { return false };
    let Some(TokenTree::Group(inside)) = tokens.next().filter(|_| name == "cfg_attr") else {
        return name == IGNORE;
    };
    inside
        .stream()
        .into_iter()
        .any(|token| matches!(token, TokenTree::Ident(word) if word == IGNORE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(text: &str, lines: &[usize]) {
        let finding =
            |line| format!("a.rs:{line}: let the test run, or say in its output why it cannot");
        let expected: Vec<String> = lines.iter().map(finding).collect();
        crate::testing::check(check, &format!("== a.rs\n{text}"), &expected.join("\n"));
    }

    #[test]
    fn ignored_tests_are_found() {
        check_text("#[test]\n#[ignore]\nfn a() {}", &[2]);
        check_text("mod a {\n#[ignore = \"slow\"]\nfn a() {}\n}", &[2]);
        check_text("proptest! {\n#[cfg_attr(miri, ignore)]\nfn a() {}\n}", &[2]);
    }

    #[test]
    fn the_word_elsewhere_is_fine() {
        check_text("fn ignore(ignore: [u8; 1]) { ignore[0]; a![ignore] }", &[]);
        check_text("#[cfg(ignore)]\n#[doc = \"ignore\"]\nfn a() {}", &[]);
    }
}
