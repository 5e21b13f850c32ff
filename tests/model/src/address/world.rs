//! All that the model knows of one address.

use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::agent::Release;
use ipam_core::release::{Holding, Look, ReleaseSettings, Releases, State, Usage};
use ipam_core::time::Tick;
use ipam_core::view::Contract;
use ipnet::Ipv4Net;

use super::agent::Agent;
use super::{Flaw, Handshake};

pub(crate) const UNIT: Duration = Duration::from_secs(1);
/// How old a reading may be, in units.
pub(crate) const SETTLE: u64 = 2;
/// For how long a call may be on its way, in units: nothing comes of it any more that many units after it was sent.
pub(crate) const CALL: u64 = 2;
/// For how long a write may be on its way, in units.
pub(crate) const WRITE: u64 = 1;
/// How late the watch of an operator is at most when another operator's writes may be on their way.
const WATCH: u64 = 2;

/// What stands in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Object {
    pub(crate) entry: Option<Release>,
    pub(crate) in_pool: bool,
    pub(crate) used: bool,
}

/// What an operator writes: one part of the object, whatever stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Write {
    Entry(Option<Release>),
    Pool(bool),
}

/// Which part an operator writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Entry,
    Pool,
}

/// An operator: its machine, the object as it saw it, what it was shown by EC2 and when, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) machine: Releases,
    pub(crate) seen: Object,
    pub(crate) shown: bool,
    pub(crate) read: u64,
    /// A call, since when, and whether EC2 has carried it out.
    pub(crate) call: Option<(u64, bool)>,
    pub(crate) write: Option<(u64, Write)>,
}

/// Everything there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) now: u64,
    /// Whether the interface has the address, and when that was last different.
    pub(crate) attached: bool,
    pub(crate) changed: u64,
    pub(crate) object: Object,
    /// When something of the object was last different.
    pub(crate) written: u64,
    /// Whether the node has the address to spare.
    pub(crate) spare: bool,
    pub(crate) leader: Operator,
    /// Whether the first operator was replaced; it may be paused, with a write and calls that leave late.
    pub(crate) replaced: bool,
    pub(crate) former_write: Option<(u64, Write)>,
    /// When that was, as long as it matters.
    pub(crate) took_over: u64,
    /// With [`Flaw::LeaderNotFenced`]: it goes on.
    pub(crate) former: Option<Box<Operator>>,
    /// Calls that nobody waits for any more, by when they were sent.
    pub(crate) late_calls: [Option<u64>; 2],
    pub(crate) agent: Agent,
}

pub(crate) fn settings() -> ReleaseSettings {
    ReleaseSettings {
        delay: UNIT * 2,
        agreed_for: UNIT,
        refused_for: UNIT,
        late_for: units_long(CALL + SETTLE),
        ..ReleaseSettings::default()
    }
}

pub(crate) fn net() -> Ipv4Net {
    Ipv4Net::from(Ipv4Addr::new(10, 0, 0, 4))
}

pub(crate) fn tick(units: u64) -> Tick {
    Tick::from_millis(0) + units_long(units)
}

pub(crate) fn units_long(units: u64) -> Duration {
    UNIT * u32::try_from(units).unwrap()
}

/// Worlds that differ in the hour alone, or in which of two equal pods it is, count once: what is hashed of moments is how long ago
/// they were, and nothing of those that make no difference any more.
impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let now = self.now;
        let ago = |at: u64| if at == 0 { 0 } else { now + 1 - at };
        (self.attached, ago(self.changed), ago(self.written), ago(self.took_over)).hash(hasher);
        (self.object, self.spare, self.replaced).hash(hasher);
        self.leader.hash_at(now, hasher);
        self.former_write.map(|(sent, write)| (now - sent, write)).hash(hasher);
        self.late_calls.map(|sent| sent.map(|sent| now - sent)).hash(hasher);
        if let Some(former) = &self.former {
            former.hash_at(now, hasher);
        }
        self.agent.hash_at(now, hasher);
    }
}

impl Operator {
    /// The machine counts as the same when it is in the same state and the same moments are to come, from now on.
    fn hash_at<H: Hasher>(&self, now: u64, hasher: &mut H) {
        let (machine, settings, moment) = (&self.machine, settings(), tick(now));
        let next = machine.deadline(moment, &settings).map(|at| at.since(moment));
        let is_settled = |until| tick(self.read) >= until;
        (machine.state(net()), next, machine.unsettled_since(moment).map(is_settled)).hash(hasher);
        machine.is_buried(net(), tick(self.read)).hash(hasher);
        machine.due(moment, &settings).next().is_some().hash(hasher);
        (self.seen, self.shown, self.read == now).hash(hasher);
        self.call.map(|(sent, landed)| (now - sent, landed)).hash(hasher);
        self.write.map(|(sent, write)| (now - sent, write)).hash(hasher);
    }

