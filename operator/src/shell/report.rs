//! What is said of what happened: lines of the log, and events on Nodes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ipam_core::action::{Action, Listed};
use ipam_core::call::Api;
use ipam_core::failure::{Failure, Remedy};
use ipam_core::ids::NodeName;
use ipam_core::reason::Blocked;
use ipam_core::reconcile::{Event, Finding, Mode, Rival, RivalDeed};
use ipam_core::release::size;
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use crate::board::Board;
use crate::kubernetes::events::NodeEvents;
use crate::kubernetes::publish::{Part, PublishEvent};
use crate::metrics::Metrics;
use crate::settings::Settings;

#[cfg(test)]
mod tests;

/// Writes a line for what the machine reports: decisions at debug, what changed at info, what somebody may have to do
/// something about at warn.
fn log(event: &Event, said: &mut Said) {
    match event {
        Event::ViewComplete { nodes, enis, took } => {
            info!(nodes, enis, ?took, "the view is complete");
        }
        Event::Sent { call, api, change: Some((node, action)), waited } => {
            debug!(call = call.0, %api, %node, %action, ?waited, "sent");
        }
        Event::Sent { call, api, change: None, waited } => {
            debug!(call = call.0, %api, ?waited, "sent");
        }
        Event::Changed { node, action, subnet: _, addresses: came, took } => {
            let went: u32 = action.gives_back().map(size).sum();
            info!(%node, %action, came, went, ?took, "changed");
        }
        Event::Failed { api, change, subnet: _, failure, took: _ } => {
            log_failure(*api, change.as_ref(), failure);
        }
        Event::FirstAddress { node, took } => info!(%node, ?took, "the node has its first address"),
        Event::Blocked { node, blocked } => log_blocked(node, blocked, said.is_new(node, blocked)),
        Event::WouldChange { node, action } => info!(%node, %action, "would be done"),
        Event::CleanedUp { .. }
        | Event::CleanUpFailed { .. }
        | Event::WouldCleanUp { .. }
        | Event::CleanUpOff => log_clean_up(event),
        Event::Found { node, finding: Finding::GroupsDrifted { eni, found, wanted } } => {
            let (found, wanted) = (Listed(found), Listed(wanted));
            warn!(%node, %eni, %found, %wanted, "the interface is behind other security groups than a new one would get: it is put \
                behind those where mode and permissions allow it; --repair-security-groups=false leaves it");
        }
        Event::Found { node, finding: Finding::GroupsContested { eni, found, wanted, pause } } => {
            let (found, wanted) = (Listed(found), Listed(wanted));
            warn!(%node, %eni, %found, %wanted, ?pause, "somebody keeps putting the interface behind other security groups: it is \
                put back later; --repair-security-groups=false leaves it");
        }
        Event::Found { node, finding } => {
            warn!(%node, kind = finding.label(), ?finding, "EC2 differs from what was known");
        }
        Event::Unreadable { api, what } => {
            warn!(%api, what, "an entry of a listing cannot be read");
        }
        Event::LimitsRefused { instance_type, problem } => {
            warn!(%instance_type, problem, "what EC2 says of an instance type cannot be right");
        }
        Event::PermissionMissing { api } => {
            warn!(%api, "not allowed: `berth-operator check` says what that costs");
        }
        Event::PermissionBack { api } => info!(%api, "allowed again"),
        Event::RivalFound { node, rival } => log_rival(node.as_ref(), rival),
        Event::RivalGone { node: Some(node) } => {
            info!(%node, "nobody else is at work any more: going on");
        }
        Event::RivalGone { node: None } => {
            info!("nobody else is at work any more: going on with all nodes");
        }
        Event::NodeForgotten { node } => {
            said.reasons.remove(node);
            info!(%node, "the node is gone");
        }
    }
}

/// What becomes of interfaces that no node claims.
fn log_clean_up(event: &Event) {
    match event {
        Event::CleanedUp { eni, instance, age, took } => {
            info!(%eni, %instance, ?age, ?took, "deleted an interface that no node claims");
        }
        Event::CleanUpFailed { eni, instance, failure, took: _ } if is_daily(failure) => {
            debug!(%eni, %instance, %failure, "an interface that no node claims is not deleted");
        }
        Event::CleanUpFailed { eni, instance, failure, took: _ } => {
            warn!(%eni, %instance, %failure, "an interface that no node claims is not deleted: the next looks decide again; \
                `berth-operator gc --dry-run` says why");
        }
        Event::WouldCleanUp { eni, instance, age } => {
            info!(%eni, %instance, ?age, "an interface that no node claims would be deleted");
        }
        Event::CleanUpOff => warn!(
            "interfaces that no node claims are not cleaned up: without --cluster-name they cannot be told from those of other \
             clusters; --eni-gc-interval=0 says that this is meant"
        ),
        _ => {}
    }
}

/// Being slowed down is part of the day, and what else is so is said by what blocks the node.
fn is_daily(failure: &Failure) -> bool {
    matches!(failure.remedy(), Remedy::SlowDown | Remedy::DoWithout)
}

fn log_failure(api: Api, change: Option<&(NodeName, Action)>, failure: &Failure) {
    match (change, is_daily(failure)) {
        (Some((node, action @ Action::DetachEni { .. })), false)
            if matches!(failure, Failure::Refused { .. }) =>
        {
            warn!(%api, %node, %action, %failure, "failed: the interface stays, and is tried again after --eni-idle-delay");
        }
        (Some((node, action)), true) => debug!(%api, %node, %action, %failure, "failed"),
        (Some((node, action)), false) => warn!(%api, %node, %action, %failure, "failed"),
        (None, true) => debug!(%api, %failure, "failed"),
        (None, false) => warn!(%api, %failure, "failed"),
    }
}

