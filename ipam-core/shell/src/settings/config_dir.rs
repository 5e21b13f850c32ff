//! A folder with one file per flag, as Kubernetes mounts a `ConfigMap`.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::CommandLineError;

const FLAG: &str = "--config-dir";
const VARIABLE: &str = "BERTH_CONFIG_DIR";

/// `line` with the flags that files of its `--config-dir` set and nothing else does, for the subcommand `run`; `variable`
/// looks one up. Cilium's `ConfigMap` holds hundreds of keys for its agent and its operator; a file whose name is no flag of
/// the command is left alone, and so is an empty one.
pub(super) fn with_files(
    command: &clap::Command,
    mut line: Vec<OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<OsString>, CommandLineError> {
    let is_run = line.get(1).is_some_and(|word| word == "run");
    let Some(folder) = folder(&line).or_else(|| variable(VARIABLE).map(PathBuf::from)) else {
        return Ok(line);
    };
    if !is_run || folder.as_os_str().is_empty() {
        return Ok(line);
    }
    let given: BTreeSet<String> = line.iter().filter_map(|word| flag_of(word)).collect();
    for name in flags_of_run(command) {
        if given.contains(&name) || variable(&variable_of(&name)).is_some() {
            continue;
        }
        if let Some(value) = value_in(&folder, &name)?.filter(|value| !value.is_empty()) {
            line.push(format!("--{name}={value}").into());
        }
    }
    Ok(line)
}

fn folder(line: &[OsString]) -> Option<PathBuf> {
    let mut words = line.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == FLAG {
            return words.next().map(PathBuf::from);
        }
        if let Some(folder) = text.strip_prefix(FLAG).and_then(|rest| rest.strip_prefix('=')) {
            return Some(PathBuf::from(folder));
        }
    }
    None
}

fn flag_of(word: &OsStr) -> Option<String> {
    let flag = word.to_str()?.strip_prefix("--")?;
    Some(flag.split('=').next().unwrap_or(flag).to_owned())
}

pub(super) fn variable_of(flag: &str) -> String {
    format!("BERTH_{}", flag.to_uppercase().replace('-', "_"))
}

fn flags_of_run(command: &clap::Command) -> Vec<String> {
    let run = command.find_subcommand("run");
    let flags = run.into_iter().flat_map(clap::Command::get_arguments);
    flags.filter_map(|flag| flag.get_long().map(str::to_owned)).collect()
}

fn value_in(folder: &Path, name: &str) -> Result<Option<String>, CommandLineError> {
    let path = folder.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && folder.is_dir() => Ok(None),
        Err(cause) => Err(CommandLineError::ConfigDir { path, cause }),
    }
}
