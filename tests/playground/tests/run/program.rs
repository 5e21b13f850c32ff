//! The program and what is looked at of its runs.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
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

/// The program while it runs. It is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// Waits for the next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end: its status, what else it printed, and what it complained of.
    pub(crate) fn end(mut self) -> (ExitStatus, String, String) {
        let mut said = String::new();
        self.stdout.read_to_string(&mut said).unwrap();
        let mut complained = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
        (self.child.wait().unwrap(), said, complained)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The way to an API server on this machine.
pub(crate) fn kubeconfig_of(address: SocketAddr) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "here",
    })
    .to_string()
}
