//! The operator's side of giving addresses back: what leaves a node, when, and how the node's agent agrees to it.
//!
//! What leaves is a single address or a whole /28 prefix, here a *unit*. A unit is on its way in the states of [`State`]; [`step()`]
//! is the table of both contracts:
//!
//! | state | per-IP: entries of `release-ips` | CIDR: `status.eni` | ends when |
//! |---|---|---|---|
//! | waiting | none | shown | it has been one too many for the delay |
//! | asked | `marked-for-release` | not shown any more | the agent has agreed, for all of its addresses |
//! | agreed | `ready-for-release` | not shown, and not allocated | nothing has changed for a while: it is unassigned |
//! | leaving | | not shown | EC2 answers |
//! | doubtful | | not shown | a reading that is late enough shows whether it is there |
//! | gone | `released` is to be said | not shown | it is said |
//! | told | until the agent removes them | not shown | no reading can be older than the release |
//! | returned | are to be removed | | they are |
//! | cancelled | are to be removed | | they are, and a refusal is long enough ago |
//!
//! **Restart.** What is on its way stands in the `CiliumNode`, and at EC2. A new operator goes on with what the agent was asked, if
//! the node still has it to spare. Where an agent has agreed already, a former operator may have unassigned it a moment ago: that
//! is doubtful, until a reading is late enough. Nothing is given back to an agent before. And a former operator may have called off
//! what it asked for, by a write that is still on its way: nothing that it asked for is unassigned before that would be there.
//!
//! **The agent's last word.** Between the agent's look and its answer a pod may come. So an agreement has to stand for longer than agents
//! take to publish a use, and is looked at again when the call leaves. Agents of the CIDR contract take back what they gave
//! up as long as `status.eni` shows it, and without asking: so it is not shown any more before it is unassigned. And what they do not name
//! counts as given up only when they have written something since it was seen that they are shown it.
//!
//! **Stranded.** An agent may give up a CIDR and not take it back when it needs one (cilium/cilium#47910). It is of no use to its node
//! then, and counts as available all the same. So one that the agent has named before leaves, like any other, when the agent asks
//! for more than it names for as long as the delay while it is shown; what the node needs comes anew. One that was never named is no such CIDR:
//! nothing tells that its agent would take another.
//!
//! **Buried.** A reading that is older than a release shows what is gone. [`Releases::is_buried`] says so, for as long as such a reading
//! may still be on its way; and what is released is no address of the node again before its entry is gone.

mod choose;
mod heard;
mod step;
mod usage;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;

use ipnet::Ipv4Net;

use crate::agent::Release;
use crate::ids::EniId;
use crate::prefix::{addresses_of, block_of};
use crate::time::Tick;
use crate::view::Contract;

use heard::Heard;
use usage::overlap;

pub use step::{Facts, Held, Said, State, step};
pub use usage::{Usage, size};

/// When and how fast addresses are given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseSettings {
    /// Whether at all.
    pub is_on: bool,
    /// How long a node has an address to spare before its agent is asked for it.
    pub delay: Duration,
    /// How long an agreement has to stand. Cilium's agents publish what is used within 15 seconds.
    pub agreed_for: Duration,
    /// After a refusal the agent is not asked for the same again for so long.
    pub refused_for: Duration,
    /// This long after a call was given up, or after its operator was replaced, nothing comes of it any more that a reading would not
    /// show.
    pub late_for: Duration,
    /// Addresses that may be given back per hour by all nodes, at most; `None` without limit.
    pub per_hour: Option<u32>,
}

impl Default for ReleaseSettings {
    fn default() -> Self {
        Self {
            is_on: true,
            delay: Duration::from_mins(3),
            agreed_for: Duration::from_secs(20),
            refused_for: Duration::from_mins(10),
            late_for: Duration::from_mins(1),
            per_hour: None,
        }
    }
}

/// A single address or a prefix on an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Which.
    pub net: Ipv4Net,
    /// Where.
    pub eni: EniId,
    /// When the last reading was sent that showed the interface with all that it is known to hold.
    pub read: Option<Tick>,
}

