//! The way of one call: faults before, bucket, permission, the action, faults after, latency, journal.

use std::borrow::Cow;
use std::time::Duration;

use super::Ec2;
use super::region::Region;
use crate::actions;
use crate::assumption::Assumption;
use crate::describe;
use crate::error::ApiError;
use crate::fault::{Call, Fired, Subjects, Timing};
use crate::journal::Entry;
use crate::reply::{Answer, Delivery, Reply};
use crate::request::{Action, Caller, Operation, Request};
use crate::staleness::REPLICAS;
use crate::throttle::Bucket;
use crate::time::Moment;
use crate::world::Principal;

/// What became of a call, before anybody is told.
pub(super) struct Outcome {
    result: Result<Reply, ApiError>,
    way: Way,
}

/// What a call met on its way.
struct Way {
    delivery: Delivery,
    throttled: bool,
    bucket_level: Option<f64>,
    committed: bool,
    disturbed: bool,
    delay: Duration,
}

/// Who calls what, as far as it matters before the action itself.
struct Visit<'a> {
    caller: &'a Caller,
    /// None when it is unknown.
    action: Option<Action>,
    /// The bucket that it takes from, and the action that must be permitted; none when neither is asked for.
    bucket: Option<Bucket>,
    subjects: Subjects,
}

impl Way {
    const fn new(delay: Duration) -> Self {
        Self {
            delivery: Delivery::Whole,
            throttled: false,
            bucket_level: None,
            committed: false,
            disturbed: false,
            delay,
        }
    }
}

impl Ec2 {
    /// Carries a call out, as far as it gets.
    pub(super) fn call(&mut self, caller: &Caller, request: &Request) -> Outcome {
        let operation = &request.operation;
        self.region.replica = self.region.dice.replicas.usize(0..REPLICAS);
        let bucket = describe::bucket(operation);
        let subjects = self.subjects(operation);
        let visit = Visit { caller, action: Some(bucket.action), bucket: Some(bucket), subjects };
        self.pass(&visit, |ec2, account, fired, way| {
            if request.dry_run {
                return Err(ApiError::dry_run());
            }
            ec2.perform(account, operation, fired, way)
        })
    }

    /// Lets a call that could not be read be refused: by what goes before, or by `error`.
    pub(super) fn refusal(
        &mut self,
        caller: &Caller,
        action: Option<Action>,
        error: ApiError,
    ) -> Outcome {
        let throttle_first = self.region.settings.assumptions.is(Assumption::ThrottleFirst);
        let bucket = action.filter(|_| throttle_first).map(Bucket::of);
        let visit = Visit { caller, action, bucket, subjects: Subjects::default() };
        self.pass(&visit, |_, _, _, _| Err(error))
    }

    /// Brings a call to `act`, which is given the caller's account, unless something before it stops the call; and to what faults do
    /// afterwards.
    fn pass(
        &mut self,
        visit: &Visit<'_>,
        act: impl FnOnce(&mut Self, &str, &Fired, &mut Way) -> Result<Reply, ApiError>,
    ) -> Outcome {
        let fired = self.fire(visit);
        let mut way = Way::new(fired.delay());
        for foreign in fired.foreign(Timing::Before) {
            self.foreign(foreign, visit.caller, &visit.subjects);
        }
        let mut result = match fired.instead() {
            Some((error, delivery)) => {
                (way.delivery, way.disturbed) = (delivery, true);
                Err(error)
            }
            None => match self.admit(visit, &fired, &mut way) {
                Ok(account) => act(self, &account, &fired, &mut way),
                Err(refusal) => Err(refusal),
            },
        };
        if let (false, Some((error, delivery))) = (way.disturbed, fired.afterwards()) {
            (way.delivery, way.disturbed) = (delivery, true);
            result = error.map_or(result, Err);
        }
        for foreign in fired.foreign(Timing::After) {
            self.foreign(foreign, visit.caller, &visit.subjects);
        }
        Outcome { result, way }
    }

    fn subjects(&self, operation: &Operation) -> Subjects {
        if self.rules.is_empty() {
            return Subjects::default();
        }
        Subjects::of(operation, self.world())
    }

    fn fire(&mut self, visit: &Visit<'_>) -> Fired {
        if self.rules.is_empty() {
            return Fired::default();
        }
        let Visit { caller, action, bucket: _, subjects } = visit;
        let call = Call { action: *action, access_key: &caller.access_key, subjects };
        self.rules.fire(self.region.now, &call)
    }

