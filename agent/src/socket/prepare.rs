//! A socket file that nobody but root can use, not even for a moment, and that goes when its agent does.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixSocket, UnixStream};

use super::peer::Peers;

/// The permissions of the file: its owner alone may connect.
const FILE_MODE: u32 = 0o600;
/// Those of its folder, where it has to be made.
const FOLDER_MODE: u32 = 0o755;
/// Connections that the kernel keeps for the agent: more than a node starts pods at once.
const BACKLOG: u32 = 1024;

/// Why no socket is there to listen on.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The folder cannot be made.
    #[error("cannot make the folder {}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The path is in use for something that nobody can listen on.
    #[error("cannot listen on {}: a file that is no socket is there; move it away", path.display())]
    NoSocket {
        /// Where.
        path: PathBuf,
    },
    /// Somebody serves there already.
    #[error("cannot listen on {}: {who} listens there already; stop it, or choose another path", path.display())]
    Live {
        /// Where.
        path: PathBuf,
        /// A process, as far as it is known.
        who: String,
    },
    /// Anything else, such as a path that is too long for a socket (107 bytes, unix(7)) or a missing permission.
    #[error("cannot listen on {}: {step} failed", path.display())]
    System {
        /// Where.
        path: PathBuf,
        /// What was tried.
        step: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// A socket that listens, and of which nothing is taken yet. Clients wait meanwhile. The file is removed with it.
#[derive(Debug)]
pub struct Prepared {
    pub(super) listener: UnixListener,
    pub(super) peers: Peers,
    pub(super) file: SocketFile,
}

impl Prepared {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

/// A file of a socket, removed at the end if it is still the same one.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another agent may have put its own in the place by now.
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _gone_already = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Makes the socket at `path` and listens. The file of an agent that is dead is replaced. There is no moment in which
/// anybody else could connect: the permissions are there before anybody is listened to.
///
/// # Errors
/// Somebody serves there, something else is in the way, or the system says no.
pub async fn prepare(path: &Path) -> Result<Prepared, PrepareError> {
    make_folder(path)?;
    clear(path).await?;
    let failed = |step| move |source| PrepareError::System { path: path.to_owned(), step, source };
    let socket = UnixSocket::new_stream().map_err(failed("making a socket"))?;
    socket.bind(path).map_err(failed("binding"))?;
    let identity = identity(path).map_err(failed("looking at the file"))?;
    let file = SocketFile { path: path.to_owned(), identity };
    let permissions = fs::Permissions::from_mode(FILE_MODE);
    fs::set_permissions(path, permissions).map_err(failed("setting the permissions"))?;
    let listener = socket.listen(BACKLOG).map_err(failed("listening"))?;
    Ok(Prepared { listener, peers: Peers::default(), file })
}

fn make_folder(path: &Path) -> Result<(), PrepareError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    let made = fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
    made.map_err(|source| PrepareError::Folder { folder: folder.to_owned(), source })
}

/// Takes away the file of a socket on which nobody listens.
async fn clear(path: &Path) -> Result<(), PrepareError> {
    let system = |step, source| PrepareError::System { path: path.to_owned(), step, source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(system("looking at the file", error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(PrepareError::NoSocket { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Ok(stream) => Err(PrepareError::Live { path: path.to_owned(), who: who(&stream) }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|source| system("removing a dead agent's file", source))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Its backlog is full (unix(7), EAGAIN), so it is served, if slowly.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(PrepareError::Live { path: path.to_owned(), who: "a busy process".to_owned() })
        }
        Err(error) => Err(system("asking who listens", error)),
    }
}

/// The process that listens, by what the kernel noted when it began to (unix(7), `SO_PEERCRED`).
fn who(stream: &UnixStream) -> String {
    let Some(pid) = stream.peer_cred().ok().and_then(|peer| peer.pid()) else {
        return "a process".to_owned();
    };
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("process {pid} ({})", name.trim_end()),
        Err(_) => format!("process {pid}"),
    }
}