/// What is known of a node when its units are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// When.
    pub now: Tick,
    /// How its agent speaks.
    pub contract: Contract,
    /// What its agent says.
    pub usage: &'a Usage,
    /// What it has, in the order in which it is given up.
    pub held: &'a [Holding],
    /// How many addresses it has to spare and may give up.
    pub spare: u32,
    /// Whether its agent asks for more than it names, although it has enough, and may give up what is of no use to it.
    pub is_stranded: bool,
    /// How late a reading may be.
    pub settle: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Unit {
    state: State,
    since: Tick,
    /// What ends the state at last: no reading that was sent before counts. Nothing agreed is unassigned before.
    until: Tick,
    /// Where it is; `None` for one that was found gone.
    eni: Option<EniId>,
    /// Whether it is on its way because it is of no use, from the first.
    is_stranded: bool,
}

/// What was unassigned, and what readings show all the same because they are older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grave {
    /// A reading that is sent before may be older than the release.
    pub until: Tick,
    /// Such a reading may be on its way until then.
    pub kept: Tick,
}

/// All that is on its way off one node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Releases {
    /// The contract of the last look.
    contract: Option<Contract>,
    units: BTreeMap<Ipv4Net, Unit>,
    /// What is off it.
    graves: BTreeMap<Ipv4Net, Grave>,
    /// What the agent has named while it was watched (CIDR contract), as far as it is shown it or it is on its way.
    named: BTreeSet<Ipv4Net>,
    /// What the agent can know of (CIDR contract).
    heard: Option<Heard>,
}

impl Releases {
    /// Looks at all units again.
    pub fn look(&mut self, settings: &ReleaseSettings, look: Look<'_>) {
        let is_first = self.contract.is_none();
        if self.contract.replace(look.contract).is_some_and(|before| before != look.contract) {
            self.units.retain(|_, unit| stays_with_ec2(unit.state));
        }
        self.graves.retain(|_, grave| look.now < grave.kept);
        self.inherit(settings, look, is_first);
        self.note_named(look);
        self.listen(look);
        for _ in 0..ROUNDS_MAX {
            if !self.go_on(settings, look) {
                break;
            }
        }
    }

    /// Keeps what the agent has named.
    fn note_named(&mut self, look: Look<'_>) {
        let usage = look.usage;
        self.named.extend(&usage.allocated);
        let units = &self.units;
        let state = |net: &Ipv4Net| units.get(net).map(|unit| unit.state);
        let is_there = |net: &Ipv4Net| match state(net) {
            Some(State::Gone | State::Told | State::Returned) => false,
            Some(_) => look.contract == Contract::Cidr,
            None => usage.listed.touches(*net) || usage.keeps(*net),
        };
        self.named.retain(is_there);
    }

    /// Keeps what the agent can know of.
    fn listen(&mut self, look: Look<'_>) {
        match (look.contract, &mut self.heard) {
            (Contract::PerIp, heard) => *heard = None,
            (Contract::Cidr, Some(heard)) => heard.note(look.usage),
            (Contract::Cidr, none) => *none = Some(Heard::begin(look.now, look.usage)),
        }
    }

    /// Whether the agent has written something since it is shown a unit, if it has to: by not naming it then, it gives it up.
    #[must_use]
    pub fn is_heard_of(&self, now: Tick, net: Ipv4Net) -> bool {
        #[cfg(feature = "planted")]
        if crate::planted::is(crate::planted::Bug::SilenceIsConsent) {
            return true;
        }
        self.heard.as_ref().is_none_or(|heard| heard.is_about(now, net))
    }

    /// Whether the agent was shown something and has not written since, so that nobody knows what it does with it.
    #[must_use]
    pub fn awaits_word(&self, now: Tick) -> bool {
        self.heard.as_ref().is_some_and(|heard| heard.is_awaited(now))
    }

    /// Takes one step of each unit that its facts allow. Answers whether anything is different.
    fn go_on(&mut self, settings: &ReleaseSettings, look: Look<'_>) -> bool {
        let wanted = self.wanted(look);
        let before = self.units.len();
        for (net, holding) in &wanted {
            let eni = Some(holding.eni.clone());
            let is_stranded = look.is_stranded && self.named.contains(net);
            let fresh =
                || Unit { is_stranded, ..Unit::new(State::Waiting, look.now, look.now, eni) };
            self.units.entry(*net).or_insert_with(fresh);
        }
        let mut differs = self.units.len() != before;
        self.units.retain(|net, unit| {
            // What was unassigned may have come back elsewhere before that was known.
            if let Some(holding) = wanted.get(net).filter(|it| unit.eni.as_ref() != Some(&it.eni)) {
                unit.eni = Some(holding.eni.clone());
            }
            let next = unit.next(settings, look, *net, wanted.contains_key(net));
            differs |= next != Some(unit.state);
            next.inspect(|next| unit.enter(settings, look, *net, *next)).is_some()
        });
        differs
    }

