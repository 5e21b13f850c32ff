//! How the Kubernetes API is reached, and who leads.

use std::time::Duration;

use berth_shell::connect::{ConnectArguments, ConnectSettings};
use berth_shell::settings::values;
use clap::builder::BoolishValueParser;

use super::SettingsError;

/// Flags about Kubernetes, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Kubernetes")]
pub(super) struct KubernetesArguments {
    #[command(flatten)]
    connect: ConnectArguments,
    /// Namespace of the operator; without it that of the service account or of the kubeconfig
    #[arg(long, env = "BERTH_K8S_NAMESPACE", value_name = "NAME")]
    k8s_namespace: Option<String>,
    /// Install the `CiliumNode` CRD where there is none. An existing one is never replaced
    #[arg(long, env = "BERTH_INSTALL_CRD", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    install_crd: bool,
    /// Watch pods that wait for an address. Off, only the watermarks of the nodes ask for addresses
    #[arg(long, env = "BERTH_WATCH_PODS", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    watch_pods: bool,
}

/// Flags about leader election, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Leader election")]
pub(super) struct LeaseArguments {
    /// Name of the Lease that one of the replicas holds. Cilium's operator keeps its own
    #[arg(long, env = "BERTH_LEASE_NAME", default_value = "berth-operator", value_name = "NAME")]
    lease_name: String,
    /// Namespace of the Lease; without it that of --k8s-namespace
    #[arg(long, env = "BERTH_LEASE_NAMESPACE", value_name = "NAME")]
    lease_namespace: Option<String>,
    /// Name of this replica in the Lease; without it the host name and a random part
    #[arg(long, env = "BERTH_IDENTITY", value_name = "NAME")]
    identity: Option<String>,
    /// After this time without renewal the others take the Lease
    #[arg(long, env = "BERTH_LEADER_ELECTION_LEASE_DURATION", default_value = "15s", value_parser = values::duration, value_name = "TIME")]
    leader_election_lease_duration: Duration,
    /// After this time without renewal the leader stops
    #[arg(long, env = "BERTH_LEADER_ELECTION_RENEW_DEADLINE", default_value = "10s", value_parser = values::duration, value_name = "TIME")]
    leader_election_renew_deadline: Duration,
    /// How often the Lease is renewed or tried for
    #[arg(long, env = "BERTH_LEADER_ELECTION_RETRY_PERIOD", default_value = "2s", value_parser = values::duration, value_name = "TIME")]
    leader_election_retry_period: Duration,
}

/// How the Kubernetes API is reached and used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// Where the API server is, as far as flags say.
    pub connect: ConnectSettings,
    /// Whether the CRD is installed where there is none.
    pub install_crd: bool,
    /// Whether waiting pods are watched.
    pub watch_pods: bool,
    /// Leader election.
    pub lease: LeaseSettings,
}

/// Leader election.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSettings {
    /// Name of the Lease.
    pub name: String,
    /// Its namespace; `None`: that of the service account or of the kubeconfig.
    pub namespace: Option<String>,
    /// This replica in it; never that of another one.
    pub identity: String,
    /// After this time without renewal others take it; whole seconds.
    pub duration: Duration,
    /// After this time without renewal the leader stops; less than `duration`.
    pub renew_deadline: Duration,
    /// How often it is renewed or tried for; less than `renew_deadline`.
    pub retry_period: Duration,
}

impl KubernetesArguments {
    /// Checks the flags.
    pub(super) fn check(self, lease: LeaseArguments) -> Result<KubernetesSettings, SettingsError> {
        let Self { connect, k8s_namespace, install_crd, watch_pods } = self;
        let lease = lease.check(k8s_namespace)?;
        Ok(KubernetesSettings { connect: connect.check(), install_crd, watch_pods, lease })
    }
}

impl LeaseArguments {
    fn check(self, operator_namespace: Option<String>) -> Result<LeaseSettings, SettingsError> {
        let Self {
            lease_name: name,
            lease_namespace,
            identity,
            leader_election_lease_duration: duration,
            leader_election_renew_deadline: renew_deadline,
            leader_election_retry_period: retry_period,
        } = self;
        if !is_object_name(&name) {
            let expected =
                "the name of a Lease: lower-case letters, digits, `-` and `.`, at most 253";
            return Err(SettingsError::invalid("lease-name", &name, expected));
        }
        if duration.subsec_nanos() != 0 || !(1..=DURATION_MAX).contains(&duration.as_secs()) {
            let given = format!("{duration:?}");
            let expected = "whole seconds, 1s to 24h: a Lease counts in seconds";
            return Err(SettingsError::invalid("leader-election-lease-duration", &given, expected));
        }
        shorter(
            ("leader-election-renew-deadline", renew_deadline),
            ("leader-election-lease-duration", duration),
            "the leader has to stop before another one may start",
        )?;
        shorter(
            ("leader-election-retry-period", retry_period),
            ("leader-election-renew-deadline", renew_deadline),
            "the Lease has to be renewed before its deadline",
        )?;
        if retry_period < RETRY_MIN {
            let given = format!("{retry_period:?}");
            let expected = "100ms or more: each try is a request to the API server";
            return Err(SettingsError::invalid("leader-election-retry-period", &given, expected));
        }
        let namespace = lease_namespace.or(operator_namespace).filter(|name| !name.is_empty());
        let identity = identity.filter(|name| !name.is_empty()).unwrap_or_else(own_identity);
        Ok(LeaseSettings { name, namespace, identity, duration, renew_deadline, retry_period })
    }
}

/// The longest that a Lease may be left to a silent holder, in seconds.
const DURATION_MAX: u64 = 24 * 60 * 60;
/// The least time between two tries for the Lease.
const RETRY_MIN: Duration = Duration::from_millis(100);

/// Whether an object may be called that (Kubernetes, object names: DNS subdomain names).
fn is_object_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn shorter(
    (left, short): (&'static str, Duration),
    (right, long): (&'static str, Duration),
    because: &'static str,
) -> Result<(), SettingsError> {
    if short < long {
        return Ok(());
    }
    Err(SettingsError::Contradiction {
        left: format!("--{left} {short:?}"),
        right: format!("--{right} {long:?}"),
        because,
    })
}

/// The host name, which in a pod is the pod's name, and a part that differs from start to start: a container that is
/// started again in its pod must not take itself for the holder that it was.
fn own_identity() -> String {
    let host = std::env::var("HOSTNAME").ok().filter(|host| !host.is_empty());
    format!("{}_{:016x}", host.as_deref().unwrap_or("berth-operator"), super::random())
}
