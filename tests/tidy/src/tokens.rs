//! Rust texts as tokens. Unlike a syntax tree, tokens show what stands inside the calls of macros too.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use crate::{Finding, Tree};

/// Applies `rule` to the tokens of one file, or finds that it is not Rust.
pub(crate) fn check_file(
    rule: &'static str,
    (path, text): (&str, &str),
    check: impl FnOnce(TokenStream) -> Vec<Finding>,
) -> Vec<Finding> {
    match text.parse() {
        Ok(tokens) => check(tokens),
        Err(error) => {
            let error: proc_macro2::LexError = error;
            let advice = format!("write valid Rust: {error}");
            vec![Finding::new(rule, path, error.span().start().line, advice)]
        }
    }
}

/// The Rust files of the tree.
pub(crate) fn rust_files(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.with_extension("rs")
}

/// A function with a body.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of the word `fn`.
    pub(crate) first: usize,
    /// The line of the brace that closes the body.
    pub(crate) last: usize,
}

/// All functions in `tokens`, at any depth.
pub(crate) fn functions(tokens: TokenStream) -> Vec<Function> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => found.extend(functions(group.stream())),
            TokenTree::Ident(word) if word == "fn" => found.extend(function(&tokens[at..])),
            _ => {}
        }
    }
    found
}

/// The function that starts with the first of `tokens`. A type such as `fn(u8)` has no name, a signature has no body.
fn function(tokens: &[TokenTree]) -> Option<Function> {
    let [start, TokenTree::Ident(name), rest @ ..] = tokens else {
        return None;
    };
    let ended =
        |token: &&TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';');
    let body = rest.iter().take_while(|token| !ended(token)).find(|token| braced(token))?;
    let (first, last) = (start.span().start().line, body.span().end().line);
    Some(Function { name: name.to_string(), first, last })
}

fn braced(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// All words in `tokens` outside items under `#[cfg(test)]`.
pub(crate) fn words_outside_tests(tokens: TokenStream) -> Vec<Ident> {
    let mut words = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) if is_test_attribute(&group.stream()) => {
                // The item ends with its body, or with a semicolon where it has none.
                let ended = |token: &TokenTree| braced(token) || token.to_string() == ";";
                tokens.by_ref().find(ended);
            }
            TokenTree::Group(group) => words.extend(words_outside_tests(group.stream())),
            TokenTree::Ident(word) => words.push(word),
            _ => {}
        }
    }
    words
}

/// Whether this is the inside of `#[cfg(test)]`.
fn is_test_attribute(inside: &TokenStream) -> bool {
    inside.to_string().replace(' ', "") == "cfg(test)"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_functions(text: &str, expected: &str) {
        let found = functions(text.parse().unwrap());
        let lines: Vec<String> =
            found.iter().map(|f| format!("{} {}-{}", f.name, f.first, f.last)).collect();
        assert_eq!(lines.join(", "), expected);
    }

    #[test]
    fn functions_are_found_everywhere() {
        check_functions("fn a() {\n}", "a 1-2");
        check_functions("#[test]\npub const fn a<T>()\nwhere T: Copy,\n{\n}", "a 2-5");
        check_functions("impl A {\n  fn a(&self) -> u8 {\n    1\n  }\n}", "a 2-4");
        check_functions("fn a() {\n  fn b() {}\n}", "a 1-3, b 2-2");
        check_functions("proptest! {\n  fn a(x in 0..1u8) {\n  }\n}", "a 2-3");
    }

    #[test]
    fn signatures_types_and_texts_are_no_functions() {
        check_functions("trait A { fn a(&self); }", "");
        check_functions("struct A { a: fn(u8) -> u8 }", "");
        check_functions("const A: &str = \"fn a() {}\";", "");
        check_functions("macro_rules! a { ($name:ident) => { fn $name() {} } }", "");
    }

    #[track_caller]
    fn check_words(text: &str, expected: &str) {
        let words = words_outside_tests(text.parse().unwrap());
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn words_of_tests_are_left_out() {
        check_words("use a; #[cfg(test)] mod tests { use b; } use c;", "use a use c");
        check_words("#[cfg(test)] extern crate a; use b;", "use b");
        check_words("#[cfg(test)] mod a; mod b { #[cfg(test)] fn c() {} d!(e) }", "mod b d e");
        check_words("#[cfg(not(test))] use a; // b", "cfg not test use a");
    }
}
