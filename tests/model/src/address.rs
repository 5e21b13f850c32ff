//! One address, two pods, two operators: every interleaving, with the real machines of both sides.
//!
//! What the machines do not decide is played by rules: EC2, which carries a call out late or never and shows what was before; the
//! object, which each side sees late and writes late or never; who starts and ends pods; who leads. Time passes in units.
//!
//! **What is taken for granted**, and no more: a call is dead `CALL` units after it was sent, a write after `WRITE` units, and a reading
//! is at most `SETTLE` units old. After another operator has taken over, the watch of the new one is at most `WATCH` units late. Agents
//! forget a promise without an entry only with the newest object before them, and a pool that names what is not there does not stand
//! for as long as they remember.
//!
//! The search begins at several moments of a release, each of which is reached by deeds of the model, so that it comes to the end of
//! each part.

mod agent;
mod world;

use std::fmt::{self, Debug};
use std::io::Write as _;
use std::time::Duration;

use ipam_core::agent::Release;
use ipam_core::ids::EniId;
use ipam_core::release::{Grave, ReleaseSettings, Releases};
use stateright::{Checker, Model, Path, Property};

use self::agent::{Agent, apply};
use self::world::{CALL, Object, Operator, Part, SETTLE, World, net, tick};

/// What the model can do wrong, to prove that the search finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The operator does not wait for the agent.
    AgreementSkipped,
    /// A call without an answer counts as one that was not carried out.
    DoubtfulForgotten,
    /// A new operator does not think of the calls and writes of the former one.
    FormerForgotten,
    /// Who leads no more goes on.
    LeaderNotFenced,
    /// An agent that is started again knows nothing of its promises.
    PromiseNotPersisted,
    /// A promise is told before it is on disk.
    ToldBeforeSaved,
    /// An answer that nobody confirmed counts as one that was not written.
    LostAnswerForgotten,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    TimePasses,
    DemandChanges,
    OperatorSees,
    OperatorReads { late: bool },
    OperatorWrites(Part),
    WriteLands,
    OperatorCalls,
    CallLands,
    CallIsAnswered,
    CallIsRefused,
    CallIsLost,
    OperatorIsReplaced,
    FormerWriteLands,
    FormerCalls,
    LateCallLands,
    AddressComesBack { heard: bool },
    AgentSees,
    AgentSaves,
    AgentWrites,
    AgentWriteLands,
    AgentWriteIsLost,
    LateAgentWriteLands,
    AgentRestarts,
    AgentForgets,
    PodStarts,
    PodEnds,
}

pub(crate) struct Handshake {
    settings: ReleaseSettings,
    flaw: Option<Flaw>,
    eni: EniId,
    /// Where the search begins.
    moments: Vec<World>,
}

/// A model that begins at the moments that are named; all of them when none is.
fn handshake(flaw: Option<Flaw>, names: &[&str]) -> Handshake {
    let mut settings = world::settings();
    if flaw == Some(Flaw::FormerForgotten) {
        settings.late_for = Duration::ZERO;
    }
    let eni = "eni-1".parse().unwrap();
    let mut handshake = Handshake { settings, flaw, eni, moments: Vec::new() };
    handshake.moments = if names == ["asked"] {
        vec![handshake.beginning()]
    } else {
        let moments = handshake.moments().into_iter();
        let is_named = |name: &str| names.is_empty() || names.contains(&name);
        moments.filter(|(name, _)| is_named(name)).map(|(_, world)| world).collect()
    };
    handshake
}

impl Handshake {
    /// Whether a deed can be done.
    fn is_possible(&self, world: &World, deed: Deed) -> bool {
        let World { now, agent, leader, .. } = world;
        let is_fresh = |call: (u64, bool)| !call.1 && *now < call.0 + CALL;
        match deed {
            Deed::TimePasses | Deed::DemandChanges | Deed::AgentRestarts => true,
            Deed::OperatorSees => leader.seen != world.object,
            Deed::OperatorReads { late } => !late || *now < world.changed + SETTLE,
            Deed::OperatorWrites(part) => {
                leader.write.is_none() && leader.wants(part, self.flaw).is_some()
            }
            Deed::WriteLands => leader.write.is_some(),
            Deed::OperatorCalls => leader.is_due(&self.settings, *now) && world.is_watched(),
            Deed::CallLands => leader.call.is_some_and(is_fresh),
            Deed::CallIsAnswered => leader.call.is_some_and(|(_, landed)| landed),
            Deed::CallIsRefused => leader.call.is_some_and(|(_, landed)| !landed),
            Deed::CallIsLost => leader.call.is_some() && world.late_calls[1].is_none(),
            Deed::OperatorIsReplaced => !world.replaced,
            Deed::FormerWriteLands => world.former_write.is_some(),
            Deed::FormerCalls => {
                let former = world.former.as_ref();
                let is_due = former.is_some_and(|former| former.is_due(&self.settings, *now));
                is_due && world.late_calls[1].is_none()
            }
            Deed::LateCallLands => world.late_calls[0].is_some(),
            Deed::AddressComesBack { .. } => {
                !world.attached && !world.spare && leader.call.is_none()
            }
            Deed::AgentSees => agent.known != Some(world.object),
            Deed::AgentSaves => agent.must_save() && self.flaw == Some(Flaw::ToldBeforeSaved),
            Deed::AgentWrites => agent.may_publish(self.flaw),
            Deed::AgentWriteLands => agent.publication.is_some(),
            Deed::AgentWriteIsLost => agent.publication.is_some() && agent.late.is_none(),
            Deed::LateAgentWriteLands => agent.late.is_some(),
            Deed::AgentForgets => {
                agent.may_forget(*now) && agent.known == Some(world.object) && world.attached
            }
            Deed::PodStarts => agent.may_start_pod(),
            Deed::PodEnds => agent.pod.is_some(),
        }
    }

