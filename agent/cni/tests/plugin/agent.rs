//! A scripted agent on a Unix socket.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;

/// What the agent does with a connection.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// Reads the request and answers with this status and body.
    Answer(u16, String),
    /// Reads the request and writes these bytes, whatever they are.
    Bytes(Vec<u8>),
    /// Reads the request and ends the connection.
    Close,
    /// Ends the connection before anything is read.
    CloseUnread,
    /// Reads the request and says nothing until the client has gone.
    Hang,
    /// Ends that many connections after their request, and then does something else.
    CloseFirst(usize, Box<Script>),
}

/// A pod's address, as the agent grants it.
pub(crate) const GRANTED: &str = r#"{"addresses":[{"address":"10.0.1.5","gateway":"10.0.1.1","eni":"eni-1","mac":"02:00:00:00:00:07","interface-number":1,"vpc-cidrs":["10.0.0.0/16"]}]}"#;

/// An agent that does the same with every connection, until it is dropped.
pub(crate) struct Agent {
    _folder: TempDir,
    pub(crate) socket: PathBuf,
    /// The requests that were read: path and body.
    heard: Heard,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Agent {
    pub(crate) fn start(script: Script) -> Self {
        let folder = TempDir::new().unwrap();
        let socket = folder.path().join("agent.sock");
        let (heard, ends) = (Heard::default(), Arc::default());
        let thread = serve(&socket, script, Arc::clone(&heard), Arc::clone(&ends));
        Self { _folder: folder, socket, heard, ends, thread: Some(thread) }
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // A connection that says nothing wakes the thread, which sees that it is over.
        drop(UnixStream::connect(&self.socket).unwrap());
        self.thread.take().unwrap().join().unwrap();
    }
}

type Heard = Arc<Mutex<Vec<String>>>;

fn serve(socket: &Path, script: Script, heard: Heard, ends: Arc<AtomicBool>) -> JoinHandle<()> {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        let mut connections = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            if ends.load(Ordering::SeqCst) {
                break;
            }
            let script = match &script {
                Script::CloseFirst(count, _) if connections.len() < *count => Script::Close,
                Script::CloseFirst(_, then) => (**then).clone(),
                script => script.clone(),
            };
            let heard = Arc::clone(&heard);
            connections.push(std::thread::spawn(move || play(stream, &script, &heard)));
        }
        for connection in connections {
            connection.join().unwrap();
        }
    })
}

fn play(mut stream: UnixStream, script: &Script, heard: &Mutex<Vec<String>>) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    if matches!(script, Script::CloseUnread) {
        return;
    }
    let Some(request) = request(&mut stream) else {
        return;
    };
    heard.lock().unwrap().push(request);
    let answer = match script {
        Script::Answer(status, body) => response(*status, body),
        Script::Bytes(bytes) => bytes.clone(),
        Script::Close | Script::CloseUnread | Script::CloseFirst(..) => return,
        Script::Hang => {
            let mut rest = [0];
            let _ = stream.read(&mut rest);
            return;
        }
    };
    // A client that has seen enough may be gone.
    let _ = stream.write_all(&answer);
}

pub(crate) fn response(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Path and body of a request; `None` when the client goes before it is whole.
fn request(stream: &mut UnixStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = whole(&bytes) {
            return Some(request);
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk) {
            Ok(0) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error}"),
        }
    }
}

fn whole(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    (body.len() == length.parse::<usize>().unwrap()).then(|| format!("{path} {body}"))
}
