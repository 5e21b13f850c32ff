//! Rust texts as tokens. Unlike a syntax tree, tokens show what stands inside the calls of macros too.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

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
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of the word `fn`.
    pub(crate) first: usize,
    /// The line of the brace that closes the body.
    pub(crate) last: usize,
    /// Whether it has the attribute `#[test]`.
    pub(crate) is_test: bool,
    /// What is between its braces.
    pub(crate) body: TokenStream,
}

/// All functions in `tokens`, at any depth.
pub(crate) fn functions(tokens: TokenStream) -> Vec<Function> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => found.extend(functions(group.stream())),
            TokenTree::Ident(word) if word == "fn" => found.extend(function(&tokens, at)),
            _ => {}
        }
    }
    found
}

/// The function whose word `fn` is at `at`. A type such as `fn(u8)` has no name, a signature has no body.
fn function(tokens: &[TokenTree], at: usize) -> Option<Function> {
    let (before, [start, TokenTree::Ident(name), rest @ ..]) = tokens.split_at_checked(at)? else {
        return None;
    };
    let body = body(rest)?;
    Some(Function {
        name: name.to_string(),
        first: start.span().start().line,
        last: body.span().end().line,
        is_test: attributes(before).any(|inside| inside.to_string() == "test"),
        body: body.stream(),
    })
}

/// The first braces that are not between angle brackets, where they hold the value of a constant parameter.
fn body(signature: &[TokenTree]) -> Option<&Group> {
    let (mut depth, mut after_dash) = (0_i32, false);
    for token in signature {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && depth == 0 => {
                return Some(group);
            }
            TokenTree::Punct(mark) => match mark.as_char() {
                ';' if depth == 0 => return None,
                '<' => depth += 1,
                // Not that of `->`.
                '>' if !after_dash => depth -= 1,
                _ => {}
            },
            _ => {}
        }
        after_dash = matches!(token, TokenTree::Punct(mark) if mark.as_char() == '-');
    }
    None
}

/// The insides of the attributes at the end of `before`, which may have words such as `pub(crate) const` behind them.
fn attributes(before: &[TokenTree]) -> impl Iterator<Item = TokenStream> {
    let ended = |token: &TokenTree| match token {
        TokenTree::Punct(mark) => mark.as_char() != '#',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    let start = before.iter().rposition(ended).map_or(0, |at| at + 1);
    before[start..].iter().filter_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => Some(group.stream()),
        _ => None,
    })
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
        check_functions("fn a() -> A<{ 3 }> {\n  b()\n}", "a 1-3");
        check_functions(
            "fn a<const N: B>(c: C<{ N }>) -> D<fn(u8) -> u8, { N }>\nwhere E<{ N }>: F {\n}",
            "a 1-3",
        );
        check_functions("proptest! {\n  fn a(x in 0..1u8) {\n  }\n}", "a 2-3");
    }

    #[test]
    fn signatures_types_and_texts_are_no_functions() {
        check_functions("trait A { fn a(&self); }", "");
        check_functions("struct A { a: fn(u8) -> u8 }", "");
        check_functions("const A: &str = \"fn a() {}\";", "");
        check_functions("macro_rules! a { ($name:ident) => { fn $name() {} } }", "");
    }

    #[test]
    fn tests_have_their_attribute() {
        let check = |text: &str, expected: bool| {
            let found = functions(text.parse().unwrap());
            assert_eq!(found.iter().map(|f| f.is_test).collect::<Vec<_>>(), [expected], "{text}");
        };
        check("#[test] fn a() {}", true);
        check("use b; #[test] #[cfg(unix)] pub(crate) async fn a() {}", true);
        check("#[cfg(test)] fn a() {}", false);
        check("#[test] mod b {} fn a() {}", false);
        check("#[test] const B: u8 = 1; fn a() {}", false);
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
