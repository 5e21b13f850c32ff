//! How a simulated EC2 behaves: fixed when it is made, except for what its control handle changes.

use crate::assumption::Assumptions;
use crate::{latency, staleness, throttle};

/// 2026-01-01T00:00:00Z: a fixed moment, so that two runs write the same timestamps.
const STARTED_AT: i64 = 1_767_225_600;

/// How a simulated EC2 behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// All chance comes from it: one seed and the same requests are the same run.
    pub seed: u64,
    /// The account that owns the Region's resources, 12 digits.
    pub account: String,
    /// The Region's name, such as `eu-west-1`.
    pub region: String,
    /// The wall clock at [`Moment::START`](crate::Moment::START), in seconds since 1970.
    pub started_at: i64,
    /// The token buckets of the actions.
    pub buckets: throttle::Settings,
    /// How long calls and background changes take.
    pub latency: latency::Settings,
    /// How far reads lag behind.
    pub staleness: staleness::Mode,
    /// What is assumed about EC2 because nobody published it.
    pub assumptions: Assumptions,
    /// How much an account may have.
    pub quotas: Quotas,
    /// How many calls the journal keeps; all of them if not said.
    pub journal: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            started_at: STARTED_AT,
            buckets: throttle::Settings::default(),
            latency: latency::Settings::default(),
            staleness: staleness::Mode::default(),
            assumptions: Assumptions::default(),
            quotas: Quotas::default(),
            journal: None,
        }
    }
}

/// How much an account may have in the Region, with the defaults of "Amazon VPC quotas".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Network interfaces per Region.
    pub interfaces: usize,
    /// Security groups per network interface.
    pub groups_per_interface: usize,
    /// Network address usage per VPC, in units: an address is one, a prefix is one.
    pub address_usage_per_vpc: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { interfaces: 5_000, groups_per_interface: 5, address_usage_per_vpc: 64_000 }
    }
}
