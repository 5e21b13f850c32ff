//! What the source check has dropped.

use std::io;
use std::path::Path;

/// The counters of the namespace this runs in.
pub const NETSTAT: &str = "/proc/net/netstat";

/// Why the counter is not known.
#[derive(Debug, thiserror::Error)]
pub enum NoCount {
    /// The counters cannot be read.
    #[error("{NETSTAT} cannot be read")]
    Read(#[source] io::Error),
    /// There is no such counter among them.
    #[error("{NETSTAT} has no TcpExt IPReversePathFilter")]
    Missing,
}

/// How many packets the router has dropped because their source is not the interface's that they came from.
///
/// # Errors
///
/// When the kernel does not say.
pub fn count() -> Result<u64, NoCount> {
    let text = std::fs::read_to_string(Path::new(NETSTAT)).map_err(NoCount::Read)?;
    read(&text).ok_or(NoCount::Missing)
}

/// The counter in the kernel's table: a line of names, and below it one of numbers.
fn read(text: &str) -> Option<u64> {
    let mut rows = text.lines().filter_map(|line| line.strip_prefix("TcpExt:"));
    let (names, numbers) = (rows.next()?.split_whitespace(), rows.next()?.split_whitespace());
    let (_, number) = names.zip(numbers).find(|(name, _)| *name == "IPReversePathFilter")?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_counter_is_found_by_its_name() {
        let check = |text: &str, expected| assert_eq!(read(text), expected, "{text}");
        check("TcpExt: A IPReversePathFilter B\nTcpExt: 1 22 3\nIpExt: C\nIpExt: 4\n", Some(22));
        check("IpExt: IPReversePathFilter\nIpExt: 4\n", None);
        check("TcpExt: A B\nTcpExt: 1 2\n", None);
        check("TcpExt: IPReversePathFilter\n", None);
        check("TcpExt: IPReversePathFilter\nTcpExt: many\n", None);
    }
}
