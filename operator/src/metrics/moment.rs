//! What is so at the moment of asking, put together anew each time.

use std::collections::BTreeMap;

use berth_shell::metrics::Maker;
use ipam_core::budget::Budget;
use ipam_core::call::Api;
use ipam_core::reconcile::{Mode, Summary};
use ipam_core::time::Tick;
use prometheus::Registry;

use crate::board::{Readiness, State};
use crate::summaries::{Summaries, free};

/// A registry that says how it is now.
pub(super) fn registry(nodes: &Summaries, state: &State, now: Tick) -> Registry {
    let make = Maker::default();
    on_operator(&make, state);
    on_nodes(&make, nodes, now);
    on_subnets(&make, state);
    if let Some(budget) = &state.budget {
        on_budget(&make, budget, now);
    }
    make.registry
}

fn on_operator(make: &Maker, state: &State) {
    let leads = state.readiness.is_leading();
    make.gauge("berth_leader", "1 where this replica leads").set(flag(leads));
    let complete = state.readiness == Readiness::Ready;
    make.gauge(
        "berth_view_complete",
        "1 when everything is known that must be known before anything is changed",
    )
    .set(flag(complete));
    let mode = make.gauges("berth_mode", "1 for what the operator may do", &["mode"]);
    for (name, value) in
        [("normal", Mode::Normal), ("no-release", Mode::NoRelease), ("observe", Mode::Observe)]
    {
        mode.with_label_values(&[name]).set(flag(state.mode == Some(value)));
    }
    make.gauge("berth_ec2_calls_in_flight", "Calls on their way to EC2")
        .set(real(state.calls_in_flight));
    make.gauge("berth_publications_in_flight", "Writes of CiliumNodes on their way")
        .set(real(state.writes_in_flight));
    make.gauge(
        "berth_crd_members_missing",
        "Members that the installed CRD lacks, and which get lost",
    )
    .set(real(state.crd_lacks));
    if let Some(count) = state.unclaimed_enis {
        make.gauge(
            "berth_unclaimed_enis",
            "Interfaces of this cluster that are attached to nothing and that no node claims",
        )
        .set(real(count));
    }
    if let Some(watched) = state.pods_watched {
        make.gauge("berth_pod_watch_up", "1 while waiting pods are seen").set(flag(watched));
    }
}

/// The nodes in sum.
#[derive(Default)]
struct Sums {
    total: usize,
    in_deficit: usize,
    at_capacity: usize,
    ignored: usize,
    candidates: u32,
    empty_slots: u32,
    leaving: u32,
    to_spare: BTreeMap<&'static str, u32>,
    idle_enis: u32,
    leaving_enis: u32,
    waiting_pods: u32,
    blocked: BTreeMap<&'static str, usize>,
    oldest: Option<Tick>,
}

impl Sums {
    fn add(&mut self, node: &Summary) {
        if node.ignored {
            self.ignored += 1;
            return;
        }
        self.total += 1;
        self.in_deficit += usize::from(node.needed > 0);
        self.at_capacity += usize::from(node.remaining_interfaces == 0 && free(node) == 0);
        self.candidates += node.candidates;
        self.empty_slots += node.empty_slots;
        self.leaving += node.leaving;
        if let Some(kept) = node.kept {
            *self.to_spare.entry(kept.label()).or_default() += node.to_spare;
        }
        self.idle_enis += node.idle_enis;
        self.leaving_enis += node.leaving_enis;
        self.waiting_pods += node.waiting_pods;
        let mut reasons: Vec<&str> =
            node.blocked.iter().map(|blocked| blocked.reason.label()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            *self.blocked.entry(reason).or_default() += 1;
        }
        let seen = node.observed.unwrap_or(node.since);
        self.oldest = Some(self.oldest.map_or(seen, |oldest| oldest.min(seen)));
    }
}

