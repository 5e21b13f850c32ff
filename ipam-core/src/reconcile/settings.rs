//! How the machine behaves.

use alloc::collections::BTreeSet;
use alloc::string::String;
use core::time::Duration;

use limits::Overrides;

use crate::budget::BudgetSettings;
use crate::clean_up::CleanUpSettings;
use crate::ids::SubnetId;
use crate::policy::Policy;
use crate::release::ReleaseSettings;
use crate::view::Tags;

/// What the machine may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Everything.
    #[default]
    Normal,
    /// Everything but giving addresses and interfaces back, and cleaning up.
    NoRelease,
    /// Look and say what would be done. Nothing is changed at EC2 and nothing is published.
    Observe,
}

/// Which subnets new addresses may come from, for all nodes. Empty allows every subnet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubnetFilter {
    /// Only these, if there are any.
    pub ids: BTreeSet<SubnetId>,
    /// Only those with all of these tags.
    pub tags: Tags,
}

/// How the machine behaves.
#[derive(Debug, Clone)]
pub struct ReconcileSettings {
    /// What is asked for, and of whom.
    pub policy: Policy,
    /// What it may do.
    pub mode: Mode,
    /// How fast it may ask.
    pub budget: BudgetSettings,
    /// Limits of instance types that win over what EC2 says and over the table.
    pub overrides: Overrides,
    /// Whether EC2 is asked what the instance types of the nodes can hold. Types that the table does not know
    /// are asked for in any case.
    pub learn_limits: bool,
    /// Which subnets new addresses may come from.
    pub subnet_filter: SubnetFilter,
    /// Interfaces that may be made per hour, at most; `None` without limit.
    pub creations_per_hour: Option<u32>,
    /// How addresses are given back.
    pub release: ReleaseSettings,
    /// For how long an interface that Berth made has to hold nothing, on a node that needs nothing, before it is detached and deleted;
    /// `None`: it never is.
    pub eni_idle_delay: Option<Duration>,
    /// Whether interfaces that Berth made are put back behind the security groups that they would be made with now.
    pub repair_security_groups: bool,
    /// How interfaces that no node claims are cleaned up.
    pub clean_up: CleanUpSettings,
    /// Every node is observed once in this time.
    pub audit_interval: Duration,
    /// Subnets are read this often while interfaces or addresses are asked for.
    pub subnets_busy: Duration,
    /// Subnets are read this often otherwise.
    pub subnets_idle: Duration,
    /// How long EC2's readings may lag behind its answers to changes (EC2 API reference, eventual consistency).
    pub settle: Duration,
    /// For how long a subnet that refused is not asked again. Doubled with each refusal in a row, up to
    /// eight times.
    pub refused_for: Duration,
    /// For how long nothing is attached to an instance that was not running.
    pub not_running_for: Duration,
    /// After what time without a foreign write the machine goes on.
    pub rival_grace: Duration,
    /// How many nodes somebody else has to write, within [`Self::rival_grace`], for all nodes to be left alone.
    pub rival_nodes: usize,
    /// How long the first view waits for readings it can do without: route tables, security groups, VPCs,
    /// instance types.
    pub optional_wait: Duration,
    /// Start of every client token; must not repeat between two machines. 1 to 40 letters, digits and `-`.
    pub token_salt: String,
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            mode: Mode::Normal,
            budget: BudgetSettings::default(),
            overrides: Overrides::default(),
            learn_limits: true,
            subnet_filter: SubnetFilter::default(),
            creations_per_hour: None,
            release: ReleaseSettings::default(),
            eni_idle_delay: Some(Duration::from_mins(10)),
            repair_security_groups: true,
            clean_up: CleanUpSettings::default(),
            audit_interval: Duration::from_mins(15),
            subnets_busy: Duration::from_mins(1),
            subnets_idle: Duration::from_mins(5),
            settle: Duration::from_secs(15),
            refused_for: Duration::from_mins(2),
            not_running_for: Duration::from_mins(1),
            rival_grace: Duration::from_mins(10),
            rival_nodes: 3,
            optional_wait: Duration::from_secs(10),
            token_salt: String::from("berth"),
        }
    }
}

/// No reading is on its way for longer.
pub(super) const READING_LASTS: Duration = Duration::from_mins(5);
