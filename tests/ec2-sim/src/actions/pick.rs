//! Which IPv4 addresses and prefixes of a subnet a call gets: all that it asks for, or none.

use std::net::Ipv4Addr;

use fastrand::Rng;
use ipnet::Ipv4Net;

use super::wanted::Ask;
use crate::error::ApiError;
use crate::model::Subnet;
use crate::space::{Short, Space};
use crate::world::{Holder, World};

/// How many addresses a prefix has.
const PREFIX_ADDRESSES: u32 = 16;

/// What becomes of the primary address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Primary {
    /// The interface has one.
    Present,
    /// This one is wanted.
    Named(Ipv4Addr),
    /// Any.
    Any,
}

/// What was taken from a subnet's space.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) primary: Option<Ipv4Addr>,
    pub(crate) addresses: Vec<Ipv4Addr>,
    pub(crate) prefixes: Vec<Ipv4Net>,
}

impl Taken {
    /// Adds what was taken in another step.
    pub(crate) fn extend(&mut self, more: Self) {
        self.primary = self.primary.or(more.primary);
        self.addresses.extend(more.addresses);
        self.prefixes.extend(more.prefixes);
    }

    pub(crate) fn give_back(self, space: &mut Space) {
        for address in self.primary.into_iter().chain(self.addresses) {
            space.give_back(address);
        }
        for prefix in self.prefixes {
            space.give_back_prefix(prefix);
        }
    }
}

/// Checks that an address is one of the subnet that anybody may have.
///
/// # Errors
///
/// `InvalidParameterValue` for an address outside, and for one of the five that EC2 keeps.
pub(crate) fn check_address(subnet: &Subnet, address: Ipv4Addr) -> Result<(), ApiError> {
    let cidr = subnet.ipv4_cidr;
    if !cidr.contains(&address) {
        return Err(ApiError::address_outside(&address));
    }
    let offset = u32::from(address) - u32::from(cidr.network());
    if offset < 4 || address == cidr.broadcast() {
        return Err(ApiError::address_reserved(address));
    }
    Ok(())
}

/// Checks that a prefix is an aligned /28 of the subnet that anybody may have.
///
/// # Errors
///
/// `InvalidParameterValue` for any other.
fn check_prefix(subnet: &Subnet, prefix: Ipv4Net) -> Result<(), ApiError> {
    if prefix.prefix_len() != 28 || prefix.trunc() != prefix {
        return Err(ApiError::prefix_length(&prefix, 28));
    }
    let cidr = subnet.ipv4_cidr;
    if !cidr.contains(&prefix) {
        return Err(ApiError::prefix_outside(&prefix));
    }
    if prefix.network() == cidr.network() || prefix.broadcast() == cidr.broadcast() {
        return Err(ApiError::prefix_reserved(prefix));
    }
    Ok(())
}

/// Checks that what is asked for by name fits the subnet.
pub(crate) fn check(subnet: &Subnet, ask: &Ask<Ipv4Addr, Ipv4Net>) -> Result<(), ApiError> {
    match ask {
        Ask::Addresses(addresses) => {
            addresses.iter().try_for_each(|address| check_address(subnet, *address))
        }
        Ask::Prefixes(prefixes) => {
            prefixes.iter().try_for_each(|prefix| check_prefix(subnet, *prefix))
        }
        _ => Ok(()),
    }
}

/// Checks that a primary address by name can be had, beside what else is asked for.
pub(super) fn check_primary(
    world: &World,
    subnet: &Subnet,
    address: Ipv4Addr,
    ask: &Ask<Ipv4Addr, Ipv4Net>,
) -> Result<(), ApiError> {
    check_address(subnet, address)?;
    let twice = match ask {
        Ask::Addresses(addresses) => addresses.contains(&address),
        Ask::Prefixes(prefixes) => prefixes.iter().any(|prefix| prefix.contains(&address)),
        _ => false,
    };
    if twice {
        return Err(ApiError::duplicate(&address.to_string()));
    }
    if world.holder(&subnet.vpc, address).is_some() {
        return Err(ApiError::primary_in_use(address));
    }
    Ok(())
}

