//! How a Region behaves, as files say it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::assumption::Assumptions;
use crate::request::Action;
use crate::settings::Settings;
use crate::spec::Problem;
use crate::spec::said::Said;
use crate::throttle::{Bucket, Size};
use crate::{latency, settings, staleness, throttle};

/// What a file says of the Region's behaviour; what it does not say is as [`Settings`] has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Behaviour {
    region: Option<String>,
    account: Option<String>,
    seed: u64,
    started_at: Option<Said<jiff::Timestamp>>,
    latency: latency::Profile,
    latency_overrides: BTreeMap<Action, Figures>,
    staleness: staleness::Mode,
    buckets: Buckets,
    quotas: Quotas,
    assumptions: Assumed,
    journal: Option<usize>,
}

/// How long the calls of an action take.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figures {
    p50_ms: u64,
    p99_ms: u64,
    #[serde(default)]
    per_item_us: u64,
}

/// The sizes of token buckets: what is not said stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Buckets {
    unlimited: Option<bool>,
    multiplier: Option<f64>,
    overrides: BTreeMap<String, Size>,
}

impl Buckets {
    /// Changes what is said.
    ///
    /// # Errors
    ///
    /// [`Problem`] for a multiplier that is none, and for a bucket that does not exist.
    pub fn apply(&self, settings: &mut throttle::Settings) -> Result<(), Problem> {
        if let Some(multiplier) = self.multiplier {
            if !multiplier.is_finite() || multiplier <= 0.0 {
                let message = format!("`{multiplier}`: expected a number above 0");
                return Err(Problem::of("multiplier", message));
            }
            settings.multiplier = multiplier;
        }
        settings.unlimited = self.unlimited.unwrap_or(settings.unlimited);
        for (name, size) in &self.overrides {
            let bucket = name.parse::<Bucket>();
            let field = format!("overrides.{name}");
            let bucket = bucket.map_err(|error| Problem::of(&field, error.to_string()))?;
            settings.overrides.insert(bucket, *size);
        }
        Ok(())
    }
}

/// Quotas: what is not said stays as it is.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Quotas {
    interfaces: Option<usize>,
    groups_per_interface: Option<usize>,
    address_usage_per_vpc: Option<usize>,
}

impl Quotas {
    /// Changes what is said.
    pub(crate) fn apply(self, quotas: &mut settings::Quotas) {
        quotas.interfaces = self.interfaces.unwrap_or(quotas.interfaces);
        quotas.groups_per_interface =
            self.groups_per_interface.unwrap_or(quotas.groups_per_interface);
        quotas.address_usage_per_vpc =
            self.address_usage_per_vpc.unwrap_or(quotas.address_usage_per_vpc);
    }
}

/// How far reads lag behind.
#[cfg(feature = "server")]
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Staleness {
    pub(crate) mode: staleness::Mode,
}

/// How long things take: what is not said stays as it is.
#[cfg(feature = "server")]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Latency {
    profile: Option<latency::Profile>,
    overrides: Option<BTreeMap<Action, Figures>>,
}

#[cfg(feature = "server")]
impl Latency {
    /// Changes what is said.
    pub(crate) fn apply(&self, settings: &mut latency::Settings) {
        settings.profile = self.profile.unwrap_or(settings.profile);
        if let Some(overrides) = &self.overrides {
            settings.overrides = figures(overrides);
        }
    }
}

/// Values of assumptions, by their names.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Assumed(BTreeMap<String, Scalar>);

impl Assumed {
    /// Changes what is said: all of it, or nothing.
    pub(crate) fn apply(&self, assumptions: &mut Assumptions) -> Result<(), Problem> {
        let mut changed = assumptions.clone();
        for (name, value) in &self.0 {
            let set = changed.set(name, &value.text());
            set.map_err(|error| Problem::of(name, error.to_string()))?;
        }
        *assumptions = changed;
        Ok(())
    }
}

/// A value of an assumption, whatever its kind.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Switch(bool),
    Count(u64),
    Fraction(f64),
    Text(String),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Switch(value) => value.to_string(),
            Self::Count(value) => value.to_string(),
            Self::Fraction(value) => value.to_string(),
            Self::Text(value) => value.clone(),
        }
    }
}

impl Behaviour {
    /// What is said, over the defaults.
    pub(super) fn settings(&self) -> Result<Settings, Problem> {
        let mut settings = Settings {
            seed: self.seed,
            journal: self.journal,
            staleness: self.staleness,
            latency: latency::Settings::of(self.latency),
            ..Settings::default()
        };
        settings.latency.overrides = figures(&self.latency_overrides);
        if let Some(region) = &self.region {
            settings.region.clone_from(region);
        }
        if let Some(account) = &self.account {
            settings.account = account_number(account)?;
        }
        if let Some(Said(started_at)) = self.started_at {
            settings.started_at = started_at.as_second();
        }
        self.quotas.apply(&mut settings.quotas);
        let buckets = self.buckets.apply(&mut settings.buckets);
        buckets.map_err(|problem| problem.within("buckets"))?;
        let assumed = self.assumptions.apply(&mut settings.assumptions);
        assumed.map_err(|problem| problem.within("assumptions"))?;
        Ok(settings)
    }
}

impl Figures {
    const fn figures(self) -> latency::Figures {
        latency::Figures {
            p50: Duration::from_millis(self.p50_ms),
            p99: Duration::from_millis(self.p99_ms),
            per_item: Duration::from_micros(self.per_item_us),
        }
    }
}

fn figures(said: &BTreeMap<Action, Figures>) -> BTreeMap<Action, latency::Figures> {
    said.iter().map(|(action, it)| (*action, it.figures())).collect()
}

/// The field `account`: a number of 12 digits.
pub(super) fn account_number(text: &str) -> Result<String, Problem> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(Problem::of("account", format!("`{text}`: expected 12 digits")))
}
