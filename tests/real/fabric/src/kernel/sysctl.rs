//! The settings of the router's namespace: those of the process that reads or writes them.

use std::fs;
use std::io;
use std::path::PathBuf;

/// A setting cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be written")]
pub struct NoSysctl {
    path: PathBuf,
    #[source]
    error: io::Error,
}

/// The router's own. What is effective for a device is the larger one of `all` and its own, so strictness is each device's:
/// those that come are strict until they are said not to be. A redirect would have a host send around the router, and what an open
/// socket knows of a route would let its packets around the check.
const ROUTER: &[(&str, &str)] = &[
    ("conf/all/rp_filter", "0"),
    ("conf/default/rp_filter", "1"),
    ("conf/all/proxy_arp", "0"),
    ("conf/all/accept_local", "0"),
    ("conf/all/send_redirects", "0"),
    ("conf/default/send_redirects", "0"),
    ("ip_early_demux", "0"),
    ("ip_forward", "1"),
];

/// Makes a router of the namespace.
pub(super) fn prepare() -> Result<(), NoSysctl> {
    ROUTER.iter().try_for_each(|(name, value)| write(name, value))
}

/// Has the router drop what comes from the device with a foreign source, or not, and answer ARP there at once.
pub(super) fn guard(device: &str, source_check: bool) -> Result<(), NoSysctl> {
    settings(device, source_check).iter().try_for_each(|(name, value)| write(name, value))
}

/// What [`guard`] has set last; none when it is neither the one nor the other.
pub(super) fn source_check(device: &str) -> Option<bool> {
    let holds = |check: bool| {
        let settings = settings(device, check);
        settings.iter().all(|(name, value)| read(name).is_some_and(|found| found.trim() == *value))
    };
    [true, false].into_iter().find(|check| holds(*check))
}

fn settings(device: &str, source_check: bool) -> [(String, &'static str); 5] {
    [
        (format!("conf/{device}/rp_filter"), if source_check { "1" } else { "0" }),
        (format!("conf/{device}/proxy_arp"), "1"),
        (format!("conf/{device}/send_redirects"), "0"),
        (format!("conf/{device}/forwarding"), "1"),
        (format!("neigh/{device}/proxy_delay"), "0"),
    ]
}

fn path(name: &str) -> PathBuf {
    PathBuf::from("/proc/sys/net/ipv4").join(name)
}

fn read(name: &str) -> Option<String> {
    fs::read_to_string(path(name)).ok()
}

fn write(name: &str, value: &str) -> Result<(), NoSysctl> {
    let path = path(name);
    // What is so already stays untouched: some settings reset others when they are written.
    if read(name).is_some_and(|found| found.trim() == value) {
        return Ok(());
    }
    fs::write(&path, value).map_err(|error| NoSysctl { path, error })
}
