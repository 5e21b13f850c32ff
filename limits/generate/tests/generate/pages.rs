//! Which sequences of pages are believed.

use super::{chain, nitro};
use limits_generate::{
    described::Described,
    pages::{PAGES_MAX, PageError, Pages},
};

/// Reads pages, each written `name name -> token`, and renders the names, or the error. A name that
/// ends in `!` is described without network cards.
fn check(pages: &[&str], expected: &str) {
    let shown = read(pages).unwrap_or_else(chain);
    assert_eq!(shown, expected);
}

fn read(script: &[&str]) -> Result<String, PageError> {
    let mut pages = Pages::default();
    for page in script {
        let (names, token) = match page.split_once("->") {
            Some((names, token)) => (names, Some(token.trim())),
            None => (*page, None),
        };
        let described: Vec<Described> = names.split_whitespace().map(described).collect();
        pages.accept(&described, token)?;
    }
    assert_eq!(pages.count(), script.len());
    Ok(pages.finish()?.into_keys().collect::<Vec<_>>().join(" "))
}

fn described(name: &str) -> Described {
    let cards = if name.ends_with('!') { "null" } else { "[[0,3]]" };
    serde_json::from_str(&nitro(name.trim_end_matches('!'), cards)).unwrap_or_default()
}

#[test]
fn every_page_counts() {
    check(&["b.large a.large -> 1", "-> 2", "c.large"], "a.large b.large c.large");
}

#[test]
fn no_types_are_refused() {
    check(&[""], "DescribeInstanceTypes describes no instance types");
    check(&["-> 1", ""], "DescribeInstanceTypes describes no instance types");
}

#[test]
fn a_token_that_was_already_given_is_refused() {
    check(
        &["a.large -> 1", "b.large -> 1"],
        "page 2 of DescribeInstanceTypes gives a next page that was already read",
    );
    check(
        &["a.large -> 1", "b.large -> 2", "c.large -> 1"],
        "page 3 of DescribeInstanceTypes gives a next page that was already read",
    );
}

#[test]
fn a_type_that_was_already_described_is_refused() {
    check(
        &["a.large b.large -> 1", "c.large a.large"],
        "page 2 of DescribeInstanceTypes describes a.large a second time",
    );
}

#[test]
fn an_incomplete_description_is_refused_with_its_page() {
    check(
        &["a.large -> 1", "b.large c.large!"],
        "page 2 of DescribeInstanceTypes: c.large: NetworkCards is missing, expected a list of [index, \
         maximum] in whole numbers, each index once, card 0 among them with 1 or more",
    );
}

#[test]
fn pages_without_end_are_refused() {
    let pages: Vec<String> = (0..PAGES_MAX).map(|page| format!("-> {page}")).collect();
    let mut pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    check(&pages, "DescribeInstanceTypes does not end after 100 pages");
    pages.pop();
    pages.push("a.large");
    check(&pages, "a.large");
}
