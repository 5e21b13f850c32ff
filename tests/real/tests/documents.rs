//! The commands of documents that need real parts, run as they are written.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use real::{Kubectl, aws_cli, browser};

/// What fails, and what its commands print, is on the standard error and output.
#[test]
fn commands_of_documents_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let programs = tempfile::tempdir().unwrap();
    symlink(aws_cli().unwrap(), programs.path().join("aws")).unwrap();
    symlink(browser().unwrap(), programs.path().join("chromium")).unwrap();
    let kubectl = programs.path().join("kubectl");
    fs::write(&kubectl, kubectl_script(&Kubectl::program().unwrap())).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&kubectl).status().unwrap().success());
    let path = std::env::var("PATH").unwrap();
    let mut commands = Command::new(root.join(".ci/readme"));
    commands.args(["--suite", "documents"]).stdin(Stdio::null());
    commands.env("PATH", format!("{}:{path}", programs.path().display()));
    commands.env("AWS_PAGER", "").env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    let status = commands.status().unwrap();
    if !status.success() {
        // The block that failed may have left one running.
        let _not_there = Command::new(root.join("tests/real/cluster")).arg("down").status();
    }
    assert!(status.success(), ".ci/readme ended with {status}: see above");
}

/// A program of the name that documents use: kubectl is a part of `kubeup`.
fn kubectl_script(kubeup: &Path) -> String {
    format!("#!/bin/sh\nexec '{}' kubectl \"$@\"\n", kubeup.display())
}
