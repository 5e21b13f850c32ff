//! Which addresses of a subnet are taken.

use std::net::Ipv4Addr;

use ipnet::{Ipv4Net, Ipv6Net};

/// The addresses of one subnet: 16 bits a /28 block, a set bit means taken.
pub(crate) struct Space {
    cidr: Ipv4Net,
    ipv6_cidr: Option<Ipv6Net>,
    blocks: Vec<u16>,
    ipv6_prefixes: u128,
    free: u32,
    /// What others took.
    foreign: Vec<u32>,
}

impl Space {
    /// EC2 keeps the first four addresses and the last.
    pub(crate) fn new(cidr: Ipv4Net, ipv6_cidr: Option<Ipv6Net>) -> Self {
        let count = 1_u32 << (32 - cidr.prefix_len());
        let blocks = vec![0; usize::try_from(count / 16).unwrap()];
        let mut space =
            Self { cidr, ipv6_cidr, blocks, ipv6_prefixes: 0, free: count, foreign: Vec::new() };
        for offset in [0, 1, 2, 3, count - 1] {
            space.set(offset);
        }
        space
    }

    pub(crate) const fn free(&self) -> u32 {
        self.free
    }

    /// The lowest free addresses; all or nothing, as at EC2.
    pub(crate) fn take_addresses(&mut self, count: u16) -> Option<Vec<Ipv4Addr>> {
        if u32::from(count) > self.free {
            return None;
        }
        let offsets: Vec<u32> = self.free_offsets().take(count.into()).collect();
        self.set_all(&offsets);
        Some(offsets.into_iter().map(|offset| self.address(offset)).collect())
    }

    /// The lowest free blocks; all or nothing, as at EC2.
    pub(crate) fn take_prefixes(&mut self, count: u16) -> Option<Vec<Ipv4Net>> {
        let indexes = (0_u32..).zip(&self.blocks).filter(|(_, block)| **block == 0);
        let indexes: Vec<u32> = indexes.map(|(index, _)| index).take(count.into()).collect();
        if indexes.len() < usize::from(count) {
            return None;
        }
        for index in &indexes {
            (0..16).for_each(|bit| self.set(index * 16 + bit));
        }
        let prefix = |index| Ipv4Net::new_assert(self.address(index * 16), 28);
        Some(indexes.into_iter().map(prefix).collect())
    }

    /// The next /80, if the subnet has an IPv6 range.
    pub(crate) fn take_ipv6_prefix(&mut self) -> Option<Ipv6Net> {
        let network = self.ipv6_cidr?.network().to_bits();
        self.ipv6_prefixes += 1;
        Some(Ipv6Net::new_assert((network | self.ipv6_prefixes << 48).into(), 80))
    }

    pub(crate) fn give_back(&mut self, range: Ipv4Net) {
        for address in range.network().to_bits()..=range.broadcast().to_bits() {
            self.clear(address - self.cidr.network().to_bits());
        }
    }

    /// Lets somebody else take addresses until `left` are free: lowest first, or, when `scattered`, one of
    /// each block first.
    pub(crate) fn occupy(&mut self, left: u32, scattered: bool) {
        let mut offsets: Vec<u32> = self.free_offsets().collect();
        if scattered {
            offsets.sort_by_key(|offset| (offset % 16 != 7, *offset));
        }
        let surplus = self.free.checked_sub(left).expect("a subnet with that many free addresses");
        offsets.truncate(surplus.try_into().unwrap());
        self.set_all(&offsets);
        self.foreign.extend(offsets);
    }

    /// Lets others give back everything in the highest `blocks` blocks.
    pub(crate) fn vacate(&mut self, blocks: usize) {
        let from = u32::try_from(self.blocks.len().saturating_sub(blocks)).unwrap() * 16;
        let (given, kept) = self.foreign.iter().partition(|offset| **offset >= from);
        self.foreign = kept;
        let given: Vec<u32> = given;
        for offset in given {
            self.clear(offset);
        }
    }

    fn free_offsets(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(&self.blocks).filter(|(_, block)| **block != u16::MAX).flat_map(
            |(index, block)| {
                let free = (0..16).filter(move |bit| block >> bit & 1 == 0);
                free.map(move |bit| index * 16 + bit)
            },
        )
    }

    fn address(&self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.cidr.network().to_bits() + offset)
    }

    fn set_all(&mut self, offsets: &[u32]) {
        for offset in offsets {
            self.set(*offset);
        }
    }

    fn set(&mut self, offset: u32) {
        let block = &mut self.blocks[usize::try_from(offset / 16).unwrap()];
        assert_eq!(*block >> (offset % 16) & 1, 0, "{offset} is free");
        *block |= 1 << (offset % 16);
        self.free -= 1;
    }

    fn clear(&mut self, offset: u32) {
        let block = &mut self.blocks[usize::try_from(offset / 16).unwrap()];
        assert_eq!(*block >> (offset % 16) & 1, 1, "{offset} is taken");
        *block &= !(1 << (offset % 16));
        self.free += 1;
    }
}
