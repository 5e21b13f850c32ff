//! Files that are whole or not there.

use std::fs::{self, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Replaces a file, or makes it, for whoever may read it by the process's umask. A device is written to and stays what it is.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let Some(path) = replaceable(path)? else {
        return fs::write(path, text);
    };
    let mut file = beside(&path)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// Whether a file can be written there, as far as can be known before. Nothing of it stays.
pub(super) fn try_place(path: &Path) -> io::Result<()> {
    replaceable(path)?.map_or(Ok(()), |path| beside(&path).map(drop))
}

/// The file that is to be replaced, behind all links; none for a device: another file in its place would not be it.
fn replaceable(path: &Path) -> io::Result<Option<PathBuf>> {
    match fs::metadata(path) {
        Ok(found) if is_device(&found) => Ok(None),
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => Err(io::Error::other("neither a file nor a device")),
        Ok(_) => fs::canonicalize(path).map(Some),
        Err(_) if path.file_name().is_none() => Err(io::ErrorKind::IsADirectory.into()),
        Err(_) => Ok(Some(path.to_owned())),
    }
}

fn is_device(found: &Metadata) -> bool {
    found.file_type().is_char_device() || found.file_type().is_block_device()
}

/// A file that is gone when it is dropped, in the same folder.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    // The parent of a bare file name is the empty path, which is no folder.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    tempfile::Builder::new()
        .prefix(".report-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    /// What stays of a place that was written to, or why it was not: trying says the same before.
    #[track_caller]
    fn check(path: &Path, expected: &str) {
        let tried = try_place(path);
        let replaced = replace(path, "new");
        let said = |done: &io::Result<()>| done.as_ref().err().map(ToString::to_string);
        assert_eq!(said(&tried).is_some(), said(&replaced).is_some(), "{tried:?} {replaced:?}");
        let found = said(&replaced).unwrap_or_else(|| fs::read_to_string(path).unwrap());
        assert!(found.contains(expected), "{}: {found}", path.display());
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("old"), "old").unwrap();
        symlink(at("old"), at("link")).unwrap();
        symlink("/dev/null", at("device")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        check(&at("new"), "new");
        check(&at("old"), "new");
        fs::write(at("old"), "old").unwrap();
        check(&at("link"), "new");
        assert_eq!(fs::read_to_string(at("old")).unwrap(), "new", "the link leads there");
        check(&at("device"), "");
        check(folder.path(), "is a directory");
        check(&at(".."), "is a directory");
        check(&at("socket"), "neither a file nor a device");
        check(&at("missing/report.html"), "No such file or directory");
        for link in ["link", "device"] {
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link} stays");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing else is left");
    }
}
