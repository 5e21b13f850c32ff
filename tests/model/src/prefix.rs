//! One prefix, two pods in it, two operators, and an agent of the CIDR contract: every interleaving.
//!
//! Agents of Cilium 1.20 take back what they see in `status.eni` in memory, without asking, and say so later. So there is no safety
//! without time: what is taken for granted is that within a unit such an agent sees what is written, and within another it has
//! written what it keeps; that an operator sees what was written more than a unit ago; and that calls and writes die. Berth's own
//! agent asks by naming the prefix, and waits until the object shows that it is named: for it none of this is needed but that
//! calls and writes of a former operator die.

mod world;

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::io::Write as _;

use ipam_core::addresses::AddressSet;
use ipam_core::ids::EniId;
use ipam_core::prefix::addresses_of;
use ipam_core::release::{Grave, Holding, Look, ReleaseSettings, Releases, State, Usage, size};
use ipam_core::view::Contract;
use stateright::{Checker, Model, Path, Property};

use self::world::{
    AGREED, Agent, CALL, LATE, Object, Operator, SETTLE, World, late, long, net, prefix, settings,
    since, tick,
};

/// How an agent takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Cilium,
    Berth,
}

/// What the model can do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// What the agent has left out is unassigned while `status.eni` shows it.
    NotHidden,
    /// An agreement does not stand for long.
    AgreedInHaste,
    /// A new operator does not think of what the former one has withdrawn or called.
    FormerForgotten,
    /// A call without an answer counts as one that was not carried out.
    DoubtfulForgotten,
    /// Berth's agent takes back without asking, as others do, and is late as only one that asks may be.
    TakenUnasked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    TimePasses,
    DemandChanges,
    OperatorSees,
    OperatorReads { late: bool },
    OperatorWrites,
    WriteLands,
    OperatorCalls,
    CallLands,
    CallIsAnswered,
    CallIsLost,
    OperatorIsReplaced,
    FormerWriteLands,
    LateCallLands,
    AgentSees,
    AgentWrites,
    AgentGivesUp,
    AgentTakesBack,
    AgentRestarts,
    PodStarts,
    PodEnds,
}

const ALL: [Deed; 21] = [
    Deed::TimePasses,
    Deed::DemandChanges,
    Deed::OperatorSees,
    Deed::OperatorReads { late: false },
    Deed::OperatorReads { late: true },
    Deed::OperatorWrites,
    Deed::WriteLands,
    Deed::OperatorCalls,
    Deed::CallLands,
    Deed::CallIsAnswered,
    Deed::CallIsLost,
    Deed::OperatorIsReplaced,
    Deed::FormerWriteLands,
    Deed::LateCallLands,
    Deed::AgentSees,
    Deed::AgentWrites,
    Deed::AgentGivesUp,
    Deed::AgentTakesBack,
    Deed::AgentRestarts,
    Deed::PodStarts,
    Deed::PodEnds,
];

pub(crate) struct Withdrawal {
    settings: ReleaseSettings,
    kind: Kind,
    flaw: Option<Flaw>,
    eni: EniId,
    /// The addresses that `status.eni` shows, with the prefix and without it.
    listed: [AddressSet; 2],
    /// Where the search begins.
    moments: Vec<World>,
}

/// A model that begins at the moments that are named; all of them when none is.
fn withdrawal(kind: Kind, flaw: Option<Flaw>, names: &[&str]) -> Withdrawal {
    let other = || addresses_of(prefix(0));
    let listed = [other().collect(), other().chain(addresses_of(net())).collect()];
    let eni = "eni-1".parse().unwrap();
    let settings = settings(flaw);
    let mut withdrawal = Withdrawal { settings, kind, flaw, eni, listed, moments: Vec::new() };
    let moments = withdrawal.moments(names == ["left out"]).into_iter();
    let is_named = |name: &str| names.is_empty() || names.contains(&name);
    withdrawal.moments = moments.filter(|(name, _)| is_named(name)).map(|(_, it)| it).collect();
    withdrawal
}

