//! The operator's loop as a machine: what was observed, answered and how late it is go in; calls to EC2,
//! nodes to publish, things to report and the next deadline come out.
//!
//! **How to drive it.** Hand in whatever happens with the `on_*` methods, in the order in which it happened; then ask
//! all `poll_*` methods until each answers `None`; then sleep until [`Reconciler::deadline`] or until something
//! happens, and call [`Reconciler::on_time`] when the deadline has come. Time never goes backwards. A machine is
//! made when leadership is won and dropped when it is lost: what it knew is observed again.
//!
//! **What it does.** At first it lists what exists in the VPCs of the nodes, and changes nothing before that view is complete. Then it
//! looks only at what an event touches. A reply to a change updates the view at once, so no describe follows a
//! change that was answered. A change without an answer puts its interface in doubt: it is observed until the
//! answer is certain, and meanwhile nothing more is asked for there. A reading that is older than a change never undoes it.
//!
//! **What is sent next** is decided when a token of the action's bucket is there, from the view of that moment: what
//! waits in line are nodes, not calls.

mod agenda;
mod allowance;
mod answer;
mod clean_up;
mod event;
mod gate;
mod giving;
mod groups;
mod idle;
mod last_hour;
mod learn;
mod line;
mod listing;
mod loose;
mod nodes;
mod observe;
mod outbox;
mod reading;
mod reads;
mod record;
mod remedy;
mod report;
mod rivals;
mod send;
mod settings;
mod spare;
mod stock;
mod stuck;
mod summary;
mod touch;
mod trouble;
mod vpc;
mod wishes;

use alloc::collections::{BTreeMap, BTreeSet};

use limits::Catalog;

use crate::budget::Budget;
use crate::call::{Call, CallId, Reply};
use crate::failure::Failure;
use crate::ids::{NodeName, VpcId};
use crate::release::Usage;
use crate::time::Tick;
use crate::view::{Demand, NetworkView, NodeIdentity, NodeSettings, NodeView};

use agenda::Agenda;
use clean_up::CleanUp;
use gate::Gates;
use last_hour::LastHour;
use line::Line;
use nodes::Nodes;
use outbox::Outbox;
use reads::Reads;
use record::{Hold, Slot};
use rivals::Rivals;
use send::Sent;
use settings::READING_LASTS;
use vpc::VpcState;

pub use allowance::Allowance;
pub use event::{Event, Finding, Rival, RivalDeed};
pub use giving::GivingBack;
pub use settings::{Mode, ReconcileSettings, SubnetFilter};
pub use spare::Kept;
pub use summary::{Obstacle, Summary, Totals};

/// What a `CiliumNode` says of a node, as far as the machine needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSeen {
    /// Its name.
    pub name: NodeName,
    /// Which instance it is; `None` when it does not say so yet.
    pub identity: Option<NodeIdentity>,
    /// What its owner asked for; `None` when that cannot be read for certain, and then nothing is planned.
    pub settings: Option<NodeSettings>,
    /// What its agent uses or asks for.
    pub demand: Demand,
    /// Which addresses it uses, and what is said of those that leave it.
    pub usage: Usage,
    /// Whether it asks operators to leave it alone. Nothing is changed or published for it.
    pub ignored: bool,
}

/// The operator's loop.
#[derive(Debug)]
pub struct Reconciler {
    settings: ReconcileSettings,
    network: NetworkView,
    catalog: Catalog,
    budget: Budget,
    /// When something was last handed in.
    now: Tick,
    began: Tick,
    /// Whether all nodes that existed at first were handed in.
    is_listed: bool,
    is_view_complete: bool,
    nodes: Nodes,
    vpcs: BTreeMap<VpcId, VpcState>,
    line: Line,
    reads: Reads,
    /// The calls that are not answered yet.
    calls: BTreeMap<CallId, Sent>,
    last_call: u64,
    agenda: Agenda,
    gates: Gates,
    /// Who waits for what.
    held: BTreeMap<Hold, BTreeSet<Slot>>,
    /// When interfaces were made within the last hour, if there is a cap.
    creations: LastHour,
    /// Addresses that were given back within the last hour, if there is a cap.
    released: LastHour,
    /// The node that finds out whether interfaces may be given back again, after that was refused.
    detach_probe: Option<Slot>,
    clean_up: CleanUp,
    rivals: Rivals,
    out: Outbox,
}

impl Reconciler {
    /// A machine that knows nothing yet.
    #[must_use]
    pub fn new(settings: ReconcileSettings, now: Tick) -> Self {
        let allowance = Allowance::new(&settings, now);
        Self::with_allowance(settings, allowance, now)
    }

