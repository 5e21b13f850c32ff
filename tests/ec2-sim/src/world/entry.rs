//! What is kept of an object beside the object itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::Write;
use crate::id::{GroupId, InstanceId, InterfaceId, SubnetId};
use crate::model::{Instance, Interface, Subnet, Vpc};
use crate::space::Space;
use crate::staleness::Versioned;
use crate::time::Moment;

/// A VPC and who holds which of its addresses.
#[derive(Debug)]
pub(crate) struct VpcEntry {
    pub(crate) object: Versioned<Vpc>,
    /// The group of interfaces that name none.
    pub(crate) default_group: GroupId,
    /// Who holds a single address, primary or secondary.
    pub(crate) addresses: BTreeMap<Ipv4Addr, InterfaceId>,
    /// Who holds the /28 that begins there.
    pub(crate) prefixes: BTreeMap<Ipv4Addr, InterfaceId>,
    pub(crate) usage: Usage,
}

/// What network address usage is counted from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Interfaces of the account's own.
    pub(crate) own: usize,
    /// Their addresses and prefixes of both families.
    pub(crate) slots: usize,
    /// Interfaces of managed services.
    pub(crate) managed: usize,
}

impl Usage {
    pub(super) fn add(&mut self, interface: &Interface) {
        if interface.requester.is_some() {
            self.managed += 1;
            return;
        }
        self.own += 1;
        self.slots += interface.ipv4_slots() + interface.ipv6_slots();
    }

    pub(super) fn remove(&mut self, interface: &Interface) {
        if interface.requester.is_some() {
            self.managed -= 1;
            return;
        }
        self.own -= 1;
        self.slots -= interface.ipv4_slots() + interface.ipv6_slots();
    }
}

/// A subnet and what is taken of it.
#[derive(Debug)]
pub(crate) struct SubnetEntry {
    pub(crate) object: Versioned<Subnet>,
    pub(crate) space: Space,
    pub(crate) available: Lagging,
    /// Interfaces of which a reader may see something.
    pub(crate) interfaces: BTreeSet<InterfaceId>,
    pub(crate) ipv6_addresses: BTreeSet<Ipv6Addr>,
    /// The first addresses of the /80 prefixes.
    pub(crate) ipv6_prefixes: BTreeSet<Ipv6Addr>,
}

/// An instance and its interfaces.
#[derive(Debug, Default)]
pub(crate) struct InstanceEntry {
    pub(crate) object: Versioned<Instance>,
    /// Interfaces of which a reader may see an attachment to it.
    pub(crate) interfaces: BTreeSet<InterfaceId>,
}

/// An interface, and its link on the instance.
#[derive(Debug)]
pub(crate) struct InterfaceEntry {
    pub(crate) object: Versioned<Interface>,
    /// Where it is listed, also when it is gone.
    pub(crate) subnet: SubnetId,
    /// When the instance's kernel shows it; [`Moment::NEVER`] while there is nothing to show.
    pub(crate) link_at: Option<Moment>,
    /// The instances under which it is still listed for readers that lag behind, its own excepted.
    pub(crate) lingers_at: Vec<InstanceId>,
    /// From when on every reader sees the latest version.
    pub(crate) settled_at: Moment,
}

impl VpcEntry {
    /// A VPC in which nothing is taken.
    pub(super) const fn new(object: Versioned<Vpc>, default_group: GroupId) -> Self {
        Self {
            object,
            default_group,
            addresses: BTreeMap::new(),
            prefixes: BTreeMap::new(),
            usage: Usage { own: 0, slots: 0, managed: 0 },
        }
    }
}

impl SubnetEntry {
    /// A subnet of which `space` says what is taken.
    pub(super) const fn new(object: Versioned<Subnet>, space: Space, available: Lagging) -> Self {
        Self {
            object,
            space,
            available,
            interfaces: BTreeSet::new(),
            ipv6_addresses: BTreeSet::new(),
            ipv6_prefixes: BTreeSet::new(),
        }
    }
}

impl InterfaceEntry {
    /// An interface that is yet to be written.
    pub(super) fn new(subnet: SubnetId) -> Self {
        let object = Versioned::default();
        let settled_at = Moment::START;
        Self { object, subnet, link_at: None, lingers_at: Vec::new(), settled_at }
    }

    /// Writes the next version. Returns when it is settled, if it is not at once.
    pub(super) fn write(&mut self, next: Option<Interface>, write: &Write) -> Option<Moment> {
        let settled = self.object.write(next, &write.seen);
        self.settled_at = self.settled_at.max(settled.unwrap_or(write.now));
        settled
    }
}

/// A number that readers see some time after it has changed. Changes that come while one is on its way go along with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lagging {
    shown: u32,
    coming: Option<(Moment, u32)>,
}

impl Lagging {
    /// Seen at once.
    pub(crate) const fn new(value: u32) -> Self {
        Self { shown: value, coming: None }
    }

    /// What is seen at `now`.
    pub(crate) fn seen(self, now: Moment) -> u32 {
        self.coming.filter(|(at, _)| *at <= now).map_or(self.shown, |(_, value)| value)
    }

    /// A change at `now` that is seen from `visible_at` on, or earlier together with one before it.
    pub(crate) fn write(&mut self, now: Moment, value: u32, visible_at: Moment) {
        self.shown = self.seen(now);
        let at = self.coming.map(|(at, _)| at).filter(|at| now < *at).unwrap_or(visible_at);
        self.coming = Some((at, value));
    }
}