    /// Whether a look without anything to spare would find nothing to do.
    #[must_use]
    pub fn is_idle(&self, usage: &Usage, contract: Contract) -> bool {
        let begins = match contract {
            Contract::PerIp => self.contract.is_none(),
            Contract::Cidr => self.contract != Some(contract),
        };
        self.units.is_empty() && usage.releases.is_empty() && !begins
    }

    /// What is on its way that this machine did not begin.
    fn inherit(&mut self, settings: &ReleaseSettings, look: Look<'_>, is_first: bool) {
        let begun: Vec<Ipv4Net> = match look.contract {
            Contract::PerIp => self.unknown_entries(look),
            Contract::Cidr if is_first => Self::withdrawn_before(look),
            Contract::Cidr => return,
        };
        if is_first && look.contract == Contract::PerIp {
            self.doubt_unpublished(look);
        }
        for net in begun {
            let (state, lasts) = match look.usage.said(look.contract, net, State::Doubtful) {
                Said::Nothing => continue,
                Said::Asked => (State::Asked, settings.late_for),
                Said::Agreed => (State::Doubtful, settings.late_for),
                Said::Refused => (State::Cancelled, settings.refused_for),
                Said::Released => (State::Told, look.settle),
            };
            let until = look.now + lasts;
            let holding = look.held.iter().find(|it| it.net == net);
            let eni = holding.map(|it| it.eni.clone());
            self.units.insert(net, Unit::new(state, look.now, until, eni));
        }
    }

    /// Units of entries that nobody here has made.
    fn unknown_entries(&self, look: Look<'_>) -> Vec<Ipv4Net> {
        if look.usage.releases.is_empty() {
            return Vec::new();
        }
        let held: BTreeSet<Ipv4Net> = look.held.iter().map(|it| it.net).collect();
        let mut unknown: Vec<Ipv4Net> = Vec::new();
        for address in look.usage.releases.keys() {
            let block = block_of(*address);
            let net = if held.contains(&block) { block } else { Ipv4Net::from(*address) };
            if !self.units.contains_key(&net) && unknown.last() != Some(&net) {
                unknown.push(net);
            }
        }
        unknown
    }

    /// What an agent that was spoken to is not to have, although no entry says so: a former operator may have released it a moment
    /// ago, and a reading shows what was before.
    fn doubt_unpublished(&mut self, look: Look<'_>) {
        if look.usage.listed.is_empty() {
            return;
        }
        let until = look.now + look.settle;
        for Holding { net, eni, .. } in look.held {
            let says = look.usage.said(look.contract, *net, State::Doubtful);
            if says == Said::Nothing && !look.usage.listed.touches(*net) {
                let unit = Unit::new(State::Doubtful, look.now, until, Some(eni.clone()));
                self.units.insert(*net, unit);
            }
        }
    }

    /// What a former operator may have withdrawn from an agent that it has spoken to.
    fn withdrawn_before(look: Look<'_>) -> Vec<Ipv4Net> {
        let usage = look.usage;
        if usage.listed.is_empty() || usage.allocated.is_empty() {
            return Vec::new();
        }
        let is_withdrawn = |net: &Ipv4Net| !usage.listed.touches(*net) && !usage.keeps(*net);
        look.held.iter().map(|it| it.net).filter(is_withdrawn).collect()
    }

    /// What may be unassigned now, and from where.
    pub fn due(
        &self,
        now: Tick,
        settings: &ReleaseSettings,
    ) -> impl Iterator<Item = (&EniId, Ipv4Net)> {
        let due = now.before(settings.agreed_for);
        let agreed = self
            .units
            .iter()
            .filter(move |(_, unit)| unit.state == State::Agreed && unit.since <= due)
            .filter(move |(_, unit)| unit.until <= now);
        agreed.filter_map(|(net, unit)| Some((unit.eni.as_ref()?, *net)))
    }

