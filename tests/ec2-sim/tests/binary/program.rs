//! The program, started by tests.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ec2-sim");

pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().expect("the program can be started")
}

/// What the program says on its standard error when it is started so, and its exit status.
#[track_caller]
pub(crate) fn check(arguments: &[&str], code: i32, expected: &str) {
    let output = run(arguments);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(expected), "expected {expected:?}:\n{text}");
    assert_eq!(output.status.code(), Some(code));
}

/// A running program; ended with it, if it has not ended before.
pub(crate) struct Running {
    pub(crate) child: Child,
    output: BufReader<ChildStdout>,
    errors: BufReader<ChildStderr>,
    line: String,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let output = BufReader::new(child.stdout.take().expect("is piped"));
        let errors = BufReader::new(child.stderr.take().expect("is piped"));
        let mut running = Self { child, output, errors, line: String::new() };
        running.line = running.next_line();
        running
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("says where it listens");
        line
    }

    pub(crate) fn address(&self) -> &str {
        let rest = self.line.strip_prefix("ec2-sim listens on http://").expect("says where");
        rest.split(' ').next().expect("says where")
    }

    /// The address of the next instance's metadata service.
    pub(crate) fn metadata_address(&mut self) -> String {
        let line = self.next_line();
        let (_, address) = line.trim_end().split_once(" at http://").expect("says where");
        address.to_owned()
    }

    /// The next line on its standard error.
    pub(crate) fn said(&mut self) -> String {
        let mut line = String::new();
        self.errors.read_line(&mut line).expect("can be read");
        line
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().expect("kill can be started");
        assert!(sent.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
