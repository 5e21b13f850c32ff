//! The promises, checked while everything runs.
//!
//! What EC2 has and what pods use is read at one moment: the book is read while EC2 stands still, so that nothing can come between the two.
//! What agents and the operator say was said a little before or after. So it is held against the book only where that said the same before
//! and after, and for as long as such words may lag behind.

mod ledgers;
mod silence;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use berth_agent::status::{FamilyReport, Report};
use berth_operator::summaries::Row;
use ec2_sim::Ec2;
use ec2_sim::face::shared::Shared;
use ec2_sim::id::InstanceId;
use ec2_sim::model::InstanceState;
use ipam_core::audit::{InUse, LedgerCounts, Violation};
use ipam_core::ids::InvalidId;
use ipam_core::time::Tick;
use tokio::time::Instant;
use truth::{Loose, Node, Others, Whole, loose, tick};

use self::ledgers::Ledgers;
use self::silence::{Silence, Situation};
use crate::book::{Book, Use};
use crate::nodes::{NodeAt, Nodes};

/// Findings that are kept: who has seen so many needs no more.
const KEPT: usize = 200;

/// How long what is no finding yet may last.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// An interface of Berth's that is attached to nothing. The operator finds one again that a lost answer left behind when it looks at
    /// EC2 again.
    pub loose: Duration,
    /// A node that is short and says nothing. The agent's and the operator's writes are coalesced, and EC2's answers take seconds.
    pub silent: Duration,
    /// An operator that does not work yet: the Lease of one that was killed lasts 15 s, and a listing takes its time.
    pub start: Duration,
    /// After an outage, until everybody has tried again.
    pub outage: Duration,
    /// What an agent says of its ledger may be so old: it renews it after at most a second.
    pub ledger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            loose: Duration::from_mins(2),
            silent: Duration::from_secs(15),
            start: Duration::from_mins(1),
            outage: Duration::from_secs(30),
            ledger: Duration::from_secs(5),
        }
    }
}

/// When EC2 or the API server is away, as the one knows who takes them away. A clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Outages(Arc<Mutex<Option<Instant>>>);

impl Outages {
    /// From now on, for so long, one of the two answers nobody.
    pub fn begin(&self, length: Duration) {
        let end = Instant::now() + length;
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (*last).max(Some(end));
    }

    /// Whether one lasts, or ended less than `grace` ago.
    #[must_use]
    pub fn excuse(&self, grace: Duration) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|end| Instant::now() < end + grace)
    }
}

/// What the operator says of itself.
#[derive(Debug, Clone, Default)]
pub struct Operator {
    /// Whether it leads and knows everything it has to know.
    pub is_ready: bool,
    /// Its nodes.
    pub rows: BTreeMap<String, Row>,
}

/// What agents and the operator said, with what the book said before they were asked.
#[derive(Debug)]
pub struct Said<'a> {
    /// Since the start.
    pub at: Duration,
    /// Who used which address before anybody was asked.
    pub used_before: Vec<(Instant, Use)>,
    /// The answers of the agents, by node; nothing of those that gave none.
    pub reports: &'a BTreeMap<String, Report>,
    /// The operator, if one runs.
    pub operator: Option<&'a Operator>,
    /// Whether EC2 or the API server is away, or was a moment ago.
    pub outage: bool,
}

/// A promise that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Broken {
    /// What stays the same as long as it is broken.
    key: String,
    text: String,
}

impl Broken {
    fn of(text: String) -> Self {
        Self { key: text.clone(), text }
    }
}

/// What EC2, the book and the registry of nodes said at one moment.
struct Instantly {
    now: Tick,
    nodes: Vec<(NodeAt, Node)>,
    used: Vec<(Instant, Use)>,
    loose: Vec<Loose>,
    broken: Vec<Broken>,
}

/// Checks the promises at each look, and keeps what was broken.
#[derive(Debug, Default)]
pub struct Audit {
    patience: Patience,
    others: Others,
    known: BTreeSet<String>,
    silence: Silence,
    ledgers: Ledgers,
    told: BTreeSet<String>,
    findings: Vec<(Duration, String)>,
}

