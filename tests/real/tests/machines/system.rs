//! What the system shows of the processes, namespaces, devices, mounts and cgroups that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines that say what there is, each with its kind. Other programs run on the same machine, and each has processes: those are looked at one by
/// one, see [`descendants`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct System(BTreeSet<String>);

impl System {
    pub(crate) fn now() -> Self {
        let mut lines = BTreeSet::new();
        for (kind, command) in [
            ("namespace", &["netns", "list"][..]),
            ("device", &["-brief", "link", "show"]),
            ("route", &["route", "show", "table", "all"]),
            ("rule", &["rule", "show"]),
        ] {
            let output = Command::new("ip").args(command).output().unwrap();
            assert!(output.status.success(), "ip {command:?}");
            let said = String::from_utf8(output.stdout).unwrap();
            lines.extend(said.lines().map(|line| format!("{kind} {}", without_age(line))));
        }
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        lines.extend(mounts.lines().map(|line| format!("mount {line}")));
        let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
        while let Some(folder) = folders.pop() {
            let below: Vec<PathBuf> = folders_of(&folder).collect();
            lines.extend(below.iter().filter_map(|path| ours(path)));
            folders.extend(below);
        }
        Self(lines)
    }

    /// What is there now and was not before.
    pub(crate) fn beyond<'a>(&'a self, before: &'a Self) -> Vec<&'a str> {
        self.0.difference(&before.0).map(String::as_str).collect()
    }
}

/// Without how long a route still lasts, which is less each time.
fn without_age(line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if let Some(place) = words.iter().position(|word| *word == "expires") {
        words.drain(place..words.len().min(place + 2));
    }
    words.join(" ")
}

fn folders_of(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path())
}

/// A cgroup, if a machine made it: others make and remove theirs meanwhile.
fn ours(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    name.starts_with("berth-").then(|| format!("cgroup {}", path.display()))
}

/// All that a process started, and what those started, and so on.
pub(crate) fn descendants(ancestor: u32) -> Vec<u32> {
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        for thread in folders_of(Path::new(&format!("/proc/{parent}/task"))) {
            let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
    }
    found.split_off(1)
}

/// Whether a process runs: one that has ended and that nobody has asked for yet does not.
pub(crate) fn runs(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}
