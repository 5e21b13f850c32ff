//! A process of the operator: the election, and while it leads a term with the machine and what publishes.
//!
//! This is `operator/src/shell` on plain values: the same order of things, the same bounds, and the same rule for what may leave. Its clock begins
//! with the process, as the real one does.

mod election;
mod publisher;
mod render;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use ipam_core::call::CallId;
use ipam_core::call::Reply;
use ipam_core::failure::Failure;
use ipam_core::ids::NodeName;
use ipam_core::reconcile::{Allowance, ReconcileSettings, Reconciler};
use ipam_core::time::Tick;

pub(crate) use self::election::{Election, PATIENCE, RETRY, Round, Vote};
pub(crate) use self::publisher::Publisher;
pub(crate) use self::render::render;
use crate::api::{Lease, Object, Said};

/// Calls on their way at once (`--ec2-calls-in-flight`).
pub(crate) const CALLS_AT_ONCE: usize = 16;

/// What a process of the operator is woken by.
#[derive(Debug)]
pub(crate) enum Wake {
    /// A round of the election begins.
    Round,
    /// A round of the election is over: the lease as it is, and whether it is one's own; `None` without an answer.
    Voted { round: u64, lease: Option<Lease> },
    /// The lease may have run out.
    Expired,
    /// The machine or the publisher has something to do.
    Turn,
    /// A call was answered.
    Answered { term: u64, id: CallId, answer: Box<Result<Reply, Failure>> },
    /// A write was answered.
    Written { term: u64, node: NodeName, number: u64, said: Said },
    /// A watch has something: objects that are new or different.
    Seen { term: u64, watch: u64, object: Rc<Object> },
    /// An object is gone.
    Gone { term: u64, watch: u64, name: NodeName },
    /// A watch has listed all objects.
    Listed { term: u64, watch: u64, objects: Vec<Rc<Object>> },
    /// How many pods of a node wait.
    Waiting { term: u64, name: NodeName, count: u32 },
    /// The watch of a term (re)connects.
    Watch { term: u64 },
}

/// A process of the operator.
#[derive(Debug)]
pub(crate) struct Operator {
    /// Its number.
    pub(crate) index: usize,
    /// How many processes there were before it. What is for another one is for nobody.
    pub(crate) life: u64,
    /// Whether it runs.
    pub(crate) is_up: bool,
    /// When it was started.
    born: Tick,
    /// What comes while it stands still, in order; `None` while it does not.
    pub(crate) paused: Option<Vec<Wake>>,
    /// Its part in the election.
    pub(crate) election: Election,
    /// Its term, while it leads.
    pub(crate) term: Option<Box<Term>>,
    /// What it may still do, as its last term left it.
    allowance: Option<Allowance>,
    /// How many terms there were.
    pub(crate) terms: u64,
    /// The turn that is to come, by the clock of the world.
    pub(crate) turn_at: Option<Tick>,
    /// When it is looked whether the lease has run out, by the clock of the world.
    pub(crate) expires_at: Option<Tick>,
    /// Until when it does not reach the API server, and EC2.
    pub(crate) without_api: Tick,
    pub(crate) without_ec2: Tick,
}

/// A machine and everything around it.
#[derive(Debug)]
pub(crate) struct Term {
    /// Its number.
    pub(crate) number: u64,
    /// The machine.
    pub(crate) machine: Reconciler,
    /// What publishes.
    pub(crate) publisher: Publisher,
    /// The calls on their way.
    pub(crate) calls: BTreeSet<CallId>,
    /// When it began, by the clock of the world.
    pub(crate) began: Tick,
    /// Whether all nodes were listed once.
    pub(crate) listed: bool,
    /// The nodes that its watch has.
    pub(crate) known: BTreeMap<NodeName, Rc<Object>>,
    /// Nodes that the machine wanted published.
    pub(crate) offered: BTreeSet<NodeName>,
    /// Tells its watches apart.
    pub(crate) watch: u64,
    /// When the last thing that its watch brings is there.
    pub(crate) watched: Tick,
}

impl Operator {
    /// A process that is not started.
    pub(crate) fn new(index: usize) -> Self {
        Self {
            index,
            life: 0,
            is_up: false,
            born: Tick::default(),
            paused: None,
            election: Election::default(),
            term: None,
            allowance: None,
            terms: 0,
            turn_at: None,
            expires_at: None,
            without_api: Tick::default(),
            without_ec2: Tick::default(),
        }
    }

    /// Starts it.
    pub(crate) fn start(&mut self, now: Tick) {
        (self.life, self.is_up, self.born) = (self.life + 1, true, now);
        (self.election, self.turn_at, self.expires_at) = (Election::default(), None, None);
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        (self.life, self.is_up, self.paused, self.term) = (self.life + 1, false, None, None);
        self.allowance = None;
    }

    /// Its own clock.
    pub(crate) const fn clock(&self, now: Tick) -> Tick {
        Tick::from_millis(now.as_millis().saturating_sub(self.born.as_millis()))
    }

    /// A moment of its own clock, by the clock of the world.
    pub(crate) fn world(&self, at: Tick) -> Tick {
        self.born + Duration::from_millis(at.as_millis())
    }

    /// Ends its term.
    pub(crate) fn step_down(&mut self) {
        self.allowance = self.term.take().map(|term| term.machine.allowance());
    }

    /// Begins a term, whose machine knows nothing but what it may still do.
    pub(crate) fn begin(&mut self, now: Tick, settings: &ReconcileSettings) {
        self.terms += 1;
        let clock = self.clock(now);
        let mut settings = settings.clone();
        // Client tokens of one term are never those of another: the number of the process stands for its name.
        settings.token_salt = format!("{}-{}-{}", self.index, self.life, clock.as_millis());
        let allowance = self.allowance.take();
        let allowance = allowance.unwrap_or_else(|| Allowance::new(&settings, clock));
        self.term = Some(Box::new(Term {
            number: self.terms,
            began: now,
            machine: Reconciler::with_allowance(settings, allowance, clock),
            publisher: Publisher::default(),
            calls: BTreeSet::new(),
            listed: false,
            known: BTreeMap::new(),
            offered: BTreeSet::new(),
            watch: 0,
            watched: now,
        }));
    }
}

impl Term {
    /// A node is gone.
    pub(crate) fn forget(&mut self, clock: Tick, name: &NodeName) {
        self.known.remove(name);
        self.offered.remove(name);
        self.publisher.forget(name);
        self.machine.on_node_gone(clock, name);
    }
}
