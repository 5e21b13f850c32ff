//! A `kubeup` that runs, and that ends with its owner.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::build::BuildError;
use crate::kubernetes::Options;

/// Ready takes 2 to 5 seconds on an idle machine with 2 cores.
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// Ending takes at most 3 seconds, which components get to close what is open.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The most bytes of a log that an error shows.
const LOG_TAIL: usize = 2000;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no program to start.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A folder could not be made, or a process not be started.
    #[error("start kubeup: {0}")]
    System(#[from] io::Error),
    /// It ended, or was not ready in time.
    #[error("kubeup is not ready after {waited:?}; its components wrote:\n{logs}")]
    NotReady {
        /// How long it was waited for.
        waited: Duration,
        /// The last lines of its logs.
        logs: String,
    },
}

/// A `kubeup` that runs, and that ends with its owner.
///
/// It ends as soon as its standard input does, of which this process holds the only other end. So it is not left running
/// when this process is killed, and no signal is sent to a process id that may be somebody else's by then.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    pub(crate) process: Child,
    // Removed after the process has ended: fields are dropped after `drop`.
    pub(crate) folder: TempDir,
}

impl ControlPlane {
    pub(crate) fn start(kubeup: &Path, options: Options) -> Result<Self, StartError> {
        let folder = tempfile::Builder::new().prefix("kubeup-").tempdir()?;
        let mut with = Vec::new();
        with.extend(options.controllers.then_some("controllers"));
        with.extend(options.scheduler.then_some("scheduler"));
        let mut command = Command::new(kubeup);
        command.arg("-until-eof").arg("-dir").arg(folder.path());
        command.arg("-with").arg(with.join(","));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut control_plane = Self { process: command.spawn()?, folder };
        control_plane.wait_ready()?;
        Ok(control_plane)
    }

    /// A file of the state.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn wait_ready(&mut self) -> Result<(), StartError> {
        let start = Instant::now();
        let errors = self.process.stderr.take().map(drain);
        let lines = self.process.stdout.take().map(lines);
        let ready = lines.and_then(|lines| lines.recv_timeout(READY_TIMEOUT).ok());
        if ready.is_some_and(|line| line.starts_with("ready")) {
            return Ok(());
        }
        let waited = start.elapsed();
        self.stop();
        let said = errors.and_then(|errors| errors.recv_timeout(STOP_TIMEOUT).ok());
        let logs = said.unwrap_or_default() + &self.logs();
        Err(StartError::NotReady { waited, logs })
    }

    /// The end of each component's log.
    fn logs(&self) -> String {
        let mut text = String::new();
        for component in ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
            let Ok(log) = fs::read(self.path(&format!("{component}.log"))) else { continue };
            let tail = &log[log.len().saturating_sub(LOG_TAIL)..];
            let _ = writeln!(text, "== {component}\n{}", String::from_utf8_lossy(tail));
        }
        text
    }

    /// Ends the process: asks, waits, and kills it if it does not end. Its components end with it.
    fn stop(&mut self) {
        drop(self.process.stdin.take());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        // Nothing can be done about a failure: the process has ended meanwhile, or nobody can end it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The lines that a process writes, read to the end so that it is never held up.
fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Only the first line is waited for.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// All that a process writes until it ends.
fn drain(mut output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = output.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}
