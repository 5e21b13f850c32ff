//! What a plugin says on its standard output.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

use super::PluginError;

/// Characters of an answer that is not understood that are shown.
const SHOWN: usize = 200;

/// The part of a result that matters here. Source: CNI specification, section "Success".
#[derive(Deserialize)]
struct Success {
    ips: Vec<Ip>,
}

#[derive(Deserialize)]
struct Ip {
    address: IpNet,
}

/// Source: CNI specification, section "Error".
#[derive(Deserialize)]
struct Failure {
    code: u64,
    msg: String,
    #[serde(default)]
    details: String,
}

/// The addresses of a result: at least one.
pub(super) fn addresses(stdout: &[u8]) -> Result<Vec<IpAddr>, PluginError> {
    let ips = serde_json::from_slice(stdout).map_or_else(|_| Vec::new(), |Success { ips }| ips);
    let addresses: Vec<IpAddr> = ips.iter().map(|ip| ip.address.addr()).collect();
    if addresses.is_empty() { Err(unreadable(stdout)) } else { Ok(addresses) }
}

/// What a plugin that failed says.
pub(super) fn refusal(stdout: &[u8]) -> PluginError {
    match serde_json::from_slice(stdout) {
        Ok(Failure { code, msg, details }) => PluginError::Refused { code, msg, details },
        Err(_) => unreadable(stdout),
    }
}

/// A refusal without what differs from pod to pod: paths, figures in brackets, times.
pub(super) fn reason(msg: &str, details: &str) -> String {
    let msg = msg.split(": /").next().unwrap_or(msg);
    let mut words = Vec::new();
    let mut is_inside = false;
    let mut all = details.split_inclusive(' ');
    while let Some(word) = all.next() {
        if word == "within " {
            // The time that follows ends the half-sentence, or does not.
            let time = all.next().unwrap_or_default();
            words.extend(time.contains(';').then_some("; "));
            continue;
        }
        is_inside |= word.starts_with('(');
        if !is_inside {
            words.push(word);
        } else if word.contains(");") {
            words.push("; ");
        }
        is_inside &= !word.contains(')');
    }
    let details = words.concat().replace(" ; ", "; ");
    let details = details.trim();
    match details.starts_with(|first: char| first.is_ascii_digit() || first == '/') {
        true => msg.to_owned(),
        false if details.is_empty() => msg.to_owned(),
        false if details.starts_with(msg) => details.to_owned(),
        false => format!("{msg}: {details}"),
    }
}

fn unreadable(stdout: &[u8]) -> PluginError {
    let text = String::from_utf8_lossy(stdout);
    PluginError::Unreadable { text: text.chars().take(SHOWN).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_result(text: &str, expected: &str) {
        let found = match addresses(text.as_bytes()) {
            Ok(addresses) => format!("{addresses:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    fn check_refusal(text: &str, expected: &str) {
        assert_eq!(refusal(text.as_bytes()).to_string(), expected, "{text}");
    }

    #[test]
    fn results_have_addresses() {
        check_result(
            r#"{"cniVersion": "1.0.0", "ips": [{"address": "10.0.1.5/28", "gateway": "10.0.0.3"}], "routes": []}"#,
            "[10.0.1.5]",
        );
        check_result(
            r#"{"ips": [{"address": "10.0.1.5/32"}, {"address": "fd00::1/128"}]}"#,
            "[10.0.1.5, fd00::1]",
        );
        let unreadable = |text: &str| {
            format!("the plugin's answer is neither a result with addresses nor an error: {text:?}")
        };
        for text in [r#"{"ips": []}"#, "{}", "", "oops", r#"{"ips": [{"address": "x"}]}"#] {
            check_result(text, &unreadable(text));
        }
        check_result(&"x".repeat(300), &unreadable(&"x".repeat(200)));
    }

    #[test]
    fn reasons_are_the_same_for_all_pods() {
        let check = |msg: &str, details: &str, expected: &str| {
            assert_eq!(reason(msg, details), expected, "{msg:?} {details:?}");
        };
        let tally = "(16 attached, 0 free, 16 used)";
        let none = "no free IPv4 address";
        let free = "no address is free";
        check(free, &format!("{none} {tally}"), "no address is free: no free IPv4 address");
        check(
            free,
            &format!("{none} within 501.3ms {tally}; the operator says: subnet-1 is exhausted"),
            "no address is free: no free IPv4 address; the operator says: subnet-1 is exhausted",
        );
        check("too many wait", "37 calls wait for an address already", "too many wait");
        check("not ready", "not ready: waiting for metadata", "not ready: waiting for metadata");
        check(
            "the agent is away: /run/a.sock cannot be connected to",
            "No such file or directory (os error 2)",
            "the agent is away: No such file or directory",
        );
        check("stopping", "", "stopping");
    }

    #[test]
    fn refusals_say_why() {
        check_refusal(
            r#"{"cniVersion": "1.0.0", "code": 11, "msg": "no free address", "details": "subnet-1 is exhausted"}"#,
            "no free address: subnet-1 is exhausted (code 11)",
        );
        check_refusal(r#"{"code": 4, "msg": "m"}"#, "m (code 4)");
        check_refusal(
            "",
            "the plugin's answer is neither a result with addresses nor an error: \"\"",
        );
    }
}