impl Audit {
    /// An audit that has seen nothing yet.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        Self { patience, ..Self::default() }
    }

    /// How long what is no finding yet may last.
    #[must_use]
    pub const fn patience(&self) -> Patience {
        self.patience
    }

    /// Looks at everything. Answers every promise that is broken now, in words; no more than the first 200.
    pub fn look(
        &mut self,
        ec2: &Shared,
        nodes: &Nodes,
        book: &Book,
        said: &Said<'_>,
    ) -> Vec<String> {
        let broken = match ec2.with(|ec2, now| self.read(ec2, tick(now), nodes, book)) {
            Ok(instantly) => self.judge(instantly, book, said),
            // The simulated EC2 or the registry of nodes holds what cannot be: nothing of it can be judged.
            Err(error) => vec![Broken::of(format!("nothing can be audited: {error}"))],
        };
        for Broken { key, text } in &broken {
            if self.findings.len() < KEPT && self.told.insert(key.clone()) {
                self.findings.push((said.at, text.clone()));
            }
        }
        broken.into_iter().map(|broken| broken.text).take(KEPT).collect()
    }

    /// What was broken, each once, with the moment at which it was seen first; no more than the first 200.
    #[must_use]
    pub fn findings(&self) -> &[(Duration, String)] {
        &self.findings
    }

    /// Reads everything that is read at one moment. EC2 is locked meanwhile, and whoever holds the book or the registry asks for nothing
    /// else, so that nobody waits for ever.
    fn read(
        &mut self,
        ec2: &mut Ec2,
        now: Tick,
        nodes: &Nodes,
        book: &Book,
    ) -> Result<Instantly, InvalidId> {
        self.known.extend(nodes.all().into_iter().map(|node| node.name));
        let used = book.in_use_since();
        let all = nodes.all();
        self.known.extend(all.iter().map(|node| node.name.clone()));
        let world = ec2.world();
        let left_alone = all.iter().filter(|node| node.socket.is_none());
        let left_alone: BTreeSet<InstanceId> =
            left_alone.map(|node| node.instance.clone()).collect();
        let mut broken: Vec<Broken> = Vec::new();
        let contradictions = ec2.audit().into_iter().map(|finding| format!("EC2: {finding}"));
        let changes = self.others.look(world, &left_alone).into_iter();
        broken
            .extend(contradictions.chain(changes.map(|change| change.to_string())).map(Broken::of));
        broken.extend(used.iter().filter_map(|(_, used)| self.placed_nowhere(used)));
        let mut running = Vec::new();
        for node in all {
            let instance = world.truth().instance(&node.instance);
            if !instance.is_some_and(|instance| is_there(instance.state)) {
                // A machine that ends takes its pods along, and EC2 gives their addresses to others. Berth ends no machine.
                continue;
            }
            if let Some(found) = Node::of(&node.name, &node.instance, world)? {
                running.push((node, found));
            }
        }
        Ok(Instantly { now, nodes: running, used, loose: loose(world)?, broken })
    }

    fn placed_nowhere(&self, used: &Use) -> Option<Broken> {
        let Use { node, pod, address } = used;
        let text = || format!("{address} of {pod} is on {node}, which was never there");
        (!self.known.contains(node)).then(|| Broken::of(text()))
    }

    fn judge(&mut self, instantly: Instantly, book: &Book, said: &Said<'_>) -> Vec<Broken> {
        let Instantly { now, nodes, used, loose, mut broken } = instantly;
        let placed = nodes.iter().map(|(at, _)| at.name.clone()).collect::<BTreeSet<_>>();
        self.silence.keep(&placed);
        let is_ready = said.operator.is_some_and(|operator| operator.is_ready);
        self.silence.operator(said.at, is_ready || said.outage);
        let waiting = waiting_by_node(book);
        let mut in_use = by_node(&used);
        let mut audited = Vec::new();
        for (at, mut node) in nodes {
            node.in_use = in_use.remove(at.name.as_str()).unwrap_or_default();
            let report = said.reports.get(&at.name);
            node.ledgers.extend(report.iter().flat_map(|report| &report.families).map(counts));
            if at.socket.is_some() {
                let waiting = waiting.get(&at.name).copied().unwrap_or_default();
                let situation = situation(&at.name, waiting, report, said.operator);
                node.short = self.silence.short(&at.name, said, self.patience, situation);
            }
            audited.push(node);
        }
        broken.extend(
            self.ledgers.look(&used, said, self.patience.ledger).into_iter().map(Broken::of),
        );
        let whole = Whole { now, nodes: audited, loose, grace: self.patience.loose };
        broken.extend(whole.violations().iter().map(violated));
        broken
    }
}

/// Whether pods can run there.
const fn is_there(state: InstanceState) -> bool {
    matches!(state, InstanceState::Pending | InstanceState::Running)
}

fn by_node(used: &[(Instant, Use)]) -> BTreeMap<&str, Vec<InUse>> {
    let mut by_node: BTreeMap<&str, Vec<InUse>> = BTreeMap::new();
    for (_, Use { node, pod, address }) in used {
        let in_use = InUse { address: *address, owner: pod.clone() };
        by_node.entry(node).or_default().push(in_use);
    }
    by_node
}

fn waiting_by_node(book: &Book) -> BTreeMap<String, u32> {
    let mut by_node: BTreeMap<String, u32> = BTreeMap::new();
    for node in book.waiting().into_iter().filter_map(|waiting| waiting.node) {
        *by_node.entry(node).or_default() += 1;
    }
    by_node
}

/// How short a node is: by the operator's own count, or by its pods, when they wait and its agent has nothing for them.
fn situation(
    name: &str,
    waiting: u32,
    report: Option<&Report>,
    operator: Option<&Operator>,
) -> Situation {
    let row = operator.and_then(|operator| operator.rows.get(name));
    let is_empty = |report: &Report| {
        let ipv4 = report.families.iter().find(|family| family.family == IPV4);
        report.ready && ipv4.is_some_and(|ipv4| ipv4.free + ipv4.cooling == 0)
    };
    let starved = if report.is_some_and(is_empty) { waiting } else { 0 };
    Situation {
        short: row.map_or(0, |row| row.needed).max(starved),
        is_explained: row
            .is_some_and(|row| row.ignored || row.in_flight > 0 || !row.blocked.is_empty()),
        available: row.map_or(0, |row| row.available),
    }
}

/// The name of the family in an agent's report.
pub(crate) const IPV4: &str = "IPv4";

fn counts(family: &FamilyReport) -> LedgerCounts {
    let FamilyReport { attached, free, used, cooling, promised, .. } = family;
    let [attached, free, used, cooling, promised] =
        [attached, free, used, cooling, promised].map(|count| u64::from(*count));
    LedgerCounts { attached, free, used, cooling, promised }
}

/// A violation, by what of it stays the same.
fn violated(violation: &Violation) -> Broken {
    let text = violation.to_string();
    let key = match violation {
        Violation::Leaked { eni, .. } => format!("leaked: {eni}"),
        Violation::SilentlyShort { node, .. } => format!("short: {node}"),
        Violation::NotConserved { node, .. } => format!("ledger: {node}"),
        Violation::TooManyEnis { node, .. } => format!("interfaces: {node}"),
        Violation::TooManyAddresses { eni, .. } => format!("slots: {eni}"),
        _ => text.clone(),
    };
    Broken { key, text }
}
