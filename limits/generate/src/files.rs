//! Writes a file so that nobody ever sees half of it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Replaces `path` by `text`: written beside it, flushed to disk, then renamed.
///
/// # Errors
/// Whatever the file system refuses. `path` is then as it was.
pub fn replace(path: &Path, text: &str) -> Result<(), io::Error> {
    let beside = beside(path);
    let written = write(&beside, text).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The first error is the one worth telling; a file that was never made cannot be removed.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write(path: &Path, text: &str) -> Result<(), io::Error> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The process number keeps two runs apart.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}
