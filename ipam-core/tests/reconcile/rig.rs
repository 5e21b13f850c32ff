//! The machine over the model of EC2, on a clock that only moves when nothing is left to do.
//!
//! A call takes half of its time to EC2 and half of it back, so that others act while it is on its way. After each
//! step the promises are audited on the truth.

use std::collections::BTreeMap;
use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::call::{Api, Assigned, Call, CallId, Reply, Request};
use ipam_core::failure::{Failure, Refusal};
use ipam_core::ids::NodeName;
use ipam_core::reconcile::{Allowance, Event, NodeSeen, ReconcileSettings, Reconciler};
use ipam_core::time::Tick;

use crate::agents::Agent;
use crate::cloud::{Answer, Cloud, refused};
use crate::text::instance_of;
use crate::truth::Silence;

/// What happens to a call instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is lost on its way to EC2.
    LostBefore,
    /// EC2 carries it out, and its answer is lost.
    LostAfter,
    /// It is given up, and EC2 carries it out afterwards.
    LostAndLate,
    /// It never leaves.
    NotSent,
    /// EC2 refuses it.
    Refused(Refusal),
    /// EC2 carries it out at once, and answers after this time with what was so then.
    AnswersLate(Duration),
    /// It is given up after ten minutes.
    Hangs,
    /// It brings one address or prefix less than was asked for.
    BringsLess,
    /// It is answered, and brings nothing.
    BringsNothing,
}

/// One fault for the call of an action that has so many before it.
pub(crate) fn once(api: Api, number: usize, fault: Fault) -> Faults {
    Box::new(move |call, before| (call.request.api() == api && before == number).then_some(fault))
}

/// A fault for every call of an action.
pub(crate) fn always(api: Api, fault: Fault) -> Faults {
    Box::new(move |call, _| (call.request.api() == api).then_some(fault))
}

enum Happening {
    Arrives(Call),
    Answered(CallId, Answer),
    Done(Box<dyn FnOnce(&mut Rig)>),
}

/// Decides from the call, and how many of its action there were before, what happens to it.
pub(crate) type Faults = Box<dyn FnMut(&Call, usize) -> Option<Fault>>;

/// The machine, EC2, the nodes, and what happened so far.
pub(crate) struct Rig {
    pub machine: Reconciler,
    pub cloud: Cloud,
    pub now: Tick,
    pub settings: ReconcileSettings,
    pub nodes: BTreeMap<NodeName, NodeSeen>,
    pub waiting: BTreeMap<NodeName, u32>,
    removed: BTreeMap<NodeName, NodeSeen>,
    pub faults: Faults,
    /// All calls, in the order in which they were handed out.
    pub sent: Vec<(Tick, Request)>,
    pub events: Vec<(Tick, Event)>,
    pub published: Vec<(Tick, NodeName)>,
    pub summaries: Vec<(Tick, NodeName)>,
    /// How long the answer to a reading is on its way, beyond the usual.
    pub slow_readings: Duration,
    /// After how many steps the promises are audited.
    pub audit_every: usize,
    /// For how long an interface may be loose.
    pub grace: Duration,
    /// Whether others changed what the machine has no way to know yet.
    pub is_stale: bool,
    /// How many calls are handed out and not answered.
    pub in_flight: usize,
    /// Since when a node is short and says nothing.
    pub silent: Silence,
    /// The agents of nodes that have one.
    pub agents: BTreeMap<NodeName, Agent>,
    /// Whether the next write of a node is lost.
    pub writes_fail: Box<dyn FnMut(&NodeName) -> bool>,
    made_of: BTreeMap<Api, usize>,
    queue: BTreeMap<(Tick, usize), Happening>,
    queued: usize,
    steps: usize,
}

impl Rig {
    pub(crate) fn over(cloud: Cloud, settings: ReconcileSettings) -> Self {
        let now = cloud.now.max(Tick::from_millis(1_000_000));
        let mut rig = Self {
            machine: Reconciler::new(settings.clone(), now),
            cloud,
            now,
            settings,
            nodes: BTreeMap::new(),
            waiting: BTreeMap::new(),
            removed: BTreeMap::new(),
            faults: Box::new(|_, _| None),
            sent: Vec::new(),
            events: Vec::new(),
            published: Vec::new(),
            summaries: Vec::new(),
            slow_readings: Duration::ZERO,
            audit_every: 1,
            grace: Duration::from_mins(5),
            is_stale: false,
            in_flight: 0,
            silent: BTreeMap::new(),
            agents: BTreeMap::new(),
            writes_fail: Box::new(|_| false),
            made_of: BTreeMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
            steps: 0,
        };
        rig.cloud.now = now;
        rig.cloud.enis.values_mut().for_each(|it| it.loose_since = now);
        rig
    }

    /// Hands in all nodes.
    pub(crate) fn start(&mut self) {
        for node in self.nodes.values() {
            self.machine.on_node(self.now, node.clone());
        }
        for (name, waiting) in &self.waiting {
            self.machine.on_waiting_pods(self.now, name, *waiting);
        }
        self.machine.on_nodes_listed(self.now);
        self.step();
    }

