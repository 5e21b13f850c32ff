//! The texts that rules look at.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

/// The folders that git is told to ignore, and its own.
const IGNORED: &[&str] = &[".git", "target", ".ci/cache"];

/// Texts by path. A path starts at the root of the repository and has `/` between its parts.
#[derive(Debug, Default)]
pub struct Tree {
    texts: BTreeMap<String, String>,
}

impl Tree {
    /// Reads what git tracks in the repository at `root`, and what it would track if added, so that build output stays out.
    /// Where there is no `.git`, as in a source archive, everything is read but the folders that are never in the repository.
    ///
    /// # Errors
    ///
    /// `git` is not there or refuses, or a folder or file cannot be read.
    pub fn of_repository(root: &Path) -> io::Result<Self> {
        let paths = if root.join(".git").exists() { listed(root)? } else { walked(root, "")? };
        let mut tree = Self::default();
        for path in paths {
            let file = root.join(&path);
            // A file that was deleted and not yet committed is still listed.
            if file.is_file() {
                tree.insert(path, text(fs::read(file)?));
            }
        }
        Ok(tree)
    }

    /// Adds `text` at `path`.
    pub(crate) fn insert(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.texts.insert(path.into(), text.into());
    }

    /// The text at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// All paths with their texts, in the order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files whose names end in `.extension`.
    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(move |(path, _)| {
            path.rsplit_once('.').is_some_and(|(_, ending)| ending == extension)
        })
    }
}

/// What git tracks or would track.
fn listed(root: &Path) -> io::Result<Vec<String>> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()?;
    if !listing.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&listing.stderr).into_owned()));
    }
    let paths = String::from_utf8_lossy(&listing.stdout);
    Ok(paths.split_terminator('\0').map(str::to_owned).collect())
}

/// Every file below `folder` of `root`, symbolic links to folders not followed.
fn walked(root: &Path, folder: &str) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if !entry.file_type()?.is_dir() {
            paths.push(path);
        } else if !IGNORED.contains(&path.as_str()) {
            paths.extend(walked(root, &path)?);
        }
    }
    Ok(paths)
}

/// The bytes as text. What is not UTF-8 is no text, and no rule finds anything in it.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}
