//! The router's and the instances' namespaces: observed, and changed with `ip`, `nsenter` and sysctls.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::present::{self, HOST, ROUTER, Unreadable};
use crate::vpc::{EC2, End, IMDS, INTERNET, Present, Step};

mod sysctl;
pub(crate) mod words;

pub use sysctl::NoSysctl;
use words::{boot_lines, line};

/// Why something is not known or not done.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// A program does not run.
    #[error("{0} cannot be run: expected iproute2 and util-linux")]
    Start(&'static str, #[source] io::Error),
    /// `ip` said no to some of what it was told. The rest is done.
    #[error("ip said no: {said}; it was told:\n{told}")]
    Refused {
        /// Its own words.
        said: String,
        /// All lines that it was given.
        told: String,
    },
    /// What `ip` shows cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A setting cannot be read or written.
    #[error(transparent)]
    Sysctl(#[from] NoSysctl),
}

/// The namespace this runs in, which is the router's, and those of the instances.
#[derive(Debug)]
pub struct Kernel {
    namespaces: PathBuf,
}

impl Kernel {
    /// The instances' namespaces are files or symbolic links in `namespaces`, named by their ids. It must be an absolute path: `ip` looks
    /// for another in a place of its own.
    #[must_use]
    pub const fn new(namespaces: PathBuf) -> Self {
        Self { namespaces }
    }

    /// Makes a router of the namespace this runs in: it forwards, knows no way to what it has no route to and says so to nobody, and has
    /// the addresses of [`IMDS`], [`EC2`] and [`INTERNET`].
    ///
    /// # Errors
    ///
    /// When the kernel says no; this takes root.
    pub async fn prepare() -> Result<(), KernelError> {
        sysctl::prepare()?;
        let mut lines = "link set dev lo up\nroute replace blackhole default\n".to_owned();
        for address in [IMDS, EC2, INTERNET] {
            lines.push_str(&line(&Step::Router(address), Path::new("")));
        }
        change(Command::new("ip"), lines).await
    }

    /// What is there, at the router and in the given instances. One whose namespace cannot be entered is not among them.
    ///
    /// # Errors
    ///
    /// When the router's own state cannot be read.
    pub async fn observe(&self, instances: &BTreeSet<&str>) -> Result<Present, KernelError> {
        let router = present::router(&ask(Command::new("ip"), ROUTER).await?)?;
        let ends = router.ends.into_iter().map(|(device, up)| {
            let end = End { up, source_check: sysctl::source_check(&device) };
            (device, end)
        });
        let mut hosts = BTreeMap::new();
        for instance in instances {
            // It may have ended a moment ago, and everything in it with it.
            if let Ok(said) = ask(self.inside(instance), HOST).await
                && let Ok(devices) = present::host(&said)
            {
                hosts.insert((*instance).to_owned(), devices);
            }
        }
        Ok(Present {
            routers: router.addresses,
            ends: ends.collect(),
            routes: router.routes,
            neighbours: router.neighbours,
            hosts,
        })
    }

    /// Carries the steps out, in their order. One that fails keeps no other from being tried.
    ///
    /// # Errors
    ///
    /// With the first failure.
    pub async fn carry_out(&self, steps: &[Step]) -> Result<(), KernelError> {
        let mut outcome = Ok(());
        for part in steps.chunk_by(|one, next| kind(one) == kind(next)) {
            outcome = outcome.and(self.carry_out_part(part).await);
        }
        outcome
    }

    /// Carries out steps of one kind: as many as possible with one program.
    async fn carry_out_part(&self, steps: &[Step]) -> Result<(), KernelError> {
        let mut outcome = Ok(());
        let mut lines = String::new();
        for step in steps {
            match step {
                Step::Guard { device, source_check } => {
                    let set = sysctl::guard(device, *source_check).map_err(KernelError::from);
                    outcome = outcome.and(set);
                }
                Step::Boot { instance, name, host } => {
                    let booted = change(self.inside(instance), boot_lines(name, *host)).await;
                    outcome = outcome.and(booted);
                }
                _ => lines.push_str(&line(step, &self.namespaces)),
            }
        }
        if lines.is_empty() {
            outcome
        } else {
            outcome.and(change(Command::new("ip"), lines).await)
        }
    }

    /// `ip` in an instance's namespace.
    fn inside(&self, instance: &str) -> Command {
        let mut path = std::ffi::OsString::from("--net=");
        path.push(self.namespaces.join(instance));
        let mut command = Command::new("nsenter");
        command.arg(path).arg("ip");
        command
    }
}

/// What kind of work a step is: 0 is a line for `ip` at the router.
const fn kind(step: &Step) -> u8 {
    match step {
        Step::Guard { .. } => 1,
        Step::Boot { .. } => 2,
        _ => 0,
    }
}

/// What `ip` shows, as JSON documents one after the other.
async fn ask(mut ip: Command, questions: &str) -> Result<String, KernelError> {
    ip.args(["-json", "-batch", "-"]);
    run(ip, questions.to_owned()).await
}

/// Has `ip` change something, line by line. A line that fails does not keep it from the next.
async fn change(mut ip: Command, lines: String) -> Result<(), KernelError> {
    ip.args(["-force", "-batch", "-"]);
    run(ip, lines).await.map(drop)
}

async fn run(mut command: Command, lines: String) -> Result<String, KernelError> {
    let failed = |error| KernelError::Start("ip", error);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    let input = child.stdin.take();
    let told = async {
        if let Some(mut input) = input {
            // A program that ended without reading says why.
            let _ = input.write_all(lines.as_bytes()).await;
        }
    };
    let ((), ended) = tokio::join!(told, child.wait_with_output());
    let ended = ended.map_err(failed)?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr).trim().replace('\n', "; ");
        return Err(KernelError::Refused { said, told: lines });
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}
