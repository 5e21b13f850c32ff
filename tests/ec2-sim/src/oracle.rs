//! The promises of the world, checked by counting anew: none of the code that changes it is used here.

mod addresses;
mod indexes;
mod places;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::world::World;

/// Where the truth contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Finding {
    /// Which promise is broken.
    pub promise: Promise,
    /// By what.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.promise, self.what)
    }
}

/// What always holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// No address is on two interfaces, prefixes included, and no hardware address is.
    HeldOnce,
    /// An interface is where its subnet is; its addresses and prefixes lie in there, prefixes aligned, and none is EC2's own.
    InSubnet,
    /// What a subnet says is taken is what its interfaces hold, and what it says is available, or can be picked, is the rest.
    Conserved,
    /// An attached interface holds no more than its instance's type allows.
    Slots,
    /// An instance has one primary interface, whose subnet and address are its own, and no more of them per card and altogether than
    /// its type allows, each at its own index; one that is terminated has none.
    Places,
    /// Status, attachment and link say the same, and an attachment is to an instance of the same VPC and zone.
    Attachments,
    /// Groups are there, and of the same VPC.
    Groups,
    /// Elastic IP addresses and the private ones they stand for name each other.
    ElasticIps,
    /// Every index lists what the objects say.
    Indexes,
}

/// What the audit has found so far.
#[derive(Debug, Default)]
struct Report(Vec<Finding>);

impl Report {
    /// Adds a finding unless `holds`.
    fn expect(&mut self, promise: Promise, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Finding { promise, what: what() });
        }
    }
}

/// Checks all promises against the truth. It takes time in proportion to all addresses.
#[must_use]
pub fn audit(world: &World) -> Vec<Finding> {
    let mut report = Report::default();
    addresses::check(world, &mut report);
    places::check(world, &mut report);
    indexes::check(world, &mut report);
    report.0
}
