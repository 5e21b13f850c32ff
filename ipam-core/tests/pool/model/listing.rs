//! What a listing does to the model.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipam_core::pool::{ListedCidr, SyncReport};
use ipnet::IpNet;

use super::{Gone, Is, Model, Range};

/// The addresses of a CIDR that can be handed out.
pub(crate) fn addresses_of(cidr: IpNet) -> Vec<IpAddr> {
    let next = |address: &IpAddr| match address {
        IpAddr::V4(address) => {
            Some(IpAddr::from(std::net::Ipv4Addr::from(u32::from(*address) + 1)))
        }
        IpAddr::V6(address) => {
            Some(IpAddr::from(std::net::Ipv6Addr::from(u128::from(*address) + 1)))
        }
    };
    let all = std::iter::successors(Some(cidr.network()), next);
    all.take(4096).take_while(|address| cidr.contains(address)).collect()
}

/// A CIDR by itself: whether a ledger can have it.
fn is_sound(cidr: IpNet) -> bool {
    let shortest = if cidr.addr().is_ipv4() { 16 } else { 64 };
    cidr.addr() == cidr.network() && cidr.prefix_len() >= shortest
}

impl Model {
    /// The CIDRs that are there from now on: of those that overlap the largest, on the lowest interface.
    fn accepted(listed: &BTreeSet<ListedCidr>) -> BTreeMap<IpNet, Range> {
        let mut sound: Vec<_> = listed.iter().filter(|listed| is_sound(listed.cidr)).collect();
        sound.sort_by_key(|listed| (listed.cidr.prefix_len(), &listed.eni));
        let mut accepted: BTreeMap<IpNet, Range> = BTreeMap::new();
        for ListedCidr { cidr, eni } in sound {
            let addresses = addresses_of(*cidr);
            let overlaps =
                |range: &Range| range.addresses.iter().any(|one| addresses.contains(one));
            if !accepted.values().any(overlaps) {
                let eni = eni.clone();
                accepted.insert(*cidr, Range { eni, withdrawn: false, addresses });
            }
        }
        accepted
    }

    /// Answers the report, and how many entries were refused in place of why.
    pub(crate) fn sync(&mut self, listed: &BTreeSet<ListedCidr>) -> (SyncReport, usize) {
        let mut after = Self::accepted(listed);
        let refused = listed.len() - after.len();
        let listed: BTreeSet<IpNet> = after.keys().copied().collect();
        let covered: BTreeSet<IpAddr> =
            after.values().flat_map(|range| range.addresses.iter().copied()).collect();
        for (cidr, range) in &self.ranges {
            let used = range.addresses.iter().filter(|address| self.is_used(address));
            let left: Vec<IpAddr> = used.copied().filter(|one| !covered.contains(one)).collect();
            let cut_up = range.addresses.iter().any(|address| covered.contains(address));
            let singles = left.iter().map(|address| (IpNet::from(*address), vec![*address]));
            let kept =
                if cut_up { singles.collect() } else { vec![(*cidr, range.addresses.clone())] };
            for (cidr, addresses) in kept.into_iter().filter(|_| !left.is_empty()) {
                let eni = range.eni.clone();
                after.insert(cidr, Range { eni, withdrawn: true, addresses });
            }
        }
        let (now, remember) = (self.now, self.settings.remember());
        self.gone.retain(|_, gone| now < gone.since + remember);
        self.leave(&after);
        let before = std::mem::replace(&mut self.ranges, after);
        self.come_back(&covered);
        let mut report = self.report(&before, &listed);
        let drained = std::mem::take(&mut self.drained).into_keys();
        report.removed.extend(drained.filter(|cidr| !self.ranges.contains_key(cidr)));
        report.removed.sort();
        (report, refused)
    }

    /// Remembers what is not listed any more, and every promise whose interface is another one now.
    fn leave(&mut self, after: &BTreeMap<IpNet, Range>) {
        for (address, is) in self.taken.clone() {
            let (promised, cooling) = match is {
                Is::Used(..) => continue,
                Is::Promised(cooling) => (true, cooling),
                Is::Cooling(since, _) => (false, Some(since)),
            };
            let eni = self.range_of(address).unwrap().1.eni.clone();
            let mut there = after.values().filter(|range| !range.withdrawn);
            let there = there.find(|range| range.addresses.contains(&address));
            if there.is_none_or(|range| promised && range.eni != eni) {
                self.taken.remove(&address);
                self.gone.insert(address, Gone { eni, since: self.now, promised, cooling });
            }
        }
    }

    /// What was remembered and is listed is again what it was, a promise only on the same interface.
    fn come_back(&mut self, covered: &BTreeSet<IpAddr>) {
        let back: Vec<_> = covered.iter().filter_map(|one| self.gone.remove_entry(one)).collect();
        for (address, gone) in back {
            let resting =
                gone.cooling.filter(|since| self.now < *since + self.settings.cool_down());
            if gone.promised && gone.eni == self.range_of(address).unwrap().1.eni {
                self.taken.insert(address, Is::Promised(gone.cooling));
            } else if let Some(since) = resting {
                self.turns += 1;
                self.taken.insert(address, Is::Cooling(since, self.turns));
            }
        }
    }

    fn report(&self, before: &BTreeMap<IpNet, Range>, listed: &BTreeSet<IpNet>) -> SyncReport {
        let was_listed = |cidr: &&IpNet| before.get(cidr).is_some_and(|range| !range.withdrawn);
        let moved = |cidr: &&IpNet| {
            let was = before.get(cidr).map(|range| &range.eni);
            was.is_some_and(|eni| *eni != self.ranges[cidr].eni)
        };
        SyncReport {
            added: listed.iter().filter(|cidr| !was_listed(cidr)).copied().collect(),
            removed: before
                .keys()
                .filter(|cidr| !self.ranges.contains_key(cidr))
                .copied()
                .collect(),
            moved: listed.iter().filter(moved).copied().collect(),
            withdrawn: self
                .ranges
                .iter()
                .filter(|(_, range)| range.withdrawn)
                .map(|(cidr, _)| *cidr)
                .collect(),
            refused: Vec::new(),
        }
    }
}
