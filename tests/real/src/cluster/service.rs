//! A program that runs in a machine for long, and that is stopped and started again.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::door::{Door, child};
use super::error::{ClusterError, tail, wait_for};
use crate::running::Running;

/// Longer than any of them takes to end when it is asked to; kubelets and containerd do within a second.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// A program that runs in a machine for long, or does not run now.
#[derive(Debug)]
pub(crate) struct Service {
    name: String,
    door: Door,
    command: Command,
    /// Without the number of the start.
    log: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: Option<Running>,
    starts: usize,
}

impl Service {
    pub(crate) fn new(name: &str, door: Door, command: Command, log: PathBuf) -> Self {
        let state = Mutex::default();
        Self { name: name.to_owned(), door, command, log, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic of another test thread leaves the state as it is.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// When it runs already or cannot be started.
    pub(crate) fn start(&self) -> Result<(), ClusterError> {
        let mut state = self.state();
        if state.running.is_some() {
            return Err(ClusterError::State(format!("{} runs already", self.name)));
        }
        let log = self.path(state.starts);
        let running = Running::start(&self.command, &log);
        let running = running.map_err(ClusterError::at(format!("start {}", self.name)))?;
        state.running = Some(running);
        state.starts += 1;
        Ok(())
    }

    /// Starts it, and waits until it prints a line that begins like this.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or does not print it in time.
    pub(crate) fn start_until(&self, begin: &str, within: Duration) -> Result<(), ClusterError> {
        let start = Instant::now();
        self.start()?;
        let state = self.state();
        let line = state.running.as_ref().and_then(|running| running.line(within).ok());
        if line.is_some_and(|line| line.starts_with(begin)) {
            return Ok(());
        }
        let (what, log) = (format!("{} is not ready", self.name), self.path(state.starts - 1));
        Err(ClusterError::NotInTime { what, waited: start.elapsed(), log: tail(&log) })
    }

    /// Whether it has been started and not been ended.
    pub(crate) fn runs(&self) -> bool {
        self.state().running.is_some()
    }

    /// That it has not ended by itself.
    ///
    /// # Errors
    ///
    /// When it has.
    pub(crate) fn check(&self) -> Result<(), ClusterError> {
        let mut state = self.state();
        let ended = state.running.as_mut().map(|running| running.ended(Duration::ZERO));
        if matches!(ended, None | Some(Ok(None))) {
            return Ok(());
        }
        let log = tail(&self.path(state.starts.saturating_sub(1)));
        Err(ClusterError::Ended { program: self.name.clone(), log })
    }

    /// Asks it to end, and waits for that.
    ///
    /// # Errors
    ///
    /// When it does not run, or does not end in time.
    pub(crate) fn stop(&self) -> Result<(), ClusterError> {
        self.end("TERM")
    }

    /// Kills it.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub(crate) fn kill(&self) -> Result<(), ClusterError> {
        self.end("KILL")
    }

    fn end(&self, signal: &str) -> Result<(), ClusterError> {
        let mut state = self.state();
        let not_running = || ClusterError::State(format!("{} does not run", self.name));
        let mut running = state.running.take().ok_or_else(not_running)?;
        let log = self.path(state.starts - 1);
        if self.door.own_processes {
            // It is the child of who entered the machine for it, and has just been started or not.
            let mut process = None;
            wait_for(&format!("{} is not there", self.name), END_TIMEOUT, &log, || {
                process = child(running.process_id());
                Ok(process.is_some())
            })?;
            let id = process.unwrap_or_default().to_string();
            let sent = Command::new("kill").args(["-s", signal, &id]).status();
            sent.map_err(ClusterError::at(format!("end {}", self.name)))?;
        } else {
            running.signal(signal).map_err(ClusterError::at(format!("end {}", self.name)))?;
        }
        wait_for(&format!("{} does not end", self.name), END_TIMEOUT, &log, || {
            Ok(!matches!(running.ended(Duration::ZERO), Ok(None)))
        })
    }

    /// What it has logged, in all its lives.
    pub(crate) fn log(&self) -> String {
        let starts = self.state().starts;
        let logs = (0..starts).map(|start| fs::read(self.path(start)).unwrap_or_default());
        logs.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// The log of its last life.
    pub(crate) fn last_log(&self) -> PathBuf {
        self.path(self.state().starts.saturating_sub(1))
    }

    fn path(&self, start: usize) -> PathBuf {
        self.log.with_extension(format!("{start}.log"))
    }
}