    /// A unit is being unassigned.
    pub fn on_sent(&mut self, now: Tick, net: Ipv4Net) {
        self.put(now, net, State::Leaving, now);
    }

    /// A unit was unassigned. Agents of the per-IP contract know addresses alone.
    pub fn on_gone(&mut self, now: Tick, net: Ipv4Net, grave: Grave) {
        self.units.remove(&net);
        self.named.remove(&net);
        self.graves.insert(net, grave);
        if self.contract != Some(Contract::PerIp) {
            return self.put(now, net, State::Gone, grave.until);
        }
        for address in addresses_of(net) {
            self.put(now, address.into(), State::Gone, grave.until);
        }
    }

    /// Nobody knows whether a unit was unassigned, before a reading that is sent at `until` or later.
    pub fn on_lost(&mut self, now: Tick, net: Ipv4Net, until: Tick) {
        self.put(now, net, State::Doubtful, until);
    }

    /// A unit was not unassigned.
    pub fn on_kept(&mut self, now: Tick, net: Ipv4Net) {
        self.put(now, net, State::Agreed, now);
    }

    fn put(&mut self, now: Tick, net: Ipv4Net, state: State, until: Tick) {
        let unit = self.units.entry(net).or_insert(Unit::new(state, now, until, None));
        (unit.state, unit.since, unit.until) = (state, now, until);
    }

    /// EC2 has given a node something, which may be what it gave up a moment ago.
    pub fn on_assigned(&mut self, now: Tick, range: Ipv4Net) {
        self.graves.retain(|net, _| !overlap(*net, range));
        let is_gone = |unit: &Unit| matches!(unit.state, State::Gone | State::Told);
        let back =
            self.units.iter_mut().filter(|(net, unit)| overlap(**net, range) && is_gone(unit));
        for (_, unit) in back {
            (unit.state, unit.since, unit.until) = (State::Returned, now, now);
        }
    }

    /// Whether a reading that was sent at `sent` may show `range` only because it is older than its release.
    #[must_use]
    pub fn is_buried(&self, range: Ipv4Net, sent: Tick) -> bool {
        let gone =
            self.units.iter().filter(|(_, it)| matches!(it.state, State::Gone | State::Told));
        let until = gone.map(|(net, unit)| (net, unit.until));
        let until = until.chain(self.graves.iter().map(|(net, grave)| (net, grave.until)));
        until.into_iter().any(|(net, until)| sent < until && overlap(*net, range))
    }

    /// What is not to be the agent's for now, although an interface has it.
    pub fn withheld(&self) -> impl Iterator<Item = Ipv4Net> {
        let is_cidr = self.contract == Some(Contract::Cidr);
        let is_withheld = move |unit: &Unit| match unit.state {
            State::Waiting | State::Cancelled => false,
            State::Asked | State::Agreed => is_cidr,
            State::Leaving | State::Doubtful | State::Gone | State::Told | State::Returned => true,
        };
        self.units.iter().filter(move |(_, unit)| is_withheld(unit)).map(|(net, _)| *net)
    }

    /// How many addresses are on their way back to EC2: the agent is asked for them or agreed to it, or what came of the call is
    /// not known.
    #[must_use]
    pub fn leaving(&self) -> u32 {
        self.addresses_in(&[State::Asked]) + self.addresses_in(&State::LEAVING)
    }

    /// How many addresses are in one of these states.
    #[must_use]
    pub fn addresses_in(&self, states: &[State]) -> u32 {
        let units = self.units.iter().filter(|(_, unit)| states.contains(&unit.state));
        units.map(|(net, _)| size(*net)).sum()
    }

    /// What is to be different in `status.ipam.release-ips`; `None` removes an entry.
    #[must_use]
    pub fn entries(&self, usage: &Usage) -> BTreeMap<Ipv4Addr, Option<Release>> {
        if self.contract == Some(Contract::Cidr) {
            return usage.releases.keys().map(|address| (*address, None)).collect();
        }
        let mut entries = BTreeMap::new();
        for (net, unit) in &self.units {
            for address in addresses_of(*net) {
                let stands = usage.releases.get(&address).copied();
                let wanted = match unit.state {
                    State::Asked => stands.or(Some(Release::Marked)),
                    State::Gone => Some(Release::Released),
                    State::Returned | State::Cancelled => None,
                    _ => stands,
                };
                if wanted != stands {
                    entries.insert(address, wanted);
                }
            }
        }
        entries
    }