/// Checks that what is asked for by name is free.
///
/// # Errors
///
/// `InvalidParameterValue` for single addresses of other interfaces; `Resource.AlreadyAssigned` where a prefix is in the way.
pub(super) fn check_free(
    world: &World,
    subnet: &Subnet,
    ask: &Ask<Ipv4Addr, Ipv4Net>,
) -> Result<(), ApiError> {
    match ask {
        Ask::Addresses(addresses) => {
            let held = |address: &&Ipv4Addr| world.holder(&subnet.vpc, **address).is_some();
            let taken: Vec<_> = addresses.iter().filter(held).collect();
            let in_prefix = |address: &&&Ipv4Addr| {
                matches!(world.holder(&subnet.vpc, ***address), Some(Holder::Prefix(_)))
            };
            if let Some(address) = taken.iter().find(in_prefix) {
                return Err(ApiError::already_assigned(address));
            }
            if taken.is_empty() {
                return Ok(());
            }
            let taken: Vec<_> = taken.iter().map(ToString::to_string).collect();
            Err(ApiError::secondary_in_use(&taken.join(", ")))
        }
        Ask::Prefixes(prefixes) => {
            let taken = prefixes.iter().find(|prefix| !world.block_is_free(&subnet.vpc, **prefix));
            taken.map_or(Ok(()), |prefix| Err(ApiError::already_assigned(prefix)))
        }
        _ => Ok(()),
    }
}

/// Takes what is asked for: everything, or nothing with an error.
///
/// # Errors
///
/// `InsufficientFreeAddressesInSubnet` when single addresses are short. When prefixes are, `InvalidParameterValue` if there are fewer free
/// addresses than they have, else `InsufficientCidrBlocks`. `InvalidIPAddress.InUse` when the primary address is taken.
pub(crate) fn take(
    space: &mut Space,
    rng: &mut Rng,
    primary: Primary,
    ask: &Ask<Ipv4Addr, Ipv4Net>,
) -> Result<Taken, ApiError> {
    let mut taken = Taken::default();
    match fill(&mut taken, space, rng, primary, ask) {
        Ok(()) => Ok(taken),
        Err(error) => {
            taken.give_back(space);
            Err(error)
        }
    }
}

fn fill(
    taken: &mut Taken,
    space: &mut Space,
    rng: &mut Rng,
    primary: Primary,
    ask: &Ask<Ipv4Addr, Ipv4Net>,
) -> Result<(), ApiError> {
    if let Primary::Named(address) = primary {
        space.take(address).map_err(|_| ApiError::primary_in_use(address))?;
        taken.primary = Some(address);
    }
    match ask {
        Ask::Nothing => {}
        Ask::Addresses(addresses) => {
            for address in addresses {
                let refusal = |_| ApiError::secondary_in_use(&address.to_string());
                space.take(*address).map_err(refusal)?;
                taken.addresses.push(*address);
            }
        }
        Ask::Prefixes(prefixes) => {
            for prefix in prefixes {
                space.take_prefix(*prefix).map_err(|_| ApiError::already_assigned(prefix))?;
                taken.prefixes.push(*prefix);
            }
        }
        Ask::AddressCount(count) => {
            let all = count.saturating_add(usize::from(primary == Primary::Any));
            let picked = space.take_singles(all, rng);
            let mut picked = picked.map_err(|_| ApiError::insufficient_addresses())?.into_iter();
            if primary == Primary::Any {
                taken.primary = picked.next();
            }
            taken.addresses = picked.collect();
        }
        Ask::PrefixCount(count) => {
            let needed = count.saturating_mul(PREFIX_ADDRESSES as usize);
            let needed = needed.saturating_add(usize::from(primary == Primary::Any));
            let picked = space.take_prefixes(*count, rng);
            taken.prefixes = picked.map_err(|short| prefixes_short(needed, short))?;
        }
    }
    if primary == Primary::Any && taken.primary.is_none() {
        let picked = space.take_singles(1, rng).map_err(|_| ApiError::insufficient_addresses())?;
        taken.primary = picked.first().copied();
    }
    Ok(())
}

fn prefixes_short(needed: usize, short: Short) -> ApiError {
    let free = short.singles.max(short.blocks * PREFIX_ADDRESSES);
    if (free as usize) < needed {
        return ApiError::insufficient_for_prefixes();
    }
    ApiError::insufficient_blocks()
}