fn on_nodes(make: &Maker, nodes: &Summaries, now: Tick) {
    let of_node = |name, help| make.gauges(name, help, &["target_node"]);
    let available =
        of_node("cilium_operator_ipam_available_ips", "Addresses of a node that are free to use");
    let used = of_node("cilium_operator_ipam_used_ips", "Addresses of a node in use");
    let needed = of_node("cilium_operator_ipam_needed_ips", "Addresses that a node lacks");
    let capacity = of_node("berth_node_capacity_ips", "Addresses that a node could hold");
    let mut sums = Sums::default();
    nodes.each(|node| {
        sums.add(node);
        let name = [node.name.as_str()];
        available.with_label_values(&name).set(free(node).into());
        used.with_label_values(&name).set(node.used.into());
        needed.with_label_values(&name).set(node.needed.into());
        if let Some(figure) = node.capacity {
            capacity.with_label_values(&name).set(figure.into());
        }
    });
    on_sums(make, &sums, now);
}

fn on_sums(make: &Maker, sums: &Sums, now: Tick) {
    let nodes = make.gauges(
        "cilium_operator_ipam_nodes",
        "Nodes: all, those that lack addresses, those that have none free and no room",
        &["category"],
    );
    let categories =
        [("total", sums.total), ("in-deficit", sums.in_deficit), ("at-capacity", sums.at_capacity)];
    for (category, count) in categories {
        nodes.with_label_values(&[category]).set(real(count));
    }
    make.gauge("cilium_operator_ipam_interface_candidates", "Interfaces with free slots")
        .set(sums.candidates.into());
    make.gauge(
        "cilium_operator_ipam_empty_interface_slots",
        "Interfaces that nodes could still take",
    )
    .set(sums.empty_slots.into());
    make.gauge("berth_leaving_ips", "Addresses on their way back to EC2").set(sums.leaving.into());
    let to_spare = make.gauges(
        "berth_spare_ips",
        "Addresses that nodes could give back, by why they are still there",
        &["reason"],
    );
    for (reason, count) in &sums.to_spare {
        to_spare.with_label_values(&[reason]).set((*count).into());
    }
    make.gauge(
        "berth_leaving_enis",
        "Interfaces that are not published any more or being detached",
    )
    .set(sums.leaving_enis.into());
    make.gauge("berth_idle_enis", "Attached interfaces that hold nothing and that no node needs")
        .set(sums.idle_enis.into());
    make.gauge("berth_waiting_pods", "Pods that wait for an address").set(sums.waiting_pods.into());
    make.gauge("berth_ignored_nodes", "Nodes that ask to be left alone").set(real(sums.ignored));
    let blocked = make.gauges(
        "berth_blocked_nodes",
        "Nodes that do not get what they want, by reason",
        &["reason"],
    );
    for (reason, count) in &sums.blocked {
        blocked.with_label_values(&[reason]).set(real(*count));
    }
    let age = sums.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
    make.gauge(
        "berth_view_age_seconds",
        "How long ago the node was observed whose observation is oldest",
    )
    .set(age);
}

fn on_subnets(make: &Maker, state: &State) {
    let free = make.gauges(
        "cilium_operator_ipam_available_ips_per_subnet",
        "Free addresses of a subnet, as EC2 counts them",
        &["subnet_id", "availability_zone"],
    );
    for (subnet, zone, count) in &state.subnets {
        free.with_label_values(&[subnet.as_str(), zone.as_str()]).set((*count).into());
    }
}

fn on_budget(make: &Maker, budget: &Budget, now: Tick) {
    let level =
        make.gauges("berth_ec2_budget_level", "Calls that may be made at once", &["action"]);
    let factor = make.gauges(
        "berth_ec2_budget_factor",
        "Part of the configured pace that is used since EC2 last throttled",
        &["action"],
    );
    for api in Api::ALL {
        level.with_label_values(&[api.name()]).set(budget.level(now, *api));
        factor.with_label_values(&[api.name()]).set(budget.factor(now, *api));
    }
}

const fn flag(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}

/// Exact up to four billion, more than there can be.
fn real(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
