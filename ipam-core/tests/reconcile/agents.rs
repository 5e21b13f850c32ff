//! Nodes with an agent: what stands in the `CiliumNode`, and an agent of either contract that acts on it as Cilium's do (agent
//! reference, 1 and 3).

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::agent::Release;
use ipam_core::ids::{EniId, NodeName};
use ipam_core::prefix::addresses_of;
use ipam_core::release::Usage;
use ipam_core::view::{Contract, Demand, EniView};
use ipnet::Ipv4Net;

use crate::rig::Rig;

/// How long a write is on its way, and how long until somebody sees it.
const WAY: Duration = Duration::from_millis(60);

/// An agent, and the object that it shares with the operator.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    contract: Contract,
    /// Pods that are to run.
    pub wants: u32,
    /// The addresses that pods have, in truth.
    pub pods: BTreeSet<Ipv4Addr>,
    /// The CIDRs that the agent keeps, in its memory.
    kept: BTreeSet<Ipv4Net>,
    /// What it has seen of `status.eni`.
    known: BTreeSet<Ipv4Net>,
    pub object: Object,
    /// Whether it reads and writes nothing.
    pub is_away: bool,
    /// Whether it never takes back what it gave up while it is shown it (cilium/cilium#47910).
    pub is_forgetful: bool,
    pre_allocate: u32,
}

/// What stands in the `CiliumNode`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Object {
    pool: BTreeSet<Ipv4Addr>,
    shown: BTreeSet<Ipv4Net>,
    pub interfaces: BTreeSet<EniId>,
    pub entries: BTreeMap<Ipv4Addr, Release>,
    used: BTreeSet<Ipv4Addr>,
    allocated: BTreeSet<Ipv4Net>,
    requested: Option<u32>,
}

impl Agent {
    pub(crate) fn new(contract: Contract, pre_allocate: u32) -> Self {
        Self {
            contract,
            wants: 0,
            pods: BTreeSet::new(),
            kept: BTreeSet::new(),
            known: BTreeSet::new(),
            object: Object::default(),
            is_away: false,
            is_forgetful: false,
            pre_allocate,
        }
    }

    /// How many pods have an address.
    pub(crate) fn running(&self) -> u32 {
        u32::try_from(self.pods.len()).unwrap()
    }

    fn act(&mut self) {
        if self.is_away {
            return;
        }
        while self.running() > self.wants {
            self.pods.pop_last();
        }
        match self.contract {
            Contract::PerIp => self.act_per_ip(),
            Contract::Cidr => self.act_by_cidrs(),
        }
    }

    fn act_per_ip(&mut self) {
        let Object { pool, entries, .. } = &self.object;
        let is_asked = |address: &Ipv4Addr| {
            matches!(
                entries.get(address),
                Some(Release::Marked | Release::Ready | Release::Released)
            )
        };
        let free: Vec<Ipv4Addr> = pool.iter().copied().filter(|it| !is_asked(it)).collect();
        self.start_pods(&free);
        let (pods, pool) = (&self.pods, &self.object.pool);
        self.object.entries.retain(|address, entry| {
            match *entry {
                Release::Marked if pool.contains(address) && !pods.contains(address) => {
                    *entry = Release::Ready;
                }
                Release::Marked => *entry = Release::Refused,
                Release::Released => return pool.contains(address),
                Release::Ready | Release::Refused => {}
            }
            true
        });
        self.object.used.clone_from(&self.pods);
    }

    fn act_by_cidrs(&mut self) {
        let shown = self.object.shown.clone();
        self.kept.retain(|net| {
            shown.contains(net) || addresses_of(*net).any(|it| self.pods.contains(&it))
        });
        self.kept.extend(shown.difference(&self.known));
        self.known.clone_from(&shown);
        while !self.is_forgetful && self.free().len() < self.to_have_free() {
            let Some(back) = shown.difference(&self.kept).next().copied() else { break };
            self.kept.insert(back);
        }
        let free = self.free();
        self.start_pods(&free);
        for net in self.kept.clone().into_iter().rev() {
            let is_idle = !addresses_of(net).any(|it| self.pods.contains(&it));
            let rest = self.free().len().saturating_sub(addresses_of(net).count());
            if is_idle && rest >= self.to_have_free() {
                self.kept.remove(&net);
            }
        }
        self.object.allocated.clone_from(&self.kept);
        let waiting = self.wants.saturating_sub(self.running());
        self.object.requested = Some(self.running() + waiting + self.pre_allocate);
    }

    fn to_have_free(&self) -> usize {
        let waiting = self.wants.saturating_sub(self.running());
        usize::try_from(waiting + self.pre_allocate).unwrap()
    }

    fn free(&self) -> Vec<Ipv4Addr> {
        let all = self.kept.iter().flat_map(|net| addresses_of(*net));
        all.filter(|address| !self.pods.contains(address)).collect()
    }

