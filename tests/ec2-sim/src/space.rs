//! The IPv4 addresses of one subnet: which are taken, and which EC2 picks.
//!
//! One bit per address. A prefix is an aligned block of 16, hence a lane of 16 bits. The first four addresses and the last one belong to
//! EC2 (VPC user guide, "Subnet sizing"). Single addresses are picked outside of all CIDR reservations, prefixes in a reservation of
//! kind `prefix` as long as one has room (VPC user guide, "Subnet CIDR reservations").

use std::net::Ipv4Addr;
use std::ops::Range;

use fastrand::Rng;
use ipnet::Ipv4Net;

use self::ranked::Ranked;
use crate::assumption::{Assumption, Assumptions};
use crate::model::ReservationKind;

mod ranked;
#[cfg(test)]
mod tests;

/// How many addresses of a subnet are EC2's at its beginning.
const RESERVED_FIRST: usize = 4;
/// Addresses in a block, and bits in a lane.
const LANE: usize = 16;
/// A lane in which every bit is set.
const FULL: u16 = u16::MAX;

/// Where addresses and prefixes are picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickPolicy {
    /// Any that is free, with equal chance.
    Random,
    /// The first behind the one that was picked before.
    NextFit,
    /// The lowest.
    LowestFirst,
}

/// What is assumed of picking and counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Where addresses and prefixes are picked.
    pub pick: PickPolicy,
    /// Whether free addresses of reservations do not count as available.
    pub reservations_lower_available: bool,
}

impl From<&Assumptions> for Rules {
    fn from(assumptions: &Assumptions) -> Self {
        let pick = match assumptions.choice(Assumption::PickPolicy) {
            "lowest-first" => PickPolicy::LowestFirst,
            "next-fit" => PickPolicy::NextFit,
            _ => PickPolicy::Random,
        };
        let reservations_lower_available = assumptions.is(Assumption::ReservationsLowerAvailable);
        Self { pick, reservations_lower_available }
    }
}

/// Less is free than was asked for; nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{singles} single addresses and {blocks} blocks are free")]
pub struct Short {
    /// Single addresses that can be picked.
    pub singles: u32,
    /// Blocks that can be picked.
    pub blocks: u32,
}

/// Why a named address or block cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It, or a part of it, is taken.
    #[error("taken")]
    Taken,
    /// It is not in the subnet.
    #[error("outside of the subnet")]
    Outside,
    /// It, or a part of it, is one of the five addresses that are EC2's.
    #[error("reserved by EC2")]
    ReservedByEc2,
    /// It is no aligned block of 16.
    #[error("no aligned /28")]
    Unaligned,
    /// It overlaps another reservation.
    #[error("overlaps a reservation")]
    Overlap,
}

/// A CIDR reservation, as numbers of addresses.
#[derive(Debug, Clone)]
struct Reserved {
    range: Range<usize>,
    kind: ReservationKind,
}

/// The IPv4 addresses of one subnet.
#[derive(Debug, Clone)]
pub struct Space {
    cidr: Ipv4Net,
    rules: Rules,
    /// What is taken in each block, EC2's five included.
    taken: Vec<u16>,
    /// What can be picked as a single address.
    singles: Ranked,
    /// Blocks that can be picked outside of reservations.
    blocks: Ranked,
    /// Blocks that can be picked inside of reservations for prefixes.
    reserved_blocks: Ranked,
    reservations: Vec<Reserved>,
    /// Free addresses, those of reservations included.
    free: u32,
    /// Behind what was picked last, for the policy that goes on there.
    next_single: usize,
    next_block: usize,
}

impl Space {
    /// The space of a subnet of /16 to /28, of which nothing is taken but EC2's own.
    #[must_use]
    pub fn new(cidr: Ipv4Net, rules: Rules) -> Self {
        let size = 1_usize << (32 - cidr.prefix_len());
        let lanes = size.div_ceil(LANE);
        let mut space = Self {
            cidr: cidr.trunc(),
            rules,
            taken: vec![0; lanes],
            singles: Ranked::new(size),
            blocks: Ranked::new(lanes),
            reserved_blocks: Ranked::new(lanes),
            reservations: Vec::new(),
            free: 0,
            next_single: 0,
            next_block: 0,
        };
        for number in (0..RESERVED_FIRST.min(size)).chain([size - 1]).chain(size..lanes * LANE) {
            space.taken[number / LANE] |= 1 << (number % LANE);
        }
        space.free = space.taken.iter().map(|lane| lane.count_zeros()).sum();
        (0..lanes).for_each(|lane| space.refresh(lane));
        space
    }

    /// The subnet's CIDR.
    #[must_use]
    pub const fn cidr(&self) -> Ipv4Net {
        self.cidr
    }

