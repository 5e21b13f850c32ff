//! Every promise of the README is a function of the audit.

use std::collections::BTreeMap;

use syn::{Item, Visibility};

use crate::markdown::{numbered_items, section};
use crate::tokens::{functions, words_outside_tests};
use crate::{Finding, Tree};

const RULE: &str = "promises";
const README: &str = "README.md";
const AUDIT: &str = "ipam-core/src/audit.rs";

/// The least number of promises; fewer means that the list was not found.
const PROMISES_MIN: usize = 5;

/// Finds items of the numbered list under `## Promises` in the README that do not end with a reference such as
/// `audit::no_address_held_twice`, references to functions that are not there or that `audit()` does not call, and functions named by
/// two items.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some((heading, lines)) = tree.get(README).and_then(|text| section(text, "Promises")) else {
        return vec![Finding::new(RULE, README, 1, "write the section `## Promises`")];
    };
    let audit = tree.get(AUDIT).unwrap_or_default();
    let public = match public_functions(audit) {
        Ok(functions) => functions,
        Err(error) => {
            let advice = format!("write valid Rust: {error}");
            return vec![Finding::new(RULE, AUDIT, error.span().start().line, advice)];
        }
    };
    let promises = numbered_items(&lines);
    let mut findings = kept(&promises, &public, &named_by_audit(audit));
    if promises.len() < PROMISES_MIN {
        let advice = format!("list at least {PROMISES_MIN} promises, each as `1. ...`");
        findings.push(Finding::new(RULE, README, heading, advice));
    }
    findings
}

fn kept(promises: &[(usize, String)], functions: &[String], audited: &[String]) -> Vec<Finding> {
    let mut kept_by: BTreeMap<&str, usize> = BTreeMap::new();
    let mut findings = Vec::new();
    for (line, promise) in promises {
        let mut find = |advice: String| findings.push(Finding::new(RULE, README, *line, advice));
        let Some(name) = function_at_end(promise) else {
            find("end the promise with the function that checks it, as `audit::name`".to_owned());
            continue;
        };
        if !functions.iter().any(|function| function == name) {
            find(format!(
                "write `pub fn {name}` in {AUDIT}, or name the function that checks this promise"
            ));
        } else if !audited.iter().any(|word| word == name) {
            find(format!("let `audit()` in {AUDIT} call `{name}`"));
        }
        if let Some(other) = kept_by.insert(name, *line) {
            find(format!(
                "give each promise its own function: `audit::{name}` checks that of line {other}"
            ));
        }
    }
    findings
}

/// `name` where the text ends with `audit::name` in backticks, be it in brackets or before a full stop.
fn function_at_end(promise: &str) -> Option<&str> {
    let reference = promise.trim_end_matches(['.', ')']).strip_suffix('`')?;
    let (_, reference) = reference.rsplit_once('`')?;
    reference.strip_prefix("audit::")
}

fn public_functions(text: &str) -> syn::Result<Vec<String>> {
    let items = syn::parse_file(text)?.items.into_iter();
    let names = items.filter_map(|item| match item {
        Item::Fn(function) if matches!(function.vis, Visibility::Public(_)) => {
            Some(function.sig.ident.to_string())
        }
        _ => None,
    });
    Ok(names.collect())
}

/// The words in the body of `fn audit`, those of the functions it calls among them.
fn named_by_audit(text: &str) -> Vec<String> {
    let functions = text.parse().map(functions).unwrap_or_default();
    let audit = functions.into_iter().find(|function| function.name == "audit");
    let words = audit.map(|audit| words_outside_tests(audit.body)).unwrap_or_default();
    words.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIT_TEXT: &str = "
pub fn audit() { for check in [a, b, c, d, e, f, private, elsewhere] { check() } }
pub fn uncalled() {}
pub fn a() {}
pub fn b() {}
pub fn c() {}
pub fn d() {}
pub fn e<T>(t: T) -> T { t }
fn private() {}
mod inside { pub fn elsewhere() {} }
";

    #[track_caller]
    fn check_readme(readme: &str, expected: &str) {
        let text = format!("== README.md\n{readme}\n== ipam-core/src/audit.rs\n{AUDIT_TEXT}");
        crate::testing::check(check, &text, expected);
    }

    /// A list in which `fifth`, on line 8, is the last promise.
    fn list(fifth: &str) -> String {
        let four = "1. A. `audit::a`\n2. B\n   over lines (`audit::b`).\n3. `C` `audit::c`\n4. D: `audit::d`.";
        format!("# Berth\n## Promises\n\n{four}\n5. {fifth}\n\n## Test\n1. Not a promise.")
    }

    #[test]
    fn each_promise_has_its_function() {
        check_readme(&list("E. `audit::e`"), "");
    }

    #[test]
    fn a_promise_without_its_function_is_found() {
        let write = |name: &str| {
            format!(
                "README.md:9: write `pub fn {name}` in ipam-core/src/audit.rs, or name the function that checks this promise"
            )
        };
        check_readme(&list("E. `audit::f`"), &write("f"));
        check_readme(&list("E. `audit::private`"), &write("private"));
        check_readme(&list("E. `audit::elsewhere`"), &write("elsewhere"));
        let end = "README.md:9: end the promise with the function that checks it, as `audit::name`";
        check_readme(&list("E."), end);
        check_readme(&list("E. audit::e"), end);
        check_readme(&list("E. `audit::e` and more"), end);
    }

    #[test]
    fn a_promise_that_the_audit_leaves_out_is_found() {
        check_readme(
            &list("E. `audit::uncalled`"),
            "README.md:9: let `audit()` in ipam-core/src/audit.rs call `uncalled`",
        );
    }

    #[test]
    fn two_promises_do_not_share_a_function() {
        check_readme(
            &list("E. `audit::a`"),
            "README.md:9: give each promise its own function: `audit::a` checks that of line 4",
        );
    }

    #[test]
    fn a_list_that_is_not_there_is_found() {
        let few = list("E. `audit::e`").replace("\n1. A. `audit::a`", "");
        check_readme(&few, "README.md:2: list at least 5 promises, each as `1. ...`");
        check_readme("# Berth", "README.md:1: write the section `## Promises`");
        crate::testing::check(check, "", "README.md:1: write the section `## Promises`");
    }

    #[test]
    fn an_unreadable_audit_is_found() {
        let text = format!(
            "== README.md\n{}\n== ipam-core/src/audit.rs\n\npub fn {{\n",
            list("E. `audit::e`")
        );
        crate::testing::check(
            check,
            &text,
            "ipam-core/src/audit.rs:2: write valid Rust: cannot parse string into token stream",
        );
    }
}
