//! Between the core's calls and the simulated EC2: what `operator/src/aws` does by way of the AWS SDK, done on plain values.
//!
//! The same filters, pages and members; an answer that does not come whole is [`Failure::NoAnswer`], never an empty list.

mod ask;
mod failure;
mod read;

use std::time::Duration;

use ec2_sim::{Caller, Delivery, Ec2, Moment, Operation, Reply as Raw, Request as RawRequest};
use ipam_core::call::{Call, Read, Reply, Request};
use ipam_core::failure::Failure;
use ipam_core::time::Tick;

/// What came of a call.
pub(crate) struct Came {
    /// The answer, in the words of the core.
    pub(crate) answer: Result<Reply, Failure>,
    /// When it is there.
    pub(crate) at: Tick,
}

/// The clock on the wall of an operator: nobody says that it is right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wall {
    /// When the operator's own clock began, by that of the world.
    pub(crate) born: Tick,
    /// By how much it is fast.
    pub(crate) fast: Duration,
}

impl Wall {
    /// What it shows at a moment of the operator's own clock.
    fn at(&self, clock: Tick) -> Tick {
        self.born + Duration::from_millis(clock.as_millis()) + self.fast
    }
}

/// A moment of the simulation, to EC2.
pub(crate) const fn moment(at: Tick) -> Moment {
    Moment::from_micros(at.as_millis() * 1_000)
}

/// The first millisecond in which something of EC2's has happened.
fn tick(at: Moment) -> Tick {
    Tick::from_millis(at.as_micros().div_ceil(1_000))
}

/// Lets a call arrive at EC2.
///
/// `page` is how many items a page of a listing may have.
pub(crate) fn carry_out(
    ec2: &mut Ec2,
    now: Tick,
    (who, wall): (&str, &Wall),
    call: &Call,
    page: i64,
) -> Came {
    let caller = Caller {
        access_key: who.to_owned(),
        region: ec2.settings().region.clone(),
        user_agent: "berth".to_owned(),
    };
    if let Request::Read(Read::InstanceTypes { types }) = &call.request {
        return instance_types(ec2, now, &caller, types);
    }
    let operation = match &call.request {
        Request::Mutate(mutation) => ask::mutation(mutation, wall),
        Request::Read(read) => ask::read(read, page),
    };
    let (raw, at) = match operation {
        Ok(operation) => send(ec2, now, &caller, operation),
        // An id that the simulated EC2 would not even parse, it does not know.
        Err(unknown) => {
            let cause = unknown.to_string();
            return Came { answer: Err(Failure::NotSent { cause }), at: now };
        }
    };
    let understood = raw.and_then(|raw| {
        read::reply(&call.request, raw, now + wall.fast)
            .map_err(|cause| Failure::NoAnswer { cause })
    });
    Came { answer: understood, at }
}

/// What instance types can hold: the operator asks for all pages of it in one call.
fn instance_types(
    ec2: &mut Ec2,
    now: Tick,
    caller: &Caller,
    types: &[ipam_core::ids::InstanceType],
) -> Came {
    let (mut found, mut next, mut at) = (Vec::new(), None, now);
    loop {
        let (raw, ready) = send(ec2, now, caller, ask::instance_types(types, next));
        at = at.max(ready);
        match raw {
            Ok(Raw::DescribeInstanceTypes(listed)) => {
                found.extend(listed.items.iter().filter_map(|info| read::instance_type(info)));
                next = listed.next_token;
            }
            Ok(_) => {
                let cause = "another action was answered".to_owned();
                return Came { answer: Err(Failure::NoAnswer { cause }), at };
            }
            Err(failure) => return Came { answer: Err(failure), at },
        }
        if next.is_none() {
            return Came { answer: Ok(Reply::InstanceTypes(found)), at };
        }
    }
}

fn send(
    ec2: &mut Ec2,
    now: Tick,
    caller: &Caller,
    operation: Operation,
) -> (Result<Raw, Failure>, Tick) {
    let request = RawRequest { dry_run: false, operation };
    let answer = ec2.handle(moment(now), caller, request);
    let lost = |cause: &str| Err(Failure::NoAnswer { cause: cause.to_owned() });
    let seen = match answer.delivery {
        Delivery::Whole => answer.outcome.map_err(|error| failure::of(&error)),
        Delivery::Cut => lost("the connection was cut"),
        Delivery::Replaced { status, .. } => {
            lost(&format!("status {status} and no answer of EC2's"))
        }
        Delivery::Truncated { .. } => lost("the answer is cut off"),
    };
    (seen, tick(answer.ready_at))
}