    /// Changes how addresses are picked and counted.
    pub const fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// How many single addresses can be picked.
    #[must_use]
    pub const fn free_singles(&self) -> u32 {
        self.singles.total()
    }

    /// How many blocks can be picked, reservations for prefixes included.
    #[must_use]
    pub const fn free_blocks(&self) -> u32 {
        self.blocks.total() + self.reserved_blocks.total()
    }

    /// `AvailableIpAddressCount`. It says nothing about blocks.
    #[must_use]
    pub const fn available(&self) -> u32 {
        if self.rules.reservations_lower_available { self.singles.total() } else { self.free }
    }

    /// Picks so many single addresses.
    ///
    /// # Errors
    ///
    /// [`Short`] when there are fewer; nothing is taken then.
    pub fn take_singles(&mut self, count: usize, rng: &mut Rng) -> Result<Vec<Ipv4Addr>, Short> {
        if self.free_singles() < saturated(count) {
            return Err(self.short());
        }
        let mut picked = Vec::with_capacity(count);
        while picked.len() < count {
            let all = 0..self.singles.total();
            let rank = self.rank(&self.singles, all, self.next_single, rng);
            let Some(number) = self.singles.select(rank) else { break };
            self.next_single = number + 1;
            self.mark(number / LANE, 1 << (number % LANE), true);
            picked.push(self.address(number));
        }
        Ok(picked)
    }

    /// Picks so many blocks: in reservations for prefixes while they have any, then outside of all reservations.
    ///
    /// # Errors
    ///
    /// [`Short`] when there are fewer; nothing is taken then.
    pub fn take_prefixes(&mut self, count: usize, rng: &mut Rng) -> Result<Vec<Ipv4Net>, Short> {
        if self.free_blocks() < saturated(count) {
            return Err(self.short());
        }
        let mut picked = Vec::with_capacity(count);
        while picked.len() < count {
            let Some(lane) = self.pick_block(rng) else { break };
            self.next_block = lane + 1;
            self.mark(lane, FULL, true);
            picked.push(self.block(lane));
        }
        Ok(picked)
    }

    /// Takes one address by name.
    ///
    /// # Errors
    ///
    /// Why it cannot be had.
    pub fn take(&mut self, address: Ipv4Addr) -> Result<(), Refusal> {
        let number = self.number(address).ok_or(Refusal::Outside)?;
        if self.is_ec2s(number) {
            return Err(Refusal::ReservedByEc2);
        }
        let bit = 1 << (number % LANE);
        if self.taken[number / LANE] & bit != 0 {
            return Err(Refusal::Taken);
        }
        self.mark(number / LANE, bit, true);
        Ok(())
    }

    /// Takes one block by name.
    ///
    /// # Errors
    ///
    /// Why it cannot be had.
    pub fn take_prefix(&mut self, prefix: Ipv4Net) -> Result<(), Refusal> {
        if prefix.prefix_len() != 28 || prefix.trunc() != prefix {
            return Err(Refusal::Unaligned);
        }
        let first = self.number(prefix.network()).ok_or(Refusal::Outside)?;
        if self.is_ec2s(first) || self.is_ec2s(first + LANE - 1) {
            return Err(Refusal::ReservedByEc2);
        }
        if self.taken[first / LANE] != 0 {
            return Err(Refusal::Taken);
        }
        self.mark(first / LANE, FULL, true);
        Ok(())
    }

    /// Gives an address back. Returns whether it was taken by somebody.
    pub fn give_back(&mut self, address: Ipv4Addr) -> bool {
        let number = self.number(address).filter(|number| !self.is_ec2s(*number));
        number.is_some_and(|number| self.free_lane(number / LANE, 1 << (number % LANE)))
    }

    /// Gives a block back. Returns whether all of it was taken by somebody.
    pub fn give_back_prefix(&mut self, prefix: Ipv4Net) -> bool {
        let first = self.number(prefix.network()).filter(|first| {
            first % LANE == 0 && !self.is_ec2s(*first) && !self.is_ec2s(first + LANE - 1)
        });
        first.is_some_and(|first| self.free_lane(first / LANE, FULL))
    }

    /// Reserves a part of the subnet. What is taken there stays taken.
    ///
    /// # Errors
    ///
    /// [`Refusal::Outside`] and [`Refusal::Overlap`].
    pub fn reserve(&mut self, cidr: Ipv4Net, kind: ReservationKind) -> Result<(), Refusal> {
        if !self.cidr.contains(&cidr) {
            return Err(Refusal::Outside);
        }
        let first = self.number(cidr.network()).ok_or(Refusal::Outside)?;
        let range = first..first + (1 << (32 - cidr.prefix_len()));
        let overlaps =
            |other: &Reserved| other.range.start < range.end && range.start < other.range.end;
        if self.reservations.iter().any(overlaps) {
            return Err(Refusal::Overlap);
        }
        self.reservations.push(Reserved { range: range.clone(), kind });
        (range.start / LANE..range.end.div_ceil(LANE)).for_each(|lane| self.refresh(lane));
        Ok(())
    }

