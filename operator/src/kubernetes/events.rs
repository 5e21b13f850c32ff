//! Kubernetes Events on Nodes: what keeps a node from its addresses, for people who look at the node.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use berth_shell::problem::chain;
use ipam_core::action::Listed;
use ipam_core::ids::NodeName;
use ipam_core::reason::Blocked;
use ipam_core::reconcile::Finding;
use ipam_core::time::Tick;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};

/// Events of one node for one reason come this far apart, at least.
const APART: Duration = Duration::from_mins(10);

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The namespace of events on what has none (Kubernetes API reference, Event).
const NAMESPACE: &str = "default";

/// The reason of the event that says that nothing keeps the node any more.
const UNBLOCKED: &str = "AddressesAvailable";

/// The reason of the event that says that an interface was behind other security groups.
const DRIFTED: &str = "SecurityGroupsDrifted";

/// The reason of the event that says that somebody else keeps changing them.
const CONTESTED: &str = "SecurityGroupsContested";

fn again(pause: Duration) -> String {
    let minutes = pause.as_secs().div_ceil(60);
    format!("in {minutes} minutes, since somebody else changes them, too")
}

/// Which events may be sent: one for each node and reason in ten minutes.
#[derive(Debug, Default)]
pub struct EventLimiter {
    /// When the last one was sent.
    sent: HashMap<(NodeName, &'static str), Tick>,
    /// When what is too old was thrown away last.
    cleaned: Tick,
}

impl EventLimiter {
    /// Whether one may be sent now. It counts as sent then.
    pub fn admit(&mut self, now: Tick, node: &NodeName, reason: &'static str) -> bool {
        if APART <= now.since(self.cleaned) {
            self.sent.retain(|_, at| now.since(*at) < APART);
            self.cleaned = now;
        }
        let last = self.sent.get(&(node.clone(), reason));
        if last.is_some_and(|at| now.since(*at) < APART) {
            return false;
        }
        self.sent.insert((node.clone(), reason), now);
        true
    }
}

/// Sends events on nodes.
#[derive(Debug)]
pub struct NodeEvents {
    events: Api<Event>,
    instance: String,
    limiter: Mutex<EventLimiter>,
}

impl NodeEvents {
    /// Sends them in the name of `instance`, this process.
    #[must_use]
    pub fn new(client: Client, instance: String) -> Self {
        Self { events: Api::namespaced(client, NAMESPACE), instance, limiter: Mutex::default() }
    }

    /// Says what keeps a node, unless it was said a short while ago.
    pub async fn blocked(&self, now: Tick, node: &NodeName, blocked: &Blocked) {
        let reason = blocked.reason.label();
        self.send(now, node, ("Warning", reason), &blocked.to_string()).await;
    }

    /// Says that nothing keeps a node any more.
    pub async fn unblocked(&self, now: Tick, node: &NodeName) {
        self.send(now, node, ("Normal", UNBLOCKED), "the node gets the addresses it needs").await;
    }

    /// Says that an interface is behind other security groups than it should be, and is put behind those: after a pause if
    /// somebody undid that before. Other findings are not said.
    pub async fn drifted(&self, now: Tick, node: &NodeName, finding: &Finding) {
        let (eni, found, wanted, reason, what) = match finding {
            Finding::GroupsDrifted { eni, found, wanted } => {
                (eni, found, wanted, DRIFTED, "where EC2 allows it".to_owned())
            }
            Finding::GroupsContested { eni, found, wanted, pause } => {
                (eni, found, wanted, CONTESTED, again(*pause))
            }
            _ => return,
        };
        let (found, wanted) = (Listed(found), Listed(wanted));
        let message = format!(
            "{eni} is behind {found}, and a new interface of the node would be behind {wanted}: it is put behind those {what}; \
             --repair-security-groups=false leaves it"
        );
        self.send(now, node, ("Warning", reason), &message).await;
    }

    async fn send(
        &self,
        now: Tick,
        node: &NodeName,
        (kind, reason): (&str, &'static str),
        message: &str,
    ) {
        if !self.limiter.lock().unwrap_or_else(PoisonError::into_inner).admit(now, node, reason) {
            return;
        }
        let event = event(node, (kind, reason), message, &self.instance);
        let parameters = PostParams::default();
        let sent = tokio::time::timeout(PATIENCE, self.events.create(&parameters, &event)).await;
        if let Ok(Err(error)) = sent {
            // Nothing depends on an event, and the permission for it may be missing.
            tracing::debug!(%node, reason, error = %chain(&error), "no event");
        }
    }
}

fn event(node: &NodeName, (kind, reason): (&str, &str), message: &str, instance: &str) -> Event {
    let now = Timestamp::now();
    let text = |text: &str| Some(text.to_owned());
    Event {
        metadata: ObjectMeta {
            generate_name: Some(format!("{node}.")),
            namespace: text(NAMESPACE),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: text("v1"),
            kind: text("Node"),
            name: text(node.as_str()),
            // As the kubelet writes it: `kubectl describe node` looks for this.
            uid: text(node.as_str()),
            ..ObjectReference::default()
        },
        type_: text(kind),
        reason: text(reason),
        message: text(message),
        action: text("AllocateAddresses"),
        count: Some(1),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        event_time: Some(MicroTime(now)),
        reporting_component: text("berth-operator"),
        reporting_instance: text(instance),
        source: Some(EventSource { component: text("berth-operator"), host: None }),
        ..Event::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_kind_in_ten_minutes() {
        let mut limiter = EventLimiter::default();
        let mut check = |seconds: u64, node: &str, reason: &'static str, expected: bool| {
            let node = node.parse().expect("a name");
            let now = Tick::from_millis(seconds * 1000);
            assert_eq!(limiter.admit(now, &node, reason), expected, "{seconds} {node} {reason}");
        };
        check(0, "a", "InstanceFull", true);
        check(1, "a", "InstanceFull", false);
        check(1, "b", "InstanceFull", true);
        check(1, "a", "Throttled", true);
        check(599, "a", "InstanceFull", false);
        check(600, "a", "InstanceFull", true);
        check(1199, "a", "InstanceFull", false);
    }

    #[test]
    fn what_is_too_old_is_forgotten() {
        let mut limiter = EventLimiter::default();
        for second in 0..3600 {
            let node = format!("n-{second}").parse().expect("a name");
            assert!(limiter.admit(Tick::from_millis(second * 1000), &node, "InstanceFull"));
        }
        assert!(limiter.sent.len() <= 1200, "{}", limiter.sent.len());
    }
}
