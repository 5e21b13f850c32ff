//! What is counted, for Prometheus.
//!
//! Names under `cilium_operator_` are those of Cilium's operator, so that its dashboards go on working. The differences:
//!
//! * `ipam_available_ips` is what its description says, addresses of a node that are free to use. Cilium's operator fills in the
//!   capacity, which is `berth_node_capacity_ips` here.
//! * `ipam_interface_candidates` and `ipam_empty_interface_slots` are filled in; there they stay 0.
//! * `ipam_ip_allocation_ops` counts the addresses that came, 16 for each prefix; there, those that were asked for.
//! * `ipam_allocation_duration_seconds` measures one call to EC2. There, `createInterfaceAndAllocateIP` is several.
//! * `ipam_resync_total` and `ipam_background_sync_duration_seconds` speak of complete listings, of which there is one per leadership.
//! * `ipam_ip_release_ops` counts the addresses that were given back, 16 for each prefix, in both contracts.
//! * The metrics of its queues (`deficit_resolver`, `k8s_sync`, `resync`) do not exist: neither do those queues.
//!
//! What is counted as it happens is kept here. What is so at a moment is put together when somebody asks (`moment`), so
//! that a node that is gone leaves nothing behind.

mod moment;

#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use berth_shell::metrics::Maker;
use ipam_core::action::Action;
use ipam_core::call::Api;
use ipam_core::failure::Failure;
use ipam_core::reconcile::Event;
use ipam_core::release::size;
use ipam_core::time::Tick;
use prometheus::{
    DEFAULT_BUCKETS, Encoder, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec,
    Registry, TextEncoder,
};

use crate::board::State;
use crate::summaries::Summaries;

/// What is counted. A clone counts on the same.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    allocations: IntCounterVec,
    releases: IntCounterVec,
    release_seconds: HistogramVec,
    creations: IntCounterVec,
    detachments: IntCounterVec,
    deletions: IntCounterVec,
    repairs: IntCounterVec,
    cleaned_up: IntCounter,
    allocation_seconds: HistogramVec,
    api_seconds: HistogramVec,
    rate_limit_seconds: HistogramVec,
    resyncs: IntCounter,
    sync_seconds: HistogramVec,
    first_address_seconds: Histogram,
    wait_seconds: HistogramVec,
    failures: IntCounterVec,
    findings: IntCounterVec,
    unreadable: IntCounterVec,
    would_change: IntCounterVec,
    rivals: IntCounter,
    publications: IntCounterVec,
    publication_failures: IntCounterVec,
    permissions: GaugeVec,
    turns: IntCounter,
}

impl Metrics {
    /// Everything at nothing, in a registry of its own.
    #[must_use]
    pub(crate) fn new() -> Self {
        let make = Maker::default();
        Self {
            allocations: make.counters("cilium_operator_ipam_ip_allocation_ops", "Addresses that came, 16 for each prefix", &["subnet_id"]),
            releases: make.counters("cilium_operator_ipam_ip_release_ops", "Addresses that were given back, 16 for each prefix", &["subnet_id"]),
            release_seconds: make.histograms("cilium_operator_ipam_release_duration_seconds", "Calls to EC2 that give addresses back", &["type", "status", "subnet_id"], allocation_buckets()),
            creations: make.counters("cilium_operator_ipam_interface_creation_ops", "Interfaces that were made", &["subnet_id"]),
            detachments: make.counters("berth_enis_detached_total", "Interfaces that held nothing for long enough and were detached", &["subnet_id"]),
            deletions: make.counters("berth_enis_deleted_total", "Interfaces of nodes that were deleted: those that were detached, and those that could not be attached", &["subnet_id"]),
            repairs: make.counters("berth_security_groups_repaired_total", "Interfaces that were put back behind their security groups", &["subnet_id"]),
            cleaned_up: make.counter("berth_enis_cleaned_up_total", "Interfaces that no node claimed and that were deleted"),
            allocation_seconds: make.histograms("cilium_operator_ipam_allocation_duration_seconds", "Calls to EC2 that bring addresses", &["type", "status", "subnet_id"], allocation_buckets()),
            api_seconds: make.histograms("cilium_operator_ec2_api_duration_seconds", "Calls to EC2", &["operation", "response_code"], DEFAULT_BUCKETS.to_vec()),
            rate_limit_seconds: make.histograms("cilium_operator_ec2_api_rate_limit_duration_seconds", "Calls that waited for their turn: how long", &["operation"], DEFAULT_BUCKETS.to_vec()),
            resyncs: make.counter("cilium_operator_ipam_resync_total", "Complete listings"),
            sync_seconds: make.histograms("cilium_operator_ipam_background_sync_duration_seconds", "Complete listings: how long", &["status"], DEFAULT_BUCKETS.to_vec()),
            first_address_seconds: make.histogram("berth_time_to_first_address_seconds", "From the first sight of a node to its first address for pods", wait_buckets()),
            wait_seconds: make.histograms("berth_ec2_wait_seconds", "All calls: how long they waited for their turn", &["action"], wait_buckets()),
            failures: make.counters("berth_ec2_failures_total", "Calls that failed", &["action", "failure"]),
            findings: make.counters("berth_audit_findings_total", "Differences that nothing here explains, between what was known and what was observed", &["kind"]),
            unreadable: make.counters("berth_ec2_unreadable_total", "Entries of listings that could not be read", &["action"]),
            would_change: make.counters("berth_would_change_total", "Changes that mode observe kept back", &["action"]),
            rivals: make.counter("berth_rivals_total", "How often somebody else was found doing the operator's work"),
            publications: make.counters("berth_publications_total", "Writes of CiliumNodes", &["part"]),
            publication_failures: make.counters("berth_publication_failures_total", "Writes of CiliumNodes that failed", &["kind"]),
            permissions: make.gauges("berth_permission_missing", "1 for each action of EC2 that is not allowed", &["action"]),
            turns: make.counter("berth_loop_turns_total", "How often the loop had something to do"),
            registry: make.registry,
        }
    }

