//! Writing interfaces: the one place where the indexes over them change, by the difference of what was and what is.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::entry::InterfaceEntry;
use super::{World, Write};
use crate::id::{InterfaceId, SubnetId, VpcId};
use crate::model::Interface;
use crate::time::Moment;

impl World {
    /// Writes an interface: a new one, or the next state of one that is there. Addresses that it has beyond its last state have been
    /// taken from the subnet's space before; those that it has no longer go back there. Returns when
    /// [`World::settle_interface`] has something to do.
    pub(crate) fn put_interface(&mut self, interface: Interface, write: &Write) -> Option<Moment> {
        let before = self.interface(&interface.id).cloned();
        self.index(before.as_deref(), Some(&interface));
        let (id, subnet) = (interface.id.clone(), interface.subnet.clone());
        let entry =
            self.interfaces.entry(id).or_insert_with(|| InterfaceEntry::new(subnet.clone()));
        let here = interface.instance();
        let before = before.as_ref().and_then(|before| before.instance());
        entry.lingers_at.extend(before.filter(|before| Some(*before) != here).cloned());
        entry.lingers_at.retain(|instance| Some(instance) != here);
        let lingers = !entry.lingers_at.is_empty();
        let settled = entry.write(Some(interface), write);
        self.count_available(&subnet, write);
        settled.or_else(|| lingers.then_some(write.now))
    }

    /// Deletes an interface. Readers may see it until [`World::settle_interface`] forgets it altogether; returns when it will.
    pub(crate) fn delete_interface(&mut self, id: &InterfaceId, write: &Write) -> Option<Moment> {
        let before = self.interface(id).cloned()?;
        self.index(Some(&before), None);
        let entry = self.interfaces.get_mut(id)?;
        entry.link_at = None;
        entry.lingers_at.extend(before.instance().cloned());
        let settled = entry.write(None, write);
        self.count_available(&before.subnet, write);
        settled.or(Some(write.now))
    }

    /// Forgets what no reader can see any more of an interface.
    pub(super) fn settle_interface(&mut self, now: Moment, id: &InterfaceId) {
        let Some(entry) = self.interfaces.get_mut(id) else { return };
        let gone = entry.object.settle(now);
        if now < entry.settled_at {
            return;
        }
        let left = std::mem::take(&mut entry.lingers_at);
        let gone = gone.then(|| entry.subnet.clone());
        for instance in left {
            if let Some(entry) = self.instances.get_mut(&instance) {
                entry.interfaces.remove(id);
            }
        }
        if let Some(subnet) = gone {
            self.interfaces.remove(id);
            if let Some(entry) = self.subnets.get_mut(&subnet) {
                entry.interfaces.remove(id);
            }
        }
    }

    /// When the kernel of the instance shows the interface; none while it is not attached.
    pub(crate) fn set_link(&mut self, id: &InterfaceId, at: Option<Moment>) {
        if let Some(entry) = self.interfaces.get_mut(id) {
            entry.link_at = at;
        }
    }