    /// Another operator takes over. What this one has sent is carried out, and nobody hears the answers.
    pub(crate) fn restart(&mut self) {
        self.begin(Allowance::new(&self.settings, self.now));
    }

    /// The Lease is lost and won again, by the same process.
    pub(crate) fn lead_again(&mut self) {
        self.begin(self.machine.allowance());
    }

    fn begin(&mut self, allowance: Allowance) {
        for happening in self.queue.values_mut() {
            *happening = match std::mem::replace(happening, Happening::Done(Box::new(|_| ()))) {
                Happening::Arrives(call) => {
                    Happening::Done(Box::new(move |rig| drop(rig.cloud.execute(&call.request))))
                }
                Happening::Answered(..) => Happening::Done(Box::new(|_| ())),
                done @ Happening::Done(_) => done,
            };
        }
        self.in_flight = 0;
        self.settings.token_salt.push('x');
        self.machine = Reconciler::with_allowance(self.settings.clone(), allowance, self.now);
        self.start();
    }

    /// Changes a node and hands it in.
    pub(crate) fn alter(&mut self, name: &NodeName, change: impl FnOnce(&mut NodeSeen)) {
        let node = self.nodes.get_mut(name).expect("a node");
        change(node);
        self.machine.on_node(self.now, node.clone());
        self.step();
    }

    pub(crate) fn set_waiting(&mut self, name: &NodeName, waiting: u32) {
        self.waiting.insert(name.clone(), waiting);
        self.machine.on_waiting_pods(self.now, name, waiting);
        self.step();
    }

    pub(crate) fn remove_node(&mut self, name: &NodeName) {
        let node = self.nodes.remove(name);
        self.removed.extend(node.map(|node| (name.clone(), node)));
        self.waiting.remove(name);
        self.machine.on_node_gone(self.now, name);
        self.step();
    }

    /// A node and its instance are no more.
    pub(crate) fn terminate(&mut self, name: &NodeName) {
        self.remove_node(name);
        self.removed.remove(name);
        self.cloud.terminate(instance_of(name).as_str());
    }

    /// A node that was removed is there again, as it was.
    pub(crate) fn bring_back(&mut self, name: &NodeName) {
        let Some(node) = self.removed.remove(name) else { return };
        self.machine.on_node(self.now, node.clone());
        self.nodes.insert(name.clone(), node);
        self.step();
    }