    /// When to look again although nothing has happened.
    #[must_use]
    pub fn deadline(&self, now: Tick, settings: &ReleaseSettings) -> Option<Tick> {
        let ends = self.units.values().filter_map(|unit| match unit.state {
            State::Waiting => Some(unit.since + settings.delay),
            State::Agreed => Some(unit.until.max(unit.since + settings.agreed_for)),
            State::Doubtful | State::Gone | State::Told | State::Cancelled => Some(unit.until),
            State::Asked | State::Leaving | State::Returned => None,
        });
        let awaited = self.heard.as_ref().and_then(|heard| heard.deadline(now));
        ends.filter(|at| *at > now).chain(awaited).min()
    }

    /// The interfaces have to be read now: since when, if no reading was sent since then.
    #[must_use]
    pub fn unsettled_since(&self, now: Tick) -> Option<Tick> {
        let is_seen = |unit: &&Unit| {
            let waits = matches!(unit.state, State::Doubtful | State::Gone | State::Told);
            waits && unit.eni.is_some() && unit.until <= now
        };
        self.units.values().filter(is_seen).map(|unit| unit.until).max()
    }

    /// Whether something is on its way off an interface, or went and nobody can tell any more from which.
    #[must_use]
    pub fn concerns(&self, eni: &EniId) -> bool {
        let is_waiting = |unit: &Unit| matches!(unit.state, State::Waiting | State::Cancelled);
        self.units.values().any(|unit| match &unit.eni {
            Some(its) => its == eni,
            None => !is_waiting(unit),
        })
    }

    /// The state of a unit that is on its way.
    #[must_use]
    pub fn state(&self, net: Ipv4Net) -> Option<State> {
        self.units.get(&net).map(|unit| unit.state)
    }
}

impl Unit {
    const fn new(state: State, since: Tick, until: Tick, eni: Option<EniId>) -> Self {
        Self { state, since, until, eni, is_stranded: false }
    }

    /// The state that follows from what is known.
    fn next(
        &self,
        settings: &ReleaseSettings,
        look: Look<'_>,
        net: Ipv4Net,
        wanted: bool,
    ) -> Option<State> {
        let holding = look.held.iter().filter(|it| overlap(it.net, net));
        let held = match holding.map(|it| it.read).max() {
            None => Held::No,
            Some(Some(read)) if read >= self.until => Held::Yes,
            Some(_) => Held::Unsure,
        };
        let ends =
            if self.state == State::Waiting { self.since + settings.delay } else { self.until };
        let said = look.usage.said(look.contract, net, self.state);
        let to = step(self.state, Facts { wanted, due: look.now >= ends, said, held });
        #[cfg(feature = "planted")]
        let to = to.map(unasked);
        to
    }

    fn enter(&mut self, settings: &ReleaseSettings, look: Look<'_>, net: Ipv4Net, to: State) {
        if to == self.state {
            return;
        }
        let is_refused = || look.usage.said(look.contract, net, self.state) == Said::Refused;
        self.until = match to {
            State::Cancelled if look.contract == Contract::PerIp && is_refused() => {
                look.now + settings.refused_for
            }
            State::Gone => look.now + look.settle,
            State::Told => self.until,
            State::Asked | State::Agreed => self.until.max(look.now),
            _ => look.now,
        };
        (self.state, self.since) = (to, look.now);
    }
}

/// [`AgreementSkipped`](crate::planted::Bug::AgreementSkipped).
#[cfg(feature = "planted")]
fn unasked(state: State) -> State {
    let is_skipped = crate::planted::is(crate::planted::Bug::AgreementSkipped);
    if is_skipped && state == State::Asked { State::Agreed } else { state }
}

/// Whether a state is about what EC2 does or did, and not about what the agent was asked.
const fn stays_with_ec2(state: State) -> bool {
    matches!(state, State::Leaving | State::Doubtful | State::Gone | State::Told)
}

/// More steps than a unit can take without anything new.
const ROUNDS_MAX: usize = 8;
