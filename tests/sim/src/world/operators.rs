//! The processes of the operator.

use std::rc::Rc;
use std::time::Duration;

use ipam_core::ids::NodeName;
use ipam_core::reconcile::{Event, Finding};
use ipam_core::time::Tick;

use super::wire::Back;
use super::{Wake, World};
use crate::api::{Ask, Lease};
use crate::counters::Counter;
use crate::operator::{CALLS_AT_ONCE, PATIENCE, RETRY, Round, Vote, Wake as Own, render};

/// How often the machine is asked while as many calls are on their way as may be.
const SATURATED_PAUSE: Duration = Duration::from_millis(100);

impl World {
    pub(super) fn start_operator(&mut self, index: usize) {
        self.operators[index].start(self.now);
        self.say(|| format!("op{index}: starts"));
        self.later(index, Duration::from_millis(10), Own::Round);
    }

    /// Wakes a process after some time, if it is still the same then.
    pub(super) fn later(&mut self, index: usize, after: Duration, wake: Own) {
        let life = self.operators[index].life;
        self.queue.put(self.now + after, Wake::Operator(index, life, wake));
    }

    pub(super) fn wake_operator(&mut self, index: usize, life: u64, wake: Own) {
        let operator = &mut self.operators[index];
        if operator.life != life || !operator.is_up {
            return;
        }
        if let Some(paused) = &mut operator.paused {
            paused.push(wake);
            return;
        }
        self.take_in(index, wake);
        self.advance(index);
    }

    fn take_in(&mut self, index: usize, wake: Own) {
        let clock = self.operators[index].clock(self.now);
        match wake {
            Own::Round => self.round(index),
            Own::Voted { round, lease } => {
                let operator = &mut self.operators[index];
                operator.election.end(clock, index, round, lease);
                self.stand(index);
            }
            Own::Expired => {
                self.operators[index].expires_at = None;
                self.stand(index);
            }
            Own::Turn => self.operators[index].turn_at = None,
            Own::Watch { term } => self.list_for(index, term),
            wake => self.take_in_term(index, clock, wake),
        }
    }

    /// What is for a term; what is for another one is for nobody.
    fn take_in_term(&mut self, index: usize, clock: Tick, wake: Own) {
        let Some(term) = self.operators[index].term.as_deref_mut() else { return };
        match wake {
            Own::Answered { term: of, id, answer } if of == term.number => {
                term.calls.remove(&id);
                term.machine.on_answer(clock, id, *answer);
            }
            Own::Written { term: of, node, number, said } if of == term.number => {
                term.publisher.on_written(clock, &node, number, said);
            }
            Own::Seen { term: of, watch, object } if (of, watch) == (term.number, term.watch) => {
                term.known.insert(object.name.clone(), Rc::clone(&object));
                term.publisher.on_observed(&object);
                term.machine.on_node(clock, object.seen());
            }
            Own::Gone { term: of, watch, name } if (of, watch) == (term.number, term.watch) => {
                term.forget(clock, &name);
            }
            Own::Listed { term: of, watch, objects }
                if (of, watch) == (term.number, term.watch) =>
            {
                let gone =
                    term.known.keys().filter(|name| !objects.iter().any(|it| it.name == **name));
                for name in gone.cloned().collect::<Vec<_>>() {
                    term.forget(clock, &name);
                }
                for object in objects {
                    term.known.insert(object.name.clone(), Rc::clone(&object));
                    term.publisher.on_observed(&object);
                    term.machine.on_node(clock, object.seen());
                }
                if term.watch == 0 {
                    term.machine.on_nodes_listed(clock);
                }
            }
            Own::Waiting { term: of, name, count } if of == term.number => {
                term.machine.on_waiting_pods(clock, &name, count);
            }
            _ => {}
        }
    }

    fn round(&mut self, index: usize) {
        self.later(index, RETRY, Own::Round);
        let cut = self.operators[index].without_api.max(self.weather.api_away);
        let clock = self.operators[index].clock(self.now);
        let round = self.operators[index].election.begin(clock, index);
        let is_lost = self.now < cut || self.now < self.weather.api_lossy && self.chance(250);
        if !is_lost {
            let (life, way) = (self.operators[index].life, self.way());
            self.queue.put(self.now + way, Wake::Vote { operator: index, life, round });
        }
    }

