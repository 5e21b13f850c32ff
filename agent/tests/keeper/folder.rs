//! The folder of a ledger.

use std::fs::{Permissions, metadata, set_permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use berth_agent::journal::storage::{Folder, FolderError, Storage};

use crate::node::{Node, granted};

fn mode(path: &Path) -> u32 {
    metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn it_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("lib/berth");
    let node = Node::start_in(&state, 1);
    granted(node.add(1).await);
    assert_eq!(mode(&state), 0o700);
    for file in ["ledger", "lock"] {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_second_agent_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start_in(folder.path(), 1);
    let second = Folder::open(folder.path()).unwrap_err();
    let pid = std::process::id();
    assert!(matches!(second, FolderError::Locked { pid: Some(it), .. } if it == pid), "{second}");
    let text =
        format!("the folder {} is used by another agent (process {pid})", folder.path().display());
    assert_eq!(second.to_string(), text);
    granted(node.add(1).await);
    node.stop().await;
    drop(Folder::open(folder.path()).unwrap());
}

#[test]
fn what_is_no_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Folder::open(&file).unwrap_err();
    assert_eq!(error.to_string(), format!("the folder {} cannot be used", file.display()));
}

#[tokio::test]
async fn a_folder_that_others_made_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let node = Node::start_in(folder.path(), 1);
    assert_eq!(mode(folder.path()), 0o755);
    node.stop().await;
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    for mode in [0o777, 0o1777, 0o770, 0o720] {
        let folder = tempfile::tempdir().unwrap();
        set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        let error = Folder::open(folder.path()).unwrap_err();
        assert!(matches!(error, FolderError::Open { mode: it, .. } if it == mode), "{error}");
        assert!(!folder.path().join("lock").exists(), "nothing is written there");
    }
}

/// Whoever could write to the folder once may have left links in it.
#[test]
fn links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    for name in ["lock", "ledger.new", "ledger"] {
        symlink(&victim, state.join(name)).unwrap();
        let opened = Folder::open(&state);
        if name == "lock" {
            assert!(matches!(opened, Err(FolderError::Io { .. })), "{opened:?}");
            std::fs::remove_file(state.join(name)).unwrap();
            continue;
        }
        let mut opened = opened.unwrap();
        assert!(opened.create(name).is_err() && opened.read(name).is_err(), "{name}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious", "{name}");
    }
}
