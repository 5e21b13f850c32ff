//! What is asked for, of whom, and what may be done at all: the settings of the machine.

use std::time::Duration;

use berth_shell::settings::values::{self, List};
use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use ipam_core::budget::BudgetSettings;
use ipam_core::ids::SubnetId;
use ipam_core::policy::{NO_MANAGE_TAG, Policy, PolicySettings, Unmatched, VPC_CNI_TAG};
use ipam_core::reconcile::{Mode, ReconcileSettings, SubnetFilter};
use ipam_core::release::ReleaseSettings;
use ipam_core::view::Tags;
use limits::Overrides;

use super::values::{LONGEST, cluster, overrides, within};
use super::{SettingsError, random};

/// Flags about addresses and interfaces, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Addresses and interfaces")]
pub(super) struct AllocationArguments {
    /// What may be done: everything; everything but giving back and cleaning up; or looking alone, which says what would be done: in the log,
    /// and in /nodes what would be given back
    #[arg(long, env = "BERTH_MODE", default_value = "normal", value_name = "MODE")]
    mode: ModeName,
    /// Ask for /28 prefixes where the instance type takes them
    #[arg(long, env = "BERTH_AWS_ENABLE_PREFIX_DELEGATION", default_value = "false", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    aws_enable_prefix_delegation: bool,
    /// Free /28 blocks that a subnet must have again before a node that fell back to single addresses asks it for prefixes
    #[arg(long, env = "BERTH_RETURN_TO_PREFIXES_AT", default_value = "4", value_name = "COUNT")]
    return_to_prefixes_at: u32,
    /// Name of the cluster, put on every new interface as the tag berth/cluster. `default` counts as no name, and without one nothing is cleaned up
    #[arg(long, env = "BERTH_CLUSTER_NAME", default_value = "default", value_name = "NAME")]
    cluster_name: String,
    /// Tags for every new interface: KEY=VALUE,KEY=VALUE, or a JSON object
    #[arg(long, env = "BERTH_ENI_TAGS", default_value = "", value_parser = values::tags, value_name = "TAGS")]
    eni_tags: Tags,
    /// New addresses come from these subnets alone
    #[arg(long, env = "BERTH_SUBNET_IDS_FILTER", default_value = "", value_parser = values::list::<SubnetId>, value_name = "IDS")]
    subnet_ids_filter: List<SubnetId>,
    /// New addresses come from subnets with all of these tags alone
    #[arg(long, env = "BERTH_SUBNET_TAGS_FILTER", default_value = "", value_parser = values::tags, value_name = "TAGS")]
    subnet_tags_filter: Tags,
    /// What happens when subnet-ids, subnet-tags or security-group-tags of a node match nothing
    #[arg(long, env = "BERTH_UNMATCHED_SELECTORS", default_value = "block", value_name = "WHAT")]
    unmatched_selectors: UnmatchedName,
    /// Interfaces that may be made per hour; without it as many as are needed
    #[arg(long, env = "BERTH_MAX_ENI_CREATIONS_PER_HOUR", value_parser = clap::value_parser!(u32).range(1..), value_name = "COUNT")]
    max_eni_creations_per_hour: Option<u32>,
    /// Give back what nodes have to spare for long enough, when their agents agree. Off, nodes keep what they once had
    #[arg(long, env = "BERTH_AWS_RELEASE_EXCESS_IPS", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    aws_release_excess_ips: bool,
    /// Seconds for which a node has an address to spare before its agent is asked for it
    #[arg(
        long,
        env = "BERTH_EXCESS_IP_RELEASE_DELAY",
        default_value = "180",
        value_name = "SECONDS"
    )]
    excess_ip_release_delay: u32,
    /// Addresses that may be asked back of EC2 per hour, 16 for each prefix, at least 16; another process that leads counts anew. Without it as many as
    /// there are to spare
    #[arg(long, env = "BERTH_MAX_ADDRESS_RELEASES_PER_HOUR", value_parser = clap::value_parser!(u32).range(16..), value_name = "COUNT")]
    max_address_releases_per_hour: Option<u32>,
    /// Every node is compared with EC2 once in this time
    #[arg(long, env = "BERTH_AUDIT_INTERVAL", default_value = "15m", value_parser = values::duration, value_name = "TIME")]
    audit_interval: Duration,
    /// After this time without a deed of somebody else who does the same work, the operator goes on with what it left to them
    #[arg(long, env = "BERTH_RIVAL_GRACE", default_value = "10m", value_parser = values::duration, value_name = "TIME")]
    rival_grace: Duration,
    /// Interfaces with one of these tag keys belong to somebody else, unless the value is `false`
    #[arg(long, env = "BERTH_FOREIGN_TAG_KEYS", default_value = NO_MANAGE_TAG, value_parser = values::list::<String>, value_name = "KEYS")]
    foreign_tag_keys: List<String>,
    /// The same, for every interface but the primary one of an instance
    #[arg(long, env = "BERTH_FOREIGN_SECONDARY_TAG_KEYS", default_value = VPC_CNI_TAG, value_parser = values::list::<String>, value_name = "KEYS")]
    foreign_secondary_tag_keys: List<String>,
    /// Limits of instance types that win over every other source: TYPE=ENIS,IPV4,IPV6,TYPE=…
    #[arg(long, env = "BERTH_AWS_INSTANCE_LIMIT_MAPPING", default_value = "", value_parser = overrides, value_name = "LIMITS")]
    aws_instance_limit_mapping: Overrides,
    /// Ask EC2 what instance types can hold. Off, it is asked for types alone that the built-in table does not know
    #[arg(long, env = "BERTH_UPDATE_EC2_ADAPTER_LIMIT_VIA_API", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    update_ec2_adapter_limit_via_api: bool,
}