    pub(super) fn vote_arrives(&mut self, index: usize, life: u64, round: Round) {
        let operator = &mut self.operators[index];
        if operator.life != life || self.now < self.weather.api_away {
            return;
        }
        let before = self.api.lease.holder;
        let clock = operator.clock(self.now);
        let vote = operator.election.vote(clock, index, round, &mut self.api);
        let lease: Lease = match vote {
            Vote::Kept(lease) => {
                if before != Some(index) {
                    self.say(|| format!("op{index}: takes the Lease from {before:?}"));
                    self.counters.add(Counter::FailOvers, u64::from(before.is_some()));
                }
                lease
            }
            Vote::Lost(lease) => lease,
            Vote::Beaten(lease) => {
                self.counters.add(Counter::Beaten, 1);
                lease
            }
        };
        let is_lost = self.now < self.weather.api_lossy && self.chance(250)
            || self.now < self.operators[index].without_api;
        if !is_lost {
            let way = self.way();
            let voted = Own::Voted { round: round.number, lease: Some(lease) };
            self.queue.put(self.now + way, Wake::Operator(index, life, voted));
        }
    }

    /// Begins a term when the lease is won, and ends it when it is lost.
    fn stand(&mut self, index: usize) {
        let clock = self.operators[index].clock(self.now);
        let operator = &mut self.operators[index];
        let until = operator.election.leads_until(clock);
        match (until, operator.term.is_some()) {
            (Some(until), has_term) => {
                if operator.expires_at.is_none() {
                    let at = operator.world(until);
                    operator.expires_at = Some(at);
                    self.queue.put(at, Wake::Operator(index, operator.life, Own::Expired));
                }
                if !has_term {
                    self.begin_term(index);
                }
            }
            (None, true) => {
                operator.step_down();
                self.say(|| format!("op{index}: leads no more"));
            }
            (None, false) => {}
        }
    }

    fn begin_term(&mut self, index: usize) {
        let settings = self.settings.clone();
        let operator = &mut self.operators[index];
        operator.begin(self.now, &settings);
        let term = operator.terms;
        self.counters.add(Counter::Terms, 1);
        self.say(|| format!("op{index}: leads, term {term}"));
        self.later(index, Duration::from_millis(5), Own::Watch { term });
    }

    /// Lists all objects for the watch of a term, which hears of all that changes from then on.
    fn list_for(&mut self, index: usize, number: u64) {
        let cut = self.operators[index].without_api.max(self.weather.api_away);
        if self.now < cut {
            return self.later(index, Duration::from_secs(1), Own::Watch { term: number });
        }
        let (objects, way) = (self.listing(), self.way());
        let at = self.now + way;
        let Some(term) = self.operators[index].term.as_deref_mut() else { return };
        if term.number != number {
            return;
        }
        (term.listed, term.watched) = (true, at);
        let listed = Own::Listed { term: number, watch: term.watch, objects };
        self.later(index, way, listed);
        for name in self.nodes.values().map(|node| node.name().clone()).collect::<Vec<_>>() {
            self.tell_waiting(&name);
        }
    }

    /// Carries out what the machine wants, until it wants nothing more.
    pub(super) fn advance(&mut self, index: usize) {
        let clock = self.operators[index].clock(self.now);
        self.ring(index, clock);
        loop {
            let Some(term) = self.operators[index].term.as_deref_mut() else { return };
            if term.calls.len() >= CALLS_AT_ONCE {
                break;
            }
            let Some(call) = term.machine.poll_call(clock) else { break };
            term.calls.insert(call.id);
            self.send_call(index, call);
        }
        self.settle_term(index, clock);
        self.schedule_turn(index, clock);
    }

    fn ring(&mut self, index: usize, clock: Tick) {
        let Some(term) = self.operators[index].term.as_deref_mut() else { return };
        if term.machine.deadline().is_some_and(|at| at <= clock) {
            term.machine.on_time(clock);
        }
    }

