//! One address, two pods, two operators: every interleaving, with the real machines of both sides.
//!
//! What the machines do not decide is played by rules: EC2, which carries a call out late or never and shows what was before; the
//! object, which each side sees late; who starts and ends pods. Time passes in units, and each unit is long enough for either side
//! to see and write what it has to.

use std::fmt::{self, Debug};
use std::io::Write;
use std::time::Duration;

use ipam_core::agent::Release;
use ipam_core::promise::{self, Step};
use ipam_core::release::{Holding, Look, ReleaseSettings, Releases, State, Usage};
use ipam_core::time::Tick;
use ipam_core::view::Contract;
use ipnet::Ipv4Net;
use stateright::{Checker, Model, Property};

const UNIT: Duration = Duration::from_secs(1);
/// How old a reading may be, in units.
const SETTLE: u64 = 2;
/// For how long a call may be on its way, in units.
const CALL: u64 = 2;

/// What stands in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Object {
    entry: Option<Release>,
    in_pool: bool,
    used: bool,
}

/// Everything there is.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    now: u64,
    /// Whether the interface has the address, and when that was last different.
    attached: bool,
    changed: u64,
    object: Object,
    /// The operator: its machine, the object as it saw it, what it was shown by EC2 and when.
    operator: Releases,
    seen: Object,
    shown: bool,
    read: u64,
    /// Whether the node has the address to spare.
    spare: bool,
    /// A call on its way, and since when; and whether this operator still waits for its answer.
    call: Option<(u64, bool)>,
    /// Whether an operator has been replaced.
    replaced: bool,
    /// The agent: what it knows, what it has promised, which pod has the address.
    known: Object,
    promised: bool,
    pod: Option<u8>,
    /// What it is about to answer, to the entry that it saw.
    answer: Option<(Option<Release>, Option<Release>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    TimePasses,
    DemandChanges,
    OperatorSees,
    OperatorReads { late: bool },
    OperatorWrites,
    OperatorCalls,
    CallLands,
    CallIsAnswered,
    CallIsLost,
    OperatorIsReplaced,
    AddressComesBack,
    AgentSees,
    AgentWrites,
    AgentRestarts,
    PodStarts(u8),
    PodEnds,
}

struct Handshake {
    settings: ReleaseSettings,
}

fn net() -> Ipv4Net {
    "10.0.0.4/32".parse().unwrap()
}

fn tick(units: u64) -> Tick {
    Tick::from_millis(0) + UNIT * u32::try_from(units).unwrap()
}

fn handshake() -> Handshake {
    let settings = ReleaseSettings {
        delay: UNIT,
        agreed_for: UNIT,
        refused_for: UNIT,
        late_for: UNIT * u32::try_from(CALL + SETTLE).unwrap(),
        ..ReleaseSettings::default()
    };
    Handshake { settings }
}

impl World {
    fn usage(&self) -> Usage {
        let address = net().addr();
        Usage {
            is_certain: true,
            used: self.seen.used.then_some(address).into_iter().collect(),
            releases: self.seen.entry.map(|entry| (address, entry)).into_iter().collect(),
            ..Usage::default()
        }
    }

    fn look(&mut self, settings: &ReleaseSettings) {
        let (usage, now) = (self.usage(), tick(self.now));
        let read = Some(tick(self.read));
        let holding = Holding { net: net(), eni: "eni-1".parse().unwrap(), read };
        let held: &[Holding] = if self.shown { &[holding] } else { &[] };
        // What is on its way off does not count, as in the reconciler.
        let is_leaving = self.operator.state(net()) == Some(State::Leaving);
        let spare = u32::from(self.spare && self.shown && !is_leaving);
        let settle = UNIT * u32::try_from(SETTLE).unwrap();
        let contract = Contract::PerIp;
        self.operator.look(settings, Look { now, contract, usage: &usage, held, spare, settle });
    }

