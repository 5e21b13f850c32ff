//! What a scenario expects and was not so.

use super::Summary;
use super::words::{count, span};
use crate::plan::Expected;
use crate::record::Record;

pub(super) fn of(expected: &Expected, record: &Record, summary: &Summary) -> Vec<String> {
    let Expected { waiting_at_end, wait_p99, reasons, ec2_calls, ec2_changes, given_back } =
        expected;
    let mut unmet = Vec::new();
    if record.moments.is_empty() {
        unmet.push("nothing was seen: it ended before its first second".to_owned());
    }
    if let Some(most) = waiting_at_end.filter(|most| u64::from(*most) < summary.pods_waiting) {
        let waiting = count(summary.pods_waiting);
        unmet.push(format!("{waiting} pods wait at the end: expected no more than {most}"));
    }
    if let Some(most) = wait_p99 {
        let p99 = summary.waits.p99;
        if record.waits.is_empty() {
            unmet.push(format!("no pod got an address: expected waits (p99) of {}", span(*most)));
        } else if p99 > *most {
            let (p99, most) = (span(p99), span(*most));
            unmet.push(format!("waits (p99) were {p99}: expected no more than {most}"));
        }
    }
    let said = |label: &String| record.blocked.iter().any(|reason| reason.why == *label);
    let unsaid = reasons.iter().filter(|label| !said(label));
    unmet.extend(unsaid.map(|label| format!("no node was blocked for the reason {label}")));
    let made = summary.calls_made();
    if let Some(most) = ec2_calls.filter(|most| *most < made) {
        let (made, most) = (count(made), count(most));
        unmet.push(format!("{made} calls were made to EC2: expected no more than {most}"));
    }
    let changes = changes(summary);
    if let Some(most) = ec2_changes.filter(|most| *most < changes) {
        let (changes, most) = (count(changes), count(most));
        unmet.push(format!(
            "{changes} calls to EC2 were to change something: expected no more than {most}"
        ));
    }
    let returned = summary.given_back.addresses;
    if let Some(least) = given_back.filter(|least| *least > returned) {
        let (returned, least) = (count(returned), count(least));
        unmet.push(format!("{returned} addresses went back to EC2: expected {least} at least"));
    }
    unmet
}

/// Calls that do more than read.
fn changes(summary: &Summary) -> u64 {
    let reads = |action: &str| action.starts_with("Describe") || action.starts_with("Get");
    let changes = summary.calls.iter().filter(|(action, _)| !reads(action));
    changes.map(|(_, calls)| calls.made).sum()
}
