//! Calls to a ledger, by chance.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipam_core::pool::{Claim, Family, ListedCidr, Owner};
use ipnet::IpNet;
use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::sample::select;

/// How many addresses of each family are played with: so few that they meet each other.
const HOSTS: u8 = 40;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host(pub(crate) Family, pub(crate) u8);

impl Host {
    pub(crate) fn address(self) -> IpAddr {
        match self.0 {
            Family::Ipv4 => [10, 0, 0, self.1].into(),
            Family::Ipv6 => [0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(self.1)].into(),
        }
    }

    /// The CIDR of `1 << bits` addresses around it, or, if `ragged`, the address with that length.
    fn cidr(self, bits: u8, ragged: bool) -> IpNet {
        let length = match self.0 {
            Family::Ipv4 if bits == TOO_LARGE => 15,
            Family::Ipv6 if bits == TOO_LARGE => 63,
            Family::Ipv4 => 32 - bits,
            Family::Ipv6 => 128 - bits,
        };
        let cidr = IpNet::new(self.address(), length).unwrap();
        if ragged { cidr } else { cidr.trunc() }
    }
}

/// In place of host bits: a CIDR that no ledger accepts.
const TOO_LARGE: u8 = 99;

/// A call to the ledger.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Allocate(Family, Owner, Claim),
    AllocateExact(Host, Owner, Claim),
    /// The used address at this place in the row, once more for the one who holds it.
    ExactUsed(usize),
    /// On behalf of an owner, or by force.
    Release(Host, Option<Owner>),
    /// The used address at this place in the row, by its grant or by the one
    /// this far before it.
    ReleaseUsed(usize, u64),
    /// The used address at this place in the row, with this distance to its grant.
    ClaimUsed(usize, u64),
    Expire,
    Promise(Host),
    PromiseCidr(IpNet),
    WithdrawPromise(Host),
    WithdrawPromiseCidr(IpNet),
    Sync(BTreeSet<ListedCidr>),
    Restart,
}

/// A call, and how many milliseconds after the one before.
pub(crate) type Step = (i64, Call);

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let passed = prop_oneof![
        8 => Just(0),
        4 => 1..4000_i64,
        1 => select(vec![29_999, 30_000, 599_999, 600_000]),
        1 => -40_000..0_i64,
    ];
    (passed, call())
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        40 => (family(), owner(), claim()).prop_map(|(f, o, c)| Call::Allocate(f, o, c)),
        8 => (host(), owner(), claim()).prop_map(|(h, o, c)| Call::AllocateExact(h, o, c)),
        6 => any::<usize>().prop_map(Call::ExactUsed),
        8 => (host(), proptest::option::of(owner())).prop_map(|(h, o)| Call::Release(h, o)),
        20 => (any::<usize>(), 0..4_u64).prop_map(|(used, off)| Call::ReleaseUsed(used, off / 3)),
        10 => (any::<usize>(), 0..2_u64).prop_map(|(used, off)| Call::ClaimUsed(used, off)),
        4 => Just(Call::Expire),
        6 => host().prop_map(Call::Promise),
        3 => cidr().prop_map(Call::PromiseCidr),
        4 => host().prop_map(Call::WithdrawPromise),
        3 => cidr().prop_map(Call::WithdrawPromiseCidr),
        2 => btree_set(listed(), 0..9).prop_map(Call::Sync),
        4 => Just(Call::Restart),
    ]
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![2 => Just(Family::Ipv4), 1 => Just(Family::Ipv6)]
}

fn host() -> impl Strategy<Value = Host> {
    (family(), 0..HOSTS).prop_map(|(family, host)| Host(family, host))
}

fn owner() -> impl Strategy<Value = Owner> {
    let names = ["a/x", "a/x", "a/y", "a/y", "b/x", "b/x", "b/y", "router", "health", "ingress"];
    select(names.to_vec()).prop_map(|name| name.parse().unwrap())
}

fn claim() -> impl Strategy<Value = Claim> {
    select(vec![Claim::Expected, Claim::NotNeeded])
}

/// Mostly what EC2 gives: prefixes of 16 and single addresses.
fn cidr() -> impl Strategy<Value = IpNet> {
    let bits = prop_oneof![16 => Just(4), 8 => Just(0), 4 => 1..7_u8, 1 => Just(TOO_LARGE)];
    let ragged = prop::bool::weighted(0.05);
    (host(), bits, ragged).prop_map(|(host, bits, ragged)| host.cidr(bits, ragged))
}

pub(crate) fn listed() -> impl Strategy<Value = ListedCidr> {
    let enis = select(vec!["eni-1", "eni-1", "eni-2"]);
    (cidr(), enis).prop_map(|(cidr, eni)| ListedCidr { cidr, eni: eni.parse().unwrap() })
}
