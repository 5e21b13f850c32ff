//! Which CIDRs may be handed out, by the metadata and by the operator's word.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::lease::EniFacts;
use super::settings::AgentSettings;
use super::word::{ShownEni, Word, WordEni};
use crate::ids::EniId;
use crate::pool::{Family, ListedCidr};
use crate::view::Contract;

/// What may be handed out before the operator has said anything.
pub(super) fn by_metadata(settings: &AgentSettings, shown: &[ShownEni]) -> BTreeSet<ListedCidr> {
    let cidrs = shown.iter().filter(|eni| carries_pods(settings, eni)).flat_map(|eni| {
        let primary = eni.primary.filter(|_| !settings.use_primary_address).map(IpAddr::V4);
        let singles = eni.addresses.iter().filter(move |address| Some(**address) != primary);
        let cidrs = outside_of(&eni.prefixes, singles).chain(eni.prefixes.iter().copied());
        cidrs.map(|cidr| ListedCidr { cidr, eni: eni.facts.id.clone() })
    });
    cleaned(settings, cidrs)
}

/// Whether an interface may carry pods, by what the metadata shows.
pub(super) const fn carries_pods(settings: &AgentSettings, eni: &ShownEni) -> bool {
    eni.network_card == 0 && eni.facts.number >= settings.first_interface_index
}

/// The CIDRs of the word's interfaces, in the order of the interfaces, as the CIDR contract counts them.
pub(super) fn attached(settings: &AgentSettings, word: &Word) -> Vec<ListedCidr> {
    let mut enis: Vec<&WordEni> = word.enis.iter().collect();
    enis.sort_by_key(|eni| (eni.facts.number, &eni.facts.id));
    let cidrs = enis.into_iter().flat_map(|eni| {
        let all: BTreeSet<IpNet> = outside_of(&eni.prefixes, eni.addresses.iter())
            .chain(eni.prefixes.iter().copied())
            .collect();
        all.into_iter().map(|cidr| ListedCidr { cidr, eni: eni.facts.id.clone() })
    });
    cidrs.filter(|listed| settings.serves(Family::of(listed.cidr.addr()))).collect()
}

/// What may be handed out by the operator's word.
///
/// # Errors
/// How the word contradicts itself.
pub(super) fn by_word(
    settings: &AgentSettings,
    word: &Word,
) -> Result<BTreeSet<ListedCidr>, String> {
    let attached = attached(settings, word);
    if settings.contract == Contract::Cidr {
        return Ok(cleaned(settings, attached));
    }
    let pool = word.pool.as_ref();
    if let Some((address, eni)) = pool.into_iter().flatten().find(|it| !is_on(word, *it.0, it.1)) {
        return Err(format!("the pool has {address} on {eni}, which has no such address"));
    }
    let mut singles = pool.cloned().unwrap_or_default();
    let wholes = attached.into_iter().filter(|listed| match listed.cidr {
        IpNet::V6(_) => true,
        IpNet::V4(cidr) => take_whole(&mut singles, cidr, &listed.eni),
    });
    let wholes: Vec<ListedCidr> = wholes.collect();
    let singles =
        singles.into_iter().map(|(address, eni)| ListedCidr { cidr: single(address.into()), eni });
    Ok(cleaned(settings, wholes.into_iter().chain(singles)))
}

/// Whether an interface of the word has an address.
pub(super) fn is_on(word: &Word, address: Ipv4Addr, eni: &EniId) -> bool {
    word.enis.iter().any(|candidate| candidate.facts.id == *eni && has(candidate, address.into()))
}

/// Whether an interface has an address, by itself or within a prefix.
pub(super) fn has(eni: &WordEni, address: IpAddr) -> bool {
    eni.addresses.contains(&address) || eni.prefixes.iter().any(|cidr| cidr.contains(&address))
}

