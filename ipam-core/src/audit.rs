//! The promises, checked against the truth.
//!
//! One function a promise, and none of the planner's or the ledger's code: a second opinion that shared
//! their arithmetic would share their mistakes. Tests, simulation and benchmarks run all of them after
//! each step. The caller supplies the truth, not somebody's view of it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use ipnet::IpNet;
use limits::Limits;

use crate::ids::{EniId, NodeName, VpcId};
use crate::time::Tick;
use crate::view::{AttachmentState, EniView};

/// What is true at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Truth<'a> {
    /// The moment.
    pub now: Tick,
    /// All nodes.
    pub nodes: &'a [NodeTruth<'a>],
    /// Interfaces that Berth made and that are attached to nothing.
    pub loose: &'a [LooseEni<'a>],
    /// How long an interface may stay loose before it counts as leaked.
    pub grace: Duration,
}

/// What is true of one node.
#[derive(Debug, Clone, Copy)]
pub struct NodeTruth<'a> {
    /// Its name.
    pub name: &'a NodeName,
    /// The VPC it is in; the same address in another VPC is another address.
    pub vpc: &'a VpcId,
    /// What its type can hold, if anybody knows.
    pub limits: Option<Limits>,
    /// The interfaces that are attached to it.
    pub enis: &'a [EniView],
    /// The addresses that its pods use.
    pub in_use: &'a [InUse],
    /// How many addresses it is short of its demand.
    pub short: u32,
    /// Whether it has steps under way or reports a reason.
    pub explained: bool,
    /// What its agent's ledger says of itself, family by family.
    pub ledgers: &'a [LedgerCounts],
}

/// An address in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// The address.
    pub address: IpAddr,
    /// Who uses it: `namespace/pod`, `router`, …
    pub owner: String,
}

/// An interface that is attached to nothing.
#[derive(Debug, Clone, Copy)]
pub struct LooseEni<'a> {
    /// The interface.
    pub eni: &'a EniView,
    /// Since when.
    pub since: Tick,
}

/// The addresses of a ledger by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerCounts {
    /// All addresses the ledger may hand out or has handed out.
    pub attached: u64,
    /// Ready to be handed out.
    pub free: u64,
    /// Handed out.
    pub used: u64,
    /// Given back a short while ago.
    pub cooling: u64,
    /// Promised away to the operator.
    pub promised: u64,
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// An address in use is on no interface of the node.
    UsedButNotAttached {
        /// The node.
        node: NodeName,
        /// The address and its user.
        in_use: InUse,
    },
    /// Two interfaces of a VPC hold the same address.
    OnTwoEnis {
        /// The first address that both hold.
        address: IpAddr,
        /// The interfaces.
        enis: [EniId; 2],
    },
    /// Two users have the same address.
    UsedTwice {
        /// The address.
        address: IpAddr,
        /// The users.
        owners: [String; 2],
    },
    /// A node has more interfaces than its type takes on network card 0.
    TooManyEnis {
        /// The node.
        node: NodeName,
        /// How many there are.
        have: usize,
        /// How many fit.
        fit: u16,
    },
    /// An interface holds more than its type takes.
    TooManyAddresses {
        /// The interface.
        eni: EniId,
        /// Slots that are taken, of one family.
        have: usize,
        /// Slots that there are.
        fit: u16,
    },
    /// An interface holds prefixes on a type that takes none.
    PrefixNotSupported {
        /// The interface.
        eni: EniId,
    },
    /// An interface that Berth made is attached to nothing for too long.
    Leaked {
        /// The interface.
        eni: EniId,
        /// For how long.
        loose_for: Duration,
    },
    /// A node is short of addresses, does nothing about it and says nothing.
    SilentlyShort {
        /// The node.
        node: NodeName,
        /// How many addresses it is short.
        short: u32,
    },
    /// The addresses of a ledger do not add up.
    NotConserved {
        /// The node.
        node: NodeName,
        /// What the ledger says.
        counts: LedgerCounts,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UsedButNotAttached { node, in_use: InUse { address, owner } } => {
                write!(out, "{address} of {owner} is on no interface of {node}")
            }
            Self::OnTwoEnis { address, enis: [a, b] } => {
                write!(out, "{address} is on {a} and on {b}")
            }
            Self::UsedTwice { address, owners: [a, b] } => {
                write!(out, "{address} is used by {a} and by {b}")
            }
            Self::TooManyEnis { node, have, fit } => {
                write!(out, "{node} has {have} interfaces on card 0 and takes {fit}")
            }
            Self::TooManyAddresses { eni, have, fit } => {
                write!(out, "{eni} has {have} slots taken of {fit}")
            }
            Self::PrefixNotSupported { eni } => {
                write!(out, "{eni} has a prefix on a type that takes none")
            }
            Self::Leaked { eni, loose_for } => {
                write!(out, "{eni} is attached to nothing for {loose_for:?}")
            }
            Self::SilentlyShort { node, short } => {
                write!(out, "{node} is short by {short} and says nothing")
            }
            Self::NotConserved { node, counts } => {
                write!(out, "the ledger of {node} does not add up: {counts:?}")
            }
        }
    }
}