/// What was said to keep each node. In an outage the particulars change with every try, for every node.
#[derive(Default)]
struct Said {
    reasons: HashMap<NodeName, BTreeSet<&'static str>>,
}

impl Said {
    /// Whether a node is kept by other reasons than those that were said last.
    fn is_new(&mut self, node: &NodeName, blocked: &[Blocked]) -> bool {
        let reasons: BTreeSet<_> = blocked.iter().map(|blocked| blocked.reason.label()).collect();
        let before = if reasons.is_empty() {
            self.reasons.remove(node)
        } else {
            self.reasons.insert(node.clone(), reasons.clone())
        };
        before.unwrap_or_default() != reasons
    }
}

fn log_blocked(node: &NodeName, blocked: &[Blocked], is_new: bool) {
    if blocked.is_empty() {
        return info!(%node, "nothing keeps the node from what it wants any more");
    }
    for Blocked { reason, short } in blocked {
        let label = reason.label();
        if is_new {
            info!(%node, reason = label, short, "blocked: {reason}");
        } else {
            debug!(%node, reason = label, short, "blocked: {reason}");
        }
    }
}

fn log_rival(node: Option<&NodeName>, rival: &Rival) {
    let node = node.map_or("all nodes", NodeName::as_str);
    let did = match &rival.did {
        RivalDeed::WroteEniStatus => "wrote status.eni".to_owned(),
        RivalDeed::WrotePool => "wrote spec.ipam.pool".to_owned(),
        RivalDeed::ChangedEni { eni } => format!("changed {eni}"),
    };
    warn!(
        node,
        who = rival.who,
        did,
        "somebody else does the operator's work: nothing is changed until they stop"
    );
}

/// Says and counts what came of a write.
pub(super) fn log_publication(event: &PublishEvent, metrics: &Metrics) {
    match event {
        PublishEvent::Published { node, part } => {
            debug!(%node, part = part_name(*part), "published");
            metrics.on_published(part_name(*part));
        }
        PublishEvent::Rival { node, deed, version } => {
            debug!(%node, ?deed, version, "somebody else wrote what the operator owns");
        }
        PublishEvent::Refused { node, part, problem } => {
            warn!(%node, part = part_name(*part), problem, "the API server refuses what is to be published");
            metrics.on_publication_failed("Refused");
        }
        PublishEvent::Failed { node, part, problem } => {
            info!(%node, part = part_name(*part), problem, "not published: trying again");
            metrics.on_publication_failed("Failed");
        }
    }
}

const fn part_name(part: Part) -> &'static str {
    match part {
        Part::EniStatus => "status.eni",
        Part::Pool => "spec.ipam.pool",
        Part::PreAllocate => "spec.ipam.pre-allocate",
        Part::Error => "status.ipam.operator-status.error",
        Part::Releases => "status.ipam.release-ips",
    }
}

/// As many events as may wait to be written; more are left out.
const BACKLOG: usize = 256;

/// What people who look at a Node read there.
enum Shown {
    /// What keeps it from what it wants, the worst first; empty: nothing any more.
    Blocked(Vec<Blocked>),
    /// An interface was behind other security groups than a new one would get.
    Drifted(Finding),
}

impl Shown {
    /// What an event says to them; `None` for nothing.
    fn of(event: &Event) -> Option<(NodeName, Self)> {
        match event {
            Event::Blocked { node, blocked } => {
                let mut worst = blocked.clone();
                worst.sort_by_key(|blocked| std::cmp::Reverse(blocked.short));
                Some((node.clone(), Self::Blocked(worst)))
            }
            Event::Found {
                node,
                finding: finding @ (Finding::GroupsDrifted { .. } | Finding::GroupsContested { .. }),
            } => Some((node.clone(), Self::Drifted(finding.clone()))),
            _ => None,
        }
    }
}

/// Writes the log, and events on Nodes: those beside the loop, which never waits for it.
pub(super) struct Reporter {
    said: Said,
    sender: Option<mpsc::Sender<(NodeName, Shown)>>,
    /// Ends with the term.
    _writer: JoinSet<()>,
}

impl Reporter {
    pub(super) fn new(client: &Client, settings: &Settings, board: &Arc<Board>) -> Self {
        let (sender, mut inputs) = mpsc::channel::<(NodeName, Shown)>(BACKLOG);
        let events = NodeEvents::new(client.clone(), settings.kubernetes.lease.identity.clone());
        let (board, mut writer) = (Arc::clone(board), JoinSet::new());
        writer.spawn(async move {
            while let Some((node, shown)) = inputs.recv().await {
                match shown {
                    Shown::Blocked(blocked) => match blocked.first() {
                        Some(first) => events.blocked(board.now(), &node, first).await,
                        None => events.unblocked(board.now(), &node).await,
                    },
                    Shown::Drifted(finding) => {
                        events.drifted(board.now(), &node, &finding).await;
                    }
                }
            }
        });
        // Who only observes writes nothing.
        let sender = (settings.machine.mode != Mode::Observe).then_some(sender);
        Self { said: Said::default(), sender, _writer: writer }
    }

    pub(super) fn on_event(&mut self, event: &Event) {
        log(event, &mut self.said);
        let (Some(shown), Some(sender)) = (Shown::of(event), &self.sender) else { return };
        if let Err(full) = sender.try_send(shown) {
            let (node, _) = full.into_inner();
            debug!(%node, "too many events: one is left out");
        }
    }
}
