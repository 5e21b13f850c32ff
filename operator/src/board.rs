//! What is shown of the operator: one board that the loop writes and everybody reads. Nobody waits for the loop, and it
//! waits for nobody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipam_core::budget::Budget;
use ipam_core::ids::{SubnetId, ZoneName};
use ipam_core::reconcile::Mode;
use ipam_core::time::Tick;
use serde::Serialize;
use tokio::time::Instant;

use crate::metrics::Metrics;
use crate::summaries::{Row, Summaries};

/// What is shown of the operator.
#[derive(Debug)]
pub struct Board {
    start: Instant,
    nodes: Summaries,
    metrics: Metrics,
    state: Mutex<State>,
}

/// How far the operator is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// It is not connected yet.
    #[default]
    Starting,
    /// Another replica leads; this one takes over when that one is gone.
    Standby,
    /// It leads and looks at what there is. Nothing is changed yet.
    Observing,
    /// It leads and its view is complete.
    Ready,
}

impl Readiness {
    /// Whether there is nothing to wait for.
    #[must_use]
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Standby | Self::Ready)
    }

    /// Whether this replica leads.
    #[must_use]
    pub const fn is_leading(self) -> bool {
        matches!(self, Self::Observing | Self::Ready)
    }
}

/// What is said of the whole, beside the nodes.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// How far the operator is.
    pub(crate) readiness: Readiness,
    /// What it may do; `None` before it runs.
    pub(crate) mode: Option<Mode>,
    /// Calls on their way to EC2.
    pub(crate) calls_in_flight: usize,
    /// Writes on their way to Kubernetes.
    pub(crate) writes_in_flight: usize,
    /// The budget as it last was.
    pub(crate) budget: Option<Budget>,
    /// Free addresses of subnets, as EC2 counts them.
    pub(crate) subnets: Vec<(SubnetId, ZoneName, u32)>,
    /// Interfaces that no node claims; `None` while nobody looks for them.
    pub(crate) unclaimed_enis: Option<usize>,
    /// Members that the installed CRD lacks, and which therefore get lost.
    pub(crate) crd_lacks: usize,
    /// Whether pods are watched: `None` when they need not be.
    pub(crate) pods_watched: Option<bool>,
}

impl Board {
    /// An empty board. Its time starts now.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            nodes: Summaries::default(),
            metrics: Metrics::new(),
            state: Mutex::default(),
        })
    }

    /// How long the board exists: the time of the machine.
    #[must_use]
    pub fn now(&self) -> Tick {
        Tick::default() + self.start.elapsed()
    }

    /// The moment in the clock of the runtime.
    pub(crate) fn instant(&self, tick: Tick) -> Instant {
        self.start + std::time::Duration::from_millis(tick.as_millis())
    }

    /// One node.
    #[must_use]
    pub fn row(&self, name: &str) -> Option<Row> {
        self.nodes.row(name, self.now())
    }

    /// All nodes, by name.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.nodes.rows(self.now())
    }

    /// How far the operator is.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.state().readiness
    }

    /// All metrics, in the text format of Prometheus.
    #[must_use]
    pub fn exposition(&self) -> String {
        let state = self.state().clone();
        self.metrics.exposition(&self.nodes, &state, self.now())
    }

    /// What is counted.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Counts the calls of [`Aws`](crate::aws::Aws).
    #[cfg(feature = "aws")]
    #[must_use]
    pub fn observer(&self) -> crate::aws::Observer {
        let metrics = self.metrics.clone();
        crate::aws::Observer::new(move |attempt: &crate::aws::Attempt| {
            metrics.on_attempt(attempt.operation, attempt.response, attempt.took);
        })
    }

    pub(crate) const fn nodes(&self) -> &Summaries {
        &self.nodes
    }

    /// Changes what is said of the whole.
    pub(crate) fn say(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
    }

    /// What a term found out is gone with it.
    pub(crate) fn forget_term(&self) {
        self.nodes.clear();
        self.metrics.forget_permissions();
        self.say(|state| {
            state.calls_in_flight = 0;
            state.writes_in_flight = 0;
            state.budget = None;
            state.subnets.clear();
            state.unclaimed_enis = None;
            state.pods_watched = None;
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
