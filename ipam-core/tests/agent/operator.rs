//! The other side of an agent: a `CiliumNode`, and an operator that acts on it as it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipam_core::agent::{EniFacts, Publication, PublicationId, Release, ShownEni, Word, WordEni};
use ipam_core::view::Contract;
use ipnet::IpNet;

/// How a word is unlike what stands in the `CiliumNode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// The pool has an address that no interface has.
    Inconsistent,
    OfAnother,
    /// One interface is missing.
    Partial,
    NoPool,
}

/// What EC2 and the `CiliumNode` have.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) contract: Contract,
    /// What is attached, with the number of the interface.
    pub(crate) attached: BTreeMap<IpNet, u32>,
    pub(crate) entries: BTreeMap<Ipv4Addr, Release>,
    pub(crate) used: BTreeMap<Ipv4Addr, String>,
    requested: Option<(u32, u32)>,
    allocated: BTreeSet<IpNet>,
    /// What was allocated before: what the agent never named is not given back.
    named: BTreeSet<IpNet>,
    /// What the agent writes, and whether it is there already.
    pub(crate) under_way: Option<(PublicationId, Publication, bool)>,
}

pub(crate) fn cidrs(contract: Contract) -> Vec<IpNet> {
    let texts: &[&str] = match contract {
        Contract::PerIp => &[
            "10.0.0.1/32",
            "10.0.0.2/32",
            "10.0.0.3/32",
            "10.0.0.4/32",
            "10.0.0.5/32",
            "10.0.1.0/31",
        ],
        Contract::Cidr => &["10.0.1.0/31", "10.0.2.0/31", "10.0.3.0/31", "10.0.0.1/32"],
    };
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

impl Node {
    pub(crate) fn new(contract: Contract) -> Self {
        Self {
            contract,
            attached: cidrs(contract).into_iter().take(3).map(|cidr| (cidr, 1)).collect(),
            entries: BTreeMap::new(),
            used: BTreeMap::new(),
            requested: None,
            allocated: BTreeSet::new(),
            named: BTreeSet::new(),
            under_way: None,
        }
    }

    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.attached.keys().any(|cidr| cidr.contains(&address))
    }

    /// What the agent writes gets there; answers about releases only where they still are ones.
    pub(crate) fn land(&mut self) {
        let Some((_, publication, landed)) = &mut self.under_way else { return };
        if std::mem::replace(landed, true) {
            return;
        }
        match publication.clone() {
            Publication::Used { used, releases } => {
                self.used =
                    used.into_iter().map(|(it, (owner, _))| (it, owner.to_string())).collect();
                self.requested = None;
                for (address, release) in releases {
                    self.land_answer(address, release);
                }
            }
            Publication::Pools { requested, allocated } => {
                self.named.extend(&allocated);
                (self.requested, self.allocated) = (Some(requested), allocated);
            }
        }
    }

    fn land_answer(&mut self, address: Ipv4Addr, release: Option<Release>) {
        let stands = self.entries.get(&address).copied();
        match (release, stands) {
            (Some(Release::Ready), Some(Release::Marked))
            | (Some(Release::Refused), Some(Release::Marked | Release::Ready)) => {
                self.entries.extend(release.map(|release| (address, release)));
            }
            (None, Some(Release::Released)) => {
                self.entries.remove(&address);
            }
            _ => {}
        }
    }

    /// Addresses that the operator may take away now, or when what is under way gets there.
    pub(crate) fn may_take(&self, address: IpAddr) -> bool {
        let under_way = self.under_way.as_ref().filter(|(.., landed)| !landed);
        let written = under_way.map(|(_, publication, _)| publication);
        match (self.contract, address) {
            (Contract::PerIp, IpAddr::V4(address)) => {
                let is_ready = |it: &Publication| matches!(it, Publication::Used { releases, .. } if releases.get(&address) == Some(&Some(Release::Ready)));
                match self.entries.get(&address) {
                    Some(Release::Ready) => true,
                    Some(Release::Marked) => written.is_some_and(is_ready),
                    _ => false,
                }
            }
            (Contract::PerIp, IpAddr::V6(_)) => false,
            (Contract::Cidr, _) => {
                let leaves_out = |it: &Publication| matches!(it, Publication::Pools { allocated, .. } if !names(allocated, address));
                let left_out = !names(&self.allocated, address);
                names(&self.named, address)
                    && self.has(address)
                    && (left_out || written.is_some_and(leaves_out))
            }
        }
    }

    pub(crate) fn mark(&mut self, address: Ipv4Addr) {
        if self.contract == Contract::PerIp && self.has(address.into()) {
            self.entries.entry(address).or_insert(Release::Marked);
        }
    }

    pub(crate) fn abort(&mut self, address: Ipv4Addr) {
        if self.entries.get(&address).is_some_and(|it| *it != Release::Released) {
            self.entries.remove(&address);
        }
    }

    /// Takes away what the agent has given up; answers what.
    pub(crate) fn take(&mut self, cidr: IpNet) -> bool {
        let is_given_up = match self.contract {
            Contract::PerIp => {
                addresses(cidr).all(|it| self.entries.get(&it) == Some(&Release::Ready))
            }
            Contract::Cidr => self.named.contains(&cidr) && !self.allocated.contains(&cidr),
        };
        if !is_given_up || self.attached.remove(&cidr).is_none() {
            return false;
        }
        self.named.remove(&cidr);
        if self.contract == Contract::PerIp {
            self.entries.extend(addresses(cidr).map(|address| (address, Release::Released)));
        }
        true
    }

    /// For a while the operator does not see the second interface: of what it does not see it knows no release.
    pub(crate) fn lose_sight(&mut self) {
        let attached = &self.attached;
        self.named.retain(|cidr| attached.get(cidr) != Some(&2));
    }

    pub(crate) fn word(&self, flaw: Flaw) -> Word {
        let instance = if flaw == Flaw::OfAnother { "i-2" } else { "i-1" };
        let is_said = |number: u32| flaw != Flaw::Partial || number == 1;
        let numbers = [1, 2].into_iter().filter(|number| is_said(*number));
        let singles = |(cidr, number): (&IpNet, &u32)| match cidr {
            IpNet::V4(_) if is_said(*number) => {
                addresses(*cidr).map(|it| (it, eni(*number).id)).collect::<Vec<_>>()
            }
            _ => Vec::new(),
        };
        let mut pool: BTreeMap<_, _> = self.attached.iter().flat_map(singles).collect();
        if flaw == Flaw::Inconsistent {
            pool.insert(Ipv4Addr::new(10, 9, 9, 9), eni(1).id);
        }
        let has_pool = self.contract == Contract::PerIp && flaw != Flaw::NoPool;
        Word {
            instance: Some(instance.parse().unwrap()),
            enis: numbers.map(|number| self.word_eni(number)).collect(),
            pool: has_pool.then_some(pool),
            releases: self.entries.clone(),
            used: self.used.clone(),
            requested: self.requested,
            allocated: self.allocated.clone(),
            blocked: None,
        }
    }

    fn word_eni(&self, number: u32) -> WordEni {
        let (addresses, prefixes) = self.holds(number);
        WordEni { facts: eni(number), primary: None, addresses, prefixes }
    }

    pub(crate) fn shown(&self) -> Vec<ShownEni> {
        let shown = [1, 2].map(|number| {
            let (addresses, prefixes) = self.holds(number);
            ShownEni { facts: eni(number), network_card: 0, primary: None, addresses, prefixes }
        });
        shown.to_vec()
    }

    fn holds(&self, number: u32) -> (BTreeSet<IpAddr>, BTreeSet<IpNet>) {
        let mine = self.attached.iter().filter(|(_, on)| **on == number).map(|(cidr, _)| *cidr);
        let (singles, prefixes): (Vec<_>, Vec<_>) =
            mine.partition(|cidr| cidr.prefix_len() == cidr.max_prefix_len());
        (singles.into_iter().map(|cidr| cidr.addr()).collect(), prefixes.into_iter().collect())
    }
}

fn names(allocated: &BTreeSet<IpNet>, address: IpAddr) -> bool {
    allocated.iter().any(|cidr| cidr.contains(&address))
}

fn eni(number: u32) -> EniFacts {
    EniFacts {
        id: format!("eni-{number}").parse().unwrap(),
        mac: format!("02:00:00:00:00:0{number}"),
        number,
        subnet: None,
        vpc: Vec::new(),
    }
}

/// The IPv4 addresses of a CIDR.
pub(crate) fn addresses(cidr: IpNet) -> impl Iterator<Item = Ipv4Addr> {
    let ends = match cidr {
        IpNet::V4(cidr) => Some((u32::from(cidr.network()), u32::from(cidr.broadcast()))),
        IpNet::V6(_) => None,
    };
    ends.into_iter().flat_map(|(first, last)| (first..=last).map(Ipv4Addr::from))
}