/// Checks all promises.
#[must_use]
pub fn audit(truth: &Truth<'_>) -> Vec<Violation> {
    let checks = [
        used_addresses_are_attached,
        no_address_held_twice,
        no_node_over_limits,
        no_eni_leaked,
        every_short_node_says_why,
        ledgers_add_up,
    ];
    checks.iter().flat_map(|check| check(truth)).collect()
}

/// Promise 1: no address a pod uses is ever unassigned.
#[must_use]
pub fn used_addresses_are_attached(truth: &Truth<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for node in truth.nodes {
        let held = || node.enis.iter().filter(|eni| is_staying(eni)).flat_map(ranges);
        for in_use in node.in_use {
            if !held().any(|range| range.contains(&in_use.address)) {
                let (node, in_use) = (node.name.clone(), in_use.clone());
                violations.push(Violation::UsedButNotAttached { node, in_use });
            }
        }
    }
    violations
}

/// Promise 2: no address is given to two pods, nor held by two interfaces of one VPC.
#[must_use]
pub fn no_address_held_twice(truth: &Truth<'_>) -> Vec<Violation> {
    let users = truth.nodes.iter().flat_map(|node| node.in_use.iter().map(|it| (node.vpc, it)));
    let mut used: Vec<(&VpcId, &InUse)> = users.collect();
    used.sort_by_key(|(vpc, it)| (*vpc, it.address));
    let same =
        |a: &(&VpcId, &InUse), b: &(&VpcId, &InUse)| a.0 == b.0 && a.1.address == b.1.address;
    let twice = used.windows(2).filter(|pair| same(&pair[0], &pair[1]));
    let used_twice = twice.map(|pair| Violation::UsedTwice {
        address: pair[0].1.address,
        owners: [pair[0].1.owner.clone(), pair[1].1.owner.clone()],
    });
    let mut held: Vec<Held<'_>> = Vec::new();
    let attached = truth.nodes.iter().flat_map(|node| node.enis);
    for eni in attached.chain(truth.loose.iter().map(|loose| loose.eni)) {
        held.extend(ranges(eni).map(|range| Held { vpc: &eni.vpc, range, eni: &eni.id }));
    }
    held.sort_by(|a, b| (a.vpc, a.range.network()).cmp(&(b.vpc, b.range.network())));
    used_twice.chain(overlaps(&held)).collect()
}

/// Promise 3: no node is pushed over the limits of its instance type.
#[must_use]
pub fn no_node_over_limits(truth: &Truth<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for node in truth.nodes {
        let Some(limits) = node.limits else { continue };
        let on_card_0 =
            |eni: &&EniView| eni.attachment.as_ref().is_some_and(|at| at.network_card == 0);
        let have = node.enis.iter().filter(on_card_0).count();
        if have > usize::from(limits.enis) {
            let (node, fit) = (node.name.clone(), limits.enis);
            violations.push(Violation::TooManyEnis { node, have, fit });
        }
        violations.extend(node.enis.iter().flat_map(|eni| over_limits(eni, limits)));
    }
    violations
}