    fn start_pods(&mut self, free: &[Ipv4Addr]) {
        let lacks = usize::try_from(self.wants.saturating_sub(self.running())).unwrap();
        let free: Vec<Ipv4Addr> =
            free.iter().copied().filter(|it| !self.pods.contains(it)).take(lacks).collect();
        self.pods.extend(free);
    }

    fn usage(&self) -> (Demand, Usage) {
        let object = &self.object;
        let demand = match object.requested {
            Some(ipv4) => Demand::Cidr { ipv4, ipv6: 0 },
            None => Demand::PerIp { used: u32::try_from(object.used.len()).unwrap() },
        };
        let usage = Usage {
            is_certain: true,
            used: object.used.iter().copied().collect(),
            releases: object.entries.clone(),
            requested: demand.requested(),
            allocated: object.allocated.clone(),
            listed: object.shown.iter().flat_map(|net| addresses_of(*net)).collect(),
            shown: object.interfaces.clone(),
        };
        (demand, usage)
    }
}

impl Rig {
    /// Has a node get an agent.
    pub(crate) fn give_agent(&mut self, name: &NodeName) {
        let node = self.nodes.get_mut(name).expect("a node");
        let pre_allocate = node.settings.as_ref().map_or(8, |it| it.watermarks.pre_allocate());
        let contract = node.demand.contract();
        let agent = Agent::new(contract, u32::try_from(pre_allocate).unwrap_or(0));
        node.usage.is_certain = true;
        self.agents.insert(name.clone(), agent);
    }

    /// So many pods are to run on a node.
    pub(crate) fn set_pods(&mut self, name: &NodeName, wants: u32) {
        self.agents.get_mut(name).expect("an agent").wants = wants;
        self.wake_agent(name);
    }

    /// The agent looks at its object, acts and writes.
    pub(crate) fn wake_agent(&mut self, name: &NodeName) {
        let name = name.clone();
        self.later(WAY, move |rig| {
            if let Some(agent) = rig.agents.get_mut(&name) {
                agent.act();
                rig.show_object(&name);
            }
        });
    }

    /// The operator writes what is to be published. A write that is lost is repeated.
    pub(crate) fn write_object(&mut self, name: &NodeName) {
        let name = name.clone();
        self.later(WAY, move |rig| {
            if (rig.writes_fail)(&name) {
                return rig.later(WAY * 20, move |rig| rig.write_object(&name));
            }
            if rig.publish(&name) {
                rig.show_object(&name);
                rig.wake_agent(&name);
            }
        });
    }

    /// Answers whether anything is different.
    fn publish(&mut self, name: &NodeName) -> bool {
        let giving = self.machine.giving_back(name);
        let (Some(view), Some(agent)) = (self.machine.node(name), self.agents.get_mut(name)) else {
            return false;
        };
        let is_published =
            |eni: &&EniView| eni.attachment.is_some() && !giving.hidden.contains(&eni.id);
        let enis: Vec<&EniView> = view.enis.iter().filter(is_published).collect();
        let nets = enis.iter().flat_map(|eni| {
            let single = eni.ipv4.addresses.iter().copied().map(Ipv4Net::from);
            single.chain(eni.ipv4.prefixes.iter().copied())
        });
        let nets: BTreeSet<Ipv4Net> = nets.collect();
        let withheld: BTreeSet<Ipv4Addr> =
            giving.withheld.iter().flat_map(|net| addresses_of(*net)).collect();
        let is_shown = |net: &Ipv4Net| !withheld.contains(&net.addr());
        let object = &mut agent.object;
        let before = object.clone();
        object.interfaces = enis.iter().map(|eni| eni.id.clone()).collect();
        object.pool = nets.iter().flat_map(|net| addresses_of(*net)).collect();
        object.pool.retain(|address| !withheld.contains(address));
        object.shown = match agent.contract {
            Contract::PerIp => nets,
            Contract::Cidr => nets.into_iter().filter(is_shown).collect(),
        };
        for (address, entry) in giving.entries {
            match entry {
                Some(entry) => object.entries.insert(address, entry),
                None => object.entries.remove(&address),
            };
        }
        before != *object
    }

    /// The operator sees the object as it stands.
    fn show_object(&mut self, name: &NodeName) {
        let name = name.clone();
        self.later(WAY, move |rig| {
            let (Some(agent), Some(_)) = (rig.agents.get(&name), rig.nodes.get(&name)) else {
                return;
            };
            let (demand, usage) = agent.usage();
            let seen = &rig.nodes[&name];
            if (seen.demand, &seen.usage) == (demand, &usage) {
                return;
            }
            rig.alter(&name, |node| (node.demand, node.usage) = (demand, usage));
        });
    }
}
