//! Pods, and what kubelet and the runtime do for them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use ipam_core::agent::{Answer, Attachment, Call, CallId, Found, Lease, Refused, Sandbox};
use ipam_core::ids::{NodeName, PodKey};
use ipam_core::time::Tick;

use super::{Wake, World, after};
use crate::counters::Counter;
use crate::node::{Caller, Input};
use crate::operator;
use crate::scenario::Scenario;

/// The name of the CNI network.
pub(super) const NETWORK: &str = "net";

/// No pod ends so shortly before the end: what it leaves behind takes its time to be settled.
const LAST_MOMENTS: Duration = Duration::from_mins(40);

/// What happens to pods.
#[derive(Debug, Clone, Copy)]
pub(super) enum PodWake {
    /// It is scheduled to its node.
    Scheduled(usize),
    /// Its next sandbox asks for an address.
    Add(usize),
    /// The runtime waits no longer for the answer.
    Patience(usize, u64),
    /// Its status shows its address.
    Shown(usize, u64),
    /// It ends.
    Ends(usize, u64),
    /// Its object is gone.
    Removed(usize),
    /// The addresses of a sandbox are given back.
    Del(usize, u64),
}

/// How far a pod is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nobody knows of it.
    Unscheduled,
    /// It has no sandbox.
    Wanting,
    /// Its sandbox has no address.
    Asking,
    /// It runs.
    Running,
    /// It has ended.
    Over,
}

#[derive(Debug)]
struct Pod {
    node: usize,
    phase: Phase,
    sandbox: u64,
    call: Option<CallId>,
    /// The address that it uses.
    address: Option<IpAddr>,
    /// The address in its status.
    shown: Option<IpAddr>,
    /// Why it got none the last time.
    refusal: Option<Refused>,
}

/// All pods.
#[derive(Debug)]
pub(super) struct Pods {
    all: BTreeMap<usize, Pod>,
    sandboxes: u64,
    /// Sandboxes whose addresses are to be given back, by node.
    dels: BTreeSet<(usize, u64)>,
}

impl Pods {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let pod = |number: usize| Pod {
            node: scenario.pods[number].node,
            phase: Phase::Unscheduled,
            sandbox: 0,
            call: None,
            address: None,
            shown: None,
            refusal: None,
        };
        Self {
            all: scenario.kept_pods().map(|number| (number, pod(number))).collect(),
            sandboxes: 0,
            dels: BTreeSet::new(),
        }
    }

    fn of(&self, node: usize) -> impl Iterator<Item = (&usize, &Pod)> {
        self.all.iter().filter(move |(_, pod)| pod.node == node)
    }

    /// The addresses that pods of a node use, with the pod's number.
    pub(super) fn in_use(&self, node: usize) -> impl Iterator<Item = (IpAddr, usize)> + '_ {
        self.of(node).filter_map(|(number, pod)| Some((pod.address?, *number)))
    }

    /// The pods of a node that want an address and have none, with the last refusal.
    pub(super) fn unserved(&self, node: usize) -> Vec<(usize, Option<Refused>)> {
        let unserved =
            self.of(node).filter(|(_, pod)| matches!(pod.phase, Phase::Wanting | Phase::Asking));
        unserved.map(|(number, pod)| (*number, pod.refusal.clone())).collect()
    }

    fn waiting(&self, node: usize) -> u32 {
        let waits = |pod: &Pod| {
            pod.shown.is_none()
                && matches!(pod.phase, Phase::Wanting | Phase::Asking | Phase::Running)
        };
        u32::try_from(self.of(node).filter(|(_, pod)| waits(pod)).count()).unwrap_or(u32::MAX)
    }

    /// What the API server's list of pods and the host's routes show.
    pub(super) fn found(&self, node: usize) -> Vec<Found> {
        let mut found: BTreeMap<IpAddr, Option<PodKey>> =
            self.in_use(node).map(|(address, _)| (address, None)).collect();
        let shown = self.of(node).filter_map(|(number, pod)| Some((pod.shown?, key(*number))));
        found.extend(shown);
        found.into_iter().map(|(address, pod)| Found { address, pod }).collect()
    }

    /// The sandboxes of a node that are not to be collected.
    pub(super) fn valid(&self, node: usize) -> BTreeSet<Sandbox> {
        let valid =
            self.of(node).filter(|(_, pod)| matches!(pod.phase, Phase::Asking | Phase::Running));
        let sandbox = |pod: &Pod| {
            let Attachment { container, interface, .. } = attachment(pod.sandbox);
            Sandbox { container, interface }
        };
        valid.map(|(_, pod)| sandbox(pod)).collect()
    }
}

