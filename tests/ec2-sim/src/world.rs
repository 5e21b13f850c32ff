//! The truth: every object of the Region, the indexes by which they are found, and what readers see of them when.
//!
//! Writes change the truth at once; readers see them when the write's visibility says so. What depends on several objects (who holds an
//! address, what is attached where) is answered from the truth by the methods of [`World`], and from what is visible by a [`Reader`].

mod entry;
mod interfaces;
mod objects;
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use self::entry::{InstanceEntry, InterfaceEntry, VpcEntry};
pub(crate) use self::entry::{SubnetEntry, Usage};
pub(crate) use self::interfaces::Holder;
pub use self::reader::Reader;
use crate::id::{
    AllocationId, AttachmentId, GroupId, InstanceId, InterfaceId, ReservationId, RouteTableId,
    SubnetId, VpcId,
};
use crate::model::{ElasticIp, Reservation, RouteTable, SecurityGroup};
use crate::request::Action;
use crate::staleness::{Audience, Versioned, Visibility};
use crate::time::Moment;

/// Who an access key belongs to, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account, 12 digits: buckets and client tokens are kept by account.
    pub account: String,
    /// The actions it may use; none for all.
    pub allowed: Option<BTreeSet<Action>>,
}

/// When a change is made, and when readers see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write {
    /// When it is made.
    pub(crate) now: Moment,
    /// When the changed object is seen.
    pub(crate) seen: Visibility,
    /// When the number of available addresses is seen to have changed.
    pub(crate) count_at: Moment,
}

impl Write {
    /// A change that all see at once.
    pub(crate) const fn at_once(now: Moment) -> Self {
        Self { now, seen: Visibility::at_once(now), count_at: now }
    }
}

/// Something of which readers may see different versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resource {
    Vpc(VpcId),
    Subnet(SubnetId),
    Reservation(ReservationId),
    RouteTable(RouteTableId),
    Group(GroupId),
    Instance(InstanceId),
    Interface(InterfaceId),
    ElasticIp(AllocationId),
}

/// Every object of the Region.
#[derive(Debug, Default)]
pub struct World {
    vpcs: BTreeMap<VpcId, VpcEntry>,
    subnets: BTreeMap<SubnetId, SubnetEntry>,
    reservations: BTreeMap<ReservationId, Versioned<Reservation>>,
    route_tables: BTreeMap<RouteTableId, Versioned<RouteTable>>,
    groups: BTreeMap<GroupId, Versioned<SecurityGroup>>,
    instances: BTreeMap<InstanceId, InstanceEntry>,
    interfaces: BTreeMap<InterfaceId, InterfaceEntry>,
    attachments: BTreeMap<AttachmentId, InterfaceId>,
    elastic_ips: BTreeMap<AllocationId, Versioned<ElasticIp>>,
    public_ips: BTreeMap<Ipv4Addr, AllocationId>,
    principals: BTreeMap<String, Principal>,
    /// The hardware addresses of the interfaces that exist.
    macs: BTreeSet<[u8; 6]>,
    /// Interfaces that exist, unlike those of which readers may still see something.
    live_interfaces: usize,
}

impl World {
    /// What a reader that is served by `replica` sees at `now`.
    #[must_use]
    pub const fn reader(&self, now: Moment, replica: usize) -> Reader<'_> {
        Reader { world: self, now, audience: Audience::Replica(replica) }
    }

    /// What the metadata services of instances see at `now`: they lag behind more than the API's readers do.
    #[must_use]
    pub const fn metadata(&self, now: Moment) -> Reader<'_> {
        Reader { world: self, now, audience: Audience::Metadata }
    }

    /// The truth, in a reader's form.
    #[must_use]
    pub const fn truth(&self) -> Reader<'_> {
        Reader { world: self, now: Moment::NEVER, audience: Audience::Replica(0) }
    }

    /// The principal of an access key. While no principal is known, none is asked for: see
    /// [`Builder::principal`](crate::build::Builder::principal).
    #[must_use]
    pub fn principal(&self, access_key: &str) -> Option<&Principal> {
        self.principals.get(access_key)
    }

    /// All principals, by access key.
    #[must_use]
    pub const fn principals(&self) -> &BTreeMap<String, Principal> {
        &self.principals
    }

    /// Whether an interface has that hardware address.
    pub(crate) fn has_mac(&self, mac: [u8; 6]) -> bool {
        self.macs.contains(&mac)
    }

    /// How many interfaces exist.
    #[must_use]
    pub const fn interface_count(&self) -> usize {
        self.live_interfaces
    }
}
