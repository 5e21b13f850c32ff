//! What every instance type can hold: all network cards of it, unlike the crate `limits`, which knows of card 0 only.

use std::sync::OnceLock;

use serde::Deserialize;

/// The committed snapshot of `DescribeInstanceTypes` from which the table of limits is generated, too.
const SNAPSHOT: &str = include_str!("../../../limits/generate/instance-types.json");

/// An instance type, as `DescribeInstanceTypes` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstanceType {
    /// Such as `m5.large`.
    #[serde(rename = "InstanceType")]
    pub name: String,
    /// `nitro` or `xen`; none on bare metal.
    pub hypervisor: Option<String>,
    /// Whether it is a whole host.
    pub bare_metal: bool,
    /// `required`, `supported` or `unsupported`.
    pub ena_support: String,
    /// The sum over all network cards.
    pub maximum_network_interfaces: u32,
    /// The card of the primary interface.
    pub default_network_card_index: u32,
    /// Index of a card, and how many interfaces it takes.
    pub network_cards: Vec<(u32, u32)>,
    /// Slots for IPv4 addresses and prefixes on each interface.
    #[serde(rename = "Ipv4AddressesPerInterface")]
    pub ipv4_per_interface: u32,
    /// Slots for IPv6 addresses and prefixes on each interface.
    #[serde(rename = "Ipv6AddressesPerInterface")]
    pub ipv6_per_interface: u32,
}

/// The snapshot, as it is committed.
#[derive(Debug, Deserialize)]
struct Snapshot {
    types: Vec<InstanceType>,
}

/// All types, ordered by name.
#[must_use]
pub fn all() -> &'static [InstanceType] {
    static TYPES: OnceLock<Vec<InstanceType>> = OnceLock::new();
    TYPES.get_or_init(|| {
        // The snapshot is part of the program; a test holds that it can be read.
        let parsed = serde_json::from_str::<Snapshot>(SNAPSHOT);
        let mut types = parsed.map(|snapshot| snapshot.types).unwrap_or_default();
        types.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        types
    })
}

/// The type of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static InstanceType> {
    let types = all();
    let position = types.binary_search_by(|known| known.name.as_str().cmp(name)).ok()?;
    types.get(position)
}

impl InstanceType {
    /// Whether its interfaces take prefixes: it is built on Nitro (EC2 user guide, prefix delegation), as all bare metal is.
    #[must_use]
    pub fn takes_prefixes(&self) -> bool {
        self.bare_metal || self.hypervisor.as_deref() == Some("nitro")
    }

    /// The largest number of interfaces on a network card; none when it has no such card.
    #[must_use]
    pub fn interfaces_on_card(&self, card: u32) -> Option<u32> {
        let found = self.network_cards.iter().find(|(index, _)| *index == card);
        found.map(|(_, interfaces)| *interfaces)
    }
}

#[cfg(test)]
mod tests;
