//! Demand, use, pool and release: `spec.ipam` and `status.ipam`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipam_core::ids::EniId;
use ipam_core::view::{Contract, Demand};
use ipnet::IpNet;

use super::problem::{Fault, Problems};
use crate::{Allocation, Allocations, CiliumNode, DEFAULT_POOL, Pools, ReleaseState, contract};

/// An address in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Who uses it, in the agent's words: mostly `namespace/pod`, `router`, `health` or `ingress`.
    /// Empty when the agent does not say.
    pub owner: String,
    /// The ENI it is on, if the agent says so.
    pub eni: Option<EniId>,
}

/// How far the release of one address has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// The operator asks to have it back.
    Marked,
    /// The agent agrees and will not use it.
    Ready,
    /// The agent refuses.
    Refused,
    /// The operator unassigned it.
    Released,
}

/// What `spec.ipam` and `status.ipam` say.
pub(super) struct Ipam {
    pub(super) demand: Demand,
    pub(super) used: BTreeMap<Ipv4Addr, Used>,
    pub(super) pool: BTreeMap<Ipv4Addr, EniId>,
    pub(super) releases: BTreeMap<Ipv4Addr, Release>,
    pub(super) allocated: BTreeSet<IpNet>,
    pub(super) use_is_certain: bool,
}

pub(super) fn read(node: &CiliumNode, problems: &mut Problems) -> Ipam {
    let spec = node.spec.ipam.as_ref();
    let status = node.status.as_ref().and_then(|status| status.ipam.as_ref());
    let pools = spec.and_then(|spec| spec.pools.as_ref());
    let listed = status.and_then(|status| status.used.as_ref());
    let mut resources = Resources::default();
    let pool = pool(spec.and_then(|spec| spec.pool.as_ref()), &mut resources, problems);
    let requested = requested(pools, problems);
    let noted = problems.count();
    let allocated = allocated(pools, problems);
    let allocated_is_certain = problems.count() == noted;
    let releases = status.and_then(|status| status.release_ips.as_ref());
    let releases = self::releases(releases, problems);
    let used = used(listed, &mut resources, problems);
    let listed = listed.map_or(0, BTreeMap::len);
    Ipam {
        demand: match contract(node) {
            // Entries that make no sense count too: something is in use there.
            Contract::PerIp => Demand::PerIp { used: u32::try_from(listed).unwrap_or(u32::MAX) },
            Contract::Cidr => requested,
        },
        use_is_certain: allocated_is_certain && used.len() == listed,
        used,
        pool,
        releases,
        allocated,
    }
}

/// ENI ids that were read before: thousands of addresses share a few of them.
#[derive(Default)]
struct Resources<'a>(BTreeMap<&'a str, EniId>);

impl<'a> Resources<'a> {
    /// The ENI of the entry of `address` in the map at `path`, if it names one.
    fn eni(
        &mut self,
        (path, address): (&str, &str),
        allocation: &'a Allocation,
        problems: &mut Problems,
    ) -> Option<EniId> {
        let text = allocation.resource.as_deref()?;
        if let Some(known) = self.0.get(text) {
            return Some(known.clone());
        }
        let eni: EniId = problems.id(text, format_args!("{path}[{address:?}].resource"))?;
        self.0.insert(text, eni.clone());
        Some(eni)
    }
}

fn pool<'a>(
    listed: Option<&'a Allocations>,
    resources: &mut Resources<'a>,
    problems: &mut Problems,
) -> BTreeMap<Ipv4Addr, EniId> {
    const PATH: &str = "spec.ipam.pool";
    let mut pool = BTreeMap::new();
    for (text, allocation) in listed.into_iter().flatten() {
        let address = ipv4(PATH, text, problems);
        if allocation.resource.is_none() {
            let fault = Fault::Missing { expected: "an ENI id" };
            problems.note(format_args!("{PATH}[{text:?}].resource"), fault);
        }
        let eni = resources.eni((PATH, text), allocation, problems);
        pool.extend(address.zip(eni));
    }
    pool
}

