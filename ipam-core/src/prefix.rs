//! Delegated prefixes: /28 and /80 arithmetic, and the free /28 blocks of a subnet.
//!
//! EC2 counts the free addresses of a subnet and says nothing of free blocks; a subnet with hundreds
//! of free addresses may have no aligned free /28 (`InsufficientCidrBlocks`). The map here is kept
//! from what is attached in the subnet, so that the question is answered before EC2 is asked.

use alloc::vec;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

pub use crate::action::ADDRESSES_PER_PREFIX;

/// Length of an IPv4 prefix (EC2 user guide, "Prefix delegation").
pub const IPV4_PREFIX_LENGTH: u8 = 28;
/// Length of an IPv6 prefix (EC2 user guide, "Prefix delegation").
pub const IPV6_PREFIX_LENGTH: u8 = 80;

/// How many prefixes hold `addresses` addresses; the last one may stay half used.
#[must_use]
pub const fn prefixes_for(addresses: u32) -> u32 {
    addresses.div_ceil(ADDRESSES_PER_PREFIX)
}

/// The /28 block around an address.
#[must_use]
pub fn block_of(address: Ipv4Addr) -> Ipv4Net {
    Ipv4Net::new_assert(address, IPV4_PREFIX_LENGTH).trunc()
}

/// The /80 block around an address.
#[must_use]
pub fn ipv6_block_of(address: Ipv6Addr) -> Ipv6Net {
    Ipv6Net::new_assert(address, IPV6_PREFIX_LENGTH).trunc()
}

/// Whether `net` is a block that EC2 delegates: an aligned /28.
#[must_use]
pub fn is_prefix(net: &Ipv4Net) -> bool {
    net.prefix_len() == IPV4_PREFIX_LENGTH && net.addr() == net.network()
}

/// Whether `net` is a block that EC2 delegates: an aligned /80.
#[must_use]
pub fn is_ipv6_prefix(net: &Ipv6Net) -> bool {
    net.prefix_len() == IPV6_PREFIX_LENGTH && net.addr() == net.network()
}

/// The 16 addresses of a /28, first and last included: EC2 reserves nothing inside a prefix.
pub fn addresses_of(prefix: Ipv4Net) -> impl Iterator<Item = Ipv4Addr> {
    let first = prefix.network().to_bits();
    let last = prefix.broadcast().to_bits();
    (first..=last).map(Ipv4Addr::from_bits)
}

/// A CIDR reservation of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// What is reserved, inside the subnet.
    pub cidr: Ipv4Net,
    /// What for.
    pub kind: ReservationKind,
}

/// What a CIDR reservation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservationKind {
    /// `prefix`: EC2 takes prefixes from here first, and no single addresses.
    Prefix,
    /// `explicit`: only addresses that are named are taken from here, so neither prefixes nor
    /// single addresses that EC2 picks.
    Explicit,
}

/// Why a range is not one of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubnet {
    /// EC2 makes subnets of /16 to /28.
    #[error("{cidr} is not the range of a subnet: expected /16 to /28")]
    Length {
        /// The range as given.
        cidr: Ipv4Net,
    },
}

/// The free, aligned /28 blocks of one subnet: one bit a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeBlocks {
    /// The subnet, truncated to its network address.
    cidr: Ipv4Net,
    /// Bit `i` of word `i / 64` stands for block `i`; set means free.
    words: Vec<u64>,
    /// How many bits are set.
    count: u32,
}

impl FreeBlocks {
    /// The map of an empty subnet: everything but the blocks that EC2 keeps addresses in (the first
    /// four and the last of the subnet) and those that an explicit reservation touches.
    ///
    /// # Errors
    /// [`InvalidSubnet`] when `cidr` is not /16 to /28.
    pub fn new(cidr: Ipv4Net, reservations: &[Reservation]) -> Result<Self, InvalidSubnet> {
        if !(16..=IPV4_PREFIX_LENGTH).contains(&cidr.prefix_len()) {
            return Err(InvalidSubnet::Length { cidr });
        }
        let cidr = cidr.trunc();
        let blocks = block_count(cidr);
        let mut words = vec![u64::MAX; blocks.div_ceil(64) as usize];
        if !blocks.is_multiple_of(64) {
            words[0] = (1 << blocks) - 1;
        }
        let mut map = Self { cidr, words, count: blocks };
        map.take(cidr.network());
        map.take(cidr.broadcast());
        for reservation in reservations {
            if reservation.kind == ReservationKind::Explicit {
                map.take_range(reservation.cidr);
            }
        }
        Ok(map)
    }

