//! What a fault does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::checked;
use crate::error::codes;
use crate::id::{InstanceId, InterfaceId, SubnetId};
use crate::request::Action;

/// A code that the machine can answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Code(&'static str);

impl Code {
    /// The code of that name; none when the simulator never says it.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        codes().find(|code| *code == name).map(Self)
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("`{name}` is no code of this simulator"));
        Self::find(&name).ok_or_else(unknown)
    }
}

/// How an answer gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drop {
    /// The connection is cut.
    Cut,
    /// `InternalError` with status 500 comes instead.
    InternalError,
    /// `Unavailable` with status 503 comes instead.
    Unavailable,
}

/// When somebody else acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Before the call's own effect.
    #[default]
    Before,
    /// After it, and before the caller learns of it.
    After,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// The call is refused, and changes nothing.
    Error {
        /// With this code,
        code: Code,
        /// this text, the code's usual one when it is empty,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
        /// and this HTTP status; the code's own when it is not said.
        #[serde(
            default,
            deserialize_with = "checked::optional_status",
            skip_serializing_if = "Option::is_none"
        )]
        status: Option<u16>,
    },
    /// The answer takes so many milliseconds longer.
    Delay(u64),
    /// The call changes what it changes, and its answer gets lost.
    CommitThenDrop(Drop),
    /// The call changes nothing, and no answer of its own comes back.
    DropBeforeCommit(Drop),
    /// The account's bucket of the action is empty from now on: somebody else has used it up.
    ThrottleBurst,
    /// The read shows the world as it was so many milliseconds ago.
    StaleRead(u64),
    /// A page has no more than so many items; those behind them are left out for good.
    TruncatedPage(usize),
    /// The token that comes with a page leads to the same page again.
    RepeatedPage,
    /// The call's page token has expired.
    TokenExpired,
    /// The answer's XML ends after so many bytes.
    MalformedXml(usize),
    /// A page in HTML with this HTTP status comes instead of the answer; the call changes what it changes.
    Html(#[serde(deserialize_with = "checked::status")] u16),
    /// Somebody else acts.
    Foreign {
        /// What they do.
        act: ForeignAct,
        /// When.
        #[serde(default)]
        timing: Timing,
    },
}

impl Effect {
    /// How old the world is that a read is shown.
    #[must_use]
    pub const fn stale_for(&self) -> Duration {
        match self {
            Self::StaleRead(milliseconds) => Duration::from_millis(*milliseconds),
            _ => Duration::ZERO,
        }
    }
}

/// What somebody else does. Ids that are not said are those of what the call is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ForeignAct {
    /// Takes single addresses.
    TakeAddresses {
        /// Of this subnet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subnet: Option<SubnetId>,
        /// How many.
        count: usize,
    },
    /// Takes so many single addresses that no more than some are left: the subnet shrinks.
    LeaveAddresses {
        /// Of this subnet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subnet: Option<SubnetId>,
        /// How many are left.
        left: usize,
    },
    /// Takes single addresses so that no more than some blocks are left: the subnet is fragmented.
    LeaveBlocks {
        /// Of this subnet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subnet: Option<SubnetId>,
        /// How many are left.
        left: usize,
    },
    /// Attaches an interface of their own.
    TakeDeviceIndex {
        /// To this instance.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<InstanceId>,
        /// Under this device index.
        device_index: u32,
    },
    /// Attaches an interface elsewhere, as a call would.
    Attach {
        /// This one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interface: Option<InterfaceId>,
        /// To this instance.
        instance: InstanceId,
        /// Under this device index of network card 0.
        device_index: u32,
    },
    /// Detaches an interface.
    Detach {
        /// This one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interface: Option<InterfaceId>,
    },
    /// Detaches an interface, if need be, and deletes it.
    Delete {
        /// This one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interface: Option<InterfaceId>,
    },
    /// Unassigns every secondary address and prefix of an interface.
    Unassign {
        /// This one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interface: Option<InterfaceId>,
    },
    /// Terminates an instance.
    Terminate {
        /// This one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<InstanceId>,
    },
    /// Stops an instance.
    Stop {
        /// This one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<InstanceId>,
    },
    /// Takes a permission away from the caller.
    Revoke {
        /// To use this action.
        action: Action,
    },
    /// Lowers the quota of interfaces per Region.
    CutQuota {
        /// To this.
        interfaces: usize,
    },
    /// A zone fails, or comes back.
    ZoneOutage {
        /// The name of the zone.
        zone: String,
        /// Whether it fails.
        down: bool,
    },
    /// The wall clock jumps.
    ClockJump {
        /// By so many seconds, back if negative.
        seconds: i64,
    },
}
