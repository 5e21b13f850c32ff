//! A program that runs beside a test and ends with it.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Runs the program in its arguments, prints its process id, and ends as it ends. When its own standard input ends, which it
/// does when the test is gone, it kills the program.
const GUARD: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
echo "$program"
{ cat <&3 >/dev/null; kill -KILL "$program"; } 2>/dev/null >&2 &
exec 1>&- 3<&-
wait "$program"
"#;

/// A program that runs beside a test. It is killed when this is dropped, and also when the test is killed.
#[derive(Debug)]
pub struct Running {
    guard: Child,
    process_id: u32,
    lines: Receiver<String>,
}

impl Running {
    /// Starts `command`, which is taken apart for it: program, arguments and environment count. Its standard error goes to the file `log`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(command: &Command, log: &Path) -> io::Result<Self> {
        let mut guard = Command::new("bash");
        guard.args(["-c", GUARD, "guard"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => guard.env(name, value),
                None => guard.env_remove(name),
            };
        }
        guard.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(log)?);
        let mut guard = guard.spawn()?;
        let output = guard.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let lines = lines(BufReader::new(output));
        let first = lines.recv_timeout(Duration::from_secs(10)).map_err(io::Error::other)?;
        let process_id = first.parse().map_err(io::Error::other)?;
        Ok(Self { guard, process_id, lines })
    }

    /// The process id of the program.
    #[must_use]
    pub const fn process_id(&self) -> u32 {
        self.process_id
    }

    /// The next line that it prints.
    ///
    /// # Errors
    ///
    /// When it ended, or printed none in time.
    pub fn line(&self, within: Duration) -> Result<String, RecvTimeoutError> {
        self.lines.recv_timeout(within)
    }

    /// Sends it a signal, named as `kill` names it: `TERM`, `KILL`.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn signal(&self, name: &str) -> io::Result<()> {
        let id = self.process_id.to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(SignalNotSent)) }
    }

    /// How it ended; `None` when it still runs at the end of that time. A program that a signal ended has the exit code 128 and the number of the
    /// signal.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub fn ended(&mut self, within: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + within;
        loop {
            let status = self.guard.try_wait()?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Closing its standard input makes the guard kill the program; it ends with it.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The program is gone.
#[derive(Debug)]
struct SignalNotSent;

impl fmt::Display for SignalNotSent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the program is gone")
    }
}

impl std::error::Error for SignalNotSent {}

fn lines(reader: impl BufRead + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            // Who does not listen any more still must not block the program.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// Waits until `holds` does.
///
/// # Panics
///
/// With `otherwise`, when it does not in time.
#[track_caller]
pub fn await_true(within: Duration, otherwise: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds() {
        assert!(Instant::now() < deadline, "{otherwise} after {within:?}");
        thread::sleep(Duration::from_millis(100));
    }
}
