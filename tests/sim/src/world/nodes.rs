//! Machines of nodes, and the processes of the agent on them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use ipam_core::agent::{Call, CallId, EniFacts, Event, ShownEni};
use ipnet::IpNet;

use ec2_sim::id::InstanceId;
use ec2_sim::model::{AttachmentStatus, Interface, mac};

use super::{Wake, World};
use crate::api::{Object, Said};
use crate::counters::Counter;
use crate::node::{Caller, Input, Process, Publishing};

/// What a process of the agent is woken by.
#[derive(Debug)]
pub(super) enum NodeWake {
    /// The process starts.
    Start,
    /// The machine has something to do.
    Turn,
    /// The disk has written, or not.
    Disk,
    /// The own object is listed.
    Look,
    /// The watch has something; `None`: the object is gone.
    Heard { watch: u64, object: Option<Rc<Object>> },
    /// The own object is to be looked at again.
    Keep,
    /// The own object was written, or not.
    Kept(Said),
    /// A publication was written, or not.
    Published(Said),
    /// The metadata is read.
    Metadata,
    /// Pods and routes are looked at.
    Found,
    /// The runtime collects what is not valid any more.
    Gc,
}

/// How often the metadata is read, until the operator has spoken and from then on.
const UNHEARD: Duration = Duration::from_mins(1);
const HEARD: Duration = Duration::from_mins(5);
/// How often pods and routes are looked at.
const FOUND_EVERY: Duration = Duration::from_mins(3);

impl World {
    /// Wakes the process of a node after some time, if it is still the same then.
    pub(super) fn later_on(&mut self, index: usize, after: Duration, wake: NodeWake) {
        if let Some(node) = self.nodes.get(&index) {
            self.queue.put(self.now + after, Wake::Node(index, node.life, wake));
        }
    }

    pub(super) fn boot(&mut self, index: usize) {
        let Some(node) = self.nodes.get_mut(&index).filter(|node| !node.is_up) else { return };
        (node.is_up, node.booted, node.leapt) = (true, self.now, Duration::ZERO);
        node.boots += 1;
        let instance = node.identity.instance.clone();
        self.say(|| format!("n{index}: boots, {instance}"));
        let pause = self.some(500, 3_000);
        self.later_on(index, pause, NodeWake::Start);
    }

