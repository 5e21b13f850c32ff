//! The state machine: a request and a moment in, an answer out.

mod call;
mod elastic;
mod foreign;
#[cfg(test)]
mod property;
pub(crate) mod region;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;

use fastrand::Rng;

use self::region::Region;
use crate::assumption::Assumption;
use crate::build::Builder;
use crate::counters::Counters;
use crate::error::ApiError;
use crate::fault::Rules;
use crate::id::{InstanceId, InterfaceId};
use crate::journal::Journal;
use crate::model::{Instance, InstanceState, Interface};
use crate::oracle::{self, Finding};
use crate::reply::Answer;
use crate::request::{Action, Caller, Request};
use crate::settings::Settings;
use crate::throttle::Buckets;
use crate::time::Moment;
use crate::world::World;

/// A device that an instance's kernel shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its network interface.
    pub interface: InterfaceId,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// The network card.
    pub network_card: u32,
    /// The index on that card.
    pub device_index: u32,
    /// Since when it is shown.
    pub shown_at: Moment,
}

/// A Region of EC2, for one or more accounts.
///
/// Moments given to it must not go back; one that does is taken as the latest that was given.
#[derive(Debug)]
pub struct Ec2 {
    pub(crate) region: Region,
    pub(crate) buckets: Buckets,
    pub(crate) rules: Rules,
    journal: Journal,
    counters: Counters,
    requests: Rng,
}

impl Ec2 {
    /// An empty Region.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let buckets = Buckets::new(settings.buckets.clone());
        let journal = Journal::new(settings.journal);
        let mut region = Region::new(settings);
        Self {
            buckets,
            rules: Rules::new(region.dice.faults.fork()),
            journal,
            counters: Counters::default(),
            requests: region.dice.calls.fork(),
            region,
        }
    }

    /// Answers a request that arrives at `now`. Its effect, if it has one, is there when this returns; the answer says when the caller
    /// learns of it.
    pub fn handle(&mut self, now: Moment, caller: &Caller, request: Request) -> Answer {
        self.advance(now);
        let outcome = self.call(caller, &request);
        self.finish(caller, Some(request.operation.action()), Some(request.operation), outcome)
    }

    /// Answers a request that could not be read: it is throttled, journaled and counted as any other. No action when it is unknown.
    pub fn refuse(
        &mut self,
        now: Moment,
        caller: &Caller,
        action: Option<Action>,
        error: ApiError,
    ) -> Answer {
        self.advance(now);
        let outcome = self.refusal(caller, action, error);
        self.finish(caller, action, None, outcome)
    }

    /// Carries out the background changes that are due until `now`.
    pub fn advance(&mut self, now: Moment) {
        self.region.kept_for = self.rules.longest_stale_read();
        self.region.advance(now);
        let lifetime = self.region.settings.assumptions.duration(Assumption::ClientTokenLifetime);
        self.region.tokens.forget(self.region.now, lifetime);
    }

    /// When [`Ec2::advance`] has something to do next.
    #[must_use]
    pub fn next_transition(&self) -> Option<Moment> {
        self.region.queue.next()
    }

    /// The control handle, at the latest moment that was given.
    pub const fn build(&mut self) -> Builder<'_> {
        Builder::new(self)
    }

    /// The latest moment that was given.
    #[must_use]
    pub const fn now(&self) -> Moment {
        self.region.now
    }

    /// How it behaves now.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.region.settings
    }

    /// The objects.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.region.world
    }

    /// The token buckets.
    #[must_use]
    pub const fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// The fault rules.
    #[must_use]
    pub const fn faults(&self) -> &Rules {
        &self.rules
    }

    /// What was asked and answered.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// How often, per action.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Where the truth contradicts itself; empty when all holds.
    #[must_use]
    pub fn audit(&self) -> Vec<Finding> {
        oracle::audit(self.world())
    }

    /// The devices that the kernel of `instance` shows at `now`, by card and index. Only a running instance has a kernel.
    #[must_use]
    pub fn links(&self, now: Moment, instance: &InstanceId) -> Vec<Link> {
        let world = self.world();
        let runs = |found: &Arc<Instance>| found.state == InstanceState::Running;
        if !world.instance(instance).is_some_and(runs) {
            return Vec::new();
        }
        let link = |interface: &Arc<Interface>| {
            let shown_at = world.interface_entry(&interface.id)?.link_at?;
            let attachment = interface.attachment.as_ref()?;
            let link = Link {
                interface: interface.id.clone(),
                mac: interface.mac,
                network_card: attachment.network_card,
                device_index: attachment.device_index,
                shown_at,
            };
            (shown_at <= now).then_some(link)
        };
        let mut links: Vec<_> = world.interfaces_of(instance).filter_map(link).collect();
        links.sort_by_key(|link| (link.network_card, link.device_index));
        links
    }

    /// The wall clock at `moment`, in microseconds since 1970: what timestamps show. It jumps when a fault says so.
    #[must_use]
    pub fn wall_clock(&self, moment: Moment) -> i64 {
        let start = self.settings().started_at.saturating_add(self.region.clock_jump);
        let since = i64::try_from(moment.as_micros()).unwrap_or(i64::MAX);
        start.saturating_mul(1_000_000).saturating_add(since)
    }

    /// Counts what went over the wire for one call.
    pub fn count_bytes(
        &mut self,
        action: Option<Action>,
        request_bytes: usize,
        response_bytes: usize,
    ) {
        self.counters.count_bytes(action, request_bytes, response_bytes);
    }
}
