//! What the node asks of the operator.

use std::path::PathBuf;

use berth_shell::settings::values::{self, List};
use cilium_node::{EniSpec, IpamSpec, Tags};
use clap::builder::BoolishValueParser;
use ipam_core::ids::{SecurityGroupId, SubnetId};

use super::SettingsError;
use crate::kubernetes::OwnNode;

/// Flags about addresses and interfaces, as given. Without a default here, so that what is not given can be told from what is.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Addresses and interfaces")]
pub(super) struct TuningArguments {
    /// CNI configuration whose sections `eni` and `ipam` win over the flags of this group. It is waited for
    #[arg(long, env = "BERTH_READ_CNI_CONF", value_name = "FILE")]
    read_cni_conf: Option<PathBuf>,
    /// Interfaces with a lower device index carry no pods [default: 0]
    #[arg(long, env = "BERTH_ENI_FIRST_INTERFACE_INDEX", value_name = "INDEX")]
    eni_first_interface_index: Option<u32>,
    /// Give the primary addresses of interfaces to pods too [default: false]
    #[arg(long, env = "BERTH_ENI_USE_PRIMARY_ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    eni_use_primary_address: Option<bool>,
    /// Use single addresses where the operator delegates prefixes [default: false]
    #[arg(long, env = "BERTH_ENI_DISABLE_PREFIX_DELEGATION", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    eni_disable_prefix_delegation: Option<bool>,
    /// Delete new interfaces together with the instance [default: true]
    #[arg(long, env = "BERTH_ENI_DELETE_ON_TERMINATION", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    eni_delete_on_termination: Option<bool>,
    /// New interfaces are made in these subnets
    #[arg(long, env = "BERTH_ENI_SUBNET_IDS", default_value = "", value_parser = values::list::<SubnetId>, value_name = "IDS")]
    eni_subnet_ids: List<SubnetId>,
    /// New interfaces are made in subnets with all of these tags: KEY=VALUE,KEY=VALUE, or a JSON object
    #[arg(long, env = "BERTH_ENI_SUBNET_TAGS", default_value = "", value_parser = values::tags, value_name = "TAGS")]
    eni_subnet_tags: Tags,
    /// Security groups of new interfaces
    #[arg(long, env = "BERTH_ENI_SECURITY_GROUPS", default_value = "", value_parser = values::list::<SecurityGroupId>, value_name = "IDS")]
    eni_security_groups: List<SecurityGroupId>,
    /// New interfaces get the security groups with all of these tags
    #[arg(long, env = "BERTH_ENI_SECURITY_GROUP_TAGS", default_value = "", value_parser = values::tags, value_name = "TAGS")]
    eni_security_group_tags: Tags,
    /// Interfaces with all of these tags carry no pods. Then no address is handed out before the operator has said which those are
    #[arg(long, env = "BERTH_ENI_EXCLUDE_INTERFACE_TAGS", default_value = "", value_parser = values::tags, value_name = "TAGS")]
    eni_exclude_interface_tags: Tags,
    /// Addresses that the node has at least
    #[arg(long, env = "BERTH_IPAM_MIN_ALLOCATE", default_value = "0", value_name = "COUNT")]
    ipam_min_allocate: u32,
    /// Free addresses that it keeps ready; 0 stands for 8
    #[arg(long, env = "BERTH_IPAM_PRE_ALLOCATE", default_value = "0", value_name = "COUNT")]
    ipam_pre_allocate: u32,
    /// Addresses that it has at most; 0 for as many as the instance holds
    #[arg(long, env = "BERTH_IPAM_MAX_ALLOCATE", default_value = "0", value_name = "COUNT")]
    ipam_max_allocate: u32,
    /// Tags of the Elastic IP that the node is to have
    #[arg(long, env = "BERTH_IPAM_STATIC_IP_TAGS", default_value = "", value_parser = values::tags, value_name = "TAGS")]
    ipam_static_ip_tags: Tags,
}

/// What the node asks of the operator, and where it may be said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningSettings {
    /// What flags say.
    pub flags: OwnNode,
    /// The CNI configuration that says more.
    pub cni_conf: Option<PathBuf>,
}

impl TuningArguments {
    /// Checks the flags.
    pub(super) fn check(self) -> Result<TuningSettings, SettingsError> {
        let (min, max) = (self.ipam_min_allocate, self.ipam_max_allocate);
        if max > 0 && min > max {
            return Err(SettingsError::Contradiction {
                left: format!("--ipam-min-allocate {min}"),
                right: format!("--ipam-max-allocate {max}"),
                because: "the node cannot have more addresses than it may have",
            });
        }
        let eni = EniSpec {
            first_interface_index: self.eni_first_interface_index.map(i64::from),
            use_primary_address: self.eni_use_primary_address,
            disable_prefix_delegation: self.eni_disable_prefix_delegation,
            delete_on_termination: self.eni_delete_on_termination,
            subnet_ids: filled(&self.eni_subnet_ids),
            subnet_tags: filled_tags(self.eni_subnet_tags),
            security_groups: filled(&self.eni_security_groups),
            security_group_tags: filled_tags(self.eni_security_group_tags),
            exclude_interface_tags: filled_tags(self.eni_exclude_interface_tags),
            ..EniSpec::default()
        };
        let number = |number: u32| (number > 0).then_some(i64::from(number));
        let ipam = IpamSpec {
            min_allocate: number(min),
            pre_allocate: number(self.ipam_pre_allocate),
            max_allocate: number(max),
            static_ip_tags: filled_tags(self.ipam_static_ip_tags),
            ..IpamSpec::default()
        };
        let cni_conf = self.read_cni_conf.filter(|path| !path.as_os_str().is_empty());
        Ok(TuningSettings { flags: OwnNode { eni, ipam }, cni_conf })
    }
}

fn filled<T: ToString>(list: &List<T>) -> Option<Vec<String>> {
    (!list.0.is_empty()).then(|| list.0.iter().map(ToString::to_string).collect())
}

fn filled_tags(tags: Tags) -> Option<Tags> {
    (!tags.is_empty()).then_some(tags)
}
