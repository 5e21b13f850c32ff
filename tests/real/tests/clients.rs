//! The simulated EC2 against clients that nobody here wrote: boto3 and the aws CLI.

use std::path::Path;
use std::process::{Command, Stdio};

/// What it needs and does not find, and what fails, it says on the standard error.
#[test]
fn boto3_and_the_aws_cli_are_content() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/run");
    let status = Command::new(&suite).stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{} ended with {status}: see above", suite.display());
}
