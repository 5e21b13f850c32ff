//! Network namespaces without names.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::panic::resume_unwind;
use std::process::{self, Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// What is missing when the system says no.
const NEEDED: &str =
    "network namespaces are needed: run this as root, with CAP_SYS_ADMIN and CAP_NET_ADMIN";

/// A network namespace. It has no name: it is there for as long as this, or a program inside, so nothing is left of it, or of the
/// devices in it, however the test ends.
#[derive(Debug)]
pub(crate) struct Namespace(File);

impl Namespace {
    /// Makes one in which nothing but loopback is.
    pub(crate) fn new() -> Self {
        let mut first = Command::new("unshare");
        first.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut first = first.spawn().expect("install unshare (Debian: util-linux)");
        await_inside(&mut first);
        let namespace = Self(File::open(format!("/proc/{}/ns/net", first.id())).unwrap());
        drop(first.stdin.take());
        first.wait().unwrap();
        let mut up = Command::new("ip");
        up.args(["link", "set", "dev", "lo", "up"]);
        let up = namespace.inside(|| up.status()).expect("install ip (Debian: iproute2)");
        assert!(up.success(), "{NEEDED}");
        namespace
    }

    /// A path for others, for as long as this is there.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", process::id(), self.0.as_raw_fd())
    }

    /// Does something inside: sockets that are opened there stay in it, as do threads and programs that are started there.
    pub(crate) fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let entered = || {
            move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))
                .expect(NEEDED);
            act()
        };
        // A thread of its own: the others stay where they are.
        thread::scope(|scope| scope.spawn(entered).join())
            .unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Waits for an echo: what answers has been started inside.
fn await_inside(cat: &mut Child) {
    let _ = cat.stdin.as_mut().unwrap().write_all(b"\n");
    cat.stdout.as_mut().unwrap().read_exact(&mut [0]).expect(NEEDED);
}
