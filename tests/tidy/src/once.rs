//! Facts about the whole project that stand in one place, or in two that agree.

use toml::Table;

use crate::manifest::Workspace;
use crate::{Finding, Tree};

const RULE: &str = "once";
const TOOLCHAIN: &str = "rust-toolchain.toml";
const LICENCE: &str = "LICENSE";

/// Finds a pinned toolchain of another release than the crates' `rust-version`.
#[must_use]
pub fn check_toolchain(tree: &Tree) -> Vec<Finding> {
    let pinned: Table = tree.get(TOOLCHAIN).unwrap_or_default().parse().unwrap_or_default();
    let channel = pinned.get("toolchain").and_then(|table| table.get("channel")?.as_str());
    let Some(channel) = channel.filter(|channel| release(channel).is_some()) else {
        let advice = "pin a release: channel = \"major.minor.patch\" in [toolchain]";
        return vec![Finding::new(RULE, TOOLCHAIN, 1, advice)];
    };
    Workspace::check(tree, |workspace| {
        let key = "workspace.package.rust-version";
        let named = workspace.root.text_at(key);
        let agrees = named.is_some_and(|named| release(named) == release(channel));
        let advice =
            format!("write the release of {TOOLCHAIN}, which is {channel}, as rust-version");
        let line = workspace.root.line_of(key);
        if agrees {
            Vec::new()
        } else {
            vec![Finding::new(RULE, workspace.root.file, line, advice)]
        }
    })
}

/// Major and minor version.
fn release(version: &str) -> Option<(u16, u16)> {
    let mut numbers = version.split('.').map(str::parse);
    match (numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor)) => Some((major, minor)),
        _ => None,
    }
}

/// Finds a licence whose text is not there, or is not the one that the crates name.
#[must_use]
pub fn check_licence(tree: &Tree) -> Vec<Finding> {
    let text = tree.get(LICENCE).unwrap_or_default();
    let apache = ["Apache License", "Version 2.0"].iter().all(|words| text.contains(words));
    let mut findings = Vec::new();
    if !apache {
        findings.push(Finding::new(RULE, LICENCE, 1, "write the text of the Apache License 2.0"));
    }
    findings.extend(Workspace::check(tree, |workspace| {
        let key = "workspace.package.license";
        let line = workspace.root.line_of(key);
        let named = workspace.root.text_at(key) == Some("Apache-2.0");
        let finding =
            Finding::new(RULE, workspace.root.file, line, "write license = \"Apache-2.0\"");
        if named { Vec::new() } else { vec![finding] }
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_versions(channel: &str, rust_version: &str, expected: &str) {
        let text = format!(
            "== rust-toolchain.toml\n[toolchain]\nchannel = \"{channel}\"\n== Cargo.toml\n[workspace.package]\nrust-version = \"{rust_version}\"\n"
        );
        crate::testing::check(check_toolchain, &text, expected);
    }

    #[test]
    fn the_pinned_release_is_the_one_the_crates_name() {
        check_versions("1.95.0", "1.95", "");
        check_versions("1.95.0", "1.95.0", "");
        let expected = "Cargo.toml:2: write the release of rust-toolchain.toml, which is 1.95.0, as rust-version";
        check_versions("1.95.0", "1.94", expected);
        check_versions("1.95.0", "2.95", expected);
    }

    #[test]
    fn a_release_is_pinned() {
        let expected =
            "rust-toolchain.toml:1: pin a release: channel = \"major.minor.patch\" in [toolchain]";
        check_versions("stable", "1.95", expected);
        crate::testing::check(check_toolchain, "", expected);
    }

    #[track_caller]
    fn check_named(licence: &str, named: &str, expected: &str) {
        let text = format!("== LICENSE\n{licence}\n== Cargo.toml\n[workspace.package]\n{named}\n");
        crate::testing::check(check_licence, &text, expected);
    }

    #[test]
    fn the_licence_is_there_and_named() {
        let (text, named) = ("Apache License\nVersion 2.0", "license = \"Apache-2.0\"");
        check_named(text, named, "");
        check_named("MIT License", named, "LICENSE:1: write the text of the Apache License 2.0");
        check_named(text, "license = \"MIT\"", "Cargo.toml:2: write license = \"Apache-2.0\"");
        check_named(text, "", "Cargo.toml:1: write license = \"Apache-2.0\"");
    }
}
