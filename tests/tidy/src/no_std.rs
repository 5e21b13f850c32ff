//! The core's crates are without the standard library, so that they cannot open a file, a socket or a clock.
//!
//! That they build for a target that has no standard library is the proof (`.ci/run no-std`). This rule says the same in a
//! second, and names the line.

use proc_macro2::TokenStream;
use syn::{AttrStyle, Attribute};

use crate::tokens::{check_file, rust_files, words_outside_tests};
use crate::{Finding, Tree};

const RULE: &str = "no_std";

/// The source folders of the crates without the standard library.
const SOURCES: &[&str] = &["ipam-core/src", "limits/src"];

/// Finds crate roots without `#![no_std]`, and the word `std` outside tests.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let roots = SOURCES.iter().filter_map(|source| root(tree, &format!("{source}/lib.rs")));
    let shipped = rust_files(tree).filter(|(path, _)| is_shipped(path));
    let words = shipped
        .flat_map(|(path, text)| check_file(RULE, (path, text), |tokens| mentions(path, tokens)));
    roots.chain(words).collect()
}

fn root(tree: &Tree, path: &str) -> Option<Finding> {
    let file = tree.get(path).and_then(|text| syn::parse_file(text).ok());
    let declared = file.is_some_and(|file| file.attrs.iter().any(is_no_std));
    (!declared).then(|| Finding::new(RULE, path, 1, "write `#![no_std]`, without a condition"))
}

fn is_no_std(attribute: &Attribute) -> bool {
    let path = attribute.meta.require_path_only();
    matches!(attribute.style, AttrStyle::Inner(_)) && path.is_ok_and(|path| path.is_ident("no_std"))
}

fn is_shipped(path: &str) -> bool {
    let inside = SOURCES.iter().find_map(|source| path.strip_prefix(source));
    inside.is_some_and(|inside| !inside.ends_with("/tests.rs") && !inside.contains("/tests/"))
}

fn mentions(path: &str, tokens: TokenStream) -> Vec<Finding> {
    let words = words_outside_tests(tokens).into_iter().filter(|word| word == "std");
    words
        .map(|word| {
            let advice = "use `core` or `alloc`: `std` is for tests alone here";
            Finding::new(RULE, path, word.span().start().line, advice)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `limits` is fine here; `text` adds files.
    #[track_caller]
    fn check_text(text: &str, expected: &str) {
        let text = format!("== limits/src/lib.rs\n#![no_std]\n{text}");
        crate::testing::check(check, &text, expected);
    }

    #[track_caller]
    fn check_core(text: &str, expected: &str) {
        check_text(&format!("== ipam-core/src/lib.rs\n#![no_std]\n{text}"), expected);
    }

    #[test]
    fn the_root_has_the_attribute_unconditionally() {
        let expected = "ipam-core/src/lib.rs:1: write `#![no_std]`, without a condition";
        check_text("", expected);
        check_text("== ipam-core/src/lib.rs\n//! Words.\n", expected);
        check_text("== ipam-core/src/lib.rs\n#![cfg_attr(not(test), no_std)]\n", expected);
        check_text("== ipam-core/src/lib.rs\n//! Words.\n#![no_std]\nextern crate alloc;\n", "");
    }

    #[test]
    fn the_standard_library_is_for_tests() {
        check_core("#[cfg(test)]\nextern crate std;\n", "");
        check_core("#[cfg(test)]\nmod tests { use std::vec::Vec; }\n", "");
        check_core("== ipam-core/src/pool/tests.rs\nuse std::fs;\n", "");
        check_core("== ipam-core/src/pool/tests/long.rs\nuse std::fs;\n", "");
        check_core("== ipam-core/tests/flows.rs\nuse std::fs;\n", "");
        check_core("/// Not from `std`.\nconst A: &str = \"std\";\n", "");
    }

    #[test]
    fn the_standard_library_elsewhere_is_found() {
        let expected =
            "ipam-core/src/lib.rs:2: use `core` or `alloc`: `std` is for tests alone here";
        check_core("extern crate std;", expected);
        check_core("use std::time::Instant;", expected);
        check_core("fn a() { ::std::mem::drop(1); }", expected);
        check_core("a! { b => std::fs::read(b) }", expected);
        check_core("#[cfg(not(test))] use std::fs;", expected);
        check_core(
            "== ipam-core/src/pool/mod.rs\n\n#[cfg(test)]\nmod tests;\nuse std::fs;\n",
            "ipam-core/src/pool/mod.rs:4: use `core` or `alloc`: `std` is for tests alone here",
        );
    }
}
