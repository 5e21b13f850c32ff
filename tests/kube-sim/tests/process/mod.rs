//! The program as a process, and what it says.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kube-sim"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A program that serves, ended with its owner.
pub(crate) struct Serving {
    process: Child,
    address: SocketAddr,
}

impl Serving {
    pub(crate) fn start() -> Self {
        let mut process = program().spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("kube-sim is listening at http://").unwrap();
        Self { address: address.parse().unwrap(), process }
    }

    pub(crate) fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {request} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        stream
    }

    /// Sends a signal and answers the exit code.
    pub(crate) fn signal(mut self, name: &str) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended by itself where this fails.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The exit code and what is said on standard error.
pub(crate) fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// What the program says of a file of definitions.
pub(crate) fn refused(name: &str, text: &str) -> String {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, text).unwrap();
    let output = program().arg("--crd").arg(&file).output().unwrap();
    let (code, error) = said(&output);
    assert_eq!(code, Some(1), "{error}");
    error.replace(file.to_str().unwrap(), "FILE")
}
