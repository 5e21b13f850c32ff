//! What `gc` looks for, and how sure it has to be.

#[cfg(test)]
mod tests;

use std::time::Duration;

use berth_shell::logs::{LogArguments, LogSettings};
use berth_shell::settings::values::{self, List};
use ipam_core::clean_up::{CleanUpSettings, Rule};
use ipam_core::ids::VpcId;
use ipam_core::policy::{NO_MANAGE_TAG, Policy, PolicySettings, VPC_CNI_TAG};

use super::ec2::{Ec2Arguments, Ec2Settings};
use super::values::{cluster, within};
use super::{Output, SettingsError};
use crate::gc::Order;

/// What is said below the flags.
pub(super) const AFTER_HELP: &str = "\
An interface goes when all of this is so: it carries the tags berth/managed=true and berth/cluster=NAME, its description
names the instance that it was made for, no tag says that it is somebody else's, it is attached to nothing, it is older
than --grace by its tag berth/created-at, and two looks --settle apart show all of that. One without that tag stays: the
operator alone watches for long enough to know how old it is.

Which instances are nodes is not asked: the Kubernetes API is not needed. An operator that runs meanwhile is not hurt. What
it makes now is younger than --grace; no pod uses an interface that is attached to nothing; EC2 deletes none that is
attached; and an operator that misses one makes another. It does the same work by itself, every --eni-gc-interval: this
command is for what is left of a cluster that is no more, and for those who want to see first.

Two clusters of one name in one account cannot be told apart: look at the list of --dry-run when that may be so.

Exit status: 0 when nothing failed: run it again while the last line says that something is left for later; 1 when
something failed; 2 for the command line.";

/// Settings of `gc`.
#[derive(Debug, Clone)]
pub struct GcSettings {
    /// How EC2 is reached.
    pub ec2: Ec2Settings,
    /// What is looked for and done.
    pub order: Order,
    /// What is printed.
    pub output: Output,
    /// What is logged.
    pub logs: LogSettings,
}

/// Flags of `gc`, as given.
#[derive(Debug, clap::Args)]
pub(super) struct GcArguments {
    /// Show what would be deleted by a single look, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Name of the cluster whose interfaces they are, as the operator has it. Required, and `default` is no name
    #[arg(long, env = "BERTH_CLUSTER_NAME", default_value = "", value_name = "NAME")]
    cluster_name: String,
    /// Look in these VPCs alone; without it in all of the Region
    #[arg(long, env = "BERTH_VPC_ID", value_delimiter = ',', value_name = "ID")]
    vpc_id: Vec<VpcId>,
    /// How old an interface has to be, at least 5m: longer than a new one may be on its way to its instance
    #[arg(long, env = "BERTH_GRACE", default_value = "10m", value_parser = values::duration, value_name = "TIME")]
    grace: Duration,
    /// Time between the two looks, 15s to 1h: readings of EC2 may lag
    #[arg(long, env = "BERTH_SETTLE", default_value = "1m", value_parser = values::duration, value_name = "TIME")]
    settle: Duration,
    /// Interfaces to delete, at most, the oldest first
    #[arg(long, env = "BERTH_LIMIT", default_value = "100", value_parser = clap::value_parser!(u32).range(1..), value_name = "COUNT")]
    limit: u32,
    /// Interfaces with one of these tag keys belong to somebody else, unless the value is `false`
    #[arg(long, env = "BERTH_FOREIGN_TAG_KEYS", default_value = NO_MANAGE_TAG, value_parser = values::list::<String>, value_name = "KEYS")]
    foreign_tag_keys: List<String>,
    /// The same, for every interface but the primary one of an instance
    #[arg(long, env = "BERTH_FOREIGN_SECONDARY_TAG_KEYS", default_value = VPC_CNI_TAG, value_parser = values::list::<String>, value_name = "KEYS")]
    foreign_secondary_tag_keys: List<String>,
    /// What is printed
    #[arg(short, long, env = "BERTH_OUTPUT", default_value = "table", value_name = "FORMAT")]
    output: Output,
    #[command(flatten)]
    ec2: Ec2Arguments,
    #[command(flatten)]
    logs: LogArguments,
}

/// The least time between two looks: as long as readings may lag (EC2 API reference, eventual consistency).
const SETTLE_MIN: Duration = Duration::from_secs(15);
/// The longest that somebody waits for a command.
const SETTLE_MAX: Duration = Duration::from_hours(1);

impl GcArguments {
    /// Checks the flags.
    pub(super) fn check(self) -> Result<GcSettings, SettingsError> {
        let Self {
            dry_run,
            cluster_name,
            vpc_id,
            grace,
            settle,
            limit: per_pass,
            foreign_tag_keys: List(foreign_tag_keys),
            foreign_secondary_tag_keys: List(foreign_secondary_tag_keys),
            output,
            ec2,
            logs,
        } = self;
        let grace = super::values::grace("grace", grace)?;
        within("settle", settle, SETTLE_MIN..=SETTLE_MAX, "15s to 1h")?;
        let policy = Policy::new(PolicySettings {
            cluster: cluster(cluster_name),
            foreign_tag_keys,
            foreign_secondary_tag_keys,
            ..PolicySettings::default()
        })?;
        let clean_up = CleanUpSettings { interval: None, grace, per_pass };
        let rule = Rule::new(&policy, &clean_up, settle).ok_or(SettingsError::Required {
            setting: "cluster-name",
            because: "without it the interfaces of this cluster cannot be told from those of others; \
                      give the name that `berth-operator run` has. What an operator without one made \
                      carries no name, and has to be deleted by hand",
        })?;
        let order = Order { rule, vpcs: vpc_id.into_iter().collect(), settle, dry_run };
        Ok(GcSettings { ec2: ec2.check(), order, output, logs: logs.check() })
    }
}