impl Withdrawal {
    fn look(&self, world: &mut World) {
        let leader = &mut world.leader;
        let mut allocated = BTreeSet::from([prefix(0)]);
        allocated.extend(leader.seen.named.then_some(net()));
        // With the flaw, it is taken for hidden as soon as it is asked for.
        let is_asked = leader.machine.state(net()).is_some_and(|state| state != State::Waiting);
        let is_hidden = !leader.seen.shown || self.flaw == Some(Flaw::NotHidden) && is_asked;
        let listed = self.listed[usize::from(!is_hidden)].clone();
        let usage = Usage { is_certain: true, allocated, listed, ..Usage::default() };
        let read = Some(tick(leader.read));
        let other = Holding { net: prefix(0), eni: self.eni.clone(), read };
        let mut held = vec![other];
        held.extend(leader.held.then(|| Holding { net: net(), eni: self.eni.clone(), read }));
        let is_leaving = leader.machine.state(net()) == Some(State::Leaving);
        let has_spare = world.spare && leader.held && !is_leaving;
        let look = Look {
            now: tick(world.now),
            contract: Contract::Cidr,
            usage: &usage,
            held: &held,
            spare: if has_spare { size(net()) } else { 0 },
            is_stranded: false,
            settle: long(SETTLE),
        };
        leader.machine.look(&self.settings, look);
    }

    fn is_to_be_shown(&self, leader: &Operator) -> bool {
        let is_withheld = leader.machine.withheld().any(|it| it == net());
        leader.held && !is_withheld || self.flaw == Some(Flaw::NotHidden)
    }

    fn wants(&self, world: &World) -> Option<bool> {
        let leader = &world.leader;
        let shown = self.is_to_be_shown(leader);
        (shown != leader.has_written.unwrap_or(leader.seen.shown)).then_some(shown)
    }

    /// Whether everybody is in time who has to be.
    fn may_pass(&self, world: &World) -> bool {
        let is_late = |since: u64| since != 0 && world.now >= since + LATE;
        self.kind == Kind::Berth
            || ![world.unseen_by_agent, world.unsaid, world.owed].into_iter().any(is_late)
    }

    fn is_watched(&self, world: &World) -> bool {
        let is_in_time = world.unseen == 0 || world.now < world.unseen + LATE;
        self.kind == Kind::Berth && !world.replaced || is_in_time
    }

    fn is_possible(&self, world: &World, deed: Deed) -> bool {
        let World { now, agent, leader, .. } = world;
        match deed {
            Deed::TimePasses => self.may_pass(world),
            Deed::DemandChanges => true,
            Deed::AgentRestarts => agent.known.is_some(),
            Deed::OperatorSees => world.unseen != 0,
            Deed::OperatorReads { late } => !late || *now < world.changed + SETTLE,
            Deed::OperatorWrites => leader.write.is_none() && self.wants(world).is_some(),
            Deed::WriteLands => leader.write.is_some(),
            Deed::OperatorCalls => {
                let is_due = leader.machine.due(tick(*now), &self.settings).next().is_some();
                leader.call.is_none() && is_due && self.is_watched(world)
            }
            Deed::CallLands => {
                leader.call.is_some_and(|(sent, landed)| !landed && *now < sent + CALL)
            }
            Deed::CallIsAnswered => leader.call.is_some_and(|(_, landed)| landed),
            Deed::CallIsLost => leader.call.is_some() && world.late_call.is_none(),
            Deed::OperatorIsReplaced => !world.replaced && world.late_call.is_none(),
            Deed::FormerWriteLands => world.former_write.is_some(),
            Deed::LateCallLands => world.late_call.is_some(),
            Deed::AgentSees => world.unseen_by_agent != 0,
            Deed::AgentWrites => agent.known.is_some() && agent.names() != world.object.named,
            Deed::AgentGivesUp => agent.keeps && agent.pods == 0 && agent.known.is_some(),
            Deed::AgentTakesBack => {
                let is_shown = agent.known.is_some_and(|known| known.shown);
                is_shown && !agent.keeps && !agent.returning
            }
            Deed::PodStarts => agent.may_hand_out() && agent.pods < 2,
            Deed::PodEnds => agent.pods > 0,
        }
    }

    fn operator_acts(&self, world: &mut World, deed: Deed) {
        let now = world.now;
        let wants = self.wants(world);
        let leader = &mut world.leader;
        match deed {
            Deed::OperatorSees => {
                (leader.seen, leader.has_written) = (world.object, None);
                world.unseen = 0;
            }
            Deed::OperatorReads { late } => {
                let is_buried = leader.machine.is_buried(net(), tick(now));
                (leader.held, leader.read) = ((late != world.attached) && !is_buried, now);
            }
            Deed::OperatorWrites => leader.write = wants.map(|shown| (now, shown)),
            Deed::OperatorCalls => {
                leader.machine.on_sent(tick(now), net());
                leader.call = Some((now, false));
            }
            Deed::CallIsAnswered => {
                (leader.call, leader.held) = (None, false);
                let until = tick(now + SETTLE);
                leader.machine.on_gone(tick(now), net(), Grave { until, kept: until });
            }
            Deed::CallIsLost => {
                let call = leader.call.take();
                world.late_call = late(call, now);
                if self.flaw == Some(Flaw::DoubtfulForgotten) {
                    leader.machine.on_kept(tick(now), net());
                } else {
                    leader.machine.on_lost(tick(now), net(), tick(now) + self.settings.late_for);
                }
            }
            _ => self.replace(world),
        }
    }