fn key(number: usize) -> Option<PodKey> {
    format!("default/p{number}").parse().ok()
}

fn attachment(sandbox: u64) -> Attachment {
    Attachment {
        container: format!("s{sandbox}"),
        network: NETWORK.to_owned(),
        interface: "eth0".to_owned(),
    }
}

impl World {
    fn pod_later(&mut self, after: Duration, wake: PodWake) {
        self.queue.put(self.now + after, Wake::Pod(wake));
    }

    pub(super) fn wake_pod(&mut self, wake: PodWake) {
        match wake {
            PodWake::Scheduled(number)
                if !self.nodes.contains_key(&self.scenario.pods[number].node) => {}
            PodWake::Scheduled(number) => {
                self.set(number, Phase::Wanting);
                self.demand_changed(self.scenario.pods[number].node);
                self.tell_waiting_of(number);
                let pause = self.some(50, 500);
                self.pod_later(pause, PodWake::Add(number));
            }
            PodWake::Add(number) => self.add(number),
            PodWake::Patience(number, sandbox) => self.lose_patience(number, sandbox),
            PodWake::Shown(number, sandbox) => {
                if let Some(pod) = self.running(number, sandbox) {
                    pod.shown = pod.address;
                    self.tell_waiting_of(number);
                }
            }
            PodWake::Ends(number, sandbox) => self.end(number, sandbox),
            PodWake::Removed(number) => {
                if let Some(pod) = self.pods.all.get_mut(&number) {
                    pod.shown = None;
                }
                self.tell_waiting_of(number);
            }
            PodWake::Del(node, sandbox) => self.del(node, sandbox),
        }
    }

    fn set(&mut self, number: usize, phase: Phase) {
        if let Some(pod) = self.pods.all.get_mut(&number) {
            pod.phase = phase;
        }
    }

    fn running(&mut self, number: usize, sandbox: u64) -> Option<&mut Pod> {
        let pod = self.pods.all.get_mut(&number)?;
        (pod.phase == Phase::Running && pod.sandbox == sandbox).then_some(pod)
    }

    fn tell_waiting_of(&mut self, number: usize) {
        let node = self.pods.all.get(&number).map(|pod| pod.node);
        let name = node.and_then(|node| self.nodes.get(&node)).map(|node| node.name().clone());
        if let Some(name) = name {
            self.tell_waiting(&name);
        }
    }

    /// Lets operators hear how many pods of a node wait.
    pub(super) fn tell_waiting(&mut self, name: &NodeName) {
        let Some(node) = self.nodes.values().find(|node| node.name() == name) else { return };
        let count = self.pods.waiting(node.index);
        for index in 0..self.operators.len() {
            let lag = self.some(1, 200);
            let operator = &mut self.operators[index];
            let cut = operator.without_api.max(self.weather.api_away);
            let Some(term) = operator.term.as_deref_mut().filter(|term| term.listed) else {
                continue;
            };
            let at = (self.now.max(cut) + lag).max(term.watched);
            term.watched = at;
            let wake = operator::Wake::Waiting { term: term.number, name: name.clone(), count };
            self.queue.put(at, Wake::Operator(index, operator.life, wake));
        }
    }