    fn operator_acts(&self, world: &mut World, deed: Deed) {
        let now = world.now;
        let leader = &mut world.leader;
        match deed {
            Deed::OperatorSees => leader.seen = world.object,
            Deed::OperatorReads { late } => {
                // Late, it shows what was there before; of what left, the machine knows better.
                let is_buried = leader.machine.is_buried(net(), tick(now));
                leader.shown = (late != world.attached) && !is_buried;
                leader.read = now;
            }
            Deed::OperatorWrites(part) => {
                leader.write = leader.wants(part, self.flaw).map(|write| (now, write));
            }
            Deed::OperatorCalls => {
                leader.machine.on_sent(tick(now), net());
                leader.call = Some((now, false));
            }
            Deed::CallIsAnswered => {
                leader.call = None;
                leader.shown = false;
                let until = tick(now + SETTLE);
                leader.machine.on_gone(tick(now), net(), Grave { until, kept: until });
            }
            Deed::CallIsRefused => {
                leader.call = None;
                leader.machine.on_kept(tick(now), net());
            }
            Deed::CallIsLost => self.lose_call(world),
            _ => self.change_leader(world),
        }
    }

    fn lose_call(&self, world: &mut World) {
        let now = world.now;
        let Some((sent, landed)) = world.leader.call.take() else { return };
        if !landed && now < sent + CALL {
            world.leave_late(sent);
        }
        let machine = &mut world.leader.machine;
        if self.flaw == Some(Flaw::DoubtfulForgotten) {
            machine.on_kept(tick(now), net());
        } else {
            machine.on_lost(tick(now), net(), tick(now) + self.settings.late_for);
        }
    }

    /// Another operator begins with what it finds. What the former one has sent, or was about to send, is on its way.
    fn change_leader(&self, world: &mut World) {
        let now = world.now;
        let shown = world.attached || now < world.changed + SETTLE;
        let new = Operator {
            machine: Releases::default(),
            seen: world.object,
            shown,
            read: now,
            call: None,
            write: None,
        };
        let former = std::mem::replace(&mut world.leader, new);
        (world.replaced, world.took_over) = (true, now);
        world.former_write = former.write;
        if let Some((sent, false)) = former.call {
            world.leave_late(sent);
        }
        world.former = (self.flaw == Some(Flaw::LeaderNotFenced)).then(|| Box::new(former));
    }

    fn others_act(world: &mut World, deed: Deed) {
        let now = world.now;
        match deed {
            Deed::TimePasses => world.pass(),
            Deed::DemandChanges => world.spare = !world.spare,
            Deed::WriteLands => {
                if let Some((_, write)) = world.leader.write.take() {
                    world.land(write);
                }
            }
            Deed::FormerWriteLands => {
                if let Some((_, write)) = world.former_write.take() {
                    world.land(write);
                }
            }
            Deed::CallLands => {
                world.leader.call = world.leader.call.map(|(sent, _)| (sent, true));
                world.detach();
            }
            Deed::FormerCalls => world.leave_late(now),
            Deed::LateCallLands => {
                world.take_late_call();
                world.detach();
            }
            // The node needs addresses, and EC2 gives it the same one.
            _ => {
                world.attach();
                if deed == (Deed::AddressComesBack { heard: true }) {
                    world.leader.shown = true;
                    world.leader.machine.on_assigned(tick(now), net());
                }
            }
        }
    }