    fn replace(&self, world: &mut World) {
        let machine = if self.flaw == Some(Flaw::FormerForgotten) {
            world.leader.machine.clone()
        } else {
            Releases::default()
        };
        let held = world.attached || world.now < world.changed + SETTLE;
        let (seen, read) = (world.object, world.now);
        let new =
            Operator { machine, seen, held, read, call: None, write: None, has_written: None };
        let former = std::mem::replace(&mut world.leader, new);
        (world.replaced, world.unseen) = (true, 0);
        world.former_write = former.write;
        world.late_call = late(former.call, world.now);
    }

    fn agent_acts(&self, world: &mut World, deed: Deed) {
        let (object, kind) = (world.object, self.kind);
        match deed {
            Deed::AgentSees => world.unseen_by_agent = 0,
            Deed::AgentRestarts => world.unseen_by_agent = world.now,
            _ => {}
        }
        let agent = &mut world.agent;
        match deed {
            Deed::AgentSees => agent.see(kind, object),
            Deed::AgentWrites => {
                let object = Object { named: agent.names(), ..object };
                agent.left_out |= !object.named;
                world.alter(object);
            }
            Deed::AgentGivesUp => agent.keeps = false,
            Deed::AgentTakesBack => {
                let asks =
                    kind == Kind::Berth && agent.left_out && self.flaw != Some(Flaw::TakenUnasked);
                (agent.keeps, agent.returning) = (!asks, asks);
            }
            Deed::AgentRestarts => {
                // One that has forgotten what it gave up takes all that it is shown.
                let keeps = if kind == Kind::Cilium { agent.pods > 0 } else { agent.keeps };
                let left_out = agent.left_out || !object.named;
                *agent = Agent { known: None, keeps, left_out, returning: false, ..*agent };
            }
            Deed::PodStarts => agent.pods += 1,
            _ => agent.pods -= 1,
        }
        let is_said = world.agent.names() == world.object.named;
        world.unsaid = since(!is_said, world.unsaid, world.now);
    }

    fn act(&self, world: &mut World, deed: Deed) {
        match deed {
            Deed::TimePasses => world.pass(),
            Deed::DemandChanges => world.spare = !world.spare,
            Deed::WriteLands | Deed::FormerWriteLands => {
                let is_former = deed == Deed::FormerWriteLands;
                let write =
                    if is_former { &mut world.former_write } else { &mut world.leader.write };
                if let Some((_, shown)) = write.take() {
                    world.alter(Object { shown, ..world.object });
                    if !is_former {
                        world.leader.has_written = Some(shown);
                    }
                }
            }
            Deed::CallLands => {
                world.leader.call = world.leader.call.map(|(sent, _)| (sent, true));
                world.detach();
            }
            Deed::LateCallLands => {
                world.late_call = None;
                world.detach();
            }
            Deed::AgentSees
            | Deed::AgentWrites
            | Deed::AgentGivesUp
            | Deed::AgentTakesBack
            | Deed::AgentRestarts
            | Deed::PodStarts
            | Deed::PodEnds => self.agent_acts(world, deed),
            _ => self.operator_acts(world, deed),
        }
        self.look(world);
        let is_owed = self.is_to_be_shown(&world.leader) != world.object.shown;
        world.owed = since(is_owed, world.owed, world.now);
    }

    fn beginning() -> World {
        let object = Object { shown: true, named: true };
        let known = Some(object);
        let agent = Agent { known, keeps: true, left_out: false, returning: false, pods: 0 };
        let machine = Releases::default();
        let (seen, read) = (object, 1);
        let leader = Operator {
            machine,
            seen,
            held: true,
            read,
            call: None,
            write: None,
            has_written: None,
        };
        World {
            now: 1,
            attached: true,
            changed: 0,
            object,
            unseen: 0,
            unseen_by_agent: 0,
            owed: 0,
            spare: true,
            leader,
            replaced: false,
            former_write: None,
            late_call: None,
            agent,
            unsaid: 0,
        }
    }

    fn after(&self, world: &World, deeds: &[Deed]) -> World {
        let mut world = world.clone();
        for deed in deeds {
            assert!(self.is_possible(&world, *deed), "{deed:?} in {world:?}");
            self.act(&mut world, *deed);
        }
        world
    }

