//! Everything that a scenario has, in one loop: the next thing that comes is carried out, and every promise is checked.

mod agents;
mod calls;
mod check;
mod faults;
mod giving;
mod nodes;
mod operators;
mod others;
mod pods;
mod region;
mod settled;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result};
use ec2_sim::Ec2;
use ec2_sim::id::{GroupId, InterfaceId, SubnetId};
use fastrand::Rng;
use ipam_core::policy::{Policy, PolicySettings};
use ipam_core::reconcile::ReconcileSettings;
use ipam_core::release::ReleaseSettings;
use ipam_core::time::Tick;

use self::check::Watch;
use self::nodes::NodeWake;
use self::pods::{PodWake, Pods};
use self::wire::Back;
use crate::api::{Api, Ask};
use crate::counters::{Counter, Counters};
use crate::node::Node;
use crate::operator::{self, Operator, Round};
use crate::outcome::{Outcome, Violation};
use crate::queue::Queue;
use crate::scenario::{OPERATORS, Scenario};
use ipam_core::call::Call;

/// What comes.
#[derive(Debug)]
enum Wake {
    /// Something for a process of an operator.
    Operator(usize, u64, operator::Wake),
    /// Something for a process of an agent.
    Node(usize, u64, NodeWake),
    /// A node goes for good.
    Goes(usize),
    /// A node joins.
    Joins(usize),
    /// Something for pods.
    Pod(PodWake),
    /// A call arrives at EC2.
    Call { operator: usize, life: u64, term: u64, sent: Tick, call: Box<Call> },
    /// A write arrives at the API server.
    Ask { back: Back, ask: Box<Ask> },
    /// A round of the election arrives there.
    Vote { operator: usize, life: u64, round: Round },
    /// A fault begins.
    FaultBegins(usize),
    /// A fault ends.
    FaultEnds(usize),
    /// EC2 has something to do by itself.
    Cloud,
}

/// What the ways are like: until when each trouble lasts.
#[derive(Debug, Default)]
struct Weather {
    api_away: Tick,
    api_lossy: Tick,
    api_slow: Tick,
    watch_lag: Tick,
    cloud_slow: Tick,
    /// Until then another operator leads.
    others_lead: Tick,
}

/// Everything that a scenario has.
pub(crate) struct World {
    scenario: Scenario,
    now: Tick,
    rng: Rng,
    queue: Queue<Wake>,
    weather: Weather,
    ec2: Ec2,
    subnets: Vec<SubnetId>,
    /// A security group that no node has.
    foreign_group: GroupId,
    /// The nodes that go when they grow.
    going: BTreeSet<usize>,
    /// When EC2 is looked at next.
    cloud_at: Option<Tick>,
    /// What others took, by the fault that took it.
    foreign: BTreeMap<usize, Vec<InterfaceId>>,
    rules: BTreeMap<usize, u64>,
    api: Api,
    settings: ReconcileSettings,
    policy: Policy,
    operators: Vec<Operator>,
    nodes: BTreeMap<usize, Node>,
    pods: Pods,
    watch: Watch,
    counters: Counters,
    trace: Option<Vec<String>>,
    broken: Option<Violation>,
}

impl World {
    /// The world of a scenario, before anything has happened.
    ///
    /// # Errors
    /// The scenario asks for what cannot be built: a mistake of who drew it.
    pub(crate) fn new(scenario: Scenario, traces: bool) -> Result<Self> {
        let (mut ec2, subnets, foreign_group) = region::build(&scenario)?;
        let policy = Policy::new(PolicySettings {
            prefix_delegation: scenario.region.prefixes,
            ..policy_settings()
        })?;
        let settings = ReconcileSettings {
            policy: policy.clone(),
            release: ReleaseSettings {
                per_hour: scenario.region.per_hour,
                ..ReleaseSettings::default()
            },
            ..ReconcileSettings::default()
        };
        let mut nodes = BTreeMap::new();
        for number in scenario.kept_nodes() {
            let identity = region::instance(&mut ec2, &scenario, number, 1, &subnets)?
                .with_context(|| format!("no subnet has an address for node {number}"))?;
            nodes.insert(number, Node::new(number, identity, &scenario.nodes[number])?);
        }
        let mut world = Self {
            now: Tick::from_millis(1),
            rng: Rng::with_seed(scenario.seed ^ 0x5eed),
            queue: Queue::default(),
            weather: Weather::default(),
            ec2,
            subnets,
            foreign_group,
            going: BTreeSet::new(),
            cloud_at: None,
            foreign: BTreeMap::new(),
            rules: BTreeMap::new(),
            api: Api::default(),
            settings,
            policy,
            operators: (0..OPERATORS).map(Operator::new).collect(),
            nodes,
            pods: Pods::new(&scenario),
            watch: Watch::default(),
            counters: Counters::default(),
            trace: traces.then(Vec::new),
            broken: None,
            scenario,
        };
        world.begin();
        Ok(world)
    }

