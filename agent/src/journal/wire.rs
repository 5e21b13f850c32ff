//! Records as JSON. Strict: a member that is not known is an error, since what this version does not know it cannot keep.

mod change;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use ipam_core::agent::{Attachment, Ground, Record};
use ipam_core::ids::InvalidId;
use ipam_core::pool::GrantId;
use ipam_core::time::Tick;
use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

pub(super) use self::change::{write, write_whole};
use self::snapshot::WireSnapshot;

/// Why a line with the right checksum is not a record all the same.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Not JSON, or not of the right form.
    #[error("not a record: {0}")]
    Form(#[from] serde_json::Error),
    /// Something in it is not what it should be.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// Something is named twice.
    #[error("{0} is named twice")]
    Twice(String),
}

/// A text that is borrowed where that is possible.
type Text<'a> = Cow<'a, str>;

/// A [`Record`], with what the journal itself has to remember, as it is read; [`write()`] writes the same.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
enum WireRecord<'a> {
    Whole {
        trusted: bool,
        state: Box<WireState<'a>>,
    },
    Granted {
        at: u64,
        address: IpAddr,
        id: u64,
        owner: Text<'a>,
        #[serde(default)]
        unclaimed: bool,
        ground: WireGround<'a>,
    },
    Released {
        at: u64,
        address: IpAddr,
        id: u64,
    },
    Claimed {
        address: IpAddr,
        id: u64,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
enum WireGround<'a> {
    Attachment {
        to: WireAttachment<'a>,
        #[serde(default)]
        uid: Option<Text<'a>>,
    },
    Caller,
    Found,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WireState<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<Text<'a>>,
    boot: Text<'a>,
    ledger: WireSnapshot<'a>,
    attachments: Vec<WireAttached<'a>>,
    found: Vec<u64>,
    enis: Vec<WireEni<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unlisted: Vec<IpAddr>,
    listed_by_word: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WireAttachment<'a> {
    network: Text<'a>,
    container: Text<'a>,
    interface: Text<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WireAttached<'a> {
    to: WireAttachment<'a>,
    pod: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<Text<'a>>,
    addresses: Vec<(IpAddr, u64)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WireEni<'a> {
    id: Text<'a>,
    mac: Text<'a>,
    number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subnet: Option<Ipv4Net>,
    vpc: Cow<'a, [IpNet]>,
}

/// Reads one. The second is whether a [`Record::Whole`] is to be trusted; true for the others.
pub(super) fn read(json: &[u8]) -> Result<(Record, bool), WireError> {
    from_wire(serde_json::from_slice(json)?)
}

fn from_wire(record: WireRecord<'_>) -> Result<(Record, bool), WireError> {
    Ok(match record {
        WireRecord::Whole { trusted, state } => {
            return Ok((Record::Whole((*state).try_into()?), trusted));
        }
        WireRecord::Granted { at, address, id, owner, unclaimed, ground } => {
            let (at, id) = (Tick::from_millis(at), GrantId::from_u64(id));
            let (owner, ground) = (owner.parse()?, ground.into());
            Record::Granted { at, address, id, owner, unclaimed, ground }
        }
        WireRecord::Released { at, address, id } => {
            Record::Released { at: Tick::from_millis(at), address, id: GrantId::from_u64(id) }
        }
        WireRecord::Claimed { address, id } => {
            Record::Claimed { address, id: GrantId::from_u64(id) }
        }
    })
    .map(|record| (record, true))
}

impl<'a> From<&'a Attachment> for WireAttachment<'a> {
    fn from(Attachment { network, container, interface }: &'a Attachment) -> Self {
        Self {
            network: Cow::Borrowed(network),
            container: Cow::Borrowed(container),
            interface: Cow::Borrowed(interface),
        }
    }
}

impl From<WireAttachment<'_>> for Attachment {
    fn from(WireAttachment { network, container, interface }: WireAttachment<'_>) -> Self {
        Self {
            network: network.into_owned(),
            container: container.into_owned(),
            interface: interface.into_owned(),
        }
    }
}

impl From<WireGround<'_>> for Ground {
    fn from(wire: WireGround<'_>) -> Self {
        match wire {
            WireGround::Attachment { to, uid } => {
                Self::Attachment { attachment: Arc::new(to.into()), uid: uid.map(Cow::into_owned) }
            }
            WireGround::Caller => Self::Caller,
            WireGround::Found => Self::Found,
        }
    }
}