    /// Everything but calls.
    fn settle_term(&mut self, index: usize, clock: Tick) {
        let policy = self.policy.clone();
        let mut writes = Vec::new();
        let mut lines = Vec::new();
        let Some(term) = self.operators[index].term.as_deref_mut() else { return };
        while let Some(event) = term.machine.poll_event() {
            if let Event::Found { finding: Finding::GroupsContested { eni, .. }, .. } = &event {
                self.watch.contested.insert(eni.clone());
            }
            lines.extend(outline(&event));
        }
        while let Some(name) = term.machine.poll_publication() {
            term.publisher.on_wanted(&name);
            term.offered.insert(name);
        }
        while term.machine.poll_summary().is_some() {}
        let (machine, offered) = (&term.machine, &term.offered);
        let rendered = |name: &NodeName| {
            let node = offered.contains(name).then(|| machine.node(name)).flatten()?;
            let is_known = node.enis.iter().any(|eni| eni.attachment.is_some());
            let summary = machine.summary(name).filter(|_| is_known)?;
            let giving_back = machine.giving_back(name);
            Some(render(node, machine.network(), &policy, summary.obstacle(), giving_back))
        };
        while let Some(write) = term.publisher.poll_write(clock, rendered) {
            writes.push(write);
        }
        let number = term.number;
        for line in lines {
            self.say(|| format!("op{index}: {line}"));
        }
        for (write, ask) in writes {
            self.send_write(index, number, write, ask);
        }
    }

    fn send_write(&mut self, index: usize, term: u64, number: u64, ask: Ask) {
        let operator = &self.operators[index];
        let clock = operator.clock(self.now);
        let back = Back::Operator { index, life: operator.life, term, number };
        if operator.election.leads_until(clock).is_some() {
            if matches!(&ask, Ask::Error { error: Some(_), .. })
                || matches!(&ask, Ask::EniStatus { error: Some(Some(_)), .. })
            {
                self.counters.add(Counter::Reasons, 1);
            }
            self.ask(back, ask);
        } else {
            let said = Err(crate::api::Problem::Away);
            let wake = Own::Written { term, node: ask.name().clone(), number, said };
            self.later(index, Duration::from_millis(1), wake);
        }
    }

    fn schedule_turn(&mut self, index: usize, clock: Tick) {
        let operator = &self.operators[index];
        let Some(term) = operator.term.as_deref() else { return };
        let of_machine = term.machine.deadline().map(|at| {
            let saturated = term.calls.len() >= CALLS_AT_ONCE;
            at.max(clock + if saturated { SATURATED_PAUSE } else { Duration::from_millis(1) })
        });
        let next = [of_machine, term.publisher.deadline()].into_iter().flatten().min();
        let Some(next) = next.map(|next| next.max(clock + Duration::from_millis(1))) else {
            return;
        };
        let (at, life) = (operator.world(next), operator.life);
        if operator.turn_at.is_none_or(|known| known <= self.now || at < known) {
            self.operators[index].turn_at = Some(at);
            self.queue.put(at, Wake::Operator(index, life, Own::Turn));
        }
    }

    /// Lets a process go on that stood still. What came meanwhile is taken in in any order in which it may be.
    pub(super) fn resume_operator(&mut self, index: usize) {
        let Some(mut paused) = self.operators[index].paused.take() else { return };
        // What ends the term need not be seen first.
        if self.rng.bool() {
            paused
                .sort_by_key(|wake| matches!(wake, Own::Expired | Own::Voted { .. } | Own::Round));
        }
        self.say(|| format!("op{index}: goes on with {} things that came meanwhile", paused.len()));
        for wake in paused {
            self.take_in(index, wake);
            self.advance(index);
        }
        self.stand(index);
        self.advance(index);
    }

    /// The machine of who leads, with the number of the operator.
    pub(super) fn leader(&self) -> Option<(usize, &crate::operator::Term)> {
        let mut leads = self.operators.iter().filter(|operator| {
            operator.is_up && operator.election.leads_until(operator.clock(self.now)).is_some()
        });
        leads.find_map(|operator| Some((operator.index, operator.term.as_deref()?)))
    }
}

/// What of an event is worth a line.
fn outline(event: &Event) -> Option<String> {
    match event {
        Event::Sent { .. } => None,
        event => Some(format!("{event:?}")),
    }
}

// A round that is not answered in time is over before the next but one begins.
const _: () = assert!(PATIENCE.as_secs() > RETRY.as_secs());
