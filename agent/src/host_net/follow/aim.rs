//! What is wanted, made of what the keeper says and of what ADDs in flight have been granted.

use std::collections::BTreeMap;

use ipam_core::agent::{EniStanding, Status};
use ipam_core::ids::EniId;
use ipnet::IpNet;

use super::Options;
use crate::host_net::words::{Numbers, Rule, Selector, Step, Wanted, WantedEni};

/// The ADDs in flight: the CIDR of each address that was granted, and the interface it is on.
pub(super) type Pinned = BTreeMap<IpNet, EniId>;

/// What a round is to make true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Aim {
    pub(super) wanted: Wanted,
    /// Whether what nobody is known to use is left alone all the same: somebody may.
    pub(super) spares: bool,
}

/// What is to be there. Where the two name different interfaces for a CIDR, the keeper is right.
pub(super) fn wanted(status: &Status, pinned: &Pinned, options: &Options) -> Wanted {
    let used = status.cidrs.iter().filter(|usage| usage.used > 0);
    let used = used.map(|usage| (usage.listed.cidr, usage.listed.eni.clone()));
    let pinned = pinned.iter().map(|(cidr, eni)| (*cidr, eni.clone()));
    Wanted {
        enis: status.enis.iter().map(wanted_eni).collect(),
        used: pinned.chain(used).collect(),
        mtu: options.mtu,
        masquerade: options.masquerade,
    }
}

fn wanted_eni(standing: &EniStanding) -> (EniId, WantedEni) {
    let facts = &standing.facts;
    let eni = WantedEni {
        mac: facts.mac.to_ascii_lowercase(),
        number: facts.number,
        primary: standing.primary,
        subnet: facts.subnet,
        vpc: facts.vpc.iter().copied().collect(),
    };
    (facts.id.clone(), eni)
}

impl Aim {
    /// Whether a step may be carried out. While the ledger may have forgotten pods that run, nothing is removed that one of them could need:
    /// rules of CIDRs of which no address is known to be used, and routes in tables of interfaces that are not known.
    pub(super) fn allows(&self, step: &Step, numbers: &Numbers) -> bool {
        if !self.spares {
            return true;
        }
        match step {
            Step::DeleteRule(Rule {
                selector: Selector::From(cidr) | Selector::To(cidr), ..
            }) => self.wanted.used.contains_key(cidr),
            Step::DeleteRoute(route) => {
                let mut enis = self.wanted.enis.values();
                enis.any(|eni| numbers.table(eni.number) == route.table)
            }
            Step::DeleteRule(_) | Step::SetMasquerade(None) => false,
            _ => true,
        }
    }
}