    /// What comes before the action: who it is, the bucket, and permissions. Returns the caller's account.
    ///
    /// # Errors
    ///
    /// `AuthFailure` before all else, for a bucket is some account's; `RequestLimitExceeded`, `UnauthorizedOperation`.
    fn admit(
        &mut self,
        visit: &Visit<'_>,
        fired: &Fired,
        way: &mut Way,
    ) -> Result<String, ApiError> {
        let principal = identify(&self.region, visit.caller)?;
        let Some(bucket) = visit.bucket else { return Ok(principal.account.clone()) };
        let permitted = permitted(&principal, visit.caller, bucket.action);
        if !self.region.settings.assumptions.is(Assumption::ThrottleFirst) {
            permitted.clone()?;
        }
        let now = self.region.now;
        if fired.empties_bucket() {
            self.buckets.empty(now, &principal.account, bucket);
        }
        let (taken, level) = self.buckets.take(now, &principal.account, bucket);
        (way.throttled, way.bucket_level) = (!taken, level);
        if !taken {
            return Err(ApiError::throttled());
        }
        permitted.map(|()| principal.account.clone())
    }

    fn perform(
        &mut self,
        account: &str,
        operation: &Operation,
        fired: &Fired,
        way: &mut Way,
    ) -> Result<Reply, ApiError> {
        if let Some(result) = actions::perform(&mut self.region, account, operation) {
            way.committed = result.is_ok();
            return result;
        }
        let stale = u64::try_from(fired.stale_for().as_micros()).unwrap_or(u64::MAX);
        let shown = Moment::from_micros(self.region.now.as_micros().saturating_sub(stale));
        let settings = &self.region.settings;
        let context = describe::Context {
            reader: self.region.world.reader(shown, self.region.replica),
            now: self.region.now,
            caller_account: account,
            owner: &settings.account,
            region: &settings.region,
            assumptions: &settings.assumptions,
            interface_count: self.region.world.interface_count(),
            fired,
        };
        describe::answer(operation, &context).unwrap_or_else(|| Err(ApiError::internal_error()))
    }

    /// Tells everybody: the caller, the journal, the counters.
    pub(super) fn finish(
        &mut self,
        caller: &Caller,
        action: Option<Action>,
        operation: Option<Operation>,
        outcome: Outcome,
    ) -> Answer {
        let request_id = request_id(self.requests.u128(..));
        let latency = self.latency(action, &outcome);
        let error = outcome.result.as_ref().err();
        self.counters.count(action, error, outcome.way.throttled);
        if self.journal.keeps() {
            self.journal.record(Entry {
                sequence: 0,
                at: self.region.now,
                request_id: request_id.clone(),
                access_key: caller.access_key.clone(),
                user_agent: caller.user_agent.clone(),
                action,
                parameters: operation,
                code: error.map(|error| error.code),
                message: error.map(|error| error.message.clone()),
                throttled: outcome.way.throttled,
                latency,
                bucket_level: outcome.way.bucket_level,
                committed: outcome.way.committed,
                disturbed: outcome.way.disturbed,
            });
        }
        Answer {
            request_id,
            outcome: outcome.result,
            ready_at: self.region.now + latency,
            delivery: outcome.way.delivery,
        }
    }

    fn latency(&mut self, action: Option<Action>, outcome: &Outcome) -> Duration {
        let settings = &self.region.settings;
        let rng = &mut self.region.dice.calls;
        let items = outcome.result.as_ref().map_or(0, describe::items);
        let drawn = match action {
            Some(action) if !outcome.way.throttled => {
                settings.latency.call(action, items, &settings.assumptions, rng)
            }
            _ => settings.latency.throttled(&settings.assumptions, rng),
        };
        drawn.saturating_add(outcome.way.delay)
    }
}

/// Whose access key it is. While the world knows of no principals, every key is one of the Region's own account.
fn identify<'a>(region: &'a Region, caller: &Caller) -> Result<Cow<'a, Principal>, ApiError> {
    if region.world.principals().is_empty() {
        let account = region.settings.account.clone();
        return Ok(Cow::Owned(Principal { account, allowed: None }));
    }
    let known = region.world.principal(&caller.access_key);
    known.map(Cow::Borrowed).ok_or_else(ApiError::auth_failure)
}

/// Whether a principal may use an action.
fn permitted(principal: &Principal, caller: &Caller, action: Action) -> Result<(), ApiError> {
    let denied = principal.allowed.as_ref().is_some_and(|allowed| !allowed.contains(&action));
    if denied {
        let name = format!("arn:aws:iam::{}:user/{}", principal.account, caller.access_key);
        return Err(ApiError::unauthorized(&name, action));
    }
    Ok(())
}

/// The form of a UUID of version 4.
fn request_id(number: u128) -> String {
    let digits = format!("{number:032x}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