    /// The agent acts on what it knows (`promise`), as its handshake does.
    fn take_step(&mut self) {
        let Object { entry, in_pool, .. } = self.known;
        let Some(release) = entry else {
            // The operator has given up what it asked for.
            self.promised &= !in_pool;
            self.answer = None;
            return;
        };
        let used = self.pod.is_some();
        let entry =
            promise::Entry { release, in_pool, left_pool: !in_pool, lasts: Duration::ZERO, used };
        let answer = match promise::step(entry) {
            Step::Promise => {
                self.promised = true;
                Some(Some(Release::Ready))
            }
            Step::Refuse => Some(Some(Release::Refused)),
            Step::Hold => {
                self.promised = true;
                None
            }
            Step::LetGo => {
                self.promised = false;
                None
            }
            Step::Remove => Some(None),
        };
        self.answer = answer.map(|answer| (Some(release), answer));
    }

    fn write(&mut self) -> bool {
        let before = self.object;
        let entries = self.operator.entries(&self.usage());
        if let Some(entry) = entries.get(&net().addr()) {
            self.object.entry = *entry;
        }
        self.object.in_pool = self.shown && self.operator.withheld().next().is_none();
        before != self.object
    }

    fn is_due(&self, settings: &ReleaseSettings) -> bool {
        self.operator.due(tick(self.now), settings).next().is_some()
    }

    /// A call that was given up or whose operator is gone may still land for a while.
    fn may_land(&self) -> bool {
        self.call.is_some_and(|(sent, _)| self.now < sent + CALL)
    }
}

impl Handshake {
    fn operator_acts(&self, world: &mut World, deed: Deed) -> Option<()> {
        let (now, until) = (tick(world.now), tick(world.now + SETTLE));
        match deed {
            Deed::OperatorSees => world.seen = world.object,
            Deed::OperatorReads { late } => {
                // Late, it shows what was there before; of what left, the machine knows better.
                let is_old = late && world.now < world.changed + SETTLE;
                let shows = if is_old { !world.attached } else { world.attached };
                world.shown = shows && !world.operator.is_buried(net(), now);
                world.read = world.now;
            }
            Deed::OperatorCalls => {
                if world.call.is_some() || !world.is_due(&self.settings) {
                    return None;
                }
                world.operator.on_sent(now, net());
                world.call = Some((world.now, true));
            }
            Deed::CallIsAnswered => {
                let answered = world.call.take_if(|(_, waits)| *waits && !world.attached);
                answered?;
                world.shown = false;
                world.operator.on_gone(now, net(), until);
            }
            Deed::CallIsLost => {
                let (_, waits) = world.call.as_mut().filter(|(_, waits)| *waits)?;
                *waits = false;
                world.operator.on_lost(now, net(), now + self.settings.late_for);
            }
            Deed::OperatorIsReplaced => {
                if world.replaced {
                    return None;
                }
                world.replaced = true;
                world.operator = Releases::default();
                world.seen = world.object;
                world.shown = world.attached || world.now < world.changed + SETTLE;
                world.read = world.now;
                world.call = world.call.map(|(sent, _)| (sent, false));
            }
            _ => return None,
        }
        world.look(&self.settings);
        Some(())
    }

    fn other_acts(&self, world: &mut World, deed: Deed) -> Option<()> {
        match deed {
            Deed::TimePasses => {
                world.now += 1;
                if world.call.is_some_and(|(_, waits)| !waits) && !world.may_land() {
                    world.call = None;
                }
            }
            Deed::DemandChanges => world.spare = !world.spare,
            Deed::CallLands => {
                if !world.attached || !world.may_land() {
                    return None;
                }
                (world.attached, world.changed) = (false, world.now);
                world.call = world.call.filter(|(_, waits)| *waits);
            }
            // The node needs addresses, and EC2 gives it the same one.
            Deed::AddressComesBack => {
                if world.attached || world.shown || world.spare || world.call.is_some() {
                    return None;
                }
                (world.attached, world.changed, world.shown) = (true, world.now, true);
                world.operator.on_assigned(tick(world.now), net());
            }
            _ => return None,
        }
        world.look(&self.settings);
        Some(())
    }
}