    pub(super) fn start_agent(&mut self, index: usize) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(&index) else { return };
        if !node.is_up || node.process.is_some() {
            return;
        }
        node.life += 1;
        match Process::start(node, now) {
            Ok(process) => node.process = Some(Box::new(process)),
            Err(problem) => return self.broken("state", format!("n{index}: {problem}")),
        }
        node.turn_at = None;
        self.watch.silent.insert(index);
        self.counters.add(Counter::AgentStarts, 1);
        self.say(|| format!("n{index}: the agent starts"));
        let collects = self.some(200_000, 900_000);
        for (after, wake) in [
            (Duration::from_millis(20), NodeWake::Metadata),
            (Duration::from_millis(50), NodeWake::Look),
            (Duration::from_millis(300), NodeWake::Found),
            (collects, NodeWake::Gc),
        ] {
            self.later_on(index, after, wake);
        }
        self.turn(index);
    }

    /// Kills the process. What was being written may be there or not.
    pub(super) fn kill_agent(&mut self, index: usize) {
        let is_there = self.rng.bool();
        let Some(node) = self.nodes.get_mut(&index) else { return };
        node.life += 1;
        let Some(mut process) = node.process.take() else { return };
        let written = process
            .end_write()
            .filter(|_| is_there)
            .map(|batch| node.disk.write(&batch.records, batch.trusted, node.agent.ledger));
        if let Some(Err(problem)) = written {
            self.broken("journal", format!("n{index}: {problem}"));
        }
        self.say(|| format!("n{index}: the agent is killed"));
        for caller in process.callers.into_values() {
            self.caller_lost(caller);
        }
    }

    pub(super) fn wake_node(&mut self, index: usize, life: u64, wake: NodeWake) {
        let Some(node) = self.nodes.get(&index).filter(|node| node.life == life) else { return };
        if matches!(wake, NodeWake::Start) {
            return self.start_agent(index);
        }
        if node.process.is_none() {
            return;
        }
        match wake {
            NodeWake::Start => {}
            NodeWake::Turn => self.turn(index),
            NodeWake::Disk => self.disk(index),
            NodeWake::Look => self.look(index),
            NodeWake::Heard { watch, object } => self.hear(index, watch, object),
            NodeWake::Keep => self.keep(index),
            NodeWake::Kept(said) => self.kept(index, said),
            NodeWake::Published(said) => self.published(index, said),
            NodeWake::Metadata => self.read_metadata(index),
            NodeWake::Found => self.find(index),
            NodeWake::Gc => self.collect(index),
        }
    }

    /// Gives the machine something, and lets out what comes of it.
    pub(super) fn give(&mut self, index: usize, input: Input) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(&index) else { return };
        let clock = node.clock(now);
        let Some(process) = node.process.as_deref_mut() else { return };
        process.take(clock, input);
        self.turn(index);
    }

    /// Asks the agent of a node something. Answers whether there is one.
    pub(super) fn call(&mut self, index: usize, caller: Caller, call: Call) -> Option<CallId> {
        let process = self.nodes.get_mut(&index)?.process.as_deref_mut()?;
        process.calls += 1;
        let id = CallId(process.calls);
        process.callers.insert(id, caller);
        self.give(index, Input::Call(id, call));
        Some(id)
    }

    /// Writes what is to be written, and lets out what may leave.
    fn turn(&mut self, index: usize) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(&index) else { return };
        let clock = node.clock(now);
        let is_slow = now < node.disk_slow;
        let Some(process) = node.process.as_deref_mut() else { return };
        if process.agent.deadline().is_some_and(|at| at <= clock) {
            process.take(clock, Input::Time);
        }
        let mut out = process.poll(clock);
        if !process.is_writing() && process.begin_write() {
            let took = if is_slow { self.some(500, 8_000) } else { self.some(1, 8) };
            self.later_on(index, took, NodeWake::Disk);
        }
        let publication = out.publication.take();
        for event in out.events {
            self.note_event(index, &event);
        }
        for (id, answer) in out.answers {
            let node = self.nodes.get_mut(&index);
            let process = node.and_then(|node| node.process.as_deref_mut());
            if let Some(caller) = process.and_then(|process| process.callers.remove(&id)) {
                self.answered(index, caller, answer);
            }
        }
        if let Some((id, publication)) = publication {
            let publishing = Publishing { id, publication, attempts: 0, reads: false };
            if let Some(process) = self.nodes.get_mut(&index).and_then(|it| it.process.as_mut()) {
                process.publishing = Some(publishing);
            }
            self.publish(index);
        }
        self.schedule_agent(index);
    }

    fn schedule_agent(&mut self, index: usize) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(&index) else { return };
        let clock = node.clock(now);
        let Some(process) = node.process.as_deref() else { return };
        // What waits for the disk goes on when that has written.
        let Some(deadline) = process.agent.deadline().filter(|_| !process.is_writing()) else {
            return;
        };
        let after = deadline.since(clock).max(Duration::from_millis(1));
        let at = now + after;
        if node.turn_at.is_none_or(|known| known <= now || at < known) {
            node.turn_at = Some(at);
            self.queue.put(at, Wake::Node(index, node.life, NodeWake::Turn));
        }
    }

    fn disk(&mut self, index: usize) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(&index) else { return };
        let (clock, is_full) = (node.clock(now), now < node.disk_full);
        let settings = node.agent.ledger;
        let Some(process) = node.process.as_deref_mut() else { return };
        let Some(batch) = process.end_write() else { return };
        if is_full {
            process.agent.on_not_durable(clock, "no space left on device".to_owned());
            self.counters.add(Counter::WritesFailed, 1);
        } else {
            let written = node.disk.write(&batch.records, batch.trusted, settings);
            process.agent.on_durable(clock, batch.last);
            if let Err(problem) = written {
                self.broken("journal", format!("n{index}: {problem}"));
            }
        }
        if let Some(process) = self.nodes.get_mut(&index).and_then(|it| it.process.as_mut()) {
            process.catch_up(clock);
        }
        self.turn(index);
    }

    fn note_event(&mut self, index: usize, event: &Event) {
        match event {
            Event::Granted { address, cut_short: true, .. } => {
                self.counters.add(Counter::CutShort, 1);
                self.watch.cut_short.insert((index, *address));
            }
            Event::Adopted { .. } => self.counters.add(Counter::Adopted, 1),
            Event::Refused(_) => self.counters.add(Counter::Refused, 1),
            _ => {}
        }
        if !matches!(event, Event::Waits { .. } | Event::Refused(_)) {
            self.say(|| format!("n{index}: {event:?}"));
        }
    }

    fn read_metadata(&mut self, index: usize) {
        let Some(node) = self.nodes.get(&index) else { return };
        let Ok(instance) = node.identity.instance.as_str().parse::<InstanceId>() else { return };
        let shown = self.shown(&instance);
        let Some(process) = self.nodes.get_mut(&index).and_then(|it| it.process.as_mut()) else {
            return;
        };
        let heard = process.sight.as_ref().is_some_and(|sight| !sight.enis.is_empty());
        let is_new = process.told.as_ref() != Some(&shown);
        if is_new {
            process.told = Some(shown.clone());
            self.give(index, Input::Metadata(shown));
        }
        self.later_on(index, if heard { HEARD } else { UNHEARD }, NodeWake::Metadata);
    }

    /// What the metadata of an instance shows, which lags behind.
    fn shown(&self, instance: &InstanceId) -> Vec<ShownEni> {
        let view = self.ec2.world().metadata(crate::cloud::moment(self.now));
        let facts = |interface: &Interface| -> Option<ShownEni> {
            let at = interface.attachment.as_ref()?;
            if !matches!(at.status, AttachmentStatus::Attached | AttachmentStatus::Detaching) {
                return None;
            }
            let singles = std::iter::once(&interface.primary_ip).chain(&interface.secondary_ips);
            let vpc = view.vpc(&interface.vpc)?;
            Some(ShownEni {
                facts: EniFacts {
                    id: interface.id.as_str().parse().ok()?,
                    mac: mac(interface.mac).to_string(),
                    number: at.device_index,
                    subnet: Some(view.subnet(&interface.subnet)?.ipv4_cidr),
                    vpc: vpc.ipv4_cidrs.iter().copied().map(IpNet::V4).collect(),
                },
                network_card: at.network_card,
                primary: Some(interface.primary_ip),
                addresses: singles.copied().map(IpAddr::V4).collect(),
                prefixes: interface.ipv4_prefixes.iter().copied().map(IpNet::V4).collect(),
            })
        };
        view.interfaces_of(instance).filter_map(|interface| facts(interface)).collect()
    }

    fn find(&mut self, index: usize) {
        let Some(node) = self.nodes.get(&index) else { return };
        let cut = node.without_api.max(self.weather.api_away);
        if self.now < cut {
            return self.later_on(index, Duration::from_secs(2), NodeWake::Found);
        }
        let found = self.pods.found(index);
        self.give(index, Input::Found(found));
        self.later_on(index, FOUND_EVERY, NodeWake::Found);
    }

    fn collect(&mut self, index: usize) {
        let valid: BTreeSet<_> = self.pods.valid(index);
        let call = Call::Gc { network: super::pods::NETWORK.to_owned(), valid };
        self.call(index, Caller::Other, call);
        let pause = self.some(200_000, 900_000);
        self.later_on(index, pause, NodeWake::Gc);
    }

    /// Ends the machine of a node: nothing of its pods outlives it.
    pub(super) fn shut_down(&mut self, index: usize) {
        self.kill_agent(index);
        if let Some(node) = self.nodes.get_mut(&index) {
            node.is_up = false;
        }
        self.machine_gone(index);
        self.say(|| format!("n{index}: the machine is down"));
    }

    /// The IPv4 addresses that pods of a node use.
    pub(super) fn in_use(&self, index: usize) -> BTreeSet<Ipv4Addr> {
        self.pods.in_use(index).filter_map(|(address, _)| ipv4(address)).collect()
    }
}

const fn ipv4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}