    /// Whether an address is taken, EC2's own included; none outside of the subnet.
    #[must_use]
    pub fn is_taken(&self, address: Ipv4Addr) -> Option<bool> {
        let number = self.number(address)?;
        Some(self.taken[number / LANE] & 1 << (number % LANE) != 0)
    }

    /// The addresses that somebody has taken, those of prefixes included, in order.
    pub fn iter_taken(&self) -> impl Iterator<Item = Ipv4Addr> {
        let numbers = 0..self.size();
        let taken = numbers.filter(|number| self.taken[number / LANE] & 1 << (number % LANE) != 0);
        taken.filter(|number| !self.is_ec2s(*number)).map(|number| self.address(number))
    }

    fn pick_block(&self, rng: &mut Rng) -> Option<usize> {
        let within = |reserved: &Reserved| {
            let lanes = reserved.range.start.div_ceil(LANE)..reserved.range.end.div_ceil(LANE);
            self.reserved_blocks.rank(lanes.start)..self.reserved_blocks.rank(lanes.end)
        };
        let for_prefixes = self.reservations.iter().filter(|at| at.kind == ReservationKind::Prefix);
        let open: Vec<_> = for_prefixes.map(within).filter(|ranks| !ranks.is_empty()).collect();
        let Some(ranks) = rng.choice(open) else {
            let all = 0..self.blocks.total();
            return self.blocks.select(self.rank(&self.blocks, all, self.next_block, rng));
        };
        let rank = self.rank(&self.reserved_blocks, ranks, self.next_block, rng);
        self.reserved_blocks.select(rank)
    }

    /// Which of the members with these ranks is picked; the range is not empty.
    fn rank(&self, among: &Ranked, ranks: Range<u32>, next: usize, rng: &mut Rng) -> u32 {
        match self.rules.pick {
            PickPolicy::LowestFirst => ranks.start,
            PickPolicy::NextFit => {
                Some(among.rank(next)).filter(|rank| ranks.contains(rank)).unwrap_or(ranks.start)
            }
            PickPolicy::Random if ranks.is_empty() => ranks.start,
            PickPolicy::Random => rng.u32(ranks),
        }
    }

    fn free_lane(&mut self, lane: usize, bits: u16) -> bool {
        let taken = self.taken[lane] & bits == bits;
        if taken {
            self.mark(lane, bits, false);
        }
        taken
    }

    /// Bits that are all free become taken, or the other way round.
    fn mark(&mut self, lane: usize, bits: u16, taken: bool) {
        self.taken[lane] ^= bits;
        let count = bits.count_ones();
        self.free = if taken { self.free - count } else { self.free + count };
        self.refresh(lane);
    }

    /// Writes down what can be picked in a block after a change there.
    fn refresh(&mut self, lane: usize) {
        let (barred, for_prefixes) = self.reserved_in(lane);
        let taken = self.taken[lane];
        self.singles.put_lane(lane, !(taken | barred));
        self.blocks.put(lane, taken | barred == 0);
        self.reserved_blocks.put(lane, taken == 0 && for_prefixes == FULL);
    }

    /// The addresses of a block that are in any reservation, and those that are in one for prefixes.
    fn reserved_in(&self, lane: usize) -> (u16, u16) {
        let mut reserved = (0, 0);
        for Reserved { range, kind } in &self.reservations {
            let first = range.start.clamp(lane * LANE, (lane + 1) * LANE) - lane * LANE;
            let end = range.end.clamp(lane * LANE, (lane + 1) * LANE) - lane * LANE;
            let below = |bits: usize| u16::try_from((1_u32 << bits) - 1).unwrap_or(FULL);
            let bits = below(end) & !below(first);
            reserved.0 |= bits;
            reserved.1 |= if *kind == ReservationKind::Prefix { bits } else { 0 };
        }
        reserved
    }

    const fn short(&self) -> Short {
        Short { singles: self.free_singles(), blocks: self.free_blocks() }
    }

    const fn size(&self) -> usize {
        1 << (32 - self.cidr.prefix_len())
    }

    const fn is_ec2s(&self, number: usize) -> bool {
        number < RESERVED_FIRST || number + 1 == self.size()
    }

    fn number(&self, address: Ipv4Addr) -> Option<usize> {
        let offset = u32::from(address).checked_sub(u32::from(self.cidr.network()))? as usize;
        (offset < self.size()).then_some(offset)
    }

    fn address(&self, number: usize) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.cidr.network()) + saturated(number))
    }

    fn block(&self, lane: usize) -> Ipv4Net {
        Ipv4Net::new_assert(self.address(lane * LANE), 28)
    }
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
