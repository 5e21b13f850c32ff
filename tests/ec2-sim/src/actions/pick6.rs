//! Which IPv6 addresses and /80 prefixes of a subnet's /64 a call gets.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use fastrand::Rng;
use ipnet::{Ipv6Net, Ipv6Subnets};

use super::usage::ADDRESSES_MAX;
use super::wanted::Ask;
use crate::error::ApiError;
use crate::model::Subnet;
use crate::world::{SubnetEntry, World};

/// How many places are tried at random before the first free one is taken.
const ATTEMPTS: usize = 64;

/// The addresses of a /80.
const PREFIX_SIZE: u128 = 1 << 48;

/// What a call gets.
type Given = (Vec<Ipv6Addr>, Vec<Ipv6Net>);

/// Picks what is asked for. Nothing is taken until an interface with it is written.
///
/// # Errors
///
/// `InvalidParameterValue` where the subnet has no IPv6 CIDR or what is named does not fit it; `Resource.AlreadyAssigned` for what is
/// named and taken; `InsufficientCidrBlocks` when no /80 is free.
pub(crate) fn pick(
    world: &World,
    rng: &mut Rng,
    subnet: &Subnet,
    ask: &Ask<Ipv6Addr, Ipv6Net>,
) -> Result<Given, ApiError> {
    if *ask == Ask::Nothing {
        return Ok(Given::default());
    }
    let cidr = subnet.ipv6_cidr.ok_or_else(ApiError::no_ipv6_cidr)?;
    let entry = world.subnet_entry(&subnet.id);
    let entry = entry.ok_or_else(|| ApiError::subnet_not_found(&subnet.id))?;
    if ADDRESSES_MAX < ask.slots() {
        return Err(ApiError::insufficient_addresses());
    }
    let mut given = Given::default();
    match ask {
        Ask::Nothing => {}
        Ask::Addresses(addresses) => {
            for address in addresses {
                check_address(cidr, entry, *address)?;
            }
            given.0.clone_from(addresses);
        }
        Ask::Prefixes(prefixes) => {
            for prefix in prefixes {
                check_prefix(cidr, entry, *prefix)?;
            }
            given.1.clone_from(prefixes);
        }
        Ask::AddressCount(count) => {
            let mut picked = BTreeSet::new();
            for _ in 0..*count {
                let address = pick_address(cidr, entry, rng, &picked);
                let address = address.ok_or_else(ApiError::insufficient_addresses)?;
                picked.insert(address);
                given.0.push(address);
            }
        }
        Ask::PrefixCount(count) => {
            let mut picked = BTreeSet::new();
            for _ in 0..*count {
                let prefix = pick_prefix(cidr, entry, rng, &picked);
                let prefix = prefix.ok_or_else(ApiError::insufficient_blocks)?;
                picked.insert(prefix);
                given.1.push(prefix);
            }
        }
    }
    Ok(given)
}

fn check_address(cidr: Ipv6Net, entry: &SubnetEntry, address: Ipv6Addr) -> Result<(), ApiError> {
    if !cidr.contains(&address) || is_reserved(cidr, address) {
        return Err(ApiError::address_outside(&address));
    }
    if entry.ipv6_addresses.contains(&address) || entry.ipv6_prefixes.contains(&block(address)) {
        return Err(ApiError::already_assigned(&address));
    }
    Ok(())
}

fn check_prefix(cidr: Ipv6Net, entry: &SubnetEntry, prefix: Ipv6Net) -> Result<(), ApiError> {
    if prefix.prefix_len() != 80 || prefix.trunc() != prefix {
        return Err(ApiError::prefix_length(&prefix, 80));
    }
    if !cidr.contains(&prefix) || prefix.network() == cidr.network() {
        return Err(ApiError::prefix_outside(&prefix));
    }
    if !is_free(entry, prefix) {
        return Err(ApiError::already_assigned(&prefix));
    }
    Ok(())
}

/// The first four addresses and the last one are EC2's, as in IPv4 (VPC user guide, subnet sizing for IPv6).
fn is_reserved(cidr: Ipv6Net, address: Ipv6Addr) -> bool {
    u128::from(address) - u128::from(cidr.network()) < 4 || address == cidr.broadcast()
}

/// The first address of the /80 that an address lies in.
fn block(address: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(address) & !(PREFIX_SIZE - 1))
}

fn is_free(entry: &SubnetEntry, prefix: Ipv6Net) -> bool {
    let mut singles = entry.ipv6_addresses.range(prefix.network()..=prefix.broadcast());
    !entry.ipv6_prefixes.contains(&prefix.network()) && singles.next().is_none()
}

fn pick_address(
    cidr: Ipv6Net,
    entry: &SubnetEntry,
    rng: &mut Rng,
    given: &BTreeSet<Ipv6Addr>,
) -> Option<Ipv6Addr> {
    let network = u128::from(cidr.network());
    let drawn = std::iter::repeat_with(|| Ipv6Addr::from(network | u128::from(rng.u64(..))));
    let fits = |address: &Ipv6Addr| {
        check_address(cidr, entry, *address).is_ok() && !given.contains(address)
    };
    drawn.take(ATTEMPTS).find(fits)
}

fn pick_prefix(
    cidr: Ipv6Net,
    entry: &SubnetEntry,
    rng: &mut Rng,
    given: &BTreeSet<Ipv6Net>,
) -> Option<Ipv6Net> {
    let network = u128::from(cidr.network());
    let at = |index: u16| Ipv6Addr::from(network + u128::from(index) * PREFIX_SIZE);
    let fits =
        |prefix: &Ipv6Net| check_prefix(cidr, entry, *prefix).is_ok() && !given.contains(prefix);
    let drawn = std::iter::repeat_with(|| rng.u16(1..)).take(ATTEMPTS);
    let mut drawn = drawn.filter_map(|index| Ipv6Net::new(at(index), 80).ok());
    drawn.find(fits).or_else(|| Ipv6Subnets::new(cidr.network(), cidr.broadcast(), 80).find(fits))
}
