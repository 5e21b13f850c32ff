//! One pod, as the floor knows it.

use ec2_sim::id::InstanceId;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::pods::life::Order;
use crate::pods::seen::SeenPod;

/// A pod and how far it has come.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) pod: SeenPod,
    pub(super) stage: Stage,
    /// Whether it is in the API no more.
    pub(super) is_gone: bool,
    /// The pod that has its name now, while its own life still ends.
    pub(super) successor: Option<SeenPod>,
}

/// How far a pod has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// It was just seen.
    New,
    /// It waits for a node, and is not placed before.
    Waiting { until: Option<Instant> },
    /// It is being bound to a node.
    Binding,
    /// It is on a node of ours.
    Living { instance: InstanceId, orders: watch::Sender<Order> },
    /// It is on a node of somebody else's, or of nobody's yet.
    Elsewhere,
    /// Its life is over, and it is in the API still.
    Ended,
}

impl Known {
    pub(super) const fn new(pod: SeenPod) -> Self {
        Self { pod, stage: Stage::New, is_gone: false, successor: None }
    }

    /// Whether it was to be placed here.
    pub(super) const fn is_ours(&self) -> bool {
        matches!(self.stage, Stage::Waiting { .. } | Stage::Binding)
    }

    /// Whether it may be tried again.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        matches!(self.stage, Stage::Waiting { until: Some(until) } if until <= now)
    }
}
