//! A socket that is served while a test asks.

use std::path::PathBuf;
use std::time::Duration;

use berth_agent::socket::{Desk, Options, prepare, serve_berth, serve_cilium};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// A socket that is served.
pub(crate) struct Served {
    pub(crate) path: PathBuf,
    _folder: TempDir,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn berth(desk: impl Desk) -> Self {
        Self::berth_within(desk, Duration::from_secs(20)).await
    }

    pub(crate) async fn berth_within(desk: impl Desk, answer_within: Duration) -> Self {
        let (folder, path) = place();
        let prepared = prepare(&path).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let task = tokio::spawn(serve_berth(prepared, desk, Options { answer_within }, stopped));
        Self { path, _folder: folder, stop, task }
    }

    pub(crate) async fn cilium(desk: impl Desk) -> Self {
        let (folder, path) = place();
        let prepared = prepare(&path).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let options = Options { answer_within: Duration::from_secs(20) };
        let task = tokio::spawn(serve_cilium(prepared, desk, options, stopped));
        Self { path, _folder: folder, stop, task }
    }

    pub(crate) async fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.path).await.unwrap()
    }

    /// Sends bytes as they are and answers all that comes until the other end hangs up.
    pub(crate) async fn raw(&self, sent: &[u8]) -> String {
        let mut stream = self.connect().await;
        // Who is refused early may be hung up on before everything is sent.
        let _refused = stream.write_all(sent).await;
        until_end(&mut stream).await
    }

    /// Asks with a request line, header lines if there are any, and a body after an empty line. The answer is the status and the body.
    pub(crate) async fn ask(&self, request: &str) -> String {
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let head = head.replace('\n', "\r\n").replacen("\r\n", " HTTP/1.1\r\n", 1);
        let head = if head.contains(" HTTP/1.1") { head } else { format!("{head} HTTP/1.1") };
        let length = body.len();
        let sent = format!(
            "{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        short(&self.raw(sent.as_bytes()).await)
    }

    pub(crate) async fn stop(self) -> PathBuf {
        self.stop.send(()).unwrap();
        timeout(LONG, self.task).await.unwrap().unwrap();
        self.path
    }
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/agent.sock");
    (folder, path)
}

/// What comes until the other end hangs up, whether it does so politely or not.
pub(crate) async fn until_end(stream: &mut UnixStream) -> String {
    let mut answer = Vec::new();
    let _ended = timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// The status and the body of an answer.
pub(crate) fn short(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.split(' ').nth(1).unwrap_or("nothing");
    format!("{status} {body}").trim_end().to_owned()
}

/// Waits until something is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let looked = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LONG, looked).await.unwrap();
}
