//! The files of sockets: who may use them, and when they go.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use berth_agent::socket::prepare;
use tokio::net::UnixStream;

use crate::script::{Script, by_name};
use crate::served::Served;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// What [`prepare`] says of a path, with the path left out.
async fn complaint(path: &Path) -> String {
    let error = prepare(path).await.unwrap_err();
    berth_shell::problem::chain(&error).replace(&path.display().to_string(), "PATH")
}

#[tokio::test]
async fn only_the_owner_may_connect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/agent.sock");
    let prepared = prepare(&path).await.unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()) & 0o022, 0);
    assert_eq!(prepared.path(), path);
    // Nothing is taken yet, and clients wait all the same.
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn the_file_goes_at_the_end() {
    let served = Served::berth(Script::new(by_name)).await;
    assert!(served.path.exists());
    let path = served.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_dead_agents_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let _prepared = prepare(&path).await.unwrap();
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn a_living_agent_is_left_alone() {
    let served = Served::berth(Script::new(by_name)).await;
    let name = fs::read_to_string("/proc/self/comm").unwrap();
    let expected = format!(
        "cannot listen on PATH: process {} ({}) listens there already; stop it, or choose another path",
        std::process::id(),
        name.trim_end()
    );
    assert_eq!(complaint(&served.path).await, expected);
    assert!(served.ask("POST /v1/cni/status").await.starts_with("503 "));
}

#[tokio::test]
async fn the_file_of_a_successor_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let first = prepare(&path).await.unwrap();
    fs::remove_file(&path).unwrap();
    let second = prepare(&path).await.unwrap();
    drop(first);
    UnixStream::connect(&path).await.unwrap();
    drop(second);
    assert!(!path.exists());
}

#[tokio::test]
async fn what_is_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    let expected = "cannot listen on PATH: a file that is no socket is there; move it away";
    assert_eq!(complaint(&file).await, expected);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert_eq!(complaint(folder.path()).await, expected);
    let below = complaint(&file.join("agent.sock")).await;
    assert!(below.starts_with("cannot make the folder "), "{below}");
    let long = complaint(&folder.path().join("x".repeat(120))).await;
    assert!(long.starts_with("cannot listen on PATH: binding failed: "), "{long}");
}
