//! The model as the plain values that the ledger must be.

use ipam_core::pool::{
    CoolingAddress, Family, GrantId, ListedCidr, PromisedAddress, Snapshot, SnapshotCidr,
    UsedAddress, VanishedAddress,
};

use super::{Is, Model};

impl Model {
    pub(super) fn used(&self) -> Vec<UsedAddress> {
        let used = self.taken.iter().filter_map(|(address, is)| match is {
            Is::Used(id, owner, unclaimed_since) => Some(UsedAddress {
                address: *address,
                id: *id,
                owner: owner.clone(),
                unclaimed_since: *unclaimed_since,
            }),
            _ => None,
        });
        used.collect()
    }

    /// What the snapshot of the ledger must be.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let cidrs = self.ranges.iter().map(|(cidr, range)| SnapshotCidr {
            listed: ListedCidr { cidr: *cidr, eni: range.eni.clone() },
            withdrawn: range.withdrawn,
        });
        let drained = self.drained.iter().map(|(cidr, eni)| SnapshotCidr {
            listed: ListedCidr { cidr: *cidr, eni: eni.clone() },
            withdrawn: true,
        });
        let mut cidrs: Vec<_> = cidrs.chain(drained).collect();
        cidrs.sort();
        let vanished = self.gone.iter().map(|(&address, gone)| VanishedAddress {
            address,
            eni: gone.eni.clone(),
            since: gone.since,
            promised: gone.promised,
            cooling_since: gone.cooling,
        });
        let promised = self.taken.iter().filter_map(|(&address, is)| match *is {
            Is::Promised(cooling_since) => Some(PromisedAddress { address, cooling_since }),
            _ => None,
        });
        let cooling = self.taken.iter().filter_map(|(&address, is)| match *is {
            Is::Cooling(since, turn) => Some((Family::of(address), since, turn, address)),
            _ => None,
        });
        let mut cooling: Vec<_> = cooling.collect();
        cooling.sort_unstable();
        let cooling =
            cooling.into_iter().map(|(_, since, _, address)| CoolingAddress { address, since });
        Snapshot {
            at: self.now,
            next_grant: GrantId::from_u64(self.next_grant),
            cooling_cut_short: self.cut_short,
            cidrs,
            used: self.used(),
            cooling: cooling.collect(),
            promised: promised.collect(),
            vanished: vanished.collect(),
        }
    }
}