/// Names of [`Mode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeName {
    Normal,
    NoRelease,
    Observe,
}

/// Names of [`Unmatched`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UnmatchedName {
    /// The node gets no new interface and says why
    Block,
    /// The next rule is tried, as Cilium's operator does
    FallThrough,
}

/// The least time between two looks at every node, since more often costs calls that new addresses need; and the least time
/// after which somebody else counts as gone, since what they do may be as far apart.
const SHORTEST: Duration = Duration::from_mins(1);

impl AllocationArguments {
    /// Checks the flags.
    pub(super) fn check(self, budget: BudgetSettings) -> Result<ReconcileSettings, SettingsError> {
        let Self {
            mode,
            aws_enable_prefix_delegation: prefix_delegation,
            return_to_prefixes_at,
            cluster_name,
            eni_tags,
            subnet_ids_filter: List(ids),
            subnet_tags_filter: tags,
            unmatched_selectors,
            max_eni_creations_per_hour: creations_per_hour,
            aws_release_excess_ips: is_on,
            excess_ip_release_delay,
            max_address_releases_per_hour: per_hour,
            audit_interval,
            rival_grace,
            foreign_tag_keys: List(foreign_tag_keys),
            foreign_secondary_tag_keys: List(foreign_secondary_tag_keys),
            aws_instance_limit_mapping: overrides,
            update_ec2_adapter_limit_via_api: learn_limits,
        } = self;
        for (flag, given) in [("audit-interval", audit_interval), ("rival-grace", rival_grace)] {
            within(flag, given, SHORTEST..=LONGEST, "1m to 8760h")?;
        }
        let unmatched = match unmatched_selectors {
            UnmatchedName::Block => Unmatched::Block,
            UnmatchedName::FallThrough => Unmatched::FallThrough,
        };
        let policy = Policy::new(PolicySettings {
            prefix_delegation,
            unmatched,
            foreign_tag_keys,
            foreign_secondary_tag_keys,
            eni_tags,
            cluster: cluster(cluster_name),
            return_to_prefixes_at,
        })?;
        let delay = Duration::from_secs(excess_ip_release_delay.into());
        Ok(ReconcileSettings {
            policy,
            mode: mode.into(),
            budget,
            overrides,
            learn_limits,
            subnet_filter: SubnetFilter { ids, tags },
            creations_per_hour,
            release: ReleaseSettings { is_on, delay, per_hour, ..ReleaseSettings::default() },
            audit_interval,
            rival_grace,
            token_salt: format!("{:016x}", random()),
            // What has no flag.
            ..ReconcileSettings::default()
        })
    }
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Normal => Self::Normal,
            ModeName::NoRelease => Self::NoRelease,
            ModeName::Observe => Self::Observe,
        }
    }
}