    /// Who holds a single address, or the prefix that it is part of.
    pub(crate) fn holder(&self, vpc: &VpcId, address: Ipv4Addr) -> Option<Holder<'_>> {
        let entry = self.vpcs.get(vpc)?;
        if let Some(id) = entry.addresses.get(&address) {
            return Some(Holder::Single(id));
        }
        let block = Ipv4Addr::from(u32::from(address) & !0xf);
        entry.prefixes.get(&block).map(Holder::Prefix)
    }

    /// Whether a /28 has nothing of it taken by anybody.
    pub(crate) fn block_is_free(&self, vpc: &VpcId, block: Ipv4Net) -> bool {
        let Some(entry) = self.vpcs.get(vpc) else { return true };
        !entry.prefixes.contains_key(&block.network())
            && entry.addresses.range(block.network()..=block.broadcast()).next().is_none()
    }

    /// Writes down how many addresses of a subnet are available.
    pub(super) fn count_available(&mut self, subnet: &SubnetId, write: &Write) {
        if let Some(entry) = self.subnets.get_mut(subnet) {
            entry.available.write(write.now, entry.space.available(), write.count_at);
        }
    }

    /// Changes the indexes from the one state to the other.
    fn index(&mut self, before: Option<&Interface>, after: Option<&Interface>) {
        if let Some(attachment) = before.and_then(|before| before.attachment.as_ref()) {
            self.attachments.remove(&attachment.id);
        }
        if let Some(after) = after {
            self.index_attachment(after);
        }
        match (before, after) {
            (None, Some(after)) => {
                self.live_interfaces += 1;
                self.macs.insert(after.mac);
            }
            (Some(before), None) => {
                self.live_interfaces -= 1;
                self.macs.remove(&before.mac);
            }
            _ => {}
        }
        let same = |before: &Interface, after: &Interface| holdings(before) == holdings(after);
        if before.zip(after).is_some_and(|(before, after)| same(before, after)) {
            return;
        }
        if let Some(before) = before {
            self.remove(before, after);
        }
        if let Some(after) = after {
            self.add(after);
        }
    }

    fn index_attachment(&mut self, after: &Interface) {
        if let Some(attachment) = &after.attachment {
            self.attachments.insert(attachment.id.clone(), after.id.clone());
        }
        if let Some(instance) = after.instance() {
            let entry = self.instances.entry(instance.clone()).or_default();
            entry.interfaces.insert(after.id.clone());
        }
        if let Some(subnet) = self.subnets.get_mut(&after.subnet) {
            subnet.interfaces.insert(after.id.clone());
        }
    }

    /// Removes what `before` has from the indexes, and gives back to the subnet what `after` has not.
    fn remove(&mut self, before: &Interface, after: Option<&Interface>) {
        let Some(subnet) = self.subnets.get_mut(&before.subnet) else { return };
        for address in &before.ipv6_addresses {
            subnet.ipv6_addresses.remove(address);
        }
        for prefix in &before.ipv6_prefixes {
            subnet.ipv6_prefixes.remove(&prefix.network());
        }
        let Some(vpc) = self.vpcs.get_mut(&before.vpc) else { return };
        vpc.usage.remove(before);
        let kept: HashSet<_> = after.into_iter().flat_map(singles).collect();
        for address in singles(before).filter(|address| !kept.contains(address)) {
            vpc.addresses.remove(&address);
            subnet.space.give_back(address);
        }
        let kept = after.map_or(&[][..], |after| &after.ipv4_prefixes);
        for prefix in before.ipv4_prefixes.iter().filter(|prefix| !kept.contains(prefix)) {
            vpc.prefixes.remove(&prefix.network());
            subnet.space.give_back_prefix(*prefix);
        }
    }

    fn add(&mut self, after: &Interface) {
        if let Some(subnet) = self.subnets.get_mut(&after.subnet) {
            subnet.ipv6_addresses.extend(&after.ipv6_addresses);
            subnet.ipv6_prefixes.extend(after.ipv6_prefixes.iter().map(Ipv6Net::network));
        }
        let Some(vpc) = self.vpcs.get_mut(&after.vpc) else { return };
        vpc.usage.add(after);
        for address in singles(after) {
            vpc.addresses.insert(address, after.id.clone());
        }
        for prefix in &after.ipv4_prefixes {
            vpc.prefixes.insert(prefix.network(), after.id.clone());
        }
    }
}

/// All that the address indexes know of an interface.
fn holdings(interface: &Interface) -> (Ipv4Addr, &[Ipv4Addr], &[Ipv4Net], &[Ipv6Addr], &[Ipv6Net]) {
    (
        interface.primary_ip,
        &interface.secondary_ips,
        &interface.ipv4_prefixes,
        &interface.ipv6_addresses,
        &interface.ipv6_prefixes,
    )
}

/// Its single addresses, the primary one first.
fn singles(interface: &Interface) -> impl Iterator<Item = Ipv4Addr> {
    std::iter::once(interface.primary_ip).chain(interface.secondary_ips.iter().copied())
}

/// Who has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder<'a> {
    /// It is this interface's primary or secondary address.
    Single(&'a InterfaceId),
    /// It lies in a prefix of this interface.
    Prefix(&'a InterfaceId),
}
