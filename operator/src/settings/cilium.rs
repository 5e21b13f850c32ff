//! Flags of Cilium's operator that do nothing here. They are taken so that an installation's flags can stay as they are, and
//! each one that was given says what becomes of it. Where doing without it would be dangerous, it is an error.

use std::time::Duration;

use berth_shell::settings::values;
use clap::builder::BoolishValueParser;
use ipam_core::view::Tags;

use super::SettingsError;

/// Flags without effect, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Flags of Cilium's operator without effect here")]
pub(super) struct CiliumArguments {
    /// Where addresses come from. Nothing but `eni` is possible
    #[arg(long, env = "BERTH_IPAM", default_value = "eni", value_name = "MODE")]
    ipam: String,
    /// Take on instances with these tags alone. Not possible: an error unless empty
    #[arg(long, env = "BERTH_INSTANCE_TAGS_FILTER", default_value = "", value_parser = values::tags, value_name = "TAGS")]
    instance_tags_filter: Tags,
    /// Tags of unattached interfaces to delete. Here those with the tags berth/managed and berth/cluster, and no others
    #[arg(long, env = "BERTH_ENI_GC_TAGS", value_parser = values::tags, value_name = "TAGS")]
    eni_gc_tags: Option<Tags>,
    /// Primary addresses for pods. Here `spec.eni.use-primary-address` of a node decides alone
    #[arg(long, env = "BERTH_AWS_USE_PRIMARY_ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    aws_use_primary_address: Option<bool>,
    /// How often `CiliumNodes` of vanished nodes are deleted. That stays with Cilium's operator
    #[arg(long, env = "BERTH_NODES_GC_INTERVAL", value_parser = values::duration, value_name = "TIME")]
    nodes_gc_interval: Option<Duration>,
    /// Where Cilium's operator serves its API. Everything is served at one address here
    #[arg(long, env = "BERTH_OPERATOR_API_SERVE_ADDR", value_name = "ADDRESS")]
    operator_api_serve_addr: Option<String>,
}

impl CiliumArguments {
    /// What becomes of each flag that was given, one line each.
    pub(super) fn check(self) -> Result<Vec<String>, SettingsError> {
        let Self {
            ipam,
            instance_tags_filter,
            eni_gc_tags,
            aws_use_primary_address,
            nodes_gc_interval,
            operator_api_serve_addr,
        } = self;
        dangerous(&ipam, &instance_tags_filter)?;
        let said = [
            (
                eni_gc_tags.is_some_and(|tags| !tags.is_empty()),
                "eni-gc-tags: interfaces to clean up are found by the tags berth/managed and berth/cluster, which every new one has",
            ),
            (
                aws_use_primary_address.is_some(),
                "aws-use-primary-address: spec.eni.use-primary-address of each node decides instead",
            ),
            (
                nodes_gc_interval.is_some_and(|interval| !interval.is_zero()),
                "nodes-gc-interval: CiliumNodes are never deleted here: leave that to Cilium's operator",
            ),
            (
                operator_api_serve_addr.is_some(),
                "operator-api-serve-addr: everything is served at operator-prometheus-serve-addr",
            ),
        ];
        let given = said.into_iter().filter(|(given, _)| *given);
        Ok(given.map(|(_, what)| format!("without effect: {what}")).collect())
    }
}

/// Refuses what must not be ignored.
fn dangerous(ipam: &str, instance_tags_filter: &Tags) -> Result<(), SettingsError> {
    if !matches!(ipam, "" | "eni") {
        return Err(SettingsError::NotPossible {
            setting: format!("--ipam {ipam}"),
            instead: "Berth assigns addresses of network interfaces alone: set eni, or leave the work to Cilium's operator",
        });
    }
    if !instance_tags_filter.is_empty() {
        return Err(SettingsError::NotPossible {
            setting: format!("--instance-tags-filter {instance_tags_filter:?}"),
            instead: "without the filter, nodes would be taken on that it kept out: set the annotation \
                      ipam.cilium.io/ignore: \"true\" on their CiliumNodes and leave the filter empty",
        });
    }
    Ok(())
}
