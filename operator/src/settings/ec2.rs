//! How EC2 is reached and how fast it is asked.

use std::collections::BTreeMap;

use clap::builder::BoolishValueParser;
use ipam_core::budget::{BudgetSettings, Rate};
use ipam_core::call::Api;

use super::{SettingsError, values};

/// Flags about EC2, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "EC2")]
pub(super) struct Ec2Arguments {
    /// Region; without it `AWS_REGION`, the profile, or with --use-imds that of the operator's own instance
    #[arg(long, env = "BERTH_REGION", value_parser = optional_region, value_name = "NAME")]
    region: Option<String>,
    /// Profile of the AWS configuration files
    #[arg(long, env = "BERTH_PROFILE", value_name = "NAME")]
    profile: Option<String>,
    /// Ask the instance metadata service for the Region when nothing else says it. For credentials it is asked last of all, unless `AWS_EC2_METADATA_DISABLED` is true
    #[arg(long, env = "BERTH_USE_IMDS", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    use_imds: bool,
    /// Another endpoint of the EC2 API; https:// is put in front of a bare host
    #[arg(long, env = "BERTH_EC2_API_ENDPOINT", value_parser = optional_endpoint, value_name = "URL")]
    ec2_api_endpoint: Option<Endpoint>,
    /// Entries per page of a listing, 5 to 1000; 0 is 1000
    #[arg(long, env = "BERTH_AWS_MAX_RESULTS_PER_CALL", default_value = "0", value_parser = page_size, value_name = "COUNT")]
    aws_max_results_per_call: u16,
    /// Calls that may be on their way to EC2 at once
    #[arg(long, env = "BERTH_PARALLEL_ALLOC_WORKERS", default_value = "50", value_parser = clap::value_parser!(u16).range(1..), value_name = "COUNT")]
    parallel_alloc_workers: u16,
}

/// Flags about the pace of calls, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pace of EC2 calls")]
pub(super) struct BudgetArguments {
    /// Share of every bucket of the account that is used; the rest is left for others
    #[arg(long, env = "BERTH_EC2_BUDGET_SHARE", default_value = "0.95", value_parser = values::share, value_name = "SHARE")]
    ec2_budget_share: f64,
    /// Bucket of one action, where the account has other limits than AWS publishes: CreateNetworkInterface=200,10. Several times, or with ; between
    #[arg(long, env = "BERTH_EC2_RATE", value_delimiter = ';', value_parser = values::action_rate, value_name = "ACTION=CAPACITY,REFILL")]
    ec2_rate: Vec<(Api, Rate)>,
    /// One more bucket that every call takes from: calls per second. Not there unless this or the burst is given, which is 20 then
    #[arg(long, env = "BERTH_LIMIT_IPAM_API_QPS", value_parser = values::per_second, value_name = "RATE")]
    limit_ipam_api_qps: Option<f64>,
    /// Size of that bucket. Given alone, its rate is 4
    #[arg(long, env = "BERTH_LIMIT_IPAM_API_BURST", value_parser = clap::value_parser!(u32).range(1..), value_name = "COUNT")]
    limit_ipam_api_burst: Option<u32>,
}

/// How EC2 is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ec2Settings {
    /// The Region; `None`: as the environment, the profile or the instance says.
    pub region: Option<String>,
    /// The profile of the configuration files.
    pub profile: Option<String>,
    /// Whether the instance metadata service may be asked.
    pub use_imds: bool,
    /// Another endpoint, as a URL.
    pub endpoint: Option<String>,
    /// Entries per page of a listing, 5 to 1,000.
    pub max_results: u16,
    /// Calls on their way at once, at least 1.
    pub calls_in_flight: usize,
}

/// Entries per page where nothing is said: the most that EC2 takes (EC2 API reference, `MaxResults`).
const MAX_RESULTS: u16 = 1000;
/// Calls per second where only the burst is given (default of Cilium's operator).
const OVERALL_REFILL: f64 = 4.0;
/// Calls at once where only the rate is given (default of Cilium's operator).
const OVERALL_CAPACITY: u32 = 20;

impl Ec2Arguments {
    /// Checks the flags.
    pub(super) fn check(self) -> Ec2Settings {
        let Self {
            region,
            profile,
            use_imds,
            ec2_api_endpoint,
            aws_max_results_per_call,
            parallel_alloc_workers,
        } = self;
        Ec2Settings {
            region: region.filter(|name| !name.is_empty()),
            profile: profile.filter(|name| !name.is_empty()),
            use_imds,
            endpoint: ec2_api_endpoint.and_then(|Endpoint(url)| url),
            max_results: if aws_max_results_per_call == 0 {
                MAX_RESULTS
            } else {
                aws_max_results_per_call
            },
            calls_in_flight: parallel_alloc_workers.into(),
        }
    }
}

impl BudgetArguments {
    /// Checks the flags.
    pub(super) fn check(self) -> Result<BudgetSettings, SettingsError> {
        let Self { ec2_budget_share: share, ec2_rate, limit_ipam_api_qps, limit_ipam_api_burst } =
            self;
        let mut rates = BTreeMap::new();
        for (api, rate) in ec2_rate {
            if rates.insert(api, rate).is_some() {
                let expected = "each action once";
                return Err(SettingsError::invalid("ec2-rate", api.name(), expected));
            }
        }
        let overall =
            (limit_ipam_api_qps.is_some() || limit_ipam_api_burst.is_some()).then(|| Rate {
                capacity: limit_ipam_api_burst.unwrap_or(OVERALL_CAPACITY).into(),
                refill: limit_ipam_api_qps.unwrap_or(OVERALL_REFILL),
            });
        Ok(BudgetSettings::new(rates, share, overall)?)
    }
}

/// An endpoint that may be left empty, as Cilium's chart does.
#[derive(Debug, Clone)]
struct Endpoint(Option<String>);

fn optional_endpoint(text: &str) -> Result<Endpoint, String> {
    if text.is_empty() {
        Ok(Endpoint(None))
    } else {
        values::endpoint(text).map(|url| Endpoint(Some(url)))
    }
}

/// A Region is part of a host name. Left empty, it is not given.
fn optional_region(text: &str) -> Result<String, String> {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.bytes().all(is_part) {
        Ok(text.to_owned())
    } else {
        Err("expected the name of a Region, such as eu-west-1".into())
    }
}

fn page_size(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(size) if size == 0 || (5..=MAX_RESULTS).contains(&size) => Ok(size),
        _ => Err("expected 0, or 5 to 1000".into()),
    }
}