    /// All metrics, in the text format of Prometheus.
    pub(crate) fn exposition(&self, nodes: &Summaries, state: &State, now: Tick) -> String {
        let mut families = self.registry.gather();
        families.extend(moment::registry(nodes, state, now).gather());
        families.sort_by(|left, right| left.name().cmp(right.name()));
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
            tracing::error!(%error, "metrics cannot be written");
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// One attempt of a call to EC2 ended: its action, `OK` or what EC2 answered or `Failed`, and how long it took.
    pub fn on_attempt(&self, operation: &str, response: &str, took: Duration) {
        self.api_seconds.with_label_values(&[operation, response]).observe(took.as_secs_f64());
    }

    /// A `CiliumNode` was written.
    pub(crate) fn on_published(&self, part: &str) {
        self.publications.with_label_values(&[part]).inc();
    }

    /// A write of a `CiliumNode` failed.
    pub(crate) fn on_publication_failed(&self, kind: &str) {
        self.publication_failures.with_label_values(&[kind]).inc();
    }

    /// Somebody else lost the lead or this one did: what is missing is found out anew.
    pub(crate) fn forget_permissions(&self) {
        self.permissions.reset();
    }

    /// The loop had something to do.
    pub(crate) fn on_turn(&self) {
        self.turns.inc();
    }

    /// Counts what the machine reports.
    pub(crate) fn on_event(&self, event: &Event) {
        match event {
            Event::ViewComplete { nodes: _, enis: _, took } => {
                self.resyncs.inc();
                self.sync_seconds.with_label_values(&["success"]).observe(took.as_secs_f64());
            }
            Event::Sent { call: _, api, change: _, waited } => self.on_sent(*api, *waited),
            Event::Changed { node: _, action, subnet, addresses, took } => {
                let subnet = subnet.as_ref().map_or("", |subnet| subnet.as_str());
                self.on_changed(action, subnet, *addresses, *took);
            }
            Event::Failed { api, change, subnet, failure, took } => {
                let subnet = subnet.as_ref().map_or("", |subnet| subnet.as_str());
                self.on_failed(
                    *api,
                    change.as_ref().map(|(_, action)| action),
                    subnet,
                    failure,
                    *took,
                );
            }
            Event::FirstAddress { node: _, took } => {
                self.first_address_seconds.observe(took.as_secs_f64());
            }
            Event::WouldChange { node: _, action } => {
                self.would_change.with_label_values(&[action.api().name()]).inc();
            }
            Event::CleanedUp { .. } => self.cleaned_up.inc(),
            Event::CleanUpFailed { failure, .. } => self.count_failure(CLEAN_UP, failure),
            Event::WouldCleanUp { .. } => {
                self.would_change.with_label_values(&[CLEAN_UP.name()]).inc();
            }
            Event::Found { node: _, finding } => {
                self.findings.with_label_values(&[finding.label()]).inc();
            }
            Event::Unreadable { api, what: _ } => {
                self.unreadable.with_label_values(&[api.name()]).inc();
            }
            Event::PermissionMissing { api } => {
                self.permissions.with_label_values(&[api.name()]).set(1.0);
            }
            // It fails when there is no such series, and then there is nothing to take away.
            Event::PermissionBack { api } => {
                let _absent = self.permissions.remove_label_values(&[api.name()]);
            }
            Event::RivalFound { .. } => self.rivals.inc(),
            Event::Blocked { .. }
            | Event::CleanUpOff
            | Event::LimitsRefused { .. }
            | Event::RivalGone { .. }
            | Event::NodeForgotten { .. } => {}
        }
    }

    fn on_sent(&self, api: Api, waited: Duration) {
        let seconds = waited.as_secs_f64();
        self.wait_seconds.with_label_values(&[api.name()]).observe(seconds);
        if !waited.is_zero() {
            self.rate_limit_seconds.with_label_values(&[api.name()]).observe(seconds);
        }
    }

    fn on_changed(&self, action: &Action, subnet: &str, addresses: u32, took: Duration) {
        if addresses > 0 {
            self.allocations.with_label_values(&[subnet]).inc_by(addresses.into());
        }
        let released: u32 = action.gives_back().map(size).sum();
        if released > 0 {
            self.releases.with_label_values(&[subnet]).inc_by(released.into());
        }
        let counted = match action {
            Action::CreateEni(_) => Some(&self.creations),
            Action::DetachEni { .. } => Some(&self.detachments),
            Action::DeleteEni { .. } => Some(&self.deletions),
            Action::SetSecurityGroups { .. } => Some(&self.repairs),
            _ => None,
        };
        if let Some(series) = counted {
            series.with_label_values(&[subnet]).inc();
        }
        self.on_allocation(action, "success", subnet, took);
    }

    fn on_failed(
        &self,
        api: Api,
        action: Option<&Action>,
        subnet: &str,
        failure: &Failure,
        took: Duration,
    ) {
        self.count_failure(api, failure);
        if let Some(action) = action {
            self.on_allocation(action, status_of_failed(action), subnet, took);
        }
    }

    fn count_failure(&self, api: Api, failure: &Failure) {
        self.failures.with_label_values(&[api.name(), failure.label()]).inc();
    }

    fn on_allocation(&self, action: &Action, status: &str, subnet: &str, took: Duration) {
        let Some(kind) = kind_of(action) else { return };
        let series = match action.api() {
            Api::UnassignPrivateIpAddresses => &self.release_seconds,
            _ => &self.allocation_seconds,
        };
        let series = series.with_label_values(&[kind, status, subnet]);
        series.observe(took.as_secs_f64());
    }
}

/// What it takes to clean up.
const CLEAN_UP: Api = Api::DeleteNetworkInterface;

/// What Cilium's operator calls a step; `None` for one that it does not time.
const fn kind_of(action: &Action) -> Option<&'static str> {
    match action {
        Action::AssignAddresses { .. }
        | Action::AssignPrefixes { .. }
        | Action::AssignIpv6Prefix { .. } => Some("allocateIP"),
        Action::CreateEni(_) | Action::AttachEni { .. } | Action::SetDeleteOnTermination { .. } => {
            Some("createInterfaceAndAllocateIP")
        }
        Action::UnassignAddresses { .. } => Some("releaseIP"),
        Action::UnassignPrefixes { .. } => Some("releaseIPPrefixes"),
        Action::DetachEni { .. } | Action::SetSecurityGroups { .. } | Action::DeleteEni { .. } => {
            None
        }
    }
}

/// What Cilium's operator calls the failure of a step.
const fn status_of_failed(action: &Action) -> &'static str {
    match action {
        Action::CreateEni(_) => "unableToCreateENI",
        Action::AttachEni { .. } => "unableToAttachENI",
        Action::SetDeleteOnTermination { .. } => "unableToMarkENIForDeletion",
        Action::AssignAddresses { .. }
        | Action::AssignPrefixes { .. }
        | Action::AssignIpv6Prefix { .. }
        | Action::UnassignAddresses { .. }
        | Action::UnassignPrefixes { .. }
        | Action::DetachEni { .. }
        | Action::SetSecurityGroups { .. }
        | Action::DeleteEni { .. } => "failed",
    }
}

/// Those of Cilium's operator, which its dashboards expect.
fn allocation_buckets() -> Vec<f64> {
    [0.0, 0.25, 0.5].into_iter().chain((1..=60).map(f64::from)).collect()
}

/// From at once to the half hour that thousands of nodes take at AWS's default limits.
fn wait_buckets() -> Vec<f64> {
    vec![0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0]
}
