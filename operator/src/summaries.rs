//! What is shown of nodes: kept by the loop, read by whoever asks, neither waiting for the other.

use std::cmp::Reverse;

use dashmap::DashMap;
use ipam_core::ids::NodeName;
use ipam_core::reconcile::Summary;
use ipam_core::time::Tick;
use ipam_core::view::Contract;
use serde::Serialize;

/// The nodes as the loop last saw them.
#[derive(Debug, Default)]
pub struct Summaries {
    by_name: DashMap<NodeName, Summary>,
}

impl Summaries {
    /// A node is new or different, or with `None` gone. Answers what was known of it before.
    pub(crate) fn set(&self, name: &NodeName, summary: Option<Summary>) -> Option<Summary> {
        match summary {
            Some(summary) => self.by_name.insert(name.clone(), summary),
            None => self.by_name.remove(name).map(|(_, before)| before),
        }
    }

    /// Nothing is known any more: somebody else leads.
    pub(crate) fn clear(&self) {
        self.by_name.clear();
    }

    /// One node.
    #[must_use]
    pub fn row(&self, name: &str, now: Tick) -> Option<Row> {
        let name = name.parse::<NodeName>().ok()?;
        self.by_name.get(&name).map(|summary| Row::new(&summary, now))
    }

    /// All nodes, by name.
    #[must_use]
    pub fn rows(&self, now: Tick) -> Vec<Row> {
        let mut rows: Vec<Row> = self.by_name.iter().map(|entry| Row::new(&entry, now)).collect();
        rows.sort_by(|left, right| left.name.cmp(&right.name));
        rows
    }

    /// Looks at every node, in no order.
    pub(crate) fn each(&self, mut look: impl FnMut(&Summary)) {
        for entry in &self.by_name {
            look(&entry);
        }
    }
}

/// One node as `/nodes` shows it. Figures are IPv4 addresses for pods unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its instance; absent while it does not say which.
    pub instance: Option<String>,
    /// Its instance type; absent like the instance.
    pub instance_type: Option<String>,
    /// What its agent speaks: `per-ip` or `cidr`.
    pub contract: &'static str,
    /// How new addresses come: `prefixes` or `addresses`.
    pub mode: &'static str,
    /// Attached interfaces.
    pub enis: u32,
    /// Addresses it has.
    pub available: u32,
    /// Addresses in use.
    pub used: u32,
    /// Addresses it has and does not use.
    pub free: u32,
    /// Addresses it lacks.
    pub needed: u32,
    /// Addresses it could hold; absent while its limits are not known.
    pub capacity: Option<u32>,
    /// Addresses on their way back to EC2, those included that its agent was asked for and may still keep.
    pub leaving: u32,
    /// Addresses above what it keeps, those included that are leaving, whether or not they may.
    pub to_spare: u32,
    /// Why those are still there; absent while it has none to spare.
    pub kept: Option<KeptRow>,
    /// Attached interfaces that hold nothing and that it does not need, whether or not they may leave.
    pub idle_enis: u32,
    /// Interfaces that are not published any more or being detached.
    pub leaving_enis: u32,
    /// Pods that wait for an address.
    pub waiting: u32,
    /// Changes that were sent and not answered.
    pub in_flight: u32,
    /// What keeps it from what it wants, the most missing addresses first.
    pub blocked: Vec<BlockedRow>,
    /// Whether it is left alone because it asks for it.
    pub ignored: bool,
    /// Since it was seen first.
    pub age_seconds: u64,
    /// Since EC2 last said how it is; absent: never.
    pub observed_seconds_ago: Option<u64>,
}

/// Why a node does not get what it wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlockedRow {
    /// A short fixed name.
    pub reason: &'static str,
    /// A sentence with the particulars.
    pub text: String,
    /// How many addresses the node stays short.
    pub short: u32,
}

/// Why a node still has what it could give back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptRow {
    /// A short fixed name.
    pub reason: &'static str,
    /// A sentence with what to do.
    pub text: String,
}

impl Row {
    fn new(summary: &Summary, now: Tick) -> Self {
        let Summary {
            name,
            instance,
            instance_type,
            contract,
            prefixes,
            enis,
            available,
            used,
            needed,
            capacity,
            remaining_interfaces: _,
            candidates: _,
            empty_slots: _,
            leaving,
            to_spare,
            kept,
            idle_enis,
            leaving_enis,
            waiting_pods,
            in_flight,
            blocked,
            ignored,
            since,
            observed,
        } = summary;
        let mut blocked: Vec<BlockedRow> = blocked
            .iter()
            .map(|blocked| BlockedRow {
                reason: blocked.reason.label(),
                text: blocked.reason.to_string(),
                short: blocked.short,
            })
            .collect();
        blocked.sort_by_key(|row| Reverse(row.short));
        Self {
            name: name.to_string(),
            instance: instance.as_ref().map(ToString::to_string),
            instance_type: instance_type.as_ref().map(ToString::to_string),
            contract: contract_name(*contract),
            mode: if *prefixes { "prefixes" } else { "addresses" },
            enis: *enis,
            available: *available,
            used: *used,
            free: free(summary),
            needed: *needed,
            capacity: *capacity,
            leaving: *leaving,
            to_spare: *to_spare,
            kept: kept.map(|kept| KeptRow { reason: kept.label(), text: kept.to_string() }),
            idle_enis: *idle_enis,
            leaving_enis: *leaving_enis,
            waiting: *waiting_pods,
            in_flight: *in_flight,
            blocked,
            ignored: *ignored,
            age_seconds: now.since(*since).as_secs(),
            observed_seconds_ago: observed.map(|observed| now.since(observed).as_secs()),
        }
    }
}

/// Addresses that a node has and does not use. An agent may report more than there are for a moment.
pub(crate) const fn free(summary: &Summary) -> u32 {
    summary.available.saturating_sub(summary.used)
}

const fn contract_name(contract: Contract) -> &'static str {
    match contract {
        Contract::PerIp => "per-ip",
        Contract::Cidr => "cidr",
    }
}