    fn add(&mut self, number: usize) {
        let Some(pod) = self.pods.all.get(&number).filter(|it| it.phase == Phase::Wanting) else {
            return;
        };
        let node = pod.node;
        let Some(key) = key(number) else { return };
        if self.nodes.get(&node).is_none_or(|node| node.process.is_none()) {
            let pause = self.some(1_000, 5_000);
            return self.pod_later(pause, PodWake::Add(number));
        }
        self.pods.sandboxes += 1;
        let sandbox = self.pods.sandboxes;
        if let Some(pod) = self.pods.all.get_mut(&number) {
            (pod.phase, pod.sandbox, pod.call) = (Phase::Asking, sandbox, None);
        }
        let hurry = self.chance(30);
        let patience = if hurry { self.some(1, 3_000) } else { self.some(11_000, 40_000) };
        self.pod_later(patience, PodWake::Patience(number, sandbox));
        let uid = Some(format!("u{number}"));
        let call = Call::Add { attachment: attachment(sandbox), pod: key, uid, wait: None };
        let id = self.call(node, Caller::Add { pod: number, sandbox }, call);
        if let Some(pod) = self.pods.all.get_mut(&number)
            && pod.sandbox == sandbox
            && pod.phase == Phase::Asking
        {
            pod.call = id;
        }
    }

    fn lose_patience(&mut self, number: usize, sandbox: u64) {
        let Some(pod) = self.pods.all.get_mut(&number) else { return };
        if pod.phase != Phase::Asking || pod.sandbox != sandbox {
            return;
        }
        let (node, call) = (pod.node, pod.call.take());
        self.counters.add(Counter::Abandoned, 1);
        self.fail(number);
        if let Some(call) = call {
            let process = self.nodes.get_mut(&node).and_then(|it| it.process.as_mut());
            if process.is_some_and(|process| process.callers.remove(&call).is_some()) {
                self.give(node, Input::Abandoned(call));
            }
        }
    }

    /// A sandbox that got no address is given up, and another one comes later.
    fn fail(&mut self, number: usize) {
        let Some(pod) = self.pods.all.get_mut(&number) else { return };
        (pod.phase, pod.address, pod.shown) = (Phase::Wanting, None, None);
        let (node, sandbox) = (pod.node, pod.sandbox);
        self.give_back(node, sandbox);
        let pause = self.some(1_000, 45_000);
        self.pod_later(pause, PodWake::Add(number));
    }

    fn give_back(&mut self, node: usize, sandbox: u64) {
        self.pods.dels.insert((node, sandbox));
        let pause = self.some(1, 300);
        self.pod_later(pause, PodWake::Del(node, sandbox));
    }

    fn end(&mut self, number: usize, sandbox: u64) {
        if self.now + LAST_MOMENTS > after(self.scenario.busy + self.scenario.calm) {
            return;
        }
        let Some(pod) = self.running(number, sandbox) else { return };
        let (node, address) = (pod.node, pod.address.take());
        pod.phase = Phase::Over;
        self.watch.is_dirty = true;
        self.demand_changed(node);
        self.say(|| format!("p{number}: ends on n{node}, had {address:?}"));
        // An agent that knows nothing of it, since its ledger is lost, cannot let it rest.
        if let Some(address) = address.filter(|address| self.is_held(node, *address)) {
            self.watch.released.insert((node, address), self.now);
        }
        self.give_back(node, sandbox);
        let pause = self.some(100, 5_000);
        self.pod_later(pause, PodWake::Removed(number));
    }

    /// Whether the agent of a node runs and knows that an address is in use.
    fn is_held(&self, node: usize, address: IpAddr) -> bool {
        let Some(node) = self.nodes.get(&node) else { return false };
        let status = node.process.as_ref().map(|it| it.agent.status(node.clock(self.now)));
        status.is_some_and(|status| status.holdings.iter().any(|held| held.address == address))
    }

    /// The plugin keeps a DEL that finds no agent, and the runtime repeats one that is not answered.
    fn del(&mut self, node: usize, sandbox: u64) {
        if !self.pods.dels.contains(&(node, sandbox)) {
            return;
        }
        let call = Call::Del { attachment: attachment(sandbox) };
        self.call(node, Caller::Del { sandbox }, call);
        self.pod_later(Duration::from_secs(5), PodWake::Del(node, sandbox));
    }