    /// As it begins; and when the agent has left it out; and when it is not shown, agreed, called, and lost.
    fn moments(&self, is_left_out: bool) -> Vec<(&'static str, World)> {
        use Deed::{
            AgentGivesUp, AgentSees, AgentWrites, CallIsLost, OperatorCalls, OperatorSees,
            OperatorWrites, TimePasses, WriteLands,
        };
        let begun = Self::beginning();
        let left_out = [AgentGivesUp, AgentWrites, AgentSees, OperatorSees, TimePasses, TimePasses];
        let left_out = self.after(&begun, &left_out);
        // With some flaws the rest is not the same.
        if is_left_out {
            return vec![("left out", left_out)];
        }
        let hidden = [OperatorWrites, WriteLands, OperatorSees, AgentSees];
        let hidden = self.after(&left_out, &hidden);
        let agreed = self.after(&hidden, &[TimePasses; AGREED as usize]);
        let leaving = self.after(&agreed, &[OperatorCalls]);
        let doubtful = self.after(&leaving, &[CallIsLost]);
        vec![
            ("begun", begun),
            ("left out", left_out),
            ("hidden", hidden),
            ("agreed", agreed),
            ("leaving", leaving),
            ("doubtful", doubtful),
        ]
    }
}

impl Model for Withdrawal {
    type State = World;
    type Action = Deed;

    fn init_states(&self) -> Vec<World> {
        self.moments.clone()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Deed>) {
        actions.extend(ALL.into_iter().filter(|deed| self.is_possible(world, *deed)));
    }

    fn next_state(&self, before: &World, deed: Deed) -> Option<World> {
        let mut world = before.clone();
        self.act(&mut world, deed);
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![Property::always(SAFE, |_, world: &World| {
            world.agent.pods == 0 || world.attached
        })];
        if self.flaw.is_none() {
            properties.extend(reached());
        }
        properties
    }
}

const SAFE: &str = "pods have addresses that are there";

fn reached() -> [Property<Withdrawal>; 3] {
    [
        Property::sometimes("a prefix is released and forgotten", |_, world: &World| {
            !world.attached && world.leader.machine.state(net()).is_none()
        }),
        Property::sometimes("two pods are in what was left out before", |_, world: &World| {
            world.agent.pods == 2 && world.leader.machine.state(net()).is_some()
        }),
        Property::sometimes("the call of a former operator lands", |_, world: &World| {
            world.replaced && !world.attached && world.leader.held
        }),
    ]
}

impl Debug for Withdrawal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.kind)
    }
}

#[test]
fn no_interleaving_takes_a_prefix_from_its_pods() {
    const DEPTH: usize = 14;
    for kind in [Kind::Cilium, Kind::Berth] {
        let model = withdrawal(kind, None, &[]);
        let checker = model.checker().target_max_depth(DEPTH).spawn_bfs().join();
        let states = checker.unique_state_count();
        writeln!(std::io::stdout(), "{kind:?}: {states} states to depth {DEPTH}").unwrap();
        let found = checker.discovery(SAFE);
        let describe = |path: Path<_, _>| format!("{:#?}", path.into_actions());
        assert!(found.is_none(), "{kind:?}: {}", found.map(describe).unwrap_or_default());
        for property in reached() {
            assert!(checker.discovery(property.name).is_some(), "nowhere: {}", property.name);
        }
    }
}

/// Every flaw is found, so that what is found without any is worth something.
#[test]
fn each_flaw_takes_a_prefix_from_its_pods() {
    const DEPTH: usize = 14;
    for (kind, flaw, moment) in [
        (Kind::Cilium, Flaw::NotHidden, "left out"),
        (Kind::Cilium, Flaw::AgreedInHaste, "left out"),
        (Kind::Cilium, Flaw::DoubtfulForgotten, "doubtful"),
        (Kind::Cilium, Flaw::FormerForgotten, "leaving"),
        (Kind::Berth, Flaw::DoubtfulForgotten, "doubtful"),
        (Kind::Berth, Flaw::FormerForgotten, "leaving"),
        (Kind::Berth, Flaw::TakenUnasked, "left out"),
    ] {
        let model = withdrawal(kind, Some(flaw), &[moment]);
        let checker = model.checker().target_max_depth(DEPTH).spawn_bfs().join();
        let states = checker.unique_state_count();
        writeln!(std::io::stdout(), "{kind:?}, {flaw:?}: {states} states").unwrap();
        assert!(checker.discovery(SAFE).is_some(), "{kind:?}: {flaw:?} is not found");
    }
}
