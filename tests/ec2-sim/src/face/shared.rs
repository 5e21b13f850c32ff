//! A machine that several faces share, with a clock in front of it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::signature;
pub use super::signature::Head;
use crate::error::ApiError;
use crate::machine::Ec2;
use crate::protocol::{self, Refused, Response, Scene};
use crate::reply::{Answer, Delivery};
use crate::request::{Action, Caller, Request};
use crate::time::Moment;

/// What becomes of a call, at the moment when it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// The caller reads this.
    Answered(Response),
    /// The connection ends without an answer.
    Cut,
}

/// A call that has been answered, in one line: what an access log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The wall clock when it arrived, in microseconds since 1970.
    pub at: i64,
    /// The caller's access key; empty when nobody signed.
    pub access_key: String,
    /// What was asked; none when it is unknown.
    pub action: Option<Action>,
    /// The code of the refusal, if it was refused.
    pub code: Option<&'static str>,
    /// How long the answer takes.
    pub latency: Duration,
}

/// Such as `2026-01-01T00:00:00.000Z AKIA1 DescribeSubnets ok 0.120s`; a dash for what is not known.
impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = jiff::Timestamp::from_microsecond(self.at).unwrap_or_default();
        // Whoever signs says what the key is: it may hold anything.
        let key = self.access_key.escape_debug();
        let key = if self.access_key.is_empty() { "-".to_owned() } else { key.to_string() };
        let action = self.action.map_or("-", Action::name);
        let end = self.code.unwrap_or("ok");
        write!(formatter, "{at:.3} {key} {action} {end} {:.3}s", self.latency.as_secs_f64())
    }
}

/// A machine and its clock. Clones share both.
#[derive(Debug, Clone)]
pub struct Shared {
    inner: Arc<Inner>,
    on_call: fn(&Line),
}

#[derive(Debug)]
struct Inner {
    ec2: Mutex<Ec2>,
    /// The machine's moment at `started`.
    base: Moment,
    started: Instant,
    /// How many simulated seconds pass in one real second.
    scale: f64,
}

impl Shared {
    /// Lets the machine's time go on from where it is, with tokio's clock: in a test that pauses it, time passes as the test says.
    #[must_use]
    pub fn new(ec2: Ec2) -> Self {
        Self::with_time_scale(ec2, 1.0)
    }

    /// The same with `scale` simulated seconds in each real one; more than zero.
    #[must_use]
    pub fn with_time_scale(ec2: Ec2, scale: f64) -> Self {
        let (base, started) = (ec2.now(), Instant::now());
        let inner = Inner { ec2: Mutex::new(ec2), base, started, scale };
        Self { inner: Arc::new(inner), on_call: |_| {} }
    }

    /// Has `on_call` told of each call, as soon as it is known how it ends: before the caller learns of it.
    #[must_use]
    pub fn observed(self, on_call: fn(&Line)) -> Self {
        Self { on_call, ..self }
    }

    /// What time it is in the simulation.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.inner.base + self.inner.started.elapsed().mul_f64(self.inner.scale)
    }

    /// Does something with the machine at its present moment; background changes that are due have happened.
    pub fn with<Value>(&self, act: impl FnOnce(&mut Ec2, Moment) -> Value) -> Value {
        let mut ec2 = self.inner.ec2.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock is read under the lock, so that moments reach the machine in order.
        let now = self.now().max(ec2.now());
        ec2.advance(now);
        act(&mut ec2, now)
    }

    /// Waits for a moment of the simulation; for ever, if it never comes.
    pub async fn sleep_until(&self, moment: Moment) {
        let ahead = moment.since(self.inner.base).as_secs_f64() / self.inner.scale;
        let ahead = Duration::try_from_secs_f64(ahead).ok();
        match ahead.and_then(|ahead| self.inner.started.checked_add(ahead)) {
            Some(instant) if moment != Moment::NEVER => tokio::time::sleep_until(instant).await,
            _ => std::future::pending().await,
        }
    }

    /// Makes the call that `form` describes, and returns when its answer would have reached the caller.
    pub async fn call(&self, head: Head<'_>, form: &str) -> Called {
        let request = protocol::decode(form);
        let (outcome, ready_at, line) = self.with(|ec2, now| {
            let caller = signature::caller(head, &ec2.settings().region);
            let key = caller.as_ref().map(|caller| caller.access_key.clone());
            let access_key = key.unwrap_or_default();
            let (action, answer) = answer(ec2, now, head, caller, request);
            let outcome = deliver(ec2, &answer);
            let bytes =
                if let Called::Answered(response) = &outcome { response.body.len() } else { 0 };
            ec2.count_bytes(action, form.len(), bytes);
            let line = Line {
                at: ec2.wall_clock(now),
                access_key,
                action,
                code: answer.outcome.as_ref().err().map(|error| error.code),
                latency: answer.ready_at.since(now),
            };
            (outcome, answer.ready_at, line)
        });
        (self.on_call)(&line);
        self.sleep_until(ready_at).await;
        outcome
    }
}

/// What the machine answers to who could be read or not, and to what could be read or not; with the action, if it is known.
fn answer(
    ec2: &mut Ec2,
    now: Moment,
    head: Head<'_>,
    caller: Result<Caller, ApiError>,
    request: Result<Request, Refused>,
) -> (Option<Action>, Answer) {
    let action = match &request {
        Ok(request) => Some(request.operation.action()),
        Err(refused) => refused.action,
    };
    let answer = match (caller, request) {
        (Ok(caller), Ok(request)) => ec2.handle(now, &caller, request),
        (Ok(caller), Err(refused)) => ec2.refuse(now, &caller, action, refused.error),
        (Err(error), _) => ec2.refuse(now, &signature::nobody(head), action, error),
    };
    (action, answer)
}

/// What of an answer reaches the caller.
fn deliver(ec2: &Ec2, answer: &Answer) -> Called {
    let settings = ec2.settings();
    let scene = Scene {
        account: &settings.account,
        region: &settings.region,
        wall_clock: &|moment| ec2.wall_clock(moment),
    };
    let written = || protocol::encode(scene, &answer.request_id, &answer.outcome);
    Called::Answered(match &answer.delivery {
        Delivery::Whole => written(),
        Delivery::Cut => return Called::Cut,
        Delivery::Replaced { status, body } => Response { status: *status, body: body.clone() },
        Delivery::Truncated { bytes } => {
            let mut body = written().body;
            body.truncate(body.floor_char_boundary(*bytes));
            Response { status: 200, body }
        }
    })
}

/// The type of a body, by how it looks: XML but for what a load balancer says.
#[must_use]
pub(super) fn content_type(body: &str) -> &'static str {
    let html = ["<html", "<!doctype html"];
    let start: String = body.trim_start().chars().take(16).collect::<String>().to_lowercase();
    if html.iter().any(|begin| start.starts_with(begin)) {
        "text/html"
    } else {
        "text/xml;charset=UTF-8"
    }
}
