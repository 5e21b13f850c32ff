//! Links between documents lead somewhere.

use crate::manifest::normalised;
use crate::markdown::outside_blocks;
use crate::{Finding, Tree};

const RULE: &str = "links";

/// Finds relative links in documents to files and folders that are not there.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.with_extension("md");
    documents.flat_map(|(path, text)| dead(tree, path, text)).collect()
}

fn dead(tree: &Tree, path: &str, text: &str) -> Vec<Finding> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let links = outside_blocks(text)
        .into_iter()
        .flat_map(|(number, line)| targets(line).into_iter().map(move |target| (number, target)));
    let dead = links.filter(|(_, target)| {
        let file = target.split('#').next().unwrap_or_default();
        !file.is_empty() && !file.contains(':') && !is_there(tree, &normalised(folder, file))
    });
    dead.map(|(number, target)| {
        let advice = format!("correct the link: there is no `{target}` here");
        Finding::new(RULE, path, number, advice)
    })
    .collect()
}

/// What `[text](target)` and `[name]: target` link to.
fn targets(line: &str) -> Vec<&str> {
    let inline = line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let named = line.strip_prefix('[').and_then(|rest| Some(rest.split_once("]: ")?.1));
    let all = inline.chain(named);
    all.filter_map(|target| target.split_whitespace().next()).collect()
}

fn is_there(tree: &Tree, path: &str) -> bool {
    let inside = format!("{path}/");
    path.is_empty() || tree.iter().any(|(file, _)| file == path || file.starts_with(&inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_line(line: &str, expected: &str) {
        let text = format!("== docs/b/c.md\n== README.md\n== docs/a.md\n\n{line}\n");
        let expected = if expected.is_empty() {
            String::new()
        } else {
            format!("docs/a.md:2: correct the link: there is no `{expected}` here")
        };
        crate::testing::check(check, &text, &expected);
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        check_line("[a](b/c.md), [b](../README.md#test) and [c](b)", "");
        check_line("[a](#here) [b](https://example.com/x) <b/none.md>", "");
        check_line("[a]: b/c.md \"Title\"", "");
        check_line("```text\n[a](none.md)\n```", "");
    }

    #[test]
    fn dead_links_are_found() {
        check_line("See [a](none.md).", "none.md");
        check_line("[`a`](README.md) and [b](b/c.md)", "README.md");
        check_line("[a](b/none.md#part)", "b/none.md#part");
        check_line("[a]: ../none", "../none");
    }
}