/// Promise 4: no interface that Berth created is leaked.
#[must_use]
pub fn no_eni_leaked(truth: &Truth<'_>) -> Vec<Violation> {
    let age = |loose: &LooseEni<'_>| truth.now.since(loose.since);
    let leaked = truth.loose.iter().filter(|loose| age(loose) > truth.grace);
    leaked
        .map(|loose| Violation::Leaked { eni: loose.eni.id.clone(), loose_for: age(loose) })
        .collect()
}

/// Promise 5: every node that can get the addresses it needs gets them, and one that cannot says why.
#[must_use]
pub fn every_short_node_says_why(truth: &Truth<'_>) -> Vec<Violation> {
    let silent = truth.nodes.iter().filter(|node| node.short > 0 && !node.explained);
    silent
        .map(|node| Violation::SilentlyShort { node: node.name.clone(), short: node.short })
        .collect()
}

/// Behind promises 1 and 2: attached = free + used + cooling + promised, in every ledger.
#[must_use]
pub fn ledgers_add_up(truth: &Truth<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for node in truth.nodes {
        let adds_up =
            |it: &LedgerCounts| it.attached == it.free + it.used + it.cooling + it.promised;
        for counts in node.ledgers.iter().copied().filter(|it| !adds_up(it)) {
            violations.push(Violation::NotConserved { node: node.name.clone(), counts });
        }
    }
    violations
}

/// A range of addresses of an interface.
struct Held<'a> {
    vpc: &'a VpcId,
    range: IpNet,
    eni: &'a EniId,
}

/// The overlaps in ranges sorted by VPC and first address. A range may cover several that follow, so
/// each is compared with the one that reaches farthest so far.
fn overlaps(held: &[Held<'_>]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut farthest: Option<&Held<'_>> = None;
    for next in held {
        let before = farthest.filter(|it| it.vpc == next.vpc && is_same_family(it, next));
        match before {
            Some(before) if next.range.network() <= before.range.broadcast() => {
                violations.push(Violation::OnTwoEnis {
                    address: next.range.network(),
                    enis: [before.eni.clone(), next.eni.clone()],
                });
                if next.range.broadcast() > before.range.broadcast() {
                    farthest = Some(next);
                }
            }
            _ => farthest = Some(next),
        }
    }
    violations
}

fn is_same_family(a: &Held<'_>, b: &Held<'_>) -> bool {
    a.range.network().is_ipv4() == b.range.network().is_ipv4()
}

fn over_limits(eni: &EniView, limits: Limits) -> Vec<Violation> {
    let (ipv4, ipv6) = (&eni.ipv4, &eni.ipv6);
    let slots = [
        (1 + ipv4.addresses.len() + ipv4.prefixes.len(), limits.ipv4_per_eni),
        (ipv6.addresses.len() + ipv6.prefixes.len(), limits.ipv6_per_eni),
    ];
    let too_many = slots.into_iter().filter(|(have, fit)| *have > usize::from(*fit));
    let mut violations: Vec<Violation> = too_many
        .map(|(have, fit)| Violation::TooManyAddresses { eni: eni.id.clone(), have, fit })
        .collect();
    let has_prefix = !ipv4.prefixes.is_empty() || !ipv6.prefixes.is_empty();
    if has_prefix && !limits.supports_prefixes() {
        violations.push(Violation::PrefixNotSupported { eni: eni.id.clone() });
    }
    violations
}

/// An interface that is being detached takes its addresses along.
fn is_staying(eni: &EniView) -> bool {
    eni.attachment.as_ref().is_some_and(|at| at.state != AttachmentState::Detaching)
}

/// Everything an interface holds.
fn ranges(eni: &EniView) -> impl Iterator<Item = IpNet> + '_ {
    let ipv4 = core::iter::once(eni.ipv4.primary).chain(eni.ipv4.addresses.iter().copied());
    let ipv6 = eni.ipv6.addresses.iter().copied();
    ipv4.map(|address| IpNet::from(IpAddr::from(address)))
        .chain(eni.ipv4.prefixes.iter().copied().map(IpNet::from))
        .chain(ipv6.map(|address| IpNet::from(IpAddr::from(address))))
        .chain(eni.ipv6.prefixes.iter().copied().map(IpNet::from))
}
