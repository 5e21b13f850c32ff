//! The ways to the API server and back, and what watchers hear.

use std::rc::Rc;
use std::time::Duration;

use ipam_core::ids::NodeName;
use ipam_core::time::Tick;

use super::nodes::NodeWake;
use super::{Wake, World};
use crate::api::{Ask, Change, Object, Problem, Said};
use crate::counters::Counter;
use crate::operator;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who hears the answer to a write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Back {
    /// A term of an operator.
    Operator { index: usize, life: u64, term: u64, number: u64 },
    /// The publications of an agent.
    Publisher { index: usize, life: u64 },
    /// Whatever keeps the object of an agent.
    Keeper { index: usize, life: u64 },
}

impl World {
    /// Until when somebody does not reach the API server.
    fn cut_until(&self, back: &Back) -> Tick {
        let own = match back {
            Back::Operator { index, .. } => self.operators[*index].without_api,
            Back::Publisher { index, .. } | Back::Keeper { index, .. } => {
                let node = self.nodes.get(index);
                node.map_or(Tick::default(), |node| node.without_api.max(node.without_writes))
            }
        };
        own.max(self.weather.api_away)
    }

    /// How long something is on its way.
    pub(super) fn way(&mut self) -> Duration {
        self.some(1, 20)
    }

    fn is_lossy(&self) -> bool {
        self.now < self.weather.api_lossy
    }

    /// Sends a write.
    pub(super) fn ask(&mut self, back: Back, ask: Ask) {
        if self.now < self.cut_until(&back) {
            let name = ask.name().clone();
            return self.reply(back, name, Err(Problem::Away), Duration::from_secs(1));
        }
        if self.is_lossy() && self.chance(250) {
            let name = ask.name().clone();
            return self.reply(back, name, Err(Problem::Away), PATIENCE);
        }
        // The API server tries for ten seconds at most, so that nothing is done any more when it is not waited for.
        let slow = self.now < self.weather.api_slow || self.is_lossy() && self.chance(200);
        let way = if slow { self.some(100, 9_000) } else { self.way() };
        self.queue.put(self.now + way, Wake::Ask { back, ask: Box::new(ask) });
    }

    pub(super) fn ask_arrives(&mut self, back: Back, ask: Ask) {
        let name = ask.name().clone();
        if self.now < self.weather.api_away {
            return self.reply(back, name, Err(Problem::Away), PATIENCE);
        }
        self.say(|| format!("api: {}", outline(&ask)));
        let (said, change) = self.api.handle(ask);
        match &said {
            Ok(_) => self.counters.add(Counter::Writes, 1),
            Err(_) => self.counters.add(Counter::Conflicts, 1),
        }
        if let Some(change) = change {
            if let Back::Publisher { index, .. } = back {
                self.watch.silent.remove(&index);
            }
            self.note_change(&change);
            self.broadcast(&change);
            self.collect_object(&change);
        }
        if self.is_lossy() && self.chance(250) || self.now < self.cut_until(&back) {
            return self.reply(back, name, Err(Problem::Away), Duration::from_secs(5));
        }
        let way = self.way();
        self.reply(back, name, said, way);
    }

    /// An object whose node is gone does not stay: its owner does not exist.
    fn collect_object(&mut self, change: &Change) {
        let is_owned = self.nodes.values().any(|node| node.name() == change.name());
        if is_owned {
            return;
        }
        if let Some(gone) = self.api.remove(change.name()) {
            self.note_change(&gone);
            self.broadcast(&gone);
        }
    }

    fn reply(&mut self, back: Back, name: NodeName, said: Said, way: Duration) {
        if said == Err(Problem::Away) {
            self.counters.add(Counter::WritesLost, 1);
        }
        let wake = match back {
            Back::Operator { index, life, term, number } => {
                let written = operator::Wake::Written { term, node: name, number, said };
                Wake::Operator(index, life, written)
            }
            Back::Publisher { index, life } => Wake::Node(index, life, NodeWake::Published(said)),
            Back::Keeper { index, life } => Wake::Node(index, life, NodeWake::Kept(said)),
        };
        self.queue.put(self.now + way, wake);
    }