fn used<'a>(
    listed: Option<&'a Allocations>,
    resources: &mut Resources<'a>,
    problems: &mut Problems,
) -> BTreeMap<Ipv4Addr, Used> {
    const PATH: &str = "status.ipam.used";
    let mut used = BTreeMap::new();
    for (text, allocation) in listed.into_iter().flatten() {
        let address = ipv4(PATH, text, problems);
        let eni = resources.eni((PATH, text), allocation, problems);
        let owner = allocation.owner.clone().unwrap_or_default();
        used.extend(address.map(|address| (address, Used { owner, eni })));
    }
    used
}

/// The key `text` of the map at `path`.
fn ipv4(path: &str, text: &str, problems: &mut Problems) -> Option<Ipv4Addr> {
    problems.parse(text, "an IPv4 address", format_args!("{path}[{text:?}]"))
}

fn releases(
    listed: Option<&BTreeMap<String, ReleaseState>>,
    problems: &mut Problems,
) -> BTreeMap<Ipv4Addr, Release> {
    const PATH: &str = "status.ipam.release-ips";
    let mut releases = BTreeMap::new();
    for (text, state) in listed.into_iter().flatten() {
        let address = ipv4(PATH, text, problems);
        let release = match state {
            ReleaseState::MarkedForRelease => Some(Release::Marked),
            ReleaseState::ReadyForRelease => Some(Release::Ready),
            ReleaseState::DoNotRelease => Some(Release::Refused),
            ReleaseState::Released => Some(Release::Released),
            ReleaseState::Other(_) => {
                let expected = "marked-for-release, ready-for-release, do-not-release or released";
                problems.note(format_args!("{PATH}[{text:?}]"), Fault::Not { expected });
                None
            }
        };
        releases.extend(address.zip(release));
    }
    releases
}

/// What the agent asks for under the CIDR contract: the first entry for the pool of ENI mode.
fn requested(pools: Option<&Pools>, problems: &mut Problems) -> Demand {
    const PATH: &str = "spec.ipam.pools.requested";
    let first = pools.and_then(Pools::default_request);
    let needed = first.and_then(|(i, request)| Some((i, request.needed.as_ref()?)));
    let mut number = |family: &str, value: Option<i64>, i: usize| {
        let path = format_args!("{PATH}[{i}].needed.{family}-addrs");
        problems.number(value, 0..=i64::from(u32::MAX), path).ok().flatten().unwrap_or(0)
    };
    let (ipv4, ipv6) = needed.map_or((0, 0), |(i, needed)| {
        (number("ipv4", needed.ipv4_addrs, i), number("ipv6", needed.ipv6_addrs, i))
    });
    let all = pools.and_then(|pools| pools.requested.as_ref()).into_iter().flatten().enumerate();
    for (i, _) in all.filter(|(_, request)| request.pool == DEFAULT_POOL).skip(1) {
        let other = format!("{PATH}[{}]", first.map_or(0, |(i, _)| i));
        problems.note(format_args!("{PATH}[{i}]"), Fault::Conflict { other });
    }
    Demand::Cidr { ipv4, ipv6 }
}

/// The CIDRs that the agent uses in the pool of ENI mode.
fn allocated(pools: Option<&Pools>, problems: &mut Problems) -> BTreeSet<IpNet> {
    let entries = pools.and_then(|pools| pools.allocated.as_ref()).into_iter().flatten();
    let mut allocated = BTreeSet::new();
    for (i, entry) in entries.enumerate().filter(|(_, entry)| entry.pool == DEFAULT_POOL) {
        for (j, text) in entry.cidrs.iter().flatten().enumerate() {
            let path = format_args!("spec.ipam.pools.allocated[{i}].cidrs[{j}]");
            let cidr: Option<IpNet> = problems.parse(text, "a CIDR", path);
            allocated.extend(cidr.map(|cidr| cidr.trunc()));
        }
    }
    allocated
}