    /// A machine that knows nothing yet but what it may do: that of a later term of the same process.
    #[must_use]
    pub fn with_allowance(settings: ReconcileSettings, allowance: Allowance, now: Tick) -> Self {
        let Allowance { budget, creations, released } = allowance;
        let catalog = Catalog::new(settings.overrides.clone());
        let shares_bucket = settings.budget.overall().is_some();
        let clean_up = CleanUp::new(&settings);
        let mut machine = Self {
            settings,
            network: NetworkView::default(),
            catalog,
            budget,
            now,
            began: now,
            is_listed: false,
            is_view_complete: false,
            nodes: Nodes::default(),
            vpcs: BTreeMap::new(),
            line: Line::new(shares_bucket),
            reads: Reads::default(),
            calls: BTreeMap::new(),
            last_call: 0,
            agenda: Agenda::default(),
            gates: Gates::default(),
            held: BTreeMap::new(),
            creations,
            released,
            detach_probe: None,
            clean_up,
            rivals: Rivals::default(),
            out: Outbox::default(),
        };
        machine.expire_creations();
        machine.expire_releases();
        machine
    }

    /// A node is new, or is different.
    pub fn on_node(&mut self, now: Tick, node: NodeSeen) {
        self.now = now;
        self.see_node(node);
    }

    /// A node is gone.
    pub fn on_node_gone(&mut self, now: Tick, name: &NodeName) {
        self.now = now;
        self.forget_node(name);
    }

    /// All nodes that existed when the machine was made have been handed in.
    pub fn on_nodes_listed(&mut self, now: Tick) {
        self.now = now;
        self.start_listing();
    }

    /// How many pods of a node wait for an address, whenever that changes.
    pub fn on_waiting_pods(&mut self, now: Tick, name: &NodeName, count: u32) {
        self.now = now;
        self.see_waiting_pods(name, count);
    }

    /// What is published of a node is not in its object, or not any more: it was recreated or overwritten. The node
    /// comes out of [`Self::poll_publication`] again.
    pub fn on_unpublished(&mut self, now: Tick, name: &NodeName) {
        self.now = now;
        if let Some(slot) = self.nodes.by_name(name) {
            self.mark_unpublished(slot);
            self.offer_publication(slot);
        }
    }

    /// A call was answered, or failed. Each call is answered exactly once.
    pub fn on_answer(&mut self, now: Tick, call: CallId, answer: Result<Reply, Failure>) {
        self.now = now;
        if let Some(sent) = self.calls.remove(&call) {
            self.take_answer(call, sent, answer);
        }
    }

    /// Somebody else wrote what the operator owns of a node. To be said each time that it is seen.
    pub fn on_rival(&mut self, now: Tick, name: &NodeName, rival: Rival) {
        self.now = now;
        if let Some(slot) = self.nodes.by_name(name) {
            self.see_rival(slot, rival);
        }
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: Tick) {
        self.now = now;
        while let Some(timer) = self.agenda.pop_due(now) {
            self.ring(timer);
        }
    }

    /// The next call to make, now.
    pub fn poll_call(&mut self, now: Tick) -> Option<Call> {
        self.now = now;
        let reading = self.next_read(false).or_else(|| self.next_overdue());
        let urgent = reading.or_else(|| self.next_change()).or_else(|| self.next_read(true));
        urgent.or_else(|| self.next_clean_up()).or_else(|| self.next_look())
    }

    /// The next node that may have to be published: what [`Self::node`] says of it, or its
    /// contract, is different from when it was last answered here. Never before the first view of it is
    /// complete, for an ignored node, or in [`Mode::Observe`].
    pub fn poll_publication(&mut self) -> Option<NodeName> {
        while let Some(name) = self.out.publications.pop() {
            if self.nodes.by_name(&name).is_some_and(|slot| self.may_publish(slot)) {
                return Some(name);
            }
        }
        None
    }

    /// The next node whose [`Summary`] is different, or that is gone.
    pub fn poll_summary(&mut self) -> Option<NodeName> {
        self.out.summaries.pop()
    }

    /// The next thing to report.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.out.events.pop_front()
    }

    /// When to call [`Self::on_time`] if nothing else happens before; `None`: never.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        [self.agenda.first(), self.next_token()].into_iter().flatten().min()
    }

    /// What is known of a node; `None` for one that was not handed in or does not say which instance it is.
    #[must_use]
    pub fn node(&self, name: &NodeName) -> Option<&NodeView> {
        let record = self.nodes.get(self.nodes.by_name(name)?)?;
        record.view.as_ref().filter(|_| record.seen.identity.is_some())
    }

    /// What is known of the network.
    #[must_use]
    pub const fn network(&self) -> &NetworkView {
        &self.network
    }

    /// A node in short; `None` for one that was not handed in.
    #[must_use]
    pub fn summary(&self, name: &NodeName) -> Option<Summary> {
        self.nodes.get(self.nodes.by_name(name)?)?.shown.clone()
    }

    /// The cluster in figures.
    #[must_use]
    pub fn totals(&self, now: Tick) -> Totals {
        self.count_totals(now)
    }

    /// The budget, for its levels.
    #[must_use]
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Whether the first view is complete.
    #[must_use]
    pub const fn is_view_complete(&self) -> bool {
        self.is_view_complete
    }
}
