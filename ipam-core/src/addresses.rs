//! A set of IPv4 addresses in little memory.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::prefix::addresses_of;

/// The addresses of one /28: its first 28 bits, and one bit for each address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Block {
    base: u32,
    members: u16,
}

/// A set of IPv4 addresses: 8 bytes for each /28 of which at least one address is in it.
///
/// The addresses of a node lie close together: 16 in a /28 with prefixes, some tens in a subnet without.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AddressSet(Box<[Block]>);

impl AddressSet {
    /// Whether there is no address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `address` is in it.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        let one = Block::of(address);
        self.members_of(one.base) & one.members != 0
    }

    /// Whether an address of `range` is in it.
    #[must_use]
    pub fn touches(&self, range: Ipv4Net) -> bool {
        addresses_of(range).any(|address| self.contains(address))
    }

    /// Whether everything in it is in `other`, too.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|block| block.members & !other.members_of(block.base) == 0)
    }

    /// What is in it and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let rest = |block: &Block| Block {
            members: block.members & !other.members_of(block.base),
            ..*block
        };
        Self(self.0.iter().map(rest).filter(|block| block.members != 0).collect())
    }

    /// What is in it or in `other`.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let more = |block: &Block| Block {
            members: block.members | other.members_of(block.base),
            ..*block
        };
        let new = other.0.iter().filter(|block| self.members_of(block.base) == 0).copied();
        let mut blocks: Vec<Block> = self.0.iter().map(more).chain(new).collect();
        blocks.sort_unstable_by_key(|block| block.base);
        Self(blocks.into())
    }

    fn members_of(&self, base: u32) -> u16 {
        let found = self.0.binary_search_by_key(&base, |block| block.base);
        found.ok().and_then(|at| self.0.get(at)).map_or(0, |block| block.members)
    }
}

impl Block {
    fn of(address: Ipv4Addr) -> Self {
        let bits = address.to_bits();
        Self { base: bits >> 4, members: 1 << (bits & 0xf) }
    }
}

impl FromIterator<Ipv4Addr> for AddressSet {
    fn from_iter<I: IntoIterator<Item = Ipv4Addr>>(addresses: I) -> Self {
        let mut blocks: Vec<Block> = addresses.into_iter().map(Block::of).collect();
        blocks.sort_unstable_by_key(|block| block.base);
        blocks.dedup_by(|from, into| {
            let same = from.base == into.base;
            if same {
                into.members |= from.members;
            }
            same
        });
        Self(blocks.into_boxed_slice())
    }
}

#[cfg(test)]
mod tests {
    use core::mem::size_of_val;

    use super::*;

    fn set(text: &str) -> AddressSet {
        text.split_whitespace().map(|text| text.parse::<Ipv4Addr>().expect("an address")).collect()
    }

    #[test]
    fn it_is_a_set() {
        let addresses = set("10.0.0.1 10.0.0.2 10.0.1.1 10.0.0.1 10.0.0.17");
        for text in ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.0.17"] {
            assert!(addresses.contains(text.parse().expect("an address")), "{text}");
        }
        for text in ["10.0.0.3", "10.0.1.2", "10.0.0.18", "0.0.0.0", "255.255.255.255"] {
            assert!(!addresses.contains(text.parse().expect("an address")), "{text}");
        }
        assert_eq!(addresses, set("10.0.0.17 10.0.1.1 10.0.0.2 10.0.0.1"));
        assert!(set("").is_empty());
    }

    #[test]
    fn a_range_is_touched_by_any_of_its_addresses() {
        let touches = |range: &str| set("10.0.0.1 10.0.0.31").touches(range.parse().unwrap());
        assert!(touches("10.0.0.1/32") && touches("10.0.0.0/28") && touches("10.0.0.16/28"));
        assert!(!touches("10.0.0.2/32") && !touches("10.0.0.32/28"));
    }

    #[test]
    fn sets_are_put_together_and_taken_apart() {
        let check = |one: &str, other: &str, and: &str, without: &str| {
            assert_eq!(set(one).and(&set(other)), set(and), "{one} and {other}");
            assert_eq!(set(one).without(&set(other)), set(without), "{one} without {other}");
        };
        check("", "", "", "");
        check("10.0.0.1 10.0.9.1", "", "10.0.0.1 10.0.9.1", "10.0.0.1 10.0.9.1");
        check("", "10.0.0.1", "10.0.0.1", "");
        check(
            "10.0.0.1 10.0.9.1",
            "10.0.0.2 10.0.3.1",
            "10.0.0.1 10.0.0.2 10.0.3.1 10.0.9.1",
            "10.0.0.1 10.0.9.1",
        );
        check(
            "10.0.0.1 10.0.0.2 10.0.9.1",
            "10.0.9.1 10.0.0.2",
            "10.0.0.1 10.0.0.2 10.0.9.1",
            "10.0.0.1",
        );
    }

    #[test]
    fn one_is_within_another() {
        assert!(set("").is_within(&set("")));
        assert!(set("10.0.0.1").is_within(&set("10.0.0.1 10.0.0.2")));
        assert!(!set("10.0.0.1 10.0.0.3").is_within(&set("10.0.0.1 10.0.0.2")));
        assert!(!set("10.0.0.1 10.0.9.3").is_within(&set("10.0.0.1 10.0.0.2")));
    }

    #[test]
    fn a_prefix_costs_eight_bytes() {
        let block: AddressSet = (0..16).map(|last| Ipv4Addr::new(10, 0, 0, last)).collect();
        assert_eq!(size_of_val(&*block.0), 8);
    }
}
