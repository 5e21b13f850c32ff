//! A little machine: namespaces, mounts and cgroups that go with its first process.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::door::Door;
use super::error::{ClusterError, tail};
use super::service::Service;
use crate::kubectl::{ProgramError, succeed};

/// Tens of milliseconds on an idle machine.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// The processes of a machine are killed at once; its network devices take longest.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// What a machine shows: a path below its folder, and the file that is seen there.
pub(crate) type Shown = (String, PathBuf);

/// A little machine. When this goes, or the process that has it, all that runs in the machine is killed, and its namespaces, mounts,
/// devices and cgroups go.
#[derive(Debug)]
pub(crate) struct Machine {
    name: String,
    folder: PathBuf,
    door: Door,
    holder: Child,
}

impl Machine {
    /// Starts one whose files are in `folder`. With `own_processes` it has process ids and cgroups of its own.
    ///
    /// # Errors
    ///
    /// When a namespace, a mount or a cgroup cannot be made.
    pub(crate) fn start(
        name: &str,
        folder: &Path,
        own_processes: bool,
        shown: &[Shown],
    ) -> Result<Self, ClusterError> {
        let failed = || ClusterError::at(format!("start the machine {name}"));
        std::fs::create_dir_all(folder.join("log")).map_err(failed())?;
        let log = folder.join("log/machine.log");
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("node/machine"));
        command.arg(name).arg(folder).arg(if own_processes { "own" } else { "shared" });
        command.args(shown.iter().map(|(path, file)| format!("{path}={}", file.display())));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(File::create(&log).map_err(failed())?);
        // What ctrl-c ends must not be who removes the cgroups.
        let mut holder = command.process_group(0).spawn().map_err(failed())?;
        let start = Instant::now();
        let door = first_process(&mut holder).and_then(|init| Door::of(init, own_processes));
        if let Some(door) = door {
            return Ok(Self { name: name.to_owned(), folder: folder.to_owned(), door, holder });
        }
        end(&mut holder);
        let (what, waited) = (format!("the machine {name} is not there"), start.elapsed());
        Err(ClusterError::NotInTime { what, waited, log: tail(&log) })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lets it end, and does not wait for that.
    pub(crate) fn let_go(&mut self) {
        drop(self.holder.stdin.take());
    }

    pub(crate) const fn door(&self) -> Door {
        self.door
    }

    /// A program that is to run in the machine for long.
    pub(crate) fn service(&self, program: &str, command: &Command) -> Service {
        let log = self.folder.join("log").join(program);
        Service::new(program, self.door, self.door.command(command), log)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Output, ProgramError> {
        self.door.run(arguments)
    }

    /// What a program of the machine prints.
    ///
    /// # Errors
    ///
    /// When it cannot be run, or ends with another code than 0.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> Result<String, ProgramError> {
        succeed(self.door.program(arguments).stdin(Stdio::null()))
    }

    /// Writes a file of the machine: `etc/…`, `opt/…` or `var-lib/…`.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn write(&self, path: &str, content: &str) -> Result<(), ClusterError> {
        let path = self.folder.join(path);
        let failed = || ClusterError::at(format!("write {}", path.display()));
        std::fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(failed())?;
        std::fs::write(&path, content).map_err(failed())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        end(&mut self.holder);
    }
}

/// Its first process, once the machine is set up.
fn first_process(holder: &mut Child) -> Option<u32> {
    let output = BufReader::new(holder.stdout.take()?);
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            // Nobody waits for it any more: then the machine is about to end.
            let _ = sender.send(line);
        }
    });
    let (mut init, mut ready) = (None, false);
    let deadline = Instant::now() + START_TIMEOUT;
    while !(ready && init.is_some()) {
        let line = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
        ready |= line == "ready";
        init = init.or_else(|| line.strip_prefix("init ")?.parse().ok());
    }
    init
}

/// Ends a machine by the end of its input, and waits until nothing is left of it.
fn end(holder: &mut Child) {
    drop(holder.stdin.take());
    let deadline = Instant::now() + END_TIMEOUT;
    while matches!(holder.try_wait(), Ok(None)) {
        if Instant::now() >= deadline {
            // Its cgroups may be left, as is what holds it up.
            let _ = holder.kill();
            let _ = holder.wait();
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