    fn agent_acts(&self, world: &mut World, deed: Deed) {
        let (now, object, flaw) = (world.now, world.object, self.flaw);
        let agent = &mut world.agent;
        match deed {
            Deed::AgentSees => {
                agent.see(now, object);
                // Nothing comes between but a restart, which then is one from before.
                if flaw != Some(Flaw::ToldBeforeSaved) {
                    agent.save();
                }
            }
            Deed::AgentSaves => agent.save(),
            Deed::AgentWrites => agent.publish(now, flaw),
            Deed::AgentWriteIsLost => agent.lose_publication(flaw),
            Deed::AgentWriteLands | Deed::LateAgentWriteLands => {
                let is_late = deed == Deed::LateAgentWriteLands;
                let written = if is_late { &mut agent.late } else { &mut agent.publication };
                if let Some(publication) = written.take() {
                    world.alter(apply(publication, object));
                }
            }
            Deed::AgentRestarts => agent.restart(world.attached, flaw),
            Deed::AgentForgets => agent.forget(),
            Deed::PodStarts => agent.start_pod(),
            _ => agent.pod = None,
        }
    }

    fn act(&self, world: &mut World, deed: Deed) {
        match deed {
            Deed::OperatorSees
            | Deed::OperatorReads { .. }
            | Deed::OperatorWrites(_)
            | Deed::OperatorCalls
            | Deed::CallIsAnswered
            | Deed::CallIsRefused
            | Deed::CallIsLost
            | Deed::OperatorIsReplaced => self.operator_acts(world, deed),
            Deed::AgentSees
            | Deed::AgentSaves
            | Deed::AgentWrites
            | Deed::AgentWriteLands
            | Deed::AgentWriteIsLost
            | Deed::LateAgentWriteLands
            | Deed::AgentRestarts
            | Deed::AgentForgets
            | Deed::PodStarts
            | Deed::PodEnds => return self.agent_acts(world, deed),
            Deed::WriteLands
            | Deed::FormerWriteLands
            | Deed::FormerCalls
            | Deed::CallLands
            | Deed::LateCallLands => return Self::others_act(world, deed),
            _ => Self::others_act(world, deed),
        }
        // Without anything new for it, an operator finds nothing new.
        world.leader.look(self, world.now, world.spare);
    }

    /// The address has been one too many for a while: its agent is about to be asked for it.
    fn beginning(&self) -> World {
        let object = Object { entry: None, in_pool: true, used: false };
        let leader = Operator {
            machine: Releases::default(),
            seen: object,
            shown: true,
            read: SETTLE,
            call: None,
            write: None,
        };
        let mut world = World {
            now: SETTLE,
            attached: true,
            changed: 0,
            object,
            written: 0,
            spare: true,
            leader,
            replaced: false,
            took_over: 0,
            former_write: None,
            former: None,
            late_calls: [None; 2],
            agent: Agent::new(object),
        };
        world.leader.look(self, world.now, true);
        world.now += 2;
        world.leader.look(self, world.now, true);
        world
    }

    fn after(&self, world: &World, deeds: &[Deed]) -> World {
        let mut world = world.clone();
        for deed in deeds {
            assert!(self.is_possible(&world, *deed), "{deed:?} in {world:?}");
            self.act(&mut world, *deed);
        }
        world
    }

    /// The moments of a release at which the search begins.
    fn moments(&self) -> [(&'static str, World); 11] {
        use Deed::{
            AgentSees, AgentWriteIsLost, AgentWriteLands, AgentWrites, CallIsAnswered, CallIsLost,
            CallLands, DemandChanges, FormerWriteLands, OperatorCalls, OperatorIsReplaced,
            OperatorSees, TimePasses, WriteLands,
        };
        let entry = Deed::OperatorWrites(Part::Entry);
        let pool = Deed::OperatorWrites(Part::Pool);
        let reads = Deed::OperatorReads { late: false };
        let asked = self.beginning();
        let promised = self.after(&asked, &[entry, WriteLands, OperatorSees, AgentSees]);
        let called_off = [DemandChanges, entry, DemandChanges, OperatorIsReplaced];
        let called_off = self.after(&promised, &called_off);
        let crossed = [AgentWrites, AgentWriteIsLost, FormerWriteLands];
        let crossed = self.after(&called_off, &crossed);
        let agreed = [AgentWrites, AgentWriteLands, OperatorSees, TimePasses];
        let agreed = self.after(&promised, &agreed);
        let late = [OperatorIsReplaced, TimePasses, TimePasses, TimePasses, TimePasses, reads];
        let late = self.after(&agreed, &late);
        let leaving = self.after(&agreed, &[OperatorCalls]);
        let doubtful = self.after(&leaving, &[CallIsLost]);
        let inherited = self.after(&leaving, &[OperatorIsReplaced]);
        let gone = self.after(&leaving, &[CallLands, CallIsAnswered, entry, WriteLands]);
        let told = self.after(&gone, &[OperatorSees, pool, WriteLands, OperatorSees]);
        [
            ("asked", asked),
            ("promised", promised),
            ("called off", called_off),
            ("crossed", crossed),
            ("agreed", agreed),
            ("late", late),
            ("leaving", leaving),
            ("doubtful", doubtful),
            ("inherited", inherited),
            ("gone", gone),
            ("told", told),
        ]
    }
}

impl Model for Handshake {
    type State = World;
    type Action = Deed;

