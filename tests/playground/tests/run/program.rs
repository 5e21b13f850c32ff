//! The program and what is looked at of its runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// The program, which leaves what it leaves in `folder`.
pub(crate) fn playground(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_playground"));
    command.env("TMPDIR", folder);
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Plays a scenario to its end; what was wrong with it, if something was.
pub(crate) fn played(name: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = playground(folder.path());
    command.args(["--scenario", name, "--in-process", "-o", "json"]);
    let ran = command.output().unwrap();
    let complaint =
        || format!("{name}: {}\n{}{}", ran.status, text(&ran.stdout), text(&ran.stderr));
    let summary: Value = serde_json::from_slice(&ran.stdout).map_err(|_| complaint())?;
    let is_well =
        ran.status.success() && summary["findings"] == json!([]) && summary["unmet"] == json!([]);
    if !is_well {
        return Err(complaint());
    }
    let report = fs::read_to_string(summary["report"].as_str().unwrap()).unwrap();
    if report.contains("</svg>") { Ok(()) } else { Err(format!("{name}: a report without plots")) }
}

/// The names of what is in a folder.
pub(crate) fn left_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}