    /// Lets all watchers hear of a change, each in its own time and in order.
    pub(super) fn broadcast(&mut self, change: &Change) {
        for index in 0..self.operators.len() {
            let operator = &self.operators[index];
            let Some(term) = operator.term.as_ref().filter(|term| term.listed) else { continue };
            let (life, number, watch) = (operator.life, term.number, term.watch);
            let at = self.heard_at(term.watched, operator.without_api);
            if let Some(term) = &mut self.operators[index].term {
                term.watched = at;
            }
            let wake = match change {
                Change::Seen(object) => {
                    let object = Rc::clone(object);
                    operator::Wake::Seen { term: number, watch, object }
                }
                Change::Gone(name) => {
                    operator::Wake::Gone { term: number, watch, name: name.clone() }
                }
            };
            self.queue.put(at, Wake::Operator(index, life, wake));
        }
        self.tell_agent(change);
    }

    fn tell_agent(&mut self, change: &Change) {
        let found = self.nodes.values().find(|node| node.name() == change.name());
        let Some(node) = found else { return };
        let Some(process) = node.process.as_ref().filter(|it| it.has_looked) else { return };
        let (index, life, watch) = (node.index, node.life, process.watch);
        let at = self.heard_at(process.watched, node.without_api);
        if let Some(process) = self.nodes.get_mut(&index).and_then(|node| node.process.as_mut()) {
            process.watched = at;
        }
        let object = match change {
            Change::Seen(object) => Some(Rc::clone(object)),
            Change::Gone(_) => None,
        };
        self.queue.put(at, Wake::Node(index, life, NodeWake::Heard { watch, object }));
    }

    /// When a watcher hears of what happens now.
    fn heard_at(&mut self, after: Tick, cut: Tick) -> Tick {
        let lag = if self.now < self.weather.watch_lag {
            self.rng.u64(0..20_000)
        } else {
            self.rng.u64(1..40)
        };
        let cut = cut.max(self.weather.api_away);
        let at = self.now.max(cut) + Duration::from_millis(lag);
        at.max(after)
    }

    /// Breaks all watches: what was on its way is lost, and everything is listed again.
    pub(super) fn break_watches(&mut self) {
        for index in 0..self.operators.len() {
            let pause = self.some(100, 5_000);
            let operator = &mut self.operators[index];
            let Some(term) = operator.term.as_mut().filter(|term| term.listed) else { continue };
            term.watch += 1;
            let wake = operator::Wake::Watch { term: term.number };
            self.queue.put(self.now + pause, Wake::Operator(index, operator.life, wake));
            self.counters.add(Counter::WatchesBroken, 1);
        }
        for index in self.nodes.keys().copied().collect::<Vec<_>>() {
            let pause = self.some(100, 5_000);
            let Some(node) = self.nodes.get_mut(&index) else { continue };
            let Some(process) = node.process.as_mut().filter(|it| it.has_looked) else { continue };
            process.watch += 1;
            let wake = Wake::Node(index, node.life, NodeWake::Look);
            self.queue.put(self.now + pause, wake);
            self.counters.add(Counter::WatchesBroken, 1);
        }
    }

    /// All objects, as a listing shows them.
    pub(super) fn listing(&self) -> Vec<Rc<Object>> {
        self.api.objects().cloned().collect()
    }
}

fn outline(ask: &Ask) -> String {
    let name = ask.name();
    match ask {
        Ask::EniStatus { enis, .. } => {
            let enis = enis.iter().map(|eni| {
                let (id, count) = (&eni.facts.id, eni.addresses.len());
                format!("{id}#{}:{count}", eni.facts.number)
            });
            format!("{name} status.eni = {}", enis.collect::<Vec<_>>().join(" "))
        }
        Ask::Releases { entries, .. } => format!("{name} release-ips = {entries:?}"),
        Ask::Pool { pool, .. } => format!("{name} pool = {} addresses", pool.len()),
        Ask::Error { error, .. } => format!("{name} error = {error:?}"),
        Ask::Used { used, answers, .. } => {
            format!("{name} used = {:?}, answers {answers:?}", used.keys())
        }
        Ask::Pools { requested, allocated, .. } => {
            format!("{name} requested = {}, allocated = {allocated:?}", requested.0)
        }
        Ask::Create(object) => format!("{name} created for {}", object.instance()),
        Ask::Delete { uid, .. } => format!("{name} of uid {uid} deleted"),
        Ask::Get { .. } => format!("{name} read"),
    }
}