    /// An answer of the agent of a node.
    pub(super) fn answered(&mut self, node: usize, caller: Caller, answer: Answer) {
        match (caller, answer) {
            (Caller::Add { pod, sandbox }, answer) => self.add_answered(pod, sandbox, answer),
            (Caller::Del { sandbox }, Answer::Done) => {
                self.counters.add(Counter::Dels, 1);
                self.pods.dels.remove(&(node, sandbox));
            }
            _ => {}
        }
    }

    fn add_answered(&mut self, number: usize, sandbox: u64, answer: Answer) {
        let is_killed = self.is_busy() && self.chance(5);
        let Some(pod) = self.pods.all.get_mut(&number) else { return };
        if pod.phase != Phase::Asking || pod.sandbox != sandbox {
            return;
        }
        pod.call = None;
        match answer {
            // The plugin is killed with the answer in its hand.
            Answer::Granted(_) if is_killed => self.fail(number),
            Answer::Granted(leases) => self.run_pod(number, &leases),
            Answer::Refused(refused) => {
                pod.refusal = Some(refused.clone());
                self.say(|| format!("p{number}: {refused}"));
                self.fail(number);
            }
            Answer::Done => self.broken("answer", format!("p{number}: an ADD is answered by Done")),
        }
    }

    fn run_pod(&mut self, number: usize, leases: &[Lease]) {
        let Some(pod) = self.pods.all.get_mut(&number) else { return };
        let Some(lease) = leases.first() else {
            return self.broken("answer", format!("p{number}: granted nothing"));
        };
        (pod.phase, pod.address, pod.refusal) = (Phase::Running, Some(lease.address), None);
        let (node, sandbox) = (pod.node, pod.sandbox);
        self.watch.is_dirty = true;
        self.counters.add(Counter::Granted, 1);
        self.say(|| format!("p{number}: runs on n{node} with {}", lease.address));
        self.check_cool_down(node, lease.address);
        let pause = self.some(200, 3_000);
        self.pod_later(pause, PodWake::Shown(number, sandbox));
        if let Some(runs) = self.scenario.pods[number].runs {
            self.pod_later(runs, PodWake::Ends(number, sandbox));
        }
    }

    /// Who waited for an agent that is gone.
    pub(super) fn caller_lost(&mut self, caller: Caller) {
        let Caller::Add { pod: number, sandbox } = caller else { return };
        let pod = self.pods.all.get(&number);
        if pod.is_some_and(|pod| pod.phase == Phase::Asking && pod.sandbox == sandbox) {
            self.fail(number);
        }
    }

    /// The machine of a node ended: its sandboxes did, too.
    pub(super) fn machine_gone(&mut self, node: usize) {
        self.demand_changed(node);
        self.pods.dels.retain(|(of, _)| *of != node);
        self.watch.released.retain(|(of, _), _| *of != node);
        self.watch.is_dirty = true;
        let lost = self
            .pods
            .of(node)
            .filter(|(_, pod)| matches!(pod.phase, Phase::Asking | Phase::Running));
        for number in lost.map(|(number, _)| *number).collect::<Vec<_>>() {
            if let Some(pod) = self.pods.all.get_mut(&number) {
                (pod.phase, pod.address, pod.shown, pod.call) = (Phase::Wanting, None, None, None);
            }
            let pause = self.some(1_000, 10_000);
            self.pod_later(pause, PodWake::Add(number));
            self.tell_waiting_of(number);
        }
    }

    /// A node goes for good, and its pods with it.
    pub(super) fn pods_gone(&mut self, node: usize) {
        self.pods.all.retain(|_, pod| pod.node != node);
        self.pods.dels.retain(|(of, _)| *of != node);
    }

    fn is_busy(&self) -> bool {
        self.now < after(self.scenario.busy)
    }

    /// The moment from which on nothing goes wrong.
    pub(super) fn calm_from(&self) -> Tick {
        after(self.scenario.busy)
    }
}
