//! How large the figures of an instance type may be.
//!
//! They catch a slip or a corrupt answer, not a new kind of machine: each upper bound is four or more times
//! the largest figure on network card 0 of any type in November 2026 (24 network interfaces; 64
//! addresses of each family). Arithmetic behind these bounds fits in 32 bits with room to spare:
//! 128 network interfaces with 256 /28 prefixes each are 524,288 addresses.

use crate::{Limits, table::TABLE};
use core::{fmt, ops::RangeInclusive};

/// Network interfaces on card 0. An instance cannot be without its primary one.
pub const ENIS: RangeInclusive<u16> = 1..=128;

/// IPv4 addresses per network interface. No type has fewer than 2; with 1, the primary address
/// would leave nothing for a pod.
pub const IPV4_PER_ENI: RangeInclusive<u16> = 2..=256;

/// IPv6 addresses per network interface. Fourteen Xen types have none.
pub const IPV6_PER_ENI: RangeInclusive<u16> = 0..=256;

/// The fewest types a table may have: what the first snapshot had, less a few that EC2 may retire.
pub const TYPES_AT_LEAST: usize = 1390;

/// A figure of [`Limits`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// [`Limits::enis`]
    Enis,
    /// [`Limits::ipv4_per_eni`]
    Ipv4PerEni,
    /// [`Limits::ipv6_per_eni`]
    Ipv6PerEni,
}

impl Field {
    /// The values this figure may have.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<u16> {
        match self {
            Self::Enis => ENIS,
            Self::Ipv4PerEni => IPV4_PER_ENI,
            Self::Ipv6PerEni => IPV6_PER_ENI,
        }
    }

    /// `value` if this figure may have it.
    pub(crate) fn checked(self, value: i64) -> Option<u16> {
        u16::try_from(value).ok().filter(|value| self.range().contains(value))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Enis => "network interfaces",
            Self::Ipv4PerEni => "IPv4 addresses per network interface",
            Self::Ipv6PerEni => "IPv6 addresses per network interface",
        })
    }
}

const fn within(range: &RangeInclusive<u16>, value: u16) -> bool {
    *range.start() <= value && value <= *range.end()
}

const fn all_within(limits: Limits) -> bool {
    within(&ENIS, limits.enis)
        && within(&IPV4_PER_ENI, limits.ipv4_per_eni)
        && within(&IPV6_PER_ENI, limits.ipv6_per_eni)
}

/// `left < right` in the order of `str`, which is not yet available in constants.
const fn comes_before(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() {
        if left[at] != right[at] {
            return left[at] < right[at];
        }
        at += 1;
    }
    left.len() < right.len()
}

const fn each_before_the_next(table: &[(&str, Limits)]) -> bool {
    let mut next = 1;
    while next < table.len() {
        if !comes_before(table[next - 1].0, table[next].0) {
            return false;
        }
        next += 1;
    }
    true
}

const fn each_within_bounds(table: &[(&str, Limits)]) -> bool {
    let mut row = 0;
    while row < table.len() {
        if !all_within(table[row].1) {
            return false;
        }
        row += 1;
    }
    true
}

const _: () = assert!(TYPES_AT_LEAST <= TABLE.len(), "the table has lost instance types");
const _: () = assert!(each_before_the_next(TABLE), "the table is out of order or has a type twice");
const _: () = assert!(each_within_bounds(TABLE), "a figure in the table is out of bounds");
