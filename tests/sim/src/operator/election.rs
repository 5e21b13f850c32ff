//! The election: the rules of `operator/src/kubernetes/{lease,leader}.rs`.
//!
//! A round reads, decides and writes. Here the API server does that in one step where nothing is known, and otherwise compares versions: who was beaten finds
//! out by that.

use std::time::Duration;

use ipam_core::time::Tick;

use crate::api::{Api, Lease};

/// How long others wait for a silent holder.
const DURATION: Duration = Duration::from_secs(15);
/// How long a holder leads after the start of its last successful renewal.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// How often the lease is looked at.
pub(crate) const RETRY: Duration = Duration::from_secs(2);
/// How long a round may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What a process knows of the election.
#[derive(Debug, Default)]
pub(crate) struct Election {
    /// The lease as it was seen last, and since when it is so, by its own clock.
    seen: Option<(Lease, Tick)>,
    /// Whether that is how it was read or written last.
    is_current: bool,
    /// Until when it leads for certain.
    holds_until: Option<Tick>,
    /// Tells rounds apart, and when the last one began.
    round: u64,
    began: Tick,
}

/// What a round asks of the API server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Its number.
    pub(crate) number: u64,
    /// The version that is to be replaced without reading; `None`: it is read first.
    version: Option<u64>,
}

/// What a round does to the lease.
pub(crate) enum Vote {
    /// It is one's own now, after somebody else's or after one's own.
    Kept(Lease),
    /// Somebody else holds it.
    Lost(Lease),
    /// Somebody was faster: it was another one than expected.
    Beaten(Lease),
}

impl Election {
    /// Until when a change may leave.
    pub(crate) fn leads_until(&self, clock: Tick) -> Option<Tick> {
        self.holds_until.filter(|until| clock < *until)
    }

    /// Begins a round.
    pub(crate) fn begin(&mut self, clock: Tick, me: usize) -> Round {
        (self.round, self.began) = (self.round + 1, clock);
        let mine = self.seen.map(|(lease, _)| lease).filter(|lease| lease.holder == Some(me));
        let version = mine.filter(|_| self.is_current).map(|lease| lease.version);
        // Until the answer is there, nobody knows what the lease is.
        self.is_current = false;
        Round { number: self.round, version }
    }

    /// Lets a round arrive at the API server.
    pub(crate) fn vote(&mut self, clock: Tick, me: usize, round: Round, api: &mut Api) -> Vote {
        let found = api.lease;
        if round.version.is_some_and(|version| version != found.version) {
            return Vote::Beaten(found);
        }
        let same = self.seen.filter(|(seen, _)| *seen == found);
        let since = same.map_or(clock, |(_, since)| since);
        let is_free = match found.holder {
            Some(holder) if holder == me => true,
            Some(_) => clock >= since + DURATION,
            None => true,
        };
        if !is_free {
            self.seen = Some((found, since));
            return Vote::Lost(found);
        }
        api.take_lease(found.version, Some(me)).map_or(Vote::Beaten(found), Vote::Kept)
    }

    /// Takes in how a round ended; `None` without an answer. A round that was given up says nothing any more.
    pub(crate) fn end(&mut self, clock: Tick, me: usize, round: u64, lease: Option<Lease>) {
        if round != self.round || clock > self.began + PATIENCE {
            return;
        }
        let Some(lease) = lease else { return };
        self.is_current = true;
        let same = self.seen.filter(|(seen, _)| *seen == lease);
        self.seen = Some((lease, same.map_or(clock, |(_, since)| since)));
        let holds = lease.holder == Some(me);
        self.holds_until = holds.then(|| self.began + RENEW_DEADLINE);
    }
}
