//! What subnets have left: as EC2 said, less what was taken since, and not where it refused a short while ago.

use alloc::vec::Vec;

use ipnet::Ipv4Net;

use super::agenda::Timer;
use super::gate::GateKey;
use super::record::Hold;
use super::vpc::Part;
use super::{READING_LASTS, Reconciler, SubnetFilter};
use crate::call::Api;
use crate::ids::{SubnetId, VpcId};
use crate::managed::has_all;
use crate::time::Tick;
use crate::view::{Refused, SubnetView};

impl SubnetFilter {
    /// Whether new addresses may come from a subnet.
    pub(super) fn allows(&self, id: &SubnetId, subnet: &SubnetView) -> bool {
        (self.ids.is_empty() || self.ids.contains(id)) && has_all(&subnet.tags, &self.tags)
    }
}

impl Reconciler {
    /// Something is asked of a subnet: it is read more often for a while.
    pub(super) fn note_demand(&mut self, subnet: &SubnetId) {
        let Some(vpc) = self.network.subnets.get(subnet).map(|subnet| subnet.vpc.clone()) else {
            return;
        };
        let now = self.now;
        if let Some(state) = self.vpcs.get_mut(&vpc) {
            state.asked = Some(now);
        }
        self.plan_subnets(&vpc);
    }

    /// Sets when the subnets of a VPC are read next.
    pub(super) fn plan_subnets(&mut self, vpc: &VpcId) {
        let Some(state) = self.vpcs.get(vpc) else { return };
        let Some(part) = state.parts.get(&Part::Subnets).filter(|it| it.is_idle()) else { return };
        let Some(read) = part.read else { return };
        let (busy, idle) = (self.settings.subnets_busy, self.settings.subnets_idle);
        let is_busy = state.asked.is_some_and(|asked| asked >= read || asked + busy > self.now);
        let at = read + if is_busy { busy } else { idle };
        self.agenda.set(Timer::Part(vpc.clone(), Part::Subnets), Some(at.max(self.now)));
    }

    /// Addresses of a subnet were given to an interface, as EC2 answered.
    pub(super) fn take_from(&mut self, id: &SubnetId, ranges: &[Ipv4Net]) {
        let Some(subnet) = self.network.subnets.get_mut(id) else { return };
        let size = |range: &Ipv4Net| 1_u32 << (32 - u32::from(range.prefix_len())).min(31);
        let count: u32 = ranges.iter().map(size).sum();
        subnet.free_addresses = subnet.free_addresses.saturating_sub(count);
        let vpc = subnet.vpc.clone();
        self.occupy(id, ranges);
        let (now, settle) = (self.now, self.settings.settle);
        if let Some(state) = self.vpcs.get_mut(&vpc) {
            let taken = state.taken.entry(id.clone()).or_default();
            // A reading that is under way may be as old as a call lasts, which is minutes at worst.
            while taken.pop_front_if(|(at, _)| *at + settle + READING_LASTS <= now).is_some() {}
            taken.push_back((now, count));
        }
    }

    /// Marks the blocks of addresses that something holds.
    pub(super) fn occupy(&mut self, id: &SubnetId, ranges: &[Ipv4Net]) {
        let subnet = self.network.subnets.get_mut(id);
        if let Some(blocks) = subnet.and_then(|subnet| subnet.free_blocks.as_mut()) {
            for range in ranges {
                blocks.take_range(*range);
            }
        }
    }

    /// Frees what nothing holds any more, and lets the subnet be read soon.
    pub(super) fn vacate(&mut self, id: &SubnetId, ranges: &[Ipv4Net]) {
        let subnet = self.network.subnets.get_mut(id);
        if let Some(blocks) = subnet.and_then(|subnet| subnet.free_blocks.as_mut()) {
            for range in ranges {
                blocks.give_back(*range);
            }
        }
        self.note_demand(id);
    }

    /// A complete reading of the subnets of a VPC, sent at `sent`.
    pub(super) fn replace_subnets(
        &mut self,
        vpc: &VpcId,
        sent: Tick,
        read: Vec<(SubnetId, SubnetView)>,
        is_whole: bool,
    ) {
        let (now, settle) = (self.now, self.settings.settle);
        let Some(state) = self.vpcs.get_mut(vpc) else { return };
        state.taken.retain(|_, taken| {
            taken.retain(|(at, _)| *at + settle + READING_LASTS > now);
            !taken.is_empty()
        });
        let since = sent.before(settle);
        let mut fresh: Vec<(SubnetId, SubnetView)> = Vec::new();
        for (id, mut subnet) in read {
            let taken = state.taken.get(&id).into_iter().flatten();
            let taken = taken.filter(|(at, _)| *at > since).map(|(_, count)| *count).sum();
            subnet.free_addresses = subnet.free_addresses.saturating_sub(taken);
            subnet.usable = self.settings.subnet_filter.allows(&id, &subnet);
            if let Some(known) = self.network.subnets.get(&id) {
                subnet.planned = known.planned;
                subnet.free_blocks =
                    known.free_blocks.clone().filter(|_| known.cidr == subnet.cidr);
            }
            subnet.refused = Refused {
                addresses: self.gates.is_closed(&GateKey::Addresses(id.clone()), self.now),
                prefixes: self.gates.is_closed(&GateKey::Prefixes(id.clone()), self.now),
            };
            fresh.push((id, subnet));
        }
        if is_whole {
            self.network.subnets.retain(|_, subnet| subnet.vpc != *vpc);
        }
        self.network.subnets.extend(fresh);
    }

    /// Lets the planner see whether a subnet refuses.
    pub(super) fn show_refusal(&mut self, key: &GateKey) {
        let is_closed = self.gates.is_closed(key, self.now);
        let (GateKey::Addresses(id) | GateKey::Prefixes(id)) = key else { return };
        let Some(subnet) = self.network.subnets.get_mut(id) else { return };
        if matches!(key, GateKey::Addresses(_)) {
            subnet.refused.addresses = is_closed;
        } else {
            subnet.refused.prefixes = is_closed;
        }
    }

    /// The time is up after which something may be asked for again: by whoever comes first.
    pub(super) fn open_gate(&mut self, key: &GateKey) {
        self.show_refusal(key);
        self.touch_behind(key);
    }

    /// Looks again at the nodes that wait for something that was refused.
    pub(super) fn touch_behind(&mut self, key: &GateKey) {
        match key {
            GateKey::Addresses(id) | GateKey::Prefixes(id) => {
                let vpc = self.network.subnets.get(id).map(|subnet| subnet.vpc.clone());
                if let Some(vpc) = vpc {
                    self.touch_network(&vpc);
                }
            }
            GateKey::Permission(_) | GateKey::Quota => self.touch_held(&Hold::Gate(key.clone())),
        }
    }

    /// What may be refused for all was granted to a call that was sent at `sent`.
    pub(super) fn grant(&mut self, key: &GateKey, sent: Tick) {
        if !self.gates.grant(key, sent) {
            return;
        }
        self.agenda.set(Timer::Gate(key.clone()), None);
        if let GateKey::Permission(api) = key {
            self.say_permission_back(*api);
        }
        self.show_refusal(key);
        self.touch_behind(key);
    }

    fn say_permission_back(&mut self, api: Api) {
        self.out.say(super::Event::PermissionBack { api });
    }
}