    /// Something that others do after a while.
    pub(crate) fn later(&mut self, after: Duration, deed: impl FnOnce(&mut Self) + 'static) {
        self.put(self.now + after, Happening::Done(Box::new(deed)));
    }

    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.run_while(end, |_| true);
        self.now = end;
        self.cloud.now = end;
    }

    /// Runs until something holds, for an hour at most.
    #[track_caller]
    pub(crate) fn run_until(&mut self, holds: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now;
        self.run_while(start + Duration::from_hours(1), |rig| !holds(rig));
        assert!(holds(self), "not within an hour: {}", self.describe());
        self.now.since(start)
    }

    /// As [`Self::run_until`], asking once a second only.
    #[track_caller]
    pub(crate) fn run_until_near(&mut self, holds: impl Fn(&Self) -> bool) -> Duration {
        const SECONDS_MAX: u64 = 3600;
        for seconds in 0..SECONDS_MAX {
            if holds(self) {
                return Duration::from_secs(seconds);
            }
            self.run(Duration::from_secs(1));
        }
        panic!("not within an hour: {}", self.describe());
    }

    fn run_while(&mut self, end: Tick, goes_on: impl Fn(&Self) -> bool) {
        const AT_ONE_MOMENT_MAX: usize = 3;
        let mut wakes = (self.now, 0);
        while goes_on(self) {
            let happens = self.queue.first_key_value().map(|((at, _), _)| *at);
            let deadline = self.machine.deadline().map(|at| at.max(self.now));
            let Some(next) = happens.into_iter().chain(deadline).min().filter(|it| *it <= end)
            else {
                break;
            };
            self.now = next;
            self.cloud.now = next;
            if happens == Some(next) {
                let (_, happening) = self.queue.pop_first().expect("something happens");
                self.happen(happening);
            } else {
                wakes = if wakes.0 == next { (next, wakes.1 + 1) } else { (next, 1) };
                assert!(wakes.1 <= AT_ONE_MOMENT_MAX, "woken in vain at {next:?}");
                self.machine.on_time(next);
            }
            self.step();
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives(call) => self.arrive(&call),
            Happening::Answered(call, answer) => {
                self.in_flight -= 1;
                self.machine.on_answer(self.now, call, answer);
            }
            Happening::Done(deed) => deed(self),
        }
    }

    /// Asks the machine everything it can be asked, then audits.
    pub(crate) fn step(&mut self) {
        while let Some(call) = self.machine.poll_call(self.now) {
            self.send(call);
        }
        while let Some(name) = self.machine.poll_publication() {
            if self.agents.contains_key(&name) {
                self.write_object(&name);
            }
            self.published.push((self.now, name));
        }
        while let Some(name) = self.machine.poll_summary() {
            self.summaries.push((self.now, name));
        }
        while let Some(event) = self.machine.poll_event() {
            self.events.push((self.now, event));
        }
        self.steps += 1;
        if self.steps.is_multiple_of(self.audit_every) {
            self.audit();
        }
    }

    fn send(&mut self, call: Call) {
        let api = call.request.api();
        let before = self.made_of.entry(api).or_default();
        let fault = (self.faults)(&call, *before);
        *before += 1;
        self.sent.push((self.now, call.request.clone()));
        self.in_flight += 1;
        let (id, way) = (call.id, latency(api) / 2);
        let cause = || String::from("lost by the model");
        match fault {
            None => self.put(self.now + way, Happening::Arrives(call)),
            Some(Fault::NotSent) => self.answer(way, id, Err(Failure::NotSent { cause: cause() })),
            Some(Fault::Refused(refusal)) => self.answer(2 * way, id, Err(refused(refusal))),
            Some(Fault::Hangs) => {
                self.answer(HUNG, id, Err(Failure::NoAnswer { cause: cause() }));
            }
            Some(Fault::AnswersLate(after)) => self.later(way, move |rig| {
                let answer = rig.cloud.execute(&call.request);
                rig.answer(after, id, answer);
            }),
            Some(Fault::BringsNothing) => {
                self.answer(2 * way, id, Ok(Reply::Assigned(Assigned::default())));
            }
            Some(Fault::BringsLess) => {
                self.put(
                    self.now + way,
                    Happening::Arrives(Call { id, request: less(call.request) }),
                );
            }
            Some(Fault::LostBefore) => self.lose(call, None),
            Some(Fault::LostAfter) => self.lose(call, Some(way)),
            Some(Fault::LostAndLate) => self.lose(call, Some(GIVEN_UP + 2 * way)),
        }
    }

    /// A call is given up, and carried out after a while, if ever.
    fn lose(&mut self, call: Call, carried_out: Option<Duration>) {
        let cause = String::from("lost by the model");
        self.answer(GIVEN_UP, call.id, Err(Failure::NoAnswer { cause }));
        if let Some(after) = carried_out {
            self.later(after, move |rig| drop(rig.cloud.execute(&call.request)));
        }
    }

    fn arrive(&mut self, call: &Call) {
        let api = call.request.api();
        let way = latency(api) / 2;
        if self.cloud.api_is_throttled(api) {
            return self.answer(way, call.id, Err(Failure::Throttled));
        }
        let answer = self.cloud.execute(&call.request);
        let slow = if api.is_mutation() { Duration::ZERO } else { self.slow_readings };
        self.answer(way + slow, call.id, answer);
    }

    fn answer(&mut self, after: Duration, call: CallId, answer: Answer) {
        self.put(self.now + after, Happening::Answered(call, answer));
    }

    fn put(&mut self, at: Tick, happening: Happening) {
        self.queued += 1;
        self.queue.insert((at, self.queued), happening);
    }

    /// The changes that were handed out, one a line.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&NodeName, &Action)> {
        self.sent.iter().filter_map(|(_, request)| match request {
            Request::Mutate(mutation) => Some((mutation.node.as_ref()?, &mutation.action)),
            Request::Read(_) => None,
        })
    }

    /// How many calls of an action were handed out.
    pub(crate) fn count(&self, api: Api) -> usize {
        self.made_of.get(&api).copied().unwrap_or(0)
    }

    /// The last that happened, for a failing test.
    pub(crate) fn describe(&self) -> String {
        const SHOWN: usize = 40;
        let tail = &self.events[self.events.len().saturating_sub(SHOWN)..];
        let lines = tail.iter().map(|(at, event)| format!("{}: {event:?}", at.as_millis()));
        let states = self.nodes.keys().take(4).filter_map(|name| self.machine.summary(name));
        let states: Vec<String> = states.map(|it| format!("{it:?}")).collect();
        let lines: Vec<String> = lines.collect();
        format!("at {}:\n{}\n{}", self.now.as_millis(), lines.join("\n"), states.join("\n"))
    }
}

/// After this time a call without an answer is given up.
const GIVEN_UP: Duration = Duration::from_secs(3);
/// After this time a call that hangs is given up.
const HUNG: Duration = Duration::from_mins(10);

/// The same call for one address or prefix less.
fn less(mut request: Request) -> Request {
    if let Request::Mutate(mutation) = &mut request
        && let Action::AssignAddresses { count, .. } | Action::AssignPrefixes { count, .. } =
            &mut mutation.action
    {
        *count = count.saturating_sub(1).max(1);
    }
    request
}

/// What calls typically take (figures seen in the field, rounded).
fn latency(api: Api) -> Duration {
    Duration::from_millis(match api {
        Api::AssignPrivateIpAddresses | Api::AssignIpv6Addresses => 500,
        Api::CreateNetworkInterface | Api::UnassignPrivateIpAddresses => 400,
        Api::AttachNetworkInterface => 700,
        Api::ModifyNetworkInterfaceAttribute => 250,
        Api::DeleteNetworkInterface | Api::DescribeSecurityGroups => 300,
        Api::DescribeRouteTables => 900,
        _ => 150,
    })
}
