//! A `CiliumNode`, in the words of the core.
//!
//! The wire has more: `cilium-node` reads and writes it, and its own tests hold that nothing is lost on the way. What its `convert` makes of an object for the
//! operator ([`Object::seen`]) and for the agent ([`Object::word`]) is done here on the members that it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipam_core::agent::{Release, Word, WordEni};
use ipam_core::ids::{EniId, InstanceId, NodeName};
use ipam_core::reconcile::NodeSeen;
use ipam_core::release::Usage;
use ipam_core::view::{Contract, Demand, NodeIdentity, NodeSettings};
use ipnet::IpNet;

/// A `CiliumNode`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    /// Its name.
    pub(crate) name: NodeName,
    /// Different for each object under this name.
    pub(crate) uid: u64,
    /// Different after each write.
    pub(crate) version: u64,
    /// `spec.instance-id` and the facts of `spec.eni`.
    pub(crate) identity: NodeIdentity,
    /// The settings of `spec.eni` and `spec.ipam`.
    pub(crate) settings: NodeSettings,
    /// `spec.ipam.pool`. Empty and absent are the same here, since nobody writes an empty one.
    pub(crate) pool: BTreeMap<Ipv4Addr, EniId>,
    /// `spec.ipam.pools.requested` of the default pool.
    pub(crate) requested: Option<(u32, u32)>,
    /// `spec.ipam.pools.allocated` of the default pool.
    pub(crate) allocated: BTreeSet<IpNet>,
    /// Whether there is a `status`: an RFC 6902 patch makes none on the way.
    pub(crate) has_status: bool,
    /// `status.eni.enis`.
    pub(crate) enis: Vec<WordEni>,
    /// `status.ipam.used`.
    pub(crate) used: BTreeMap<Ipv4Addr, (String, EniId)>,
    /// `status.ipam.release-ips`.
    pub(crate) releases: BTreeMap<Ipv4Addr, Release>,
    /// `status.ipam.operator-status.error`.
    pub(crate) error: Option<String>,
}

impl Object {
    /// A new one, as an agent makes it.
    pub(crate) fn new(identity: NodeIdentity, settings: NodeSettings) -> Self {
        Self {
            name: identity.name.clone(),
            uid: 0,
            version: 0,
            identity,
            settings,
            pool: BTreeMap::new(),
            requested: None,
            allocated: BTreeSet::new(),
            has_status: false,
            enis: Vec::new(),
            used: BTreeMap::new(),
            releases: BTreeMap::new(),
            error: None,
        }
    }

    /// The instance that it is about.
    pub(crate) const fn instance(&self) -> &InstanceId {
        &self.identity.instance
    }

    /// What the operator reads of it. The contract is judged by what the agent wrote last, as `cilium_node::contract` does.
    pub(crate) fn seen(&self) -> NodeSeen {
        let demand = match self.requested {
            Some((ipv4, ipv6)) if self.used.is_empty() => Demand::Cidr { ipv4, ipv6 },
            _ => Demand::PerIp { used: u32::try_from(self.used.len()).unwrap_or(u32::MAX) },
        };
        NodeSeen {
            name: self.name.clone(),
            identity: Some(self.identity.clone()),
            settings: Some(self.settings.clone()),
            demand,
            usage: self.usage(demand),
            ignored: false,
        }
    }

    /// What its agent, and what was published for it, say of what may be given back.
    fn usage(&self, demand: Demand) -> Usage {
        let ipv4 = |net: &IpNet| match net {
            IpNet::V4(net) => Some(*net),
            IpNet::V6(_) => None,
        };
        Usage {
            is_certain: true,
            used: self.used.keys().copied().collect(),
            releases: self.releases.clone(),
            requested: demand.requested(),
            allocated: self.allocated.iter().filter_map(ipv4).collect(),
            shown: self.enis.iter().map(|eni| eni.facts.id.clone()).collect(),
            listed: match demand.contract() {
                Contract::PerIp => self.pool.keys().copied().collect(),
                Contract::Cidr => self.listed().into_iter().collect(),
            },
        }
    }

    /// What its agent reads of it.
    pub(crate) fn word(&self) -> Word {
        let first = self.settings.first_interface_index.unwrap_or(0).into();
        let enis = self.enis.iter().filter(|eni| eni.facts.number >= first);
        let used = self.used.iter().map(|(at, (owner, _))| (*at, owner.clone()));
        Word {
            instance: Some(self.identity.instance.clone()),
            enis: enis.cloned().collect(),
            pool: (!self.pool.is_empty()).then(|| self.pool.clone()),
            releases: self.releases.clone(),
            used: used.collect(),
            requested: self.requested,
            allocated: self.allocated.clone(),
            blocked: self.error.clone(),
        }
    }

    /// The addresses in `status.eni`.
    pub(crate) fn listed(&self) -> BTreeSet<Ipv4Addr> {
        addresses(&self.enis)
    }
}

/// The IPv4 addresses for pods of interfaces, those of prefixes included.
pub(crate) fn addresses(enis: &[WordEni]) -> BTreeSet<Ipv4Addr> {
    let all = enis.iter().flat_map(|eni| &eni.addresses);
    let ipv4 = all.filter_map(|address| match address {
        std::net::IpAddr::V4(address) => Some(*address),
        std::net::IpAddr::V6(_) => None,
    });
    ipv4.collect()
}
