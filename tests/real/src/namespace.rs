//! Network namespaces without names.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::panic::resume_unwind;
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// What is missing when the system says no.
const NEEDED: &str =
    "network namespaces are needed: run this as root, with CAP_SYS_ADMIN and CAP_NET_ADMIN";

/// A network namespace. It has no name: it is there for as long as this, or a program inside, so nothing is left of it, or of the
/// devices in it, however the test ends.
#[derive(Debug)]
pub struct Namespace(File);

impl Namespace {
    /// Makes one in which nothing but loopback is.
    ///
    /// # Panics
    ///
    /// When the system says no: a test cannot go on without it.
    #[expect(
        clippy::expect_used,
        clippy::new_without_default,
        reason = "tests alone make one, and it is a great deal to make"
    )]
    #[must_use]
    pub fn new() -> Self {
        let mut first = Command::new("unshare");
        first.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut first = first.spawn().expect("install unshare (Debian: util-linux)");
        await_inside(&mut first);
        let file = format!("/proc/{}/ns/net", first.id());
        let namespace = Self::at(file.as_ref()).expect(NEEDED);
        drop(first.stdin.take());
        first.wait().expect("cat ends");
        let mut up = Command::new("ip");
        up.args(["link", "set", "dev", "lo", "up"]);
        let up = namespace.inside(|| up.status()).expect("install ip (Debian: iproute2)");
        assert!(up.success(), "{NEEDED}");
        namespace
    }

    /// The one that a file stands for, such as `/proc/PID/ns/net`.
    ///
    /// # Errors
    ///
    /// When there is no such file.
    pub fn at(file: &Path) -> io::Result<Self> {
        File::open(file).map(Self)
    }

    /// A path for others, for as long as this is there.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", process::id(), self.0.as_raw_fd())
    }

    /// Does something inside: sockets that are opened there stay in it, as do threads and programs that are started there.
    ///
    /// # Panics
    ///
    /// When the system says no.
    #[expect(clippy::expect_used, reason = "a test cannot go on outside")]
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.enter(act).expect(NEEDED)
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// When the system says no.
    pub fn enter<T: Send>(&self, act: impl FnOnce() -> T + Send) -> io::Result<T> {
        let entered = || {
            move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(act())
        };
        // A thread of its own: the others stay where they are.
        thread::scope(|scope| scope.spawn(entered).join())
            .unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Waits for an echo: what answers has been started inside.
#[expect(clippy::expect_used, reason = "a test cannot go on without it")]
fn await_inside(cat: &mut Child) {
    let _ = cat.stdin.as_mut().expect("piped").write_all(b"\n");
    cat.stdout.as_mut().expect("piped").read_exact(&mut [0]).expect(NEEDED);
}
