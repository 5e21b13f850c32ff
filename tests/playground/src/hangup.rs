//! A terminal that is closed, or a connection to one that is lost: a run ends then as by ctrl-c, and takes away what it made.

use std::fs;
use std::io;

use berth_shell::signals::Stop;
use tokio::signal::unix::{SignalKind, signal};

/// Lets SIGHUP ask for the end, unless who started this process has it ignored, as `nohup` does. To be called in a runtime.
///
/// # Errors
/// The system refuses to tell of signals.
pub fn asks(stop: &Stop) -> io::Result<()> {
    // Where the system does not say it, a closed terminal is likelier.
    if is_ignored_by(&fs::read_to_string("/proc/self/status").unwrap_or_default()) {
        return Ok(());
    }
    let mut hangup = signal(SignalKind::hangup())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        hangup.recv().await;
        stop.ask();
    });
    Ok(())
}

/// Whether a process with this `/proc/PID/status` ignores SIGHUP: the lowest bit of a mask of signals.
fn is_ignored_by(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: &str, expected: bool) {
        assert_eq!(is_ignored_by(status), expected, "{status:?}");
    }

    #[test]
    fn what_is_ignored_is_read_of_the_process() {
        check("Name:\tsh\nSigIgn:\t0000000000000001\nSigCgt:\t0\n", true);
        check("SigIgn:\t0000000000001001\n", true);
        check("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n", false);
        check("SigIgn:\trubbish\n", false);
        check("", false);
    }
}
