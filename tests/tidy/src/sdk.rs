//! The AWS SDK is named in few places.

use crate::tokens::rust_files;
use crate::{Finding, Tree};

const RULE: &str = "sdk";

/// How the crates of the AWS SDK begin, as code names them.
const CRATES: &[&str] = &["aws_config", "aws_sdk_", "aws_smithy_", "aws_credential_types"];

/// Files and folders that may name them, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("operator/src/aws.rs", "translates between the core's words and the SDK's"),
    ("operator/src/aws/", "the same"),
    ("ipam-core/shell/src/logs.rs", "keeps the SDK's own log lines out of the operator's"),
    ("operator/tests/aws/", "tests the translation"),
    ("operator/tests/scenes/", "puts the simulated EC2 into the operator's SDK"),
    ("limits/generate/src/", "fetches the instance types"),
    ("tests/ec2-sim/src/face/", "stands in for the SDK's connection"),
    ("tests/ec2-sim/tests/", "holds the simulator to the SDK"),
    ("tests/tidy/src/sdk.rs", "names what it looks for"),
];

/// Finds code elsewhere that names the SDK: what decides, publishes or shows has no use for its types.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let elsewhere = rust_files(tree).filter(|(path, _)| !is_allowed(path));
    elsewhere
        .flat_map(|(path, text)| {
            let named = text.lines().zip(1..).filter(|(line, _)| names_it(line));
            named.map(move |(_, line)| Finding::new(RULE, path, line, ADVICE))
        })
        .collect()
}

const ADVICE: &str = "translate it in operator/src/aws.rs, or add the place to ALLOWED in tests/tidy/src/sdk.rs with the reason";

fn is_allowed(path: &str) -> bool {
    ALLOWED.iter().any(|(place, _)| match place.strip_suffix('/') {
        Some(_) => path.starts_with(place),
        None => path == *place,
    })
}

fn names_it(line: &str) -> bool {
    CRATES.iter().any(|name| line.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_is_named_where_it_is_allowed_alone() {
        let found = format!("operator/src/shell.rs:2: {ADVICE}");
        let text = |path: &str| format!("== {path}\nuse std::fmt;\nuse aws_sdk_ec2::Client;\n");
        crate::testing::check(check, &text("operator/src/shell.rs"), &found);
        crate::testing::check(check, &text("operator/src/aws.rs"), "");
        crate::testing::check(check, &text("operator/src/aws/reads.rs"), "");
        crate::testing::check(
            check,
            &text("operator/src/aws_more.rs"),
            &found.replace("shell", "aws_more"),
        );
    }

    #[test]
    fn other_words_are_free() {
        let text =
            "== operator/src/shell.rs\n// The feature `aws` brings `Aws`.\nuse crate::aws;\n";
        crate::testing::check(check, text, "");
    }
}
