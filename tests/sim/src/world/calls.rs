//! Calls of operators to EC2, on their way there and back.

use std::time::Duration;

use ipam_core::call::{Call, CallId, Reply, Request};
use ipam_core::failure::Failure;
use ipam_core::time::Tick;

use super::{Wake, World};
use crate::cloud::{self, Wall};
use crate::counters::Counter;
use crate::operator::Wake as Own;
use crate::planted;

/// How long an answer of EC2's is waited for (`--ec2-timeout`).
const EC2_PATIENCE: Duration = Duration::from_secs(30);

impl World {
    /// Sends a call. One that changes something is sent only by who leads at that very moment.
    pub(super) fn send_call(&mut self, index: usize, call: Call) {
        let operator = &self.operators[index];
        let (life, term, id) = (operator.life, operator.terms, call.id);
        let clock = operator.clock(self.now);
        let is_mutation = matches!(call.request, Request::Mutate(_));
        let leads = operator.election.leads_until(clock).is_some();
        let is_cut = self.now < operator.without_ec2;
        if is_mutation && !leads {
            self.counters.add(Counter::Fenced, 1);
            if !planted::is(planted::Bug::LeaderNotFenced) {
                return self.not_sent(index, term, id, "the Lease is lost");
            }
        }
        if is_cut {
            return self.not_sent(index, term, id, "no connection");
        }
        self.note_sent(index, &call);
        let slow = self.now < self.weather.cloud_slow;
        let way = if slow { self.some(50, 25_000) } else { self.way() };
        let sent = self.now;
        let wake = Wake::Call { operator: index, life, term, sent, call: Box::new(call) };
        self.queue.put(self.now + way, wake);
    }

    fn not_sent(&mut self, index: usize, term: u64, id: CallId, cause: &str) {
        let answer = Box::new(Err(Failure::NotSent { cause: cause.to_owned() }));
        self.later(index, Duration::from_millis(2), Own::Answered { term, id, answer });
    }

    /// The first operator's clock on the wall is right, that of the other one is fast.
    fn wall(&self, index: usize) -> Wall {
        let fast = if index == 0 { Duration::ZERO } else { self.scenario.region.fast };
        Wall { born: self.operators[index].world(Tick::default()), fast }
    }

    /// A call arrives, be it that nobody waits for it any more.
    pub(super) fn call_arrives(
        &mut self,
        (index, life, term): (usize, u64, u64),
        sent: Tick,
        call: &Call,
    ) {
        let who = format!("op{index}");
        let mutation = match &call.request {
            Request::Mutate(mutation) => Some(mutation),
            Request::Read(_) => None,
        };
        if let Some(mutation) = mutation {
            self.check_release(mutation);
            self.check_clean_up(mutation);
        }
        let page = self.scenario.region.page.into();
        let wall = self.wall(index);
        let came = cloud::carry_out(&mut self.ec2, self.now, (&who, &wall), call, page);
        self.note_answer(index, call, &came.answer);
        if let Some(mutation) = mutation.filter(|_| may_have_happened(&came.answer)) {
            self.check_cap((index, life), sent, mutation);
        }
        let given_up = sent + EC2_PATIENCE;
        let (at, answer) = if given_up < came.at {
            self.counters.add(Counter::LateAnswers, 1);
            (given_up, Err(Failure::NoAnswer { cause: "none in time".to_owned() }))
        } else if self.now < self.operators[index].without_ec2 {
            (given_up, Err(Failure::NoAnswer { cause: "no connection".to_owned() }))
        } else {
            (came.at, came.answer)
        };
        if let Some(mutation) = mutation {
            let operator = &self.operators[index];
            let is_heard = operator.life == life
                && operator.term.as_ref().is_some_and(|known| known.number == term);
            self.note_release((index, term), mutation, &answer, is_heard);
        }
        self.answer(index, life, term, (at, call.id, answer));
    }

    fn answer(
        &mut self,
        index: usize,
        life: u64,
        term: u64,
        (at, id, answer): (Tick, CallId, Result<Reply, Failure>),
    ) {
        let wake = Own::Answered { term, id, answer: Box::new(answer) };
        self.queue.put(at.max(self.now), Wake::Operator(index, life, wake));
    }
}

fn may_have_happened(answer: &Result<Reply, Failure>) -> bool {
    answer.as_ref().err().is_none_or(Failure::may_have_happened)
}
