//! Which endpoints are called without real credentials.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a URL's host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
///
/// Anything else is not, including what is no URL: credentials are then looked for, which the EC2
/// client does with a message of its own.
#[must_use]
pub fn is_on_this_machine(url: &str) -> bool {
    let after_scheme = url.split_once("://").map_or(url, |(_scheme, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next();
    let host_and_port = authority.and_then(|authority| authority.rsplit('@').next());
    let host_and_port = host_and_port.unwrap_or_default();
    if let Some((address, _port)) =
        host_and_port.strip_prefix('[').and_then(|rest| rest.split_once(']'))
    {
        return address.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback());
    }
    let host = host_and_port.split(':').next().unwrap_or_default();
    host == "localhost" || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: bool) {
        assert_eq!(is_on_this_machine(url), expected, "{url}");
    }

    #[test]
    fn loopback_in_every_spelling_is_this_machine() {
        check("http://127.0.0.1:5000", true);
        check("http://127.8.9.1", true);
        check("http://localhost:5000/path", true);
        check("https://[::1]:5000", true);
        check("http://user:secret@127.0.0.1:5000", true);
        check("localhost", true);
    }

    #[test]
    fn everything_else_is_not() {
        check("https://ec2.us-east-1.amazonaws.com", false);
        check("http://localhost.example.com", false);
        check("http://127.0.0.1.example.com", false);
        check("http://127.0.0.1@example.com", false);
        check("http://127.0.0.1:secret@example.com", false);
        check("http://10.0.0.1:5000", false);
        check("http://[fd00::1]:5000", false);
        check("", false);
    }
}
