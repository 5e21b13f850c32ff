//! The way into a machine.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::kubectl::ProgramError;

/// Joins the machine's cgroups, runs a program with nothing but its own environment, and has it killed with what started it.
const ENTER_OWN: &str = r#"
for group in /sys/fs/cgroup/*/cgroup.procs; do echo 0 >"$group"; done
exec setpriv --pdeathsig KILL env -i "$@"
"#;
const ENTER_SHARED: &str = r#"exec setpriv --pdeathsig KILL env -i "$@""#;
const PATH: &str = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The way into a machine: the process in whose namespaces it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door {
    /// The first process, as it is known outside of the machine.
    pub(crate) init: u32,
    /// Whether the machine has process ids and cgroups of its own.
    pub(crate) own_processes: bool,
    /// When the first process began, in ticks of the system: who has that id later began at another time.
    began: u64,
}

impl Door {
    /// The door that a process stands for; `None` when it is gone.
    pub(crate) fn of(init: u32, own_processes: bool) -> Option<Self> {
        Some(Self { init, own_processes, began: began(init)? })
    }

    /// What [`read`](Self::read) takes.
    pub(crate) fn write(self) -> Value {
        json!({"init": self.init, "own_processes": self.own_processes, "began": self.began})
    }

    /// The door that another process wrote; `None` when nobody is behind it any more.
    pub(crate) fn read(written: &Value) -> Option<Self> {
        let init = u32::try_from(written["init"].as_u64()?).ok()?;
        let door = Self::of(init, written["own_processes"].as_bool()?)?;
        (written["began"] == door.began).then_some(door)
    }

    /// A file that is the machine's network namespace, for as long as the machine is there.
    pub(crate) fn network(self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/ns/net", self.init))
    }

    /// `command` in the machine: its program, arguments and what it sets of the environment count, and nothing of this process's
    /// environment.
    #[must_use]
    pub fn command(self, command: &Command) -> Command {
        let mut enter = Command::new("nsenter");
        enter.arg(format!("--target={}", self.init)).args(["--mount", "--net", "--uts"]);
        if self.own_processes {
            enter.args(["--pid", "--cgroup", "sh", "-c", ENTER_OWN, "enter"]);
        } else {
            enter.args(["sh", "-c", ENTER_SHARED, "enter"]);
        }
        enter.args([PATH, "HOME=/tmp"]);
        for (name, value) in command.get_envs() {
            let Some(value) = value else { continue };
            let mut set = name.to_owned();
            set.push("=");
            set.push(value);
            enter.arg(set);
        }
        enter.arg(command.get_program()).args(command.get_args());
        enter
    }

    /// A program of the machine with its arguments, in the machine.
    pub(crate) fn program(self, arguments: &[&str]) -> Command {
        let (program, rest) = arguments.split_first().unwrap_or((&"true", &[]));
        let mut command = Command::new(program);
        command.args(rest);
        self.command(&command)
    }

    /// Runs a program of the machine to its end, without input.
    ///
    /// # Errors
    ///
    /// When it cannot be run. Every exit code is good.
    pub fn run(self, arguments: &[&str]) -> Result<Output, ProgramError> {
        let output = self.program(arguments).stdin(Stdio::null()).output();
        output.map_err(|error| ProgramError::Start { program: arguments.join(" "), error })
    }
}

/// When a process began, in ticks of the system.
pub(crate) fn began(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; the begin is the 20th field after it.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(19)?.parse().ok()
}

/// The only child that a process has: what `nsenter` and `unshare` started.
pub(crate) fn child(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}
