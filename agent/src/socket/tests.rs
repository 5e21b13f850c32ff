//! Who may ask, whatever the mode of the file says.

use axum::serve::Listener;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::task::spawn;

use super::peer::{Guarded, Peers};
use super::prepare;

#[tokio::test]
async fn other_users_are_told_that_they_may_not_ask() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let mut prepared = prepare(&path).await.unwrap();
    let own = rustix::process::geteuid().as_raw();
    prepared.peers = Peers { allowed: [own + 1, own + 2] };
    let mut guarded = Guarded::from(prepared);
    let accepted = spawn(async move { guarded.accept().await });
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(
        answer,
        "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: 85\r\n\
         connection: close\r\n\r\n\
         {\"code\":100,\"msg\":\"not permitted\",\"details\":\"expected root or the user of the agent\"}"
    );
    assert!(!accepted.is_finished());
    accepted.abort();
}

#[test]
fn root_and_the_agents_own_user_may_ask() {
    let own = rustix::process::geteuid().as_raw();
    assert_eq!(Peers::default().allowed, [0, own]);
}
