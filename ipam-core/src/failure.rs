//! What goes wrong between Berth and EC2, and the one place that says what is done about it.

use alloc::string::String;
use core::fmt;

/// Why a call brought no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// EC2's bucket for the action is empty (`RequestLimitExceeded`). Nothing happened.
    Throttled,
    /// The call never left, or certainly did not reach EC2: no connection, no credentials. Nothing
    /// happened.
    NotSent {
        /// What stood in the way.
        cause: String,
    },
    /// No answer, or one of a server in trouble (500, 503), or one that cannot be read. The effect may
    /// have happened.
    NoAnswer {
        /// What was seen instead.
        cause: String,
    },
    /// EC2 refused. Nothing happened.
    Refused {
        /// What it refused, as far as something can be done about it.
        refusal: Refusal,
        /// EC2's error code.
        code: String,
        /// EC2's message.
        message: String,
    },
}

/// What EC2 refuses (EC2 API reference, error codes). Several have one code and differ in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The caller may not do this: `UnauthorizedOperation`, `AuthFailure`.
    Unauthorized,
    /// The subnet has too few free addresses: `InsufficientFreeAddressesInSubnet`.
    SubnetOutOfAddresses,
    /// The subnet has no aligned free /28: `InsufficientCidrBlocks`, or `InvalidParameterValue` that
    /// speaks of free addresses or prefixes.
    SubnetOutOfPrefixes,
    /// The interface is full: `PrivateIpAddressLimitExceeded`. What is known of it is stale.
    EniFull,
    /// The interface holds more than the type of the instance takes, found out when it is attached:
    /// `InvalidInterface.IpAddressLimitExceeded`.
    EniHoldsTooMuch,
    /// The instance takes no further interface: `AttachmentLimitExceeded`.
    InstanceFull,
    /// Something else is attached at the device index.
    IndexTaken,
    /// The interface is attached: `InvalidNetworkInterface.InUse`, or "currently in use".
    EniInUse,
    /// The instance is starting or ending: `IncorrectState`, `IncorrectInstanceState`, or "is not
    /// 'running'".
    InstanceNotRunning,
    /// There is no such interface, or it is not visible yet: `InvalidNetworkInterfaceID.NotFound`.
    EniNotFound,
    /// There is no such instance: `InvalidInstanceID.NotFound`.
    InstanceNotFound,
    /// There is no such attachment (any more).
    AttachmentNotFound,
    /// There is no such subnet: `InvalidSubnetID.NotFound`.
    SubnetNotFound,
    /// There is no such security group: `InvalidGroup.NotFound`.
    SecurityGroupNotFound,
    /// The listing is too large without pages, or the attachment is somebody else's:
    /// `OperationNotPermitted`.
    NotPermitted,
    /// The quota of interfaces per Region is used up: `NetworkInterfaceLimitExceeded`.
    EniQuota,
    /// The place in a listing is no longer known: `InvalidPaginationToken`, `InvalidNextToken`.
    PageTokenExpired,
    /// Two changed the tags at once: `ConcurrentTagAccess`.
    TagRace,
    /// The request can never succeed as it is: too many groups or tags, a tag policy, wrong or missing
    /// parameters, an address that is in use. Who set it up, or Berth, has a mistake in it.
    Invalid,
    /// A code that is not known here.
    Unknown,
}

/// What is done after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// Send less of this action, and this call again later.
    SlowDown,
    /// The same again after a pause.
    Retry,
    /// The effect may be there: observe, then plan anew.
    Observe,
    /// What is known is stale: observe the node, then plan anew.
    Refresh,
    /// Remember that the subnet has no single addresses, and plan anew.
    AvoidAddresses,
    /// Remember that the subnet has no free blocks, and plan anew.
    AvoidPrefixes,
    /// Plan anew with another device index.
    NextIndex,
    /// The interface cannot be used on this node: delete it, and plan anew with what was learned.
    DeleteEni,
    /// Attach nothing to this instance for a while.
    WaitForInstance,
    /// Do without this action until it is allowed.
    DoWithout,
    /// Create nothing for a while: a quota is used up.
    StopCreating,
    /// Start the listing again.
    Restart,
    /// Say so and try again rarely: somebody has to change something.
    Report,
}

impl Failure {
    /// What is done about it. The only place that decides it.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Throttled => Remedy::SlowDown,
            Self::NotSent { .. } => Remedy::Retry,
            Self::NoAnswer { .. } => Remedy::Observe,
            Self::Refused { refusal, .. } => refusal.remedy(),
        }
    }

    /// A short fixed name, fit for a metric label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Throttled => "Throttled",
            Self::NotSent { .. } => "NotSent",
            Self::NoAnswer { .. } => "NoAnswer",
            Self::Refused { refusal, .. } => refusal.label(),
        }
    }

    /// Whether something may have changed although no reply came.
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::NoAnswer { .. })
    }
}

impl Refusal {
    /// What is done about it.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Unauthorized => Remedy::DoWithout,
            Self::SubnetOutOfAddresses => Remedy::AvoidAddresses,
            Self::SubnetOutOfPrefixes => Remedy::AvoidPrefixes,
            Self::EniFull
            | Self::EniInUse
            | Self::EniNotFound
            | Self::InstanceNotFound
            | Self::AttachmentNotFound
            | Self::SubnetNotFound
            | Self::SecurityGroupNotFound => Remedy::Refresh,
            Self::EniHoldsTooMuch | Self::InstanceFull => Remedy::DeleteEni,
            Self::IndexTaken => Remedy::NextIndex,
            Self::InstanceNotRunning => Remedy::WaitForInstance,
            Self::EniQuota => Remedy::StopCreating,
            Self::PageTokenExpired => Remedy::Restart,
            Self::TagRace => Remedy::Retry,
            Self::NotPermitted | Self::Invalid | Self::Unknown => Remedy::Report,
        }
    }

    /// A short fixed name, fit for a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::SubnetOutOfAddresses => "SubnetOutOfAddresses",
            Self::SubnetOutOfPrefixes => "SubnetOutOfPrefixes",
            Self::EniFull => "EniFull",
            Self::EniHoldsTooMuch => "EniHoldsTooMuch",
            Self::InstanceFull => "InstanceFull",
            Self::IndexTaken => "IndexTaken",
            Self::EniInUse => "EniInUse",
            Self::InstanceNotRunning => "InstanceNotRunning",
            Self::EniNotFound => "EniNotFound",
            Self::InstanceNotFound => "InstanceNotFound",
            Self::AttachmentNotFound => "AttachmentNotFound",
            Self::SubnetNotFound => "SubnetNotFound",
            Self::SecurityGroupNotFound => "SecurityGroupNotFound",
            Self::NotPermitted => "NotPermitted",
            Self::EniQuota => "EniQuota",
            Self::PageTokenExpired => "PageTokenExpired",
            Self::TagRace => "TagRace",
            Self::Invalid => "Invalid",
            Self::Unknown => "Unknown",
        }
    }
}

/// One line for people who read logs.
impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled => out.write_str("throttled by EC2"),
            Self::NotSent { cause } => write!(out, "not sent: {cause}"),
            Self::NoAnswer { cause } => write!(out, "no answer: {cause}"),
            Self::Refused { code, message, .. } => write!(out, "refused by EC2: {code}: {message}"),
        }
    }
}