    fn begin(&mut self) {
        for index in 0..OPERATORS {
            self.start_operator(index);
        }
        for number in self.scenario.kept_nodes().collect::<Vec<_>>() {
            let joins = after(self.scenario.nodes[number].joins);
            self.queue.put(joins, Wake::Joins(number));
        }
        for number in self.scenario.kept_pods().collect::<Vec<_>>() {
            let begins = after(self.scenario.pods[number].begins);
            self.queue.put(begins, Wake::Pod(PodWake::Scheduled(number)));
        }
        for number in self.scenario.kept_faults().collect::<Vec<_>>() {
            let fault = &self.scenario.faults[number];
            let calm = after(self.scenario.busy);
            let begins = after(fault.begins).min(calm);
            let ends = (begins + fault.lasts).min(calm);
            self.queue.put(begins, Wake::FaultBegins(number));
            self.queue.put(ends, Wake::FaultEnds(number));
        }
    }

    /// From now on the operators ask for prefixes where they did not, and the other way around.
    fn change_policy(&mut self) {
        let prefix_delegation = !self.policy.prefix_delegation();
        let settings = PolicySettings { prefix_delegation, ..policy_settings() };
        if let Ok(policy) = Policy::new(settings) {
            self.settings.policy.clone_from(&policy);
            self.policy = policy;
        }
    }

    /// Runs to the end, or to the first broken promise.
    pub(crate) fn run(mut self) -> Outcome {
        let end = after(self.scenario.busy + self.scenario.calm);
        while self.broken.is_none()
            && let Some((at, wake)) = self.queue.take(end)
        {
            self.now = self.now.max(at);
            self.counters.add(Counter::Steps, 1);
            self.advance_cloud();
            self.happen(wake);
            self.look_at_cloud();
            self.check();
        }
        if self.broken.is_none() {
            self.now = end;
            self.check_settled();
        }
        Outcome {
            seed: self.scenario.seed,
            violation: self.broken,
            counters: self.counters,
            trace: self.trace.unwrap_or_default(),
        }
    }

    fn happen(&mut self, wake: Wake) {
        match wake {
            Wake::Operator(index, life, wake) => self.wake_operator(index, life, wake),
            Wake::Node(index, life, wake) => self.wake_node(index, life, wake),
            Wake::Joins(index) => self.boot(index),
            Wake::Goes(index) => self.go(index),
            Wake::Pod(wake) => self.wake_pod(wake),
            Wake::Call { operator, life, term, sent, call } => {
                self.call_arrives((operator, life, term), sent, &call);
            }
            Wake::Ask { back, ask } => self.ask_arrives(back, *ask),
            Wake::Vote { operator, life, round } => self.vote_arrives(operator, life, round),
            Wake::FaultBegins(number) => self.begin_fault(number),
            Wake::FaultEnds(number) => self.end_fault(number),
            Wake::Cloud => {}
        }
    }

    /// What EC2 does by itself.
    fn advance_cloud(&mut self) {
        let moment = crate::cloud::moment(self.now);
        if self.ec2.next_transition().is_some_and(|at| at <= moment) {
            self.watch.is_dirty = true;
        }
        self.ec2.advance(moment);
    }

    /// Comes back when EC2 has something to do by itself.
    fn look_at_cloud(&mut self) {
        let next = self.ec2.next_transition().map(|at| {
            Tick::from_millis(at.as_micros().div_ceil(1_000))
                .max(self.now + Duration::from_millis(1))
        });
        if let Some(at) = next
            && self.cloud_at.is_none_or(|known| known <= self.now || at < known)
        {
            self.cloud_at = Some(at);
            self.queue.put(at, Wake::Cloud);
        }
    }

    /// A random time.
    fn some(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.u64(from..to))
    }

    fn chance(&mut self, of_thousand: u32) -> bool {
        self.rng.u32(0..1_000) < of_thousand
    }

    /// Notes a line of the trace.
    fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let millis = self.now.as_millis();
            let (seconds, millis) = (millis / 1_000, millis % 1_000);
            let (minutes, seconds) = (seconds / 60, seconds % 60);
            trace.push(format!("{minutes:>4}:{seconds:02}.{millis:03}  {}", line()));
        }
    }

    /// A promise is broken. The first one counts.
    fn broken(&mut self, label: &'static str, what: String) {
        if self.broken.is_none() {
            self.say(|| format!("BROKEN {label}: {what}"));
            self.broken = Some(Violation { label, what });
        }
    }
}

/// Whose interfaces are the operators'.
fn policy_settings() -> PolicySettings {
    PolicySettings { cluster: Some("sim".to_owned()), ..PolicySettings::default() }
}

/// The moment so long after the start.
fn after(duration: Duration) -> Tick {
    Tick::from_millis(1) + duration
}
