//! All that the model of a prefix knows.

use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::release::{ReleaseSettings, Releases};
use ipam_core::time::Tick;
use ipnet::Ipv4Net;

use super::{Flaw, Kind};

pub(crate) const UNIT: Duration = Duration::from_secs(1);
/// How old a reading may be, and for how long a call may be on its way, in units.
pub(crate) const SETTLE: u64 = 1;
pub(crate) const CALL: u64 = 2;
/// For how long a write may be on its way, in units.
pub(crate) const WRITE: u64 = 1;
/// How late agents see and write, and operators see, in units.
pub(crate) const LATE: u64 = 1;
/// How long an agreement stands, in units: more than all of this.
pub(crate) const AGREED: u8 = 5;

/// What stands in the object: whether the agent is shown the prefix, and whether it names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    pub(crate) shown: bool,
    pub(crate) named: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Agent {
    pub(crate) known: Option<Object>,
    /// Whether pods may get addresses of the prefix.
    pub(crate) keeps: bool,
    /// Whether it is left out, as far as anybody was told, and to be named again.
    pub(crate) left_out: bool,
    pub(crate) returning: bool,
    pub(crate) pods: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) machine: Releases,
    pub(crate) seen: Object,
    pub(crate) held: bool,
    pub(crate) read: u64,
    pub(crate) call: Option<(u64, bool)>,
    pub(crate) write: Option<(u64, bool)>,
    /// What it has written since it saw the object.
    pub(crate) has_written: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) attached: bool,
    pub(crate) changed: u64,
    pub(crate) object: Object,
    /// Since when something of it is there that the leader, or the agent, has not seen; 0 when there is nothing.
    pub(crate) unseen: u64,
    pub(crate) unseen_by_agent: u64,
    /// Since when it shows something else than the leader wants it to; 0 when it does not.
    pub(crate) owed: u64,
    pub(crate) spare: bool,
    pub(crate) leader: Operator,
    pub(crate) replaced: bool,
    pub(crate) former_write: Option<(u64, bool)>,
    pub(crate) late_call: Option<u64>,
    pub(crate) agent: Agent,
    /// Since when the agent keeps something else than it says; 0 when it does not.
    pub(crate) unsaid: u64,
}

pub(crate) fn prefix(last: u8) -> Ipv4Net {
    Ipv4Net::new(Ipv4Addr::new(10, 0, 0, last), 28).unwrap()
}

/// The prefix that leaves. Another one, which is in use, stays.
pub(crate) fn net() -> Ipv4Net {
    prefix(16)
}

pub(crate) fn tick(units: u64) -> Tick {
    Tick::from_millis(0) + long(units)
}

pub(crate) fn long(units: u64) -> Duration {
    UNIT * u32::try_from(units).unwrap()
}

pub(crate) fn settings(flaw: Option<Flaw>) -> ReleaseSettings {
    ReleaseSettings {
        delay: long(2),
        agreed_for: long(if flaw == Some(Flaw::AgreedInHaste) { 0 } else { AGREED.into() }),
        late_for: long(if flaw == Some(Flaw::FormerForgotten) { 0 } else { CALL + SETTLE }),
        ..ReleaseSettings::default()
    }
}

impl Hash for World {
    /// As the model of one address does it: how long ago, not when.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let ago = |at: u64| if at == 0 { 0 } else { self.now + 1 - at };
        (self.attached, ago(self.changed), self.object, ago(self.unseen)).hash(hasher);
        (
            self.spare,
            self.replaced,
            ago(self.unsaid),
            ago(self.unseen_by_agent),
            ago(self.owed),
            &self.agent,
        )
            .hash(hasher);
        self.former_write.map(|(sent, write)| (ago(sent), write)).hash(hasher);
        self.late_call.map(ago).hash(hasher);
        let Operator { machine, seen, held, read, call, write, has_written } = &self.leader;
        let (now, settings) = (tick(self.now), settings(None));
        let next = machine.deadline(now, &settings).map(|at| at.since(now));
        let is_settled = |until| tick(*read) >= until;
        (machine.state(net()), next, machine.unsettled_since(now).map(is_settled)).hash(hasher);
        machine.is_buried(net(), tick(*read)).hash(hasher);
        machine.is_heard_of(now, net()).hash(hasher);
        machine.due(now, &settings).next().is_some().hash(hasher);
        (seen, held, *read == self.now, has_written).hash(hasher);
        call.map(|(sent, landed)| (ago(sent), landed)).hash(hasher);
        write.map(|(sent, shown)| (ago(sent), shown)).hash(hasher);
    }
}

impl Agent {
    pub(crate) fn may_hand_out(&self) -> bool {
        self.keeps && self.known.is_some_and(|known| known.shown)
    }

    /// Whether it names the prefix when it writes.
    pub(crate) const fn names(&self) -> bool {
        self.keeps || self.returning
    }

    pub(crate) fn see(&mut self, kind: Kind, object: Object) {
        let before = self.known.replace(object);
        match kind {
            Kind::Cilium => {
                let is_new = before.is_none_or(|before| !before.shown);
                self.keeps = if object.shown { self.keeps || is_new } else { self.pods > 0 };
            }
            // Named, and shown, in the same object: nobody takes it off by now.
            Kind::Berth if self.returning && object.named => {
                (self.keeps, self.returning, self.left_out) = (object.shown, false, !object.shown);
            }
            Kind::Berth => {}
        }
    }
}

/// Since when something is so, 0 when it is not.
pub(crate) const fn since(is_so: bool, before: u64, now: u64) -> u64 {
    match (is_so, before) {
        (false, _) => 0,
        (true, 0) => now,
        (true, before) => before,
    }
}

/// A call that nobody waits for any more, if it can still be carried out.
pub(crate) fn late(call: Option<(u64, bool)>, now: u64) -> Option<u64> {
    call.filter(|(sent, landed)| !landed && now < sent + CALL).map(|(sent, _)| sent)
}

impl World {
    pub(crate) fn alter(&mut self, object: Object) {
        if object != self.object {
            for at in [&mut self.unseen, &mut self.unseen_by_agent] {
                *at = since(true, *at, self.now);
            }
        }
        self.object = object;
    }

    pub(crate) fn detach(&mut self) {
        if self.attached {
            (self.attached, self.changed) = (false, self.now);
        }
    }

    pub(crate) fn pass(&mut self) {
        self.now += 1;
        let now = self.now;
        self.late_call.take_if(|sent| now >= *sent + CALL);
        let is_over = |write: &mut (u64, bool)| now > write.0 + WRITE;
        self.leader.write.take_if(is_over);
        self.former_write.take_if(is_over);
        if now >= self.changed + SETTLE {
            self.changed = 0;
        }
    }
}
