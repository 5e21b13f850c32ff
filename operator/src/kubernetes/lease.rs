//! Who leads, decided from a Lease: the rules of client-go's leader election, so that a lease means the same to every
//! reader.
//!
//! Clocks of two machines are never compared. A candidate notes when it saw a lease change, by its own clock, and takes
//! the lease when that is longer ago than the holder promised.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;

/// How long things take in an election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTiming {
    duration: Duration,
    renew_deadline: Duration,
    retry: Duration,
}

/// Times that do not make sense together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "leader-election-lease-duration {duration:?}, -renew-deadline {renew_deadline:?} and -retry-period {retry:?}: \
     expected whole seconds for the first, and each longer than the next"
)]
pub struct InvalidTiming {
    duration: Duration,
    renew_deadline: Duration,
    retry: Duration,
}

impl LeaseTiming {
    /// How long others wait for a silent holder, how long a holder goes on without having renewed, and how often
    /// a lease is looked at.
    ///
    /// # Errors
    /// When a holder could go on after others took over, or could not try twice.
    pub fn new(
        duration: Duration,
        renew_deadline: Duration,
        retry: Duration,
    ) -> Result<Self, InvalidTiming> {
        let whole = duration.subsec_nanos() == 0 && i32::try_from(duration.as_secs()).is_ok();
        if whole && renew_deadline < duration && retry < renew_deadline && !retry.is_zero() {
            return Ok(Self { duration, renew_deadline, retry });
        }
        Err(InvalidTiming { duration, renew_deadline, retry })
    }

    /// How long a holder leads after the start of its last successful renewal.
    #[must_use]
    pub const fn renew_deadline(self) -> Duration {
        self.renew_deadline
    }

    /// How often a lease is looked at.
    #[must_use]
    pub const fn retry(self) -> Duration {
        self.retry
    }
}

impl Default for LeaseTiming {
    /// 15, 10 and 2 seconds, as Kubernetes' own components have it.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { duration: seconds(15), renew_deadline: seconds(10), retry: seconds(2) }
    }
}

/// A lease as it was read, and when it was first seen to be so.
#[derive(Debug, Clone)]
pub struct SeenLease {
    lease: Lease,
    since: Instant,
}

impl SeenLease {
    /// A lease that was read at `now`, after `before` had been.
    #[must_use]
    pub fn new(lease: Lease, before: Option<&Self>, now: Instant) -> Self {
        let same = before.filter(|before| before.lease.spec == lease.spec);
        let since = same.map_or(now, |before| before.since);
        Self { lease, since }
    }

    /// Who holds it; `None` when it was given back, or never held.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        let holder = self.lease.spec.as_ref()?.holder_identity.as_deref()?;
        Some(holder).filter(|holder| !holder.is_empty())
    }

    fn spec(&self) -> LeaseSpec {
        self.lease.spec.clone().unwrap_or_default()
    }

    /// How long its holder promised to renew it. A promise that makes no sense is taken for one's own.
    fn duration(&self, timing: LeaseTiming) -> Duration {
        let seconds = self.lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok()).filter(|it| *it != 0);
        seconds.map_or(timing.duration, Duration::from_secs)
    }
}

/// What to do about a lease.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// There is none: make this one.
    Create(LeaseSpec),
    /// It is free or has run out: put this in its place.
    Take(LeaseSpec),
    /// It is one's own: put this in its place.
    Renew(LeaseSpec),
    /// Somebody else holds it.
    Wait,
}

/// What `me` does about a lease at `now`, which is `time` to people.
#[must_use]
pub fn decide(
    seen: Option<&SeenLease>,
    me: &str,
    timing: LeaseTiming,
    now: Instant,
    time: &MicroTime,
) -> Decision {
    let mine = LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: i32::try_from(timing.duration.as_secs()).ok(),
        acquire_time: Some(time.clone()),
        renew_time: Some(time.clone()),
        lease_transitions: Some(0),
        ..LeaseSpec::default()
    };
    let Some(seen) = seen else { return Decision::Create(mine) };
    let before = seen.spec();
    let transitions = before.lease_transitions.unwrap_or(0);
    let runs_out = seen.since + seen.duration(timing);
    match seen.holder() {
        Some(holder) if holder == me => Decision::Renew(LeaseSpec {
            acquire_time: before.acquire_time.or(mine.acquire_time),
            lease_transitions: Some(transitions),
            ..mine
        }),
        Some(_) if now < runs_out => Decision::Wait,
        _ => {
            let lease_transitions = Some(transitions.saturating_add(1));
            Decision::Take(LeaseSpec { lease_transitions, ..mine })
        }
    }
}

/// What is left of a lease whose holder gives it back: nobody, for a second (as client-go does).
#[must_use]
pub fn given_back(seen: &SeenLease, time: &MicroTime) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(1),
        acquire_time: Some(time.clone()),
        renew_time: Some(time.clone()),
        lease_transitions: seen.spec().lease_transitions,
        ..LeaseSpec::default()
    }
}

/// The lease with another content, to be written in its place: refused when somebody else was faster.
#[must_use]
pub fn in_place_of(seen: &SeenLease, spec: LeaseSpec) -> Lease {
    Lease { spec: Some(spec), ..seen.lease.clone() }
}

#[cfg(test)]
mod tests;