    fn init_states(&self) -> Vec<World> {
        self.moments.clone()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Deed>) {
        let all = [
            Deed::TimePasses,
            Deed::DemandChanges,
            Deed::OperatorSees,
            Deed::OperatorReads { late: false },
            Deed::OperatorReads { late: true },
            Deed::OperatorWrites(Part::Entry),
            Deed::OperatorWrites(Part::Pool),
            Deed::WriteLands,
            Deed::OperatorCalls,
            Deed::CallLands,
            Deed::CallIsAnswered,
            Deed::CallIsRefused,
            Deed::CallIsLost,
            Deed::OperatorIsReplaced,
            Deed::FormerWriteLands,
            Deed::FormerCalls,
            Deed::LateCallLands,
            Deed::AddressComesBack { heard: true },
            Deed::AddressComesBack { heard: false },
            Deed::AgentSees,
            Deed::AgentSaves,
            Deed::AgentWrites,
            Deed::AgentWriteLands,
            Deed::AgentWriteIsLost,
            Deed::LateAgentWriteLands,
            Deed::AgentRestarts,
            Deed::AgentForgets,
            Deed::PodStarts,
            Deed::PodEnds,
        ];
        actions.extend(all.into_iter().filter(|deed| self.is_possible(world, *deed)));
    }

    fn next_state(&self, before: &World, deed: Deed) -> Option<World> {
        let mut world = before.clone();
        self.act(&mut world, deed);
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![Property::always(SAFE, |_, world: &World| {
            world.agent.pod.is_none() || world.attached
        })];
        if self.flaw.is_none() {
            properties.extend(reached());
        }
        properties
    }
}

const SAFE: &str = "a pod has an address that is there";

/// What the search has to come by, or it proves nothing.
fn reached() -> [Property<Handshake>; 4] {
    [
        Property::sometimes("an address is released and forgotten", |_, world: &World| {
            !world.attached && world.object.entry.is_none() && !world.object.in_pool
        }),
        Property::sometimes("a pod gets what was promised before", |_, world: &World| {
            world.agent.pod.is_some() && world.leader.seen.entry == Some(Release::Ready)
        }),
        Property::sometimes("the call of a former operator lands", |_, world: &World| {
            world.replaced && !world.attached && world.leader.shown
        }),
        Property::sometimes("an agent starts with a promise alone", |_, world: &World| {
            world.agent.known.is_none() && world.agent.promised
        }),
    ]
}

impl Debug for Handshake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Handshake")
    }
}

/// Every flaw is found, so that what is found without any is worth something.
#[test]
fn each_flaw_takes_an_address_from_a_pod() {
    for (flaw, moment, depth) in [
        (Flaw::AgreementSkipped, "asked", 9),
        (Flaw::DoubtfulForgotten, "doubtful", 9),
        (Flaw::FormerForgotten, "inherited", 9),
        (Flaw::FormerForgotten, "called off", 12),
        (Flaw::LeaderNotFenced, "late", 10),
        (Flaw::PromiseNotPersisted, "promised", 10),
        (Flaw::ToldBeforeSaved, "asked", 13),
        (Flaw::LostAnswerForgotten, "crossed", 15),
    ] {
        let model = handshake(Some(flaw), &[moment]);
        let checker = model.checker().target_max_depth(depth).spawn_bfs().join();
        let states = checker.unique_state_count();
        writeln!(std::io::stdout(), "{flaw:?}: {states} states from {moment}").unwrap();
        assert!(checker.discovery(SAFE).is_some(), "{flaw:?} is not found from {moment}");
    }
}

#[test]
fn no_interleaving_takes_an_address_from_a_pod() {
    const DEPTH: usize = 14;
    let names =
        ["asked", "promised", "called off", "crossed", "leaving", "doubtful", "inherited", "told"];
    let checker = handshake(None, &names).checker().target_max_depth(DEPTH).spawn_bfs().join();
    let states = checker.unique_state_count();
    writeln!(std::io::stdout(), "{states} states to depth {DEPTH}").unwrap();
    let found = checker.discovery(SAFE);
    let describe = |path: Path<_, _>| format!("{:#?}", path.into_actions());
    assert!(found.is_none(), "{}", found.map(describe).unwrap_or_default());
    for property in reached() {
        assert!(checker.discovery(property.name).is_some(), "nowhere: {}", property.name);
    }
}
