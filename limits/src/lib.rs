//! What each EC2 instance type can hold: network interfaces, and addresses per network interface.
//!
//! This crate knows figures and nothing else: it cannot open a file, a socket or a clock, and it depends
//! on no other crate of the workspace.
//!
//! * [`find`] looks a type up in [`table::TABLE`], which is part of the program and needs no permission
//!   and no call.
//! * [`Catalog`] puts two layers over the table: what the EC2 API said while running, and over that
//!   what the operator's user set. It also says which of the three answered.
//! * [`Overrides`] reads what the user set, from command-line arguments or from the text of a file.
//!
//! A type that nobody described is `None`, never a guess: a figure that is too high makes every attach
//! or assign fail, and one that is too low wastes a node in silence.
//!
//! ```
//! let limits = limits::find("m5.large").unwrap();
//! assert_eq!((limits.enis, limits.ipv4_per_eni, limits.ipv6_per_eni), (3, 10, 10));
//! assert!(limits.supports_prefixes());
//! assert_eq!(limits::find("m5.enormous"), None);
//! ```
//!
//! # Network cards
//!
//! A type with several network cards reports the total of all cards as its maximum, but a network interface is
//! attached to one card and pods use card 0 alone, where the primary network interface must be. Every
//! figure here is therefore that of card 0: p5.48xlarge has 64 network interfaces in total and 2 on card 0.
//! Source: `NetworkInfo.NetworkCards` of the EC2 API's `DescribeInstanceTypes`.
//!
//! # Where the table comes from
//!
//! `limits/generate` writes it from a committed snapshot of `DescribeInstanceTypes`; the header of
//! the table names the snapshot's source and date. Assertions at compile time refuse a table that is out of
//! order, names a type twice, leaves the [`bounds`] or has shrunk.

#![no_std]

extern crate alloc;

pub mod bounds;
mod catalog;
mod instance_type;
mod overrides;
mod search;
pub mod table;

pub use catalog::{Catalog, Known, RefusedReport, Reported, Source};
pub use overrides::{Override, OverrideError, Overrides, Place, Problem, RefusedOverrides};
pub use search::find;

use core::fmt;

/// How an instance type is virtualised, which decides whether its network interfaces take prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hypervisor {
    /// A virtual machine on the AWS Nitro System.
    Nitro,
    /// A virtual machine on Xen: every family older than Nitro, such as m4 and t2.
    Xen,
    /// A whole host without a hypervisor, such as m5.metal. EC2 offers these on the Nitro System alone.
    BareMetal,
    /// Nobody said. Treated like [`Hypervisor::Xen`], on which everything works that works here.
    Unknown,
}

impl fmt::Display for Hypervisor {
    /// The word an override uses: `nitro`, `xen` or `metal`; and `unknown`, which no override may say.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nitro => "nitro",
            Self::Xen => "xen",
            Self::BareMetal => "metal",
            Self::Unknown => "unknown",
        })
    }
}

/// What one instance type can hold.
///
/// A plain value: whoever holds one may read and copy it, and tests may make one up. Values that come
/// from outside are checked against [`bounds`] where they enter, by [`Catalog::learn`] and
/// [`Overrides`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Network interfaces on network card 0, the primary one included.
    pub enis: u16,
    /// IPv4 addresses per network interface, its primary address included. A /28 prefix takes the place of one
    /// address, so a network interface with 10 holds its primary address and 9 prefixes.
    pub ipv4_per_eni: u16,
    /// IPv6 addresses per network interface; a /80 prefix takes the place of one. 0 on the types
    /// without IPv6.
    pub ipv6_per_eni: u16,
    /// How the type is virtualised.
    pub hypervisor: Hypervisor,
}

impl Limits {
    /// Whether network interfaces of this type take delegated prefixes (/28 and /80).
    ///
    /// True on the Nitro hypervisor and on bare metal. EC2 delegates prefixes on Nitro-based instances
    /// only (reference: EC2 user guide, "Prefix delegation for Amazon EC2 network interfaces"), and
    /// there is no bare metal outside Nitro: it is the Nitro System that provides it (reference: EC2
    /// instance types guide, "Instances built on the AWS Nitro System"). The snapshot agrees: the
    /// types that require ENA, which every Nitro-based one does and no Xen type does, are exactly those
    /// for which this is true.
    #[must_use]
    pub const fn supports_prefixes(self) -> bool {
        matches!(self.hypervisor, Hypervisor::Nitro | Hypervisor::BareMetal)
    }
}