    fn usage(&self, flaw: Option<Flaw>) -> Usage {
        let address = net().addr();
        let entry = match self.seen.entry {
            Some(Release::Marked) if flaw == Some(Flaw::AgreementSkipped) => Some(Release::Ready),
            entry => entry,
        };
        Usage {
            is_certain: true,
            used: self.seen.used.then_some(address).into_iter().collect(),
            releases: entry.map(|entry| (address, entry)).into_iter().collect(),
            ..Usage::default()
        }
    }

    pub(crate) fn look(&mut self, of: &Handshake, now: u64, has_spare: bool) {
        let usage = self.usage(of.flaw);
        let read = Some(tick(self.read));
        let holding = self.shown.then(|| Holding { net: net(), eni: of.eni.clone(), read });
        let held = holding.as_slice();
        // What is on its way off does not count, as in the reconciler.
        let is_leaving = self.machine.state(net()) == Some(State::Leaving);
        let spare = u32::from(has_spare && self.shown && !is_leaving);
        let (contract, settle, now) = (Contract::PerIp, units_long(SETTLE), tick(now));
        let look = Look { now, contract, usage: &usage, held, spare, is_stranded: false, settle };
        self.machine.look(&of.settings, look);
    }

    /// What is to be written of a part, if something is.
    pub(crate) fn wants(&self, part: Part, flaw: Option<Flaw>) -> Option<Write> {
        match part {
            Part::Entry => {
                self.machine.state(net())?;
                let entries = self.machine.entries(&self.usage(flaw));
                entries.get(&net().addr()).map(|entry| Write::Entry(*entry))
            }
            Part::Pool => {
                let in_pool = self.shown && self.machine.withheld().next().is_none();
                (in_pool != self.seen.in_pool).then_some(Write::Pool(in_pool))
            }
        }
    }

    pub(crate) fn is_due(&self, settings: &ReleaseSettings, now: u64) -> bool {
        self.call.is_none() && self.machine.due(tick(now), settings).next().is_some()
    }
}

impl World {
    /// Whether the leader's watch is in time, as far as that is asked for: with one operator alone it may be as late as it likes.
    pub(crate) fn is_watched(&self) -> bool {
        let Object { entry, used, .. } = self.leader.seen;
        let is_new = (entry, used) == (self.object.entry, self.object.used);
        !self.replaced || is_new || self.now < self.written + WATCH
    }

    pub(crate) fn alter(&mut self, object: Object) {
        if object != self.object {
            (self.object, self.written) = (object, self.now);
        }
    }

    pub(crate) fn land(&mut self, write: Write) {
        let object = match write {
            Write::Entry(entry) => Object { entry, ..self.object },
            Write::Pool(in_pool) => Object { in_pool, ..self.object },
        };
        self.alter(object);
    }

    pub(crate) fn detach(&mut self) {
        if self.attached {
            (self.attached, self.changed) = (false, self.now);
        }
    }

    pub(crate) fn attach(&mut self) {
        (self.attached, self.changed) = (true, self.now);
    }

    /// A call is on its way, and nobody waits for it.
    pub(crate) fn leave_late(&mut self, sent: u64) {
        let place = usize::from(self.late_calls[0].is_some());
        self.late_calls[place] = Some(sent);
    }

    pub(crate) fn take_late_call(&mut self) {
        self.late_calls = [self.late_calls[1].take(), None];
    }

    /// The next unit of time. What is too long ago to make a difference is forgotten.
    pub(crate) fn pass(&mut self) {
        self.now += 1;
        let now = self.now;
        while self.late_calls[0].is_some_and(|sent| now >= sent + CALL) {
            self.take_late_call();
        }
        let is_over = |write: &mut (u64, Write)| now > write.0 + WRITE;
        self.leader.write.take_if(is_over);
        self.former_write.take_if(is_over);
        self.agent.pass(now);
        if now >= self.changed + SETTLE {
            self.changed = 0;
        }
        if now >= self.written + WATCH {
            self.written = 0;
        }
        if now >= self.took_over + CALL + SETTLE {
            self.took_over = 0;
        }
    }
}
