//! How long calls and background changes take: log-normal draws with the medians and 99th percentiles that were seen in the wild.
//!
//! Sources: Cilium's operator on a small cluster (cilium/cilium pull request 44539), an attach of 0.7 s (DataDog/integrations-core#10143),
//! an assignment of 0.5 s (aws/amazon-vpc-cni-k8s#3480), links that appear within 5 s and at times after minutes (cilium/cilium#16494 and
//! pull request 47570). Samples are few, so these are shapes and not truth; what is a mere guess is a switch of [`crate::assumption`].

use std::collections::BTreeMap;
use std::time::Duration;

use crate::assumption::{Assumption, Assumptions};
use crate::request::Action;

#[cfg(test)]
mod tests;

/// How slow everything is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Nothing takes any time.
    #[default]
    Zero,
    /// As seen in the wild.
    Typical,
    /// `slow-factor` times as long.
    Slow,
}

/// Median, 99th percentile, and what each listed item adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The median.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// For each item of the answer.
    pub per_item: Duration,
}

/// How long calls and background changes take.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How slow everything is.
    pub profile: Profile,
    /// Instead of the profile's figures, in any profile.
    pub overrides: BTreeMap<Action, Figures>,
}

/// A change that EC2 makes some time after the call that asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// From `attaching` to `attached`: 0.5 to 2 s.
    Attaching,
    /// From `detaching` to `detached`: 2 to 15 s.
    Detaching,
    /// From `pending` to `available` of a new interface: 0.1 to 1 s.
    Creating,
    /// From the attachment to the link that the instance's kernel shows: p50 2 s, p99 20 s, at most 150 s.
    Link,
    /// From `shutting-down` to `terminated`, when interfaces go: 10 to 60 s.
    Terminating,
    /// From `stopping` to `stopped`, and from `pending` to `running`: 5 to 30 s.
    Booting,
}

impl Settings {
    /// That profile, without overrides.
    #[must_use]
    pub const fn of(profile: Profile) -> Self {
        Self { profile, overrides: BTreeMap::new() }
    }

    /// How long a call takes whose answer lists so many items; zero items for one that lists none.
    pub fn call(
        &self,
        action: Action,
        items: usize,
        assumptions: &Assumptions,
        rng: &mut fastrand::Rng,
    ) -> Duration {
        let (figures, scale) = match self.overrides.get(&action) {
            Some(figures) => (*figures, 1.0),
            None => (typical(action, assumptions), self.scale(assumptions)),
        };
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        let drawn = log_normal(rng, figures.p50, figures.p99);
        scaled(drawn.saturating_add(figures.per_item.saturating_mul(items)), scale)
    }

    /// How long a throttled call takes: 5 to 20 ms.
    pub fn throttled(&self, assumptions: &Assumptions, rng: &mut fastrand::Rng) -> Duration {
        scaled(uniform(rng, 0.005, 0.02), self.scale(assumptions))
    }

    /// How long a background change takes; none when it never happens, which only links do.
    pub fn background(
        &self,
        change: Background,
        assumptions: &Assumptions,
        rng: &mut fastrand::Rng,
    ) -> Option<Duration> {
        let drawn = match change {
            Background::Attaching => uniform(rng, 0.5, 2.0),
            Background::Detaching => uniform(rng, 2.0, 15.0),
            Background::Creating => uniform(rng, 0.1, 1.0),
            Background::Link => link(assumptions, rng)?,
            Background::Terminating => uniform(rng, 10.0, 60.0),
            Background::Booting => uniform(rng, 5.0, 30.0),
        };
        Some(scaled(drawn, self.scale(assumptions)))
    }

    fn scale(&self, assumptions: &Assumptions) -> f64 {
        match self.profile {
            Profile::Zero => 0.0,
            Profile::Typical => 1.0,
            Profile::Slow => assumptions.fraction(Assumption::SlowFactor),
        }
    }
}

/// Some links never come: `link-never`.
fn link(assumptions: &Assumptions, rng: &mut fastrand::Rng) -> Option<Duration> {
    if rng.f64() < assumptions.fraction(Assumption::LinkNever) {
        return None;
    }
    let drawn = log_normal(rng, Duration::from_secs(2), Duration::from_secs(20));
    Some(drawn.min(Duration::from_secs(150)))
}

/// What was seen in the wild, in milliseconds, and what is guessed.
fn typical(action: Action, assumptions: &Assumptions) -> Figures {
    let guess = |assumption| {
        let p50 = assumptions.duration(assumption);
        Figures { p50, p99: p50.saturating_mul(3), per_item: Duration::ZERO }
    };
    let seen = |p50, p99| Figures {
        p50: Duration::from_millis(p50),
        p99: Duration::from_millis(p99),
        per_item: Duration::ZERO,
    };
    let page =
        || Figures { per_item: assumptions.duration(Assumption::LatencyPerItem), ..seen(150, 400) };
    match action {
        Action::CreateNetworkInterface => guess(Assumption::LatencyCreate),
        Action::DeleteNetworkInterface => guess(Assumption::LatencyDelete),
        Action::DetachNetworkInterface => guess(Assumption::LatencyDetach),
        Action::ModifyNetworkInterfaceAttribute => guess(Assumption::LatencyModify),
        Action::UnassignIpv6Addresses | Action::UnassignPrivateIpAddresses => {
            guess(Assumption::LatencyUnassign)
        }
        Action::AssociateAddress | Action::CreateSubnetCidrReservation | Action::CreateTags => {
            guess(Assumption::LatencyOther)
        }
        Action::AssignIpv6Addresses | Action::AssignPrivateIpAddresses => seen(500, 1_200),
        Action::AttachNetworkInterface => seen(700, 1_500),
        Action::DescribeRouteTables => seen(900, 998),
        Action::DescribeSecurityGroups | Action::GetSecurityGroupsForVpc => seen(300, 398),
        Action::DescribeSubnets => seen(150, 199),
        Action::DescribeVpcs => seen(75, 100),
        Action::DescribeInstanceTypes => seen(155, 376),
        Action::DescribeAddresses
        | Action::DescribeInstances
        | Action::DescribeNetworkInterfaces
        | Action::DescribeTags => page(),
    }
}

fn uniform(rng: &mut fastrand::Rng, from: f64, to: f64) -> Duration {
    Duration::from_secs_f64(from + (to - from) * rng.f64())
}

/// So many times as long; the longest duration there is when that is longer.
fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

/// A log-normal draw with that median and that 99th percentile.
pub(crate) fn log_normal(rng: &mut fastrand::Rng, p50: Duration, p99: Duration) -> Duration {
    /// The 99th percentile of the standard normal distribution.
    const Z99: f64 = 2.326_347_87;
    if p50.is_zero() {
        return Duration::ZERO;
    }
    let sigma = p99.div_duration_f64(p50).max(1.0).ln() / Z99;
    scaled(p50, (sigma * standard_normal(rng)).exp())
}

/// Box and Muller's way.
fn standard_normal(rng: &mut fastrand::Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}
