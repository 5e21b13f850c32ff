//! Places that flags name: what cannot be read, run or written at the end of a run is said before it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use super::{Settings, SettingsError};
use crate::plugin::Plugin;
use crate::report;

/// Tries all of them. Of what is only tried, nothing stays but an empty file for the logs.
pub(super) fn check(settings: &Settings) -> Result<(), SettingsError> {
    if let Some(path) = &settings.kubeconfig {
        tried("--kubeconfig", path, readable(path))?;
    }
    if let Some(path) = &settings.plugin {
        Plugin::find(Some(path))?;
    }
    if let Some(path) = &settings.report {
        report::try_place(path)?;
    }
    if let Some(path) = &settings.log_file {
        tried("--log-file", path, writable(path))?;
    }
    Ok(())
}

fn tried(flag: &'static str, path: &Path, tried: io::Result<()>) -> Result<(), SettingsError> {
    tried.map_err(|cause| SettingsError::Unreadable { flag, path: path.to_owned(), cause })
}

/// Of what is no file, such as a pipe, nothing is taken: it may be there to be read once.
fn readable(path: &Path) -> io::Result<()> {
    match fs::metadata(path)? {
        found if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        found if found.is_file() => File::open(path).map(drop),
        _ => Ok(()),
    }
}

fn writable(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path).map(drop)
}
