//! How an agent behaves.

use alloc::collections::BTreeSet;
use core::net::IpAddr;
use core::time::Duration;

use crate::pool::{Family, LedgerSettings};
use crate::view::Contract;

/// How an agent behaves.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting that is on or off by itself")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// How it deals with the operator.
    pub contract: Contract,
    /// Whether pods get IPv4 addresses.
    pub ipv4: bool,
    /// Whether pods get IPv6 addresses.
    pub ipv6: bool,
    /// The times of the ledger.
    pub ledger: LedgerSettings,
    /// The number of addresses to have beyond the used ones (`spec.ipam.pre-allocate`; CIDR contract).
    pub pre_allocate: u32,
    /// The number of addresses that the operator keeps on the node whatever is used (`spec.ipam.min-allocate`): they are not given
    /// back.
    pub min_allocate: u32,
    /// The number of addresses above the others that the operator keeps (`spec.ipam.max-above-watermark`): as many are not given
    /// back.
    pub max_above_watermark: u32,
    /// Interfaces with a lower device index carry no pods.
    pub first_interface_index: u32,
    /// Whether the primary address of an interface may be handed out.
    pub use_primary_address: bool,
    /// Whether what the metadata shows may be handed out before the operator's word has come. Not when interfaces are
    /// excluded by tags, which the metadata does not show.
    pub fast_start: bool,
    /// Whether secondary interfaces carry pods only when the host's network is ready for them ([`super::HostView`]). Otherwise they
    /// always do: somebody else sees to their devices.
    pub host_networking: bool,
    /// Addresses of the node itself, never handed out.
    pub own: BTreeSet<IpAddr>,
    /// How long an ADD waits for a free address at most.
    pub wait_max: Duration,
    /// How many calls may wait at once.
    pub waiting_max: usize,
    /// What is published waits until nothing has changed for so long ...
    pub quiet: Duration,
    /// ... but no longer than this.
    pub latest: Duration,
}

impl AgentSettings {
    /// How long an ADD waits for a free address if nothing else is said.
    pub const WAIT_DEFAULT: Duration = Duration::from_secs(10);
    /// How long nothing may have changed before something is published.
    pub const QUIET_DEFAULT: Duration = Duration::from_secs(1);
    /// How long a change waits to be published at most: the pace of Cilium's agents.
    pub const LATEST_DEFAULT: Duration = Duration::from_secs(15);
    /// More than kubelet starts at once on any node.
    pub const WAITING_DEFAULT: usize = 1024;

    /// Whether pods get addresses of a family.
    #[must_use]
    pub const fn serves(&self, family: Family) -> bool {
        match family {
            Family::Ipv4 => self.ipv4,
            Family::Ipv6 => self.ipv6,
        }
    }

    /// The families of which pods get addresses, IPv4 first.
    pub fn families(&self) -> impl Iterator<Item = Family> + use<> {
        let (ipv4, ipv6) = (self.ipv4, self.ipv6);
        let enabled = move |family: &Family| match family {
            Family::Ipv4 => ipv4,
            Family::Ipv6 => ipv6,
        };
        Family::ALL.into_iter().filter(enabled)
    }
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self {
            contract: Contract::PerIp,
            ipv4: true,
            ipv6: false,
            ledger: LedgerSettings::default(),
            pre_allocate: 8,
            min_allocate: 0,
            max_above_watermark: 0,
            first_interface_index: 0,
            use_primary_address: false,
            fast_start: true,
            host_networking: false,
            own: BTreeSet::new(),
            wait_max: Self::WAIT_DEFAULT,
            waiting_max: Self::WAITING_DEFAULT,
            quiet: Self::QUIET_DEFAULT,
            latest: Self::LATEST_DEFAULT,
        }
    }
}