fn agent_acts(world: &mut World, deed: Deed) -> Option<()> {
    match deed {
        Deed::AgentSees => {
            world.known = world.object;
            world.take_step();
        }
        // The answer is written only where what was answered still stands, and what is used along with it.
        Deed::AgentWrites => {
            if let Some((_, answer)) = world.answer.take_if(|(to, _)| *to == world.object.entry) {
                world.object.entry = answer;
            }
            world.object.used = world.pod.is_some();
        }
        Deed::AgentRestarts => {
            world.answer = None;
            world.known = world.object;
            world.take_step();
        }
        Deed::PodStarts(pod) => {
            let is_free = world.known.in_pool && !world.promised && world.pod.is_none();
            is_free.then_some(())?;
            world.pod = Some(pod);
        }
        Deed::PodEnds => drop(world.pod.take()?),
        _ => return None,
    }
    Some(())
}

impl Model for Handshake {
    type State = World;
    type Action = Deed;

    fn init_states(&self) -> Vec<World> {
        let object = Object { entry: None, in_pool: true, used: false };
        let mut world = World {
            now: SETTLE,
            attached: true,
            changed: 0,
            object,
            operator: Releases::default(),
            seen: object,
            shown: true,
            read: SETTLE,
            spare: true,
            call: None,
            replaced: false,
            known: object,
            promised: false,
            pod: None,
            answer: None,
        };
        // The address has been one too many for a while: its agent is about to be asked for it.
        world.look(&self.settings);
        world.now += 1;
        world.look(&self.settings);
        vec![world]
    }

    fn actions(&self, _: &World, actions: &mut Vec<Deed>) {
        actions.extend([
            Deed::TimePasses,
            Deed::DemandChanges,
            Deed::OperatorSees,
            Deed::OperatorReads { late: false },
            Deed::OperatorReads { late: true },
            Deed::OperatorWrites,
            Deed::OperatorCalls,
            Deed::CallLands,
            Deed::CallIsAnswered,
            Deed::CallIsLost,
            Deed::OperatorIsReplaced,
            Deed::AddressComesBack,
            Deed::AgentSees,
            Deed::AgentWrites,
            Deed::AgentRestarts,
            Deed::PodStarts(1),
            Deed::PodStarts(2),
            Deed::PodEnds,
        ]);
    }

    fn next_state(&self, before: &World, deed: Deed) -> Option<World> {
        let mut world = before.clone();
        let done = match deed {
            Deed::OperatorWrites => world.write().then_some(()),
            Deed::AgentSees
            | Deed::AgentWrites
            | Deed::AgentRestarts
            | Deed::PodStarts(_)
            | Deed::PodEnds => agent_acts(&mut world, deed),
            Deed::TimePasses | Deed::DemandChanges | Deed::CallLands | Deed::AddressComesBack => {
                self.other_acts(&mut world, deed)
            }
            _ => self.operator_acts(&mut world, deed),
        };
        done.filter(|()| world != *before).map(|()| world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a pod has an address that is there", |_, world: &World| {
                world.pod.is_none() || world.attached
            }),
            Property::sometimes("an address is released and forgotten", |_, world: &World| {
                !world.attached && world.object.entry.is_none() && !world.object.in_pool
            }),
            Property::sometimes("a pod gets what was promised before", |_, world: &World| {
                world.pod.is_some()
                    && world.now > SETTLE
                    && world.seen.entry == Some(Release::Ready)
            }),
        ]
    }
}

impl Debug for Handshake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Handshake")
    }
}

#[test]
fn no_interleaving_takes_an_address_from_a_pod() {
    const DEPTH: usize = 14;
    let checker = handshake().checker().target_max_depth(DEPTH).spawn_bfs().join();
    let states = checker.unique_state_count();
    writeln!(std::io::stdout(), "{states} states to depth {DEPTH}").unwrap();
    let found = checker.discovery("a pod has an address that is there");
    assert!(found.is_none(), "{}", found.map(|path| format!("{path:?}")).unwrap_or_default());
    for reached in ["an address is released and forgotten", "a pod gets what was promised before"] {
        assert!(checker.discovery(reached).is_some(), "nowhere: {reached}");
    }
}
