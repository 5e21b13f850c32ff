//! What came of a run.

mod table;
#[cfg(test)]
mod tests;
mod unmet;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

pub use self::words::span;
use crate::moment::{Calls, GivenBack, Moment, Node};
use crate::plan::Plan;
use crate::record::Record;

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The scenario.
    pub scenario: String,
    /// How long it ran.
    pub length: Duration,
    /// Pods that were made.
    pub pods_made: u64,
    /// Pods that got an address.
    pub pods_started: u64,
    /// Pods that still wait.
    pub pods_waiting: u64,
    /// How long pods waited for their address, from the moment they were made.
    pub waits: Waits,
    /// Calls to EC2, by action.
    pub calls: Vec<(&'static str, Calls)>,
    /// Addresses that the nodes had and no pod used: on average over the run.
    pub idle_mean: f64,
    /// The same at the end.
    pub idle_at_end: u32,
    /// What went back to EC2.
    pub given_back: GivenBack,
    /// Promises that were broken, each once, with the moment at which it was seen first.
    pub findings: Vec<(Duration, String)>,
    /// What the scenario expects and was not so.
    pub unmet: Vec<String>,
    /// Where the report lies.
    pub report: Option<PathBuf>,
}

/// Waits of pods: of 100, so many waited no longer. By nearest rank: each figure is a wait that occurred, the shortest that at
/// least so many of 100 did not exceed. All zero if there were none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waits {
    /// 50.
    pub p50: Duration,
    /// 99.
    pub p99: Duration,
    /// All.
    pub max: Duration,
}

impl Waits {
    /// Those of these pods, in any order.
    #[must_use]
    pub fn of(waits: &[Duration]) -> Self {
        let mut sorted = waits.to_vec();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let position = (sorted.len() * percent).div_ceil(100);
            sorted.get(position.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self { p50: rank(50), p99: rank(99), max: rank(100) }
    }
}

impl Summary {
    /// Pods that were ended before they had an address. Their waits are nowhere among [`Summary::waits`].
    #[must_use]
    pub fn pods_unserved(&self) -> u64 {
        self.pods_made.saturating_sub(self.pods_started).saturating_sub(self.pods_waiting)
    }

    /// Sums up what was seen of a plan.
    #[must_use]
    pub fn of(plan: &Plan, record: &Record, report: Option<PathBuf>) -> Self {
        let nothing = Moment::default();
        let last = record.moments.last().unwrap_or(&nothing);
        let mut summary = Self {
            scenario: plan.name.clone(),
            length: last.at,
            pods_made: last.pods.made,
            pods_started: last.pods.started,
            pods_waiting: last.pods.waiting,
            waits: Waits::of(&record.waits),
            calls: last.calls.iter().map(|(action, calls)| (*action, *calls)).collect(),
            idle_mean: idle_mean(&record.moments),
            idle_at_end: idle(last),
            given_back: last.given_back,
            findings: record.findings.clone(),
            unmet: Vec::new(),
            report,
        };
        summary.unmet = unmet::of(&plan.expected, record, &summary);
        summary
    }

    /// Whether every promise was kept and all was so that the scenario expects.
    #[must_use]
    pub const fn is_well(&self) -> bool {
        self.findings.is_empty() && self.unmet.is_empty()
    }

    /// All calls to EC2.
    #[must_use]
    pub fn calls_made(&self) -> u64 {
        self.calls.iter().map(|(_, calls)| calls.made).sum()
    }

    /// Calls to EC2 for each pod that got an address; nothing where none did.
    #[must_use]
    pub fn calls_per_pod(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts that are shown with two digits")]
        let ratio = self.calls_made() as f64 / self.pods_started as f64;
        (self.pods_started > 0).then_some(ratio)
    }

    /// What went back to EC2, in words.
    pub(crate) fn given_back(&self) -> String {
        let GivenBack { addresses, interfaces } = self.given_back;
        [(addresses, "address"), (interfaces, "interface")].map(words::counted).join(", ")
    }

    /// A table for people, at most 80 columns wide but for what is found.
    #[must_use]
    pub fn table(&self) -> String {
        table::of(self)
    }

    /// The same for machines. Times are in seconds.
    #[must_use]
    pub fn json(&self) -> Value {
        let calls = self.calls.iter().map(|(action, calls)| {
            let Calls { made, throttled, failed, bucket: _ } = calls;
            json!({ "action": action, "made": made, "throttled": throttled, "failed": failed })
        });
        let findings = self.findings.iter();
        let findings = findings.map(|(at, text)| json!({ "at": at.as_secs_f64(), "text": text }));
        json!({
            "scenario": self.scenario,
            "well": self.is_well(),
            "length": self.length.as_secs_f64(),
            "pods": {
                "made": self.pods_made,
                "started": self.pods_started,
                "waiting": self.pods_waiting,
                "unserved": self.pods_unserved(),
            },
            "waits": {
                "p50": self.waits.p50.as_secs_f64(),
                "p99": self.waits.p99.as_secs_f64(),
                "max": self.waits.max.as_secs_f64(),
            },
            "calls": calls.collect::<Vec<_>>(),
            "callsPerPod": self.calls_per_pod(),
            "idleAddresses": { "mean": self.idle_mean, "atEnd": self.idle_at_end },
            "givenBack": {
                "addresses": self.given_back.addresses,
                "interfaces": self.given_back.interfaces,
            },
            "findings": findings.collect::<Vec<_>>(),
            "unmet": self.unmet,
            "report": self.report,
        })
    }
}

/// Addresses that the nodes have and no pod uses: free ones, ones that rest, and ones that were promised away.
fn idle(moment: &Moment) -> u32 {
    let idle = |node: &Node| node.free.saturating_add(node.cooling).saturating_add(node.promised);
    moment.nodes.iter().map(idle).fold(0, u32::saturating_add)
}

/// On average: each moment counts for as long as until the next one.
fn idle_mean(moments: &[Moment]) -> f64 {
    let (mut sum, mut time) = (0.0, 0.0);
    for pair in moments.windows(2) {
        let lasted = pair[1].at.saturating_sub(pair[0].at).as_secs_f64();
        sum += f64::from(idle(&pair[0])) * lasted;
        time += lasted;
    }
    let alone = moments.first().map_or(0.0, |moment| f64::from(idle(moment)));
    if time > 0.0 { sum / time } else { alone }
}
