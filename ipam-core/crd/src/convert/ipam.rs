//! Demand, use, pool and release: `spec.ipam` and `status.ipam`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use ipam_core::agent::Release;
use ipam_core::ids::EniId;
use ipam_core::view::{Contract, Demand};
use ipnet::IpNet;

use super::problem::{Fault, Problems, Unusable};
use crate::{
    Allocation, Allocations, CiliumNode, DEFAULT_POOL, Misfit, Pools, ReleaseState, contract,
};

/// An address in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Who uses it, in the agent's words: mostly `namespace/pod`, `router`, `health` or `ingress`.
    /// Empty when the agent does not say.
    pub owner: String,
    /// The ENI it is on, if the agent says so.
    pub eni: Option<EniId>,
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
    let (ipv4, ipv6) = requested(pools, problems);
    let noted = problems.count();
    let allocated = allocated(pools, problems);
    let allocated_is_certain = problems.count() == noted;
    let releases = status.and_then(|status| status.release_ips.as_ref());
    let releases = self::releases(releases, problems);
    let used = used(listed, &mut resources, problems);
    let listed = listed.map_or(0, BTreeMap::len);
    let contract = contract(node);
    let demand_is_certain = contract == Contract::PerIp || ipv4.is_some() && ipv6.is_some();
    // A request without a pool may be the one for the pool of ENI mode.
    let mut requests = pools.and_then(|pools| pools.requested.as_ref()).into_iter().flatten();
    let demand_is_certain = demand_is_certain && requests.all(|request| request.pool.is_some());
    let shape_is_certain = !node.misfits.iter().any(hides_use);
    Ipam {
        demand: match contract {
            // Entries that make no sense count too: something is in use there.
            Contract::PerIp => Demand::PerIp { used: u32::try_from(listed).unwrap_or(u32::MAX) },
            Contract::Cidr => Demand::Cidr { ipv4: ipv4.unwrap_or(0), ipv6: ipv6.unwrap_or(0) },
        },
        use_is_certain: demand_is_certain
            && shape_is_certain
            && allocated_is_certain
            && used.len() == listed,
        used,
        pool,
        releases,
        allocated,
    }
}

/// Whether what does not fit may stand for demand or use. An entry of `used` does not: its key is
/// the address.
fn hides_use(misfit: &Misfit) -> bool {
    misfit.touches("spec.ipam.pools") || misfit.holds("status.ipam.used")
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

/// What the agent asks for under the CIDR contract: the first entry for the pool of ENI mode. `None`
/// in place of a number that cannot be read.
fn requested(pools: Option<&Pools>, problems: &mut Problems) -> (Option<u32>, Option<u32>) {
    const PATH: &str = "spec.ipam.pools.requested";
    let first = pools.and_then(Pools::default_request);
    let needed = first.and_then(|(i, request)| Some((i, request.needed.as_ref()?)));
    let (ipv4, ipv6) = needed.map_or((Some(0), Some(0)), |(i, needed)| {
        let mut count = |family: &str, value: Option<i64>| {
            count(value, format_args!("{PATH}[{i}].needed.{family}-addrs"), problems)
        };
        (count("ipv4", needed.ipv4_addrs), count("ipv6", needed.ipv6_addrs))
    });
    let all = pools.and_then(|pools| pools.requested.as_ref()).into_iter().flatten().enumerate();
    let mut before = None;
    for (i, request) in all {
        if is_default(request.pool.as_deref(), format_args!("{PATH}[{i}]"), problems)
            && let Some(first) = before.replace(before.unwrap_or(i))
        {
            let other = format!("{PATH}[{first}]");
            problems.note(format_args!("{PATH}[{i}]"), Fault::Conflict { other });
        }
    }
    (ipv4, ipv6)
}

/// A number of addresses, absent for 0. Too many are as many as there can be.
fn count(value: Option<i64>, path: fmt::Arguments<'_>, problems: &mut Problems) -> Option<u32> {
    match problems.number(value, 0..=i64::from(u32::MAX), path) {
        Ok(count) => Some(count.unwrap_or(0)),
        Err(Unusable) => value.filter(|value| *value > 0).map(|_| u32::MAX),
    }
}

/// Whether the entry at `path` is for the pool of ENI mode. One without a pool is noted.
fn is_default(pool: Option<&str>, path: fmt::Arguments<'_>, problems: &mut Problems) -> bool {
    if pool.is_none() {
        let fault = Fault::Missing { expected: "the name of a pool" };
        problems.note(format_args!("{path}.pool"), fault);
    }
    pool == Some(DEFAULT_POOL)
}

/// The CIDRs that the agent uses in the pool of ENI mode.
fn allocated(pools: Option<&Pools>, problems: &mut Problems) -> BTreeSet<IpNet> {
    const PATH: &str = "spec.ipam.pools.allocated";
    let entries = pools.and_then(|pools| pools.allocated.as_ref()).into_iter().flatten();
    let mut allocated = BTreeSet::new();
    for (i, entry) in entries.enumerate() {
        if !is_default(entry.pool.as_deref(), format_args!("{PATH}[{i}]"), problems) {
            continue;
        }
        for (j, text) in entry.cidrs.iter().flatten().enumerate() {
            let path = format_args!("{PATH}[{i}].cidrs[{j}]");
            let cidr: Option<IpNet> = problems.parse(text, "a CIDR", path);
            allocated.extend(cidr.map(|cidr| cidr.trunc()));
        }
    }
    allocated
}
