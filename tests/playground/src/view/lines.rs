//! A line a second, for logs: fixed columns that words stand beside, so that they can be searched.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::words::{clock, count, one_line, reasons};
use crate::moment::{Moment, Node, NodeState};
use crate::news;

/// Reasons that a line names.
const REASONS: usize = 3;

/// Lines that are written somewhere.
#[derive(Debug)]
pub(super) struct Lines<W> {
    to: W,
    /// The second of the last line.
    second: Option<u64>,
    /// The last thing that happened that was seen.
    seen: Option<news::Line>,
    findings: BTreeSet<String>,
}

impl<W: Write> Lines<W> {
    pub(super) const fn new(to: W) -> Self {
        Self { to, second: None, seen: None, findings: BTreeSet::new() }
    }

    /// Writes what is new: troubles and findings, each once, and a line if another second has begun since the last one.
    pub(super) fn show(&mut self, moment: &Moment, news: &[news::Line]) -> io::Result<()> {
        let mut new: Vec<String> = Vec::new();
        for line in unseen(self.seen.as_ref(), news).iter().filter(|line| line.is_trouble) {
            new.push(format!("{:>6}  trouble: {}\n", clock(line.at), one_line(&line.text)));
        }
        if let Some(last) = news.last() {
            self.seen = Some(last.clone());
        }
        for finding in &moment.findings {
            if self.findings.insert(finding.clone()) {
                new.push(format!("{:>6}  finding: {}\n", clock(moment.at), one_line(finding)));
            }
        }
        if self.second != Some(moment.at.as_secs()) {
            self.second = Some(moment.at.as_secs());
            new.push(status(moment) + "\n");
        }
        self.to.write_all(new.concat().as_bytes())?;
        self.to.flush()
    }
}

/// What happened after `seen`. If that is no longer among the lines, what is later than it.
fn unseen<'a>(seen: Option<&news::Line>, news: &'a [news::Line]) -> &'a [news::Line] {
    let Some(seen) = seen else { return news };
    let after = match news.iter().rposition(|line| line == seen) {
        Some(place) => place + 1,
        None => news.partition_point(|line| line.at <= seen.at),
    };
    &news[after..]
}

/// A moment in a line. What varies in length stands at the end.
pub(super) fn status(moment: &Moment) -> String {
    let sum = |of: fn(&Node) -> u32| moment.nodes.iter().map(|node| u64::from(of(node))).sum();
    let (used, free, cooling): (u64, u64, u64) =
        (sum(|node| node.used), sum(|node| node.free), sum(|node| node.cooling));
    let ours = moment.nodes.iter().filter(|node| node.state != NodeState::Foreign);
    let (ready, all) = ours.fold((0, 0), |(ready, all), node| {
        (ready + usize::from(node.state == NodeState::Ready), all + 1)
    });
    let (made, throttled, failed) = moment.calls.values().fold((0, 0, 0), |sums, calls| {
        (sums.0 + calls.made, sums.1 + calls.throttled, sums.2 + calls.failed)
    });
    let (pods, findings) = (moment.pods, moment.findings.len());
    let nodes = format!("{ready}/{all}");
    format!(
        "{:>6}  nodes {nodes:>7}  pods {:>5} running {:>4} waiting {:>6} started  \
         addresses {used:>5} used {free:>5} free {cooling:>5} cooling  \
         ec2 {made:>6} calls {throttled:>4} throttled {failed:>4} failed  findings {findings}{}{}",
        clock(moment.at),
        pods.running,
        pods.waiting,
        pods.started,
        operator(moment),
        why(moment),
    )
}

fn operator(moment: &Moment) -> String {
    match moment.operator.as_str() {
        "" => String::new(),
        operator => format!("  operator {}", one_line(operator)),
    }
}

/// Why pods wait: `  (no free address: 2, not placed on a node yet: 1)`.
fn why(moment: &Moment) -> String {
    let reasons = reasons(&moment.waiting);
    if reasons.is_empty() {
        return String::new();
    }
    let mut shown: Vec<String> =
        reasons.iter().take(REASONS).map(|(count, why)| format!("{why}: {count}")).collect();
    if reasons.len() > REASONS {
        shown.push(count(reasons.len() - REASONS, "more reason"));
    }
    format!("  ({})", shown.join(", "))
}
