//! What is counted, for Prometheus.
//!
//! Names under `cilium_` are those of Cilium's agents, so that their dashboards go on working, with the meaning that is documented
//! there: `ipam_capacity` is all addresses of the node, as agents up to Cilium 1.19 have it. Those from 1.20 on fill in what is
//! free, so that used divided by capacity says nothing.
//!
//! What is counted as it happens is kept here. What is so at a moment is taken from the [`Status`] when somebody asks.

mod moment;

#[cfg(test)]
pub(crate) mod tests;

use std::net::IpAddr;
use std::time::Duration;

use berth_shell::metrics::Maker;
use ipam_core::agent::{Event, Status};
use ipam_core::pool::Family;
use prometheus::{Encoder, HistogramVec, IntCounter, IntCounterVec, Registry, TextEncoder};

use crate::keeper::{CallKind, Observer, Write};

/// What is counted. A clone counts on the same.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    ipam_events: IntCounterVec,
    add_seconds: HistogramVec,
    calls: IntCounterVec,
    waits: IntCounter,
    write_seconds: HistogramVec,
    records: IntCounter,
    lost_events: IntCounter,
    replayed: IntCounterVec,
    publications: IntCounterVec,
    kept: IntCounter,
    cut_short: IntCounter,
    host_changes: IntCounterVec,
    host_seconds: HistogramVec,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at nothing, in a registry of its own.
    #[must_use]
    pub fn new() -> Self {
        let make = Maker::default();
        Self {
            ipam_events: make.counters(
                "cilium_ipam_events_total",
                "Addresses handed out and given back",
                &["action", "family"],
            ),
            add_seconds: make.histograms(
                "berth_agent_add_duration_seconds",
                "ADDs inside the agent, the wait for an address included",
                &["outcome", "reason"],
                add_buckets(),
            ),
            calls: make.counters(
                "berth_agent_calls_total",
                "Calls that were answered",
                &["call", "outcome"],
            ),
            waits: make
                .counter("berth_agent_waits_total", "Calls that found no free address and waited"),
            write_seconds: make.histograms(
                "berth_agent_ledger_fsync_seconds",
                "Writes of the ledger until they were on disk",
                &["write", "result"],
                fsync_buckets(),
            ),
            records: make
                .counter("berth_agent_ledger_records_total", "Records that were made durable"),
            lost_events: make.counter(
                "berth_agent_lost_events_total",
                "Events that nobody looked at in time: neither logged nor counted",
            ),
            replayed: make.counters(
                "berth_agent_replayed_deletions_total",
                "DELs that plugins had queued while the agent was away",
                &["result"],
            ),
            publications: make.counters(
                "berth_agent_publications_total",
                "Writes of use and demand into the CiliumNode",
                &["result"],
            ),
            kept: make.counter(
                "berth_agent_release_refusals_total",
                "Used addresses that the operator asked back, and that were kept",
            ),
            cut_short: make.counter(
                "berth_agent_cool_downs_cut_short_total",
                "Addresses handed out before they had finished cooling down",
            ),
            host_changes: make.counters(
                "berth_agent_host_network_changes_total",
                "Changes of the host's devices, routes and rules: wanted, or the repair of drift",
                &["cause"],
            ),
            host_seconds: make.histograms(
                "berth_agent_host_network_wait_seconds",
                "How long answers waited for the host's network to carry their addresses",
                &["result"],
                add_buckets(),
            ),
            registry: make.registry,
        }
    }

    /// All metrics, in the text format of Prometheus; before there is a status, those that are counted.
    #[must_use]
    pub fn exposition(&self, status: Option<&Status>) -> String {
        let mut families = self.registry.gather();
        families.extend(status.into_iter().flat_map(|status| moment::registry(status).gather()));
        families.sort_by(|left, right| left.name().cmp(right.name()));
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
            tracing::error!(%error, "metrics cannot be written");
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Counts what the machine reports.
    pub fn on_event(&self, event: &Event) {
        match event {
            Event::Granted { address, cut_short, .. } => {
                self.on_address("allocate", *address);
                if *cut_short {
                    self.cut_short.inc();
                }
            }
            Event::Released { address, .. } => self.on_address("release", *address),
            Event::Expired(expired) => self.on_address("release", expired.address),
            Event::Waits { .. } => self.waits.inc(),
            Event::Kept { .. } => self.kept.inc(),
            _ => {}
        }
    }

    fn on_address(&self, action: &str, address: IpAddr) {
        self.ipam_events.with_label_values(&[action, family(Family::of(address))]).inc();
    }

    /// DELs were replayed: so many with that result, `done`, `kept` or `unreadable`.
    pub fn on_replayed(&self, result: &str, count: usize) {
        self.replayed.with_label_values(&[result]).inc_by(count.try_into().unwrap_or(u64::MAX));
    }

    /// So many changes of the host's network were made, because they were `wanted` or because of `drift`.
    pub fn on_host_changes(&self, cause: &str, count: usize) {
        self.host_changes.with_label_values(&[cause]).inc_by(count.try_into().unwrap_or(u64::MAX));
    }

    /// An answer waited so long for the host's network, which was `ready`, became so while it `waited`, or was not: `failed`.
    pub fn on_host_ensured(&self, result: &str, took: Duration) {
        self.host_seconds.with_label_values(&[result]).observe(took.as_secs_f64());
    }

    /// A publication ended: `written` or `failed`.
    pub fn on_publication(&self, result: &str) {
        self.publications.with_label_values(&[result]).inc();
    }
}

impl Observer for Metrics {
    fn on_answer(&self, kind: CallKind, outcome: &'static str, took: Duration) {
        self.calls.with_label_values(&[kind.label(), outcome]).inc();
        if kind == CallKind::Add {
            let labels = if outcome == "granted" { [outcome, ""] } else { ["refused", outcome] };
            self.add_seconds.with_label_values(&labels).observe(took.as_secs_f64());
        }
    }

    fn on_write(&self, write: &Write) {
        let kind = if write.anew { "anew" } else { "append" };
        let result = if write.done { "done" } else { "failed" };
        self.write_seconds.with_label_values(&[kind, result]).observe(write.took.as_secs_f64());
        if write.done {
            self.records.inc_by(write.records.try_into().unwrap_or(u64::MAX));
        }
    }

    fn on_lost_event(&self) {
        self.lost_events.inc();
    }
}

/// As Cilium's agents call it.
const fn family(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "ipv4",
        Family::Ipv6 => "ipv6",
    }
}

/// From an answer out of memory to the longest wait.
fn add_buckets() -> Vec<f64> {
    vec![
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
        2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
    ]
}

/// From a file system in memory to a disk that is throttled.
fn fsync_buckets() -> Vec<f64> {
    vec![
        0.000_01, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05,
        0.1, 0.25, 0.5, 1.0, 5.0,
    ]
}
