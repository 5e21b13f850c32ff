//! The addresses of a [`State`](ipam_core::agent::State) as JSON.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::Not;

use ipam_core::ids::InvalidId;
use ipam_core::pool::{
    CoolingAddress, GrantId, ListedCidr, PromisedAddress, Snapshot, SnapshotCidr, UsedAddress,
    VanishedAddress,
};
use ipam_core::time::Tick;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Text;
use super::change::owner_text;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct WireSnapshot<'a> {
    at: u64,
    next_grant: u64,
    cooling_cut_short: u64,
    cidrs: Vec<WireCidr<'a>>,
    used: Vec<WireUsed<'a>>,
    cooling: Vec<WireCooling>,
    promised: Vec<WirePromised>,
    vanished: Vec<WireVanished<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WireCidr<'a> {
    cidr: IpNet,
    eni: Text<'a>,
    #[serde(default, skip_serializing_if = "Not::not")]
    withdrawn: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WireUsed<'a> {
    address: IpAddr,
    id: u64,
    owner: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unclaimed_since: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WireCooling {
    address: IpAddr,
    since: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WirePromised {
    address: IpAddr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cooling_since: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WireVanished<'a> {
    address: IpAddr,
    eni: Text<'a>,
    since: u64,
    #[serde(default, skip_serializing_if = "Not::not")]
    promised: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cooling_since: Option<u64>,
}

impl<'a> From<&'a Snapshot> for WireSnapshot<'a> {
    fn from(snapshot: &'a Snapshot) -> Self {
        let promised = |one: &PromisedAddress| WirePromised {
            address: one.address,
            cooling_since: one.cooling_since.map(Tick::as_millis),
        };
        let cooling = |one: &CoolingAddress| WireCooling {
            address: one.address,
            since: one.since.as_millis(),
        };
        Self {
            at: snapshot.at.as_millis(),
            next_grant: snapshot.next_grant.as_u64(),
            cooling_cut_short: snapshot.cooling_cut_short,
            cidrs: snapshot.cidrs.iter().map(Into::into).collect(),
            used: snapshot.used.iter().map(Into::into).collect(),
            cooling: snapshot.cooling.iter().map(cooling).collect(),
            promised: snapshot.promised.iter().map(promised).collect(),
            vanished: snapshot.vanished.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a SnapshotCidr> for WireCidr<'a> {
    fn from(SnapshotCidr { listed, withdrawn }: &'a SnapshotCidr) -> Self {
        let eni = Cow::Borrowed(listed.eni.as_str());
        Self { cidr: listed.cidr, eni, withdrawn: *withdrawn }
    }
}

impl<'a> From<&'a UsedAddress> for WireUsed<'a> {
    fn from(used: &'a UsedAddress) -> Self {
        Self {
            address: used.address,
            id: used.id.as_u64(),
            owner: Cow::Borrowed(owner_text(&used.owner)),
            unclaimed_since: used.unclaimed_since.map(Tick::as_millis),
        }
    }
}

impl<'a> From<&'a VanishedAddress> for WireVanished<'a> {
    fn from(vanished: &'a VanishedAddress) -> Self {
        Self {
            address: vanished.address,
            eni: Cow::Borrowed(vanished.eni.as_str()),
            since: vanished.since.as_millis(),
            promised: vanished.promised,
            cooling_since: vanished.cooling_since.map(Tick::as_millis),
        }
    }
}

impl TryFrom<WireSnapshot<'_>> for Snapshot {
    type Error = InvalidId;

    fn try_from(wire: WireSnapshot<'_>) -> Result<Self, InvalidId> {
        let cooling = wire.cooling.into_iter().map(|WireCooling { address, since }| {
            CoolingAddress { address, since: Tick::from_millis(since) }
        });
        let promised = wire.promised.into_iter().map(|WirePromised { address, cooling_since }| {
            PromisedAddress { address, cooling_since: cooling_since.map(Tick::from_millis) }
        });
        Ok(Self {
            at: Tick::from_millis(wire.at),
            next_grant: GrantId::from_u64(wire.next_grant),
            cooling_cut_short: wire.cooling_cut_short,
            cidrs: all(wire.cidrs)?,
            used: all(wire.used)?,
            cooling: cooling.collect(),
            promised: promised.collect(),
            vanished: all(wire.vanished)?,
        })
    }
}

fn all<Wire, Core: TryFrom<Wire>>(wire: Vec<Wire>) -> Result<Vec<Core>, Core::Error> {
    wire.into_iter().map(Core::try_from).collect()
}

impl TryFrom<WireCidr<'_>> for SnapshotCidr {
    type Error = InvalidId;

    fn try_from(WireCidr { cidr, eni, withdrawn }: WireCidr<'_>) -> Result<Self, InvalidId> {
        Ok(Self { listed: ListedCidr { cidr, eni: eni.parse()? }, withdrawn })
    }
}

impl TryFrom<WireUsed<'_>> for UsedAddress {
    type Error = InvalidId;

    fn try_from(wire: WireUsed<'_>) -> Result<Self, InvalidId> {
        let WireUsed { address, id, owner, unclaimed_since } = wire;
        Ok(Self {
            address,
            id: GrantId::from_u64(id),
            owner: owner.parse()?,
            unclaimed_since: unclaimed_since.map(Tick::from_millis),
        })
    }
}

impl TryFrom<WireVanished<'_>> for VanishedAddress {
    type Error = InvalidId;

    fn try_from(wire: WireVanished<'_>) -> Result<Self, InvalidId> {
        let WireVanished { address, eni, since, promised, cooling_since } = wire;
        Ok(Self {
            address,
            eni: eni.parse()?,
            since: Tick::from_millis(since),
            promised,
            cooling_since: cooling_since.map(Tick::from_millis),
        })
    }
}