    /// The map of a subnet in which `taken` is attached: primary and single addresses as /32.
    ///
    /// # Errors
    /// As [`FreeBlocks::new`].
    pub fn observed(
        cidr: Ipv4Net,
        reservations: &[Reservation],
        taken: impl IntoIterator<Item = Ipv4Net>,
    ) -> Result<Self, InvalidSubnet> {
        let mut map = Self::new(cidr, reservations)?;
        for range in taken {
            map.take_range(range);
        }
        Ok(map)
    }

    /// How many blocks are free.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Whether the block around `address` is free. Outside the subnet nothing is.
    #[must_use]
    pub fn is_free(&self, address: Ipv4Addr) -> bool {
        self.position(address).is_some_and(|(word, bit)| self.words[word] & bit != 0)
    }

    /// Marks the block around `address` as taken. Outside the subnet nothing happens.
    pub fn take(&mut self, address: Ipv4Addr) {
        if let Some((word, bit)) = self.position(address)
            && self.words[word] & bit != 0
        {
            self.words[word] &= !bit;
            self.count -= 1;
        }
    }

    /// Marks every block that `range` touches as taken.
    pub fn take_range(&mut self, range: Ipv4Net) {
        let first = range.network().to_bits().max(self.cidr.network().to_bits());
        let last = range.broadcast().to_bits().min(self.cidr.broadcast().to_bits());
        let mut address = first;
        while address <= last {
            self.take(Ipv4Addr::from_bits(address));
            match address.checked_add(ADDRESSES_PER_PREFIX) {
                Some(next) => address = next & !(ADDRESSES_PER_PREFIX - 1),
                None => break,
            }
        }
    }

    /// Marks a block as free that was delegated as a whole and is no more, so that nothing else is in it. Outside the subnet
    /// nothing happens.
    pub fn give_back(&mut self, prefix: Ipv4Net) {
        if let Some((word, bit)) = self.position(prefix.network()).filter(|_| is_prefix(&prefix))
            && self.words[word] & bit == 0
        {
            self.words[word] |= bit;
            self.count += 1;
        }
    }

    /// The free blocks in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Ipv4Net> + '_ {
        let first = self.cidr.network().to_bits();
        (0..block_count(self.cidr))
            .map(move |block| Ipv4Addr::from_bits(first + block * ADDRESSES_PER_PREFIX))
            .filter(|address| self.is_free(*address))
            .map(block_of)
    }

    /// Word and bit of the block around `address`, if it is in the subnet.
    fn position(&self, address: Ipv4Addr) -> Option<(usize, u64)> {
        if !self.cidr.contains(&address) {
            return None;
        }
        let block = (address.to_bits() - self.cidr.network().to_bits()) / ADDRESSES_PER_PREFIX;
        Some(((block / 64) as usize, 1 << (block % 64)))
    }
}

/// How many whole blocks a subnet can ever have free: EC2 keeps addresses in the first and the last.
#[must_use]
pub fn most_free_blocks(subnet: Ipv4Net) -> u32 {
    let blocks =
        1_u32.checked_shl(u32::from(IPV4_PREFIX_LENGTH.saturating_sub(subnet.prefix_len())));
    blocks.unwrap_or(0).saturating_sub(2)
}

/// How many /28 blocks a subnet of /16 to /28 has.
const fn block_count(cidr: Ipv4Net) -> u32 {
    1 << (IPV4_PREFIX_LENGTH - cidr.prefix_len())
}