/// Takes all addresses of a prefix out of the pool, if all are in it: a prefix that is listed whole drains whole.
fn take_whole(pool: &mut BTreeMap<Ipv4Addr, EniId>, cidr: Ipv4Net, eni: &EniId) -> bool {
    let (first, last) = (cidr.network(), cidr.broadcast());
    let inside = pool.range(first..=last).filter(|(_, on)| *on == eni).count();
    let size = 1_u64 << (32 - u32::from(cidr.prefix_len()));
    // Nothing is lost: a count of addresses of IPv4.
    if inside as u64 != size {
        return false;
    }
    pool.retain(|address, _| !cidr.contains(address));
    true
}

/// The addresses that are in none of the prefixes, as CIDRs.
fn outside_of<'a>(
    prefixes: &BTreeSet<IpNet>,
    addresses: impl Iterator<Item = &'a IpAddr>,
) -> impl Iterator<Item = IpNet> {
    let outside = addresses.filter(|address| !prefixes.iter().any(|cidr| cidr.contains(*address)));
    outside.map(|address| single(*address))
}

fn single(address: IpAddr) -> IpNet {
    IpNet::from(address)
}

/// Without disabled families, and without the node's own addresses.
fn cleaned(
    settings: &AgentSettings,
    listed: impl IntoIterator<Item = ListedCidr>,
) -> BTreeSet<ListedCidr> {
    let enabled =
        listed.into_iter().filter(|listed| settings.serves(Family::of(listed.cidr.addr())));
    let without_own = enabled.flat_map(|listed| {
        let cut = settings.own.iter().fold(Vec::from([listed.cidr]), |pieces, own| {
            pieces.into_iter().flat_map(|piece| without(piece, *own)).collect()
        });
        cut.into_iter().map(move |cidr| ListedCidr { cidr, eni: listed.eni.clone() })
    });
    without_own.collect()
}

/// A CIDR without one address: itself when it does not have it, otherwise the halves that are left at each step down to it.
fn without(cidr: IpNet, address: IpAddr) -> Vec<IpNet> {
    let mut pieces = Vec::new();
    let mut rest = Some(cidr);
    while let Some(cidr) = rest.take() {
        if !cidr.contains(&address) {
            pieces.push(cidr);
        } else if let Some([low, high]) = halves(cidr) {
            let (with, other) = if low.contains(&address) { (low, high) } else { (high, low) };
            pieces.push(other);
            rest = Some(with);
        }
    }
    pieces
}

fn halves(cidr: IpNet) -> Option<[IpNet; 2]> {
    let length = cidr.prefix_len() + 1;
    match cidr {
        IpNet::V4(cidr) => {
            let high = u32::from(cidr.network())
                | 1_u32.checked_shl(32_u32.checked_sub(u32::from(length))?)?;
            let low = Ipv4Net::new(cidr.network(), length).ok()?;
            Some([low.into(), Ipv4Net::new(high.into(), length).ok()?.into()])
        }
        IpNet::V6(cidr) => {
            let bit = 1_u128.checked_shl(128_u32.checked_sub(u32::from(length))?)?;
            let high = u128::from(cidr.network()) | bit;
            let low = Ipv6Net::new(cidr.network(), length).ok()?;
            Some([low.into(), Ipv6Net::new(high.into(), length).ok()?.into()])
        }
    }
}

/// What is known of the interfaces: by the word, completed by the metadata.
pub(super) fn facts(word: Option<&Word>, metadata: &[ShownEni]) -> BTreeMap<EniId, EniFacts> {
    let shown = metadata.iter().map(|eni| &eni.facts);
    let mut facts: BTreeMap<EniId, EniFacts> =
        shown.map(|facts| (facts.id.clone(), facts.clone())).collect();
    for said in word.into_iter().flat_map(|word| &word.enis).map(|eni| &eni.facts) {
        let mut best = said.clone();
        if let Some(shown) = facts.remove(&said.id) {
            best.subnet = best.subnet.or(shown.subnet);
            if best.vpc.is_empty() {
                best.vpc = shown.vpc;
            }
            if best.mac.is_empty() {
                best.mac = shown.mac;
            }
        }
        facts.insert(best.id.clone(), best);
    }
    facts
}
