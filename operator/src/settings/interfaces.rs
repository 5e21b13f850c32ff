//! What becomes of interfaces that are there already: empty ones, those that no node claims, those behind other security groups.

use std::time::Duration;

use berth_shell::settings::values;
use clap::builder::BoolishValueParser;
use ipam_core::clean_up::CleanUpSettings;
use ipam_core::reconcile::ReconcileSettings;

use super::SettingsError;
use super::values::{LONGEST, grace, time_or_never, within};

/// Flags about interfaces that Berth made, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Interfaces that exist")]
pub(super) struct InterfaceArguments {
    /// After this time without an address for pods, on a node that needs none, an interface that Berth made is detached and deleted; 0 leaves it attached
    #[arg(long, env = "BERTH_ENI_IDLE_DELAY", default_value = "10m", value_parser = time_or_never, value_name = "TIME")]
    eni_idle_delay: Duration,
    /// Put interfaces that Berth made back behind the security groups that they would be made with now. Off, they stay behind those that they have
    #[arg(long, env = "BERTH_REPAIR_SECURITY_GROUPS", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    repair_security_groups: bool,
    /// How often interfaces are looked for that Berth made for this cluster and that no node claims, to delete them; 0 is never. Needs --cluster-name, by whose tag they are told from those of other clusters
    #[arg(long, env = "BERTH_ENI_GC_INTERVAL", default_value = "5m", value_parser = time_or_never, value_name = "TIME")]
    eni_gc_interval: Duration,
    /// How old such an interface has to be, by its tag berth/created-at: one that was made a moment ago is on its way to its node
    #[arg(long, env = "BERTH_ENI_GC_GRACE", default_value = "10m", value_parser = values::duration, value_name = "TIME")]
    eni_gc_grace: Duration,
    /// Such interfaces that are deleted after one look, at most
    #[arg(long, env = "BERTH_ENI_GC_LIMIT", default_value = "25", value_parser = clap::value_parser!(u32).range(1..), value_name = "COUNT")]
    eni_gc_limit: u32,
}

/// The least time for which an interface is empty. Pods that come and go would have it made anew all the time; for tests it is short.
const BRIEFEST: Duration = Duration::from_secs(1);
/// The least time between two looks, which cost calls that new addresses need.
const SHORTEST: Duration = Duration::from_mins(1);

impl InterfaceArguments {
    /// Checks the flags and puts them into `machine`.
    pub(super) fn apply(self, machine: &mut ReconcileSettings) -> Result<(), SettingsError> {
        let Self {
            eni_idle_delay,
            repair_security_groups,
            eni_gc_interval,
            eni_gc_grace,
            eni_gc_limit: per_pass,
        } = self;
        let grace = grace("eni-gc-grace", eni_gc_grace)?;
        let interval = or_never("eni-gc-interval", eni_gc_interval, SHORTEST, "0, or 1m to 8760h")?;
        machine.eni_idle_delay =
            or_never("eni-idle-delay", eni_idle_delay, BRIEFEST, "0, or 1s to 8760h")?;
        machine.repair_security_groups = repair_security_groups;
        machine.clean_up = CleanUpSettings { interval, grace, per_pass };
        Ok(())
    }
}

/// A time that is reasonable, or 0 for never.
fn or_never(
    flag: &'static str,
    given: Duration,
    least: Duration,
    expected: &'static str,
) -> Result<Option<Duration>, SettingsError> {
    if given.is_zero() {
        return Ok(None);
    }
    within(flag, given, least..=LONGEST, expected).map(Some)
}
