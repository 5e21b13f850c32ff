//! What a browser sees of a page.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The titles of the figures.
    pub(crate) figures: Vec<String>,
    /// What is not as it should be.
    pub(crate) findings: Vec<String>,
}

/// Looks at a page; what hinders the browser is on the standard error.
#[track_caller]
pub(crate) fn look(file: &Path) -> Seen {
    static BROWSER: LazyLock<PathBuf> = LazyLock::new(|| real::browser().unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/look.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(script).arg(&*BROWSER).arg(file);
    let ran = python.stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(ran.status.success(), "{python:?} ended with {}: see above", ran.status);
    let mut seen = Seen::default();
    for line in String::from_utf8(ran.stdout).unwrap().lines() {
        match line.split_once(' ') {
            Some(("figure", title)) => seen.figures.push(title.to_owned()),
            Some(("finding", what)) => seen.findings.push(what.to_owned()),
            _ => panic!("{line}: expected a figure or a finding"),
        }
    }
    seen
}

/// Runs a program to its good end.
pub(crate) fn run(command: &mut Command) {
    let ran = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?} ended with {}:\n{said}", ran.status);
}

/// The report of a run that never was is shown without a finding, with so many figures.
#[track_caller]
pub(crate) fn check_made_up(shape: &str, figures: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let example = real::example("report").unwrap();
    run(Command::new(example).arg(shape).arg(&file));
    let seen = look(&file);
    assert_eq!(seen.findings, [""; 0]);
    assert_eq!(seen.figures.len(), figures, "{:?}", seen.figures);
}

/// A page that is as it should be.
pub(crate) const GOOD: &str = r##"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Planted</title></head><body>
<figure><h3>Plot</h3><ul><li data-ink="#1F6FB2">data</li></ul>
<div role="img" aria-label="Plot"><svg width="300" height="150" viewBox="0 0 300 150">
<rect x="10" y="10" width="80" height="80" fill="#1F6FB2"/>
<text x="100" y="40" fill="#333333">one</text><text x="100" y="80" fill="#333333">other</text>
</svg></div><figcaption>What is seen.</figcaption></figure>
</body></html>"##;

/// What is found in the page where `part` of it is exchanged for `planted`.
#[track_caller]
pub(crate) fn check(part: &str, planted: &str, expected: &[&str]) {
    assert!(GOOD.contains(part), "{part} is not in the page");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("planted.html");
    std::fs::write(&file, GOOD.replacen(part, planted, 1)).unwrap();
    assert_eq!(found(&file), expected);
}

/// Findings without the path of the file.
fn found(file: &Path) -> Vec<String> {
    let Seen { findings, .. } = look(file);
    let folder = format!("file://{}/", file.parent().unwrap().display());
    findings.into_iter().map(|finding| finding.replace(&folder, "")).collect()
}
