//! An agent with a disk, a `CiliumNode` and callers around it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipam_core::agent::{
    Agent, AgentSettings, Attachment, Call, CallId, Publication, PublicationId, Published, Record,
    RecordId, Replay, Sandbox, Start, State,
};
use ipam_core::pool::{Claim, GrantId, Ledger};
use ipam_core::time::Tick;
use ipam_core::view::Contract;
use ipnet::IpNet;

use crate::text;

/// What the `CiliumNode` has of what the agent writes.
#[derive(Debug, Default)]
struct Written {
    used: BTreeMap<Ipv4Addr, String>,
    pools: Option<((u32, u32), std::collections::BTreeSet<IpNet>)>,
}

#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) settings: AgentSettings,
    pub(crate) now: Tick,
    pub(crate) agent: Agent,
    /// What the disk has.
    pub(crate) disk: Vec<Record>,
    /// What that makes.
    replayed: Option<Replay>,
    /// What is on its way there.
    unwritten: Vec<(RecordId, Record)>,
    holds: bool,
    names: BTreeMap<CallId, String>,
    calls: u64,
    written: Written,
    pub(crate) under_way: Option<(PublicationId, Publication)>,
    noticed: Vec<String>,
}

impl Default for Rig {
    fn default() -> Self {
        let settings = AgentSettings::default();
        let agent = Agent::new(settings.clone(), begin(&[]), Tick::default()).unwrap();
        let mut rig = Self {
            settings,
            now: Tick::default(),
            agent,
            disk: Vec::new(),
            replayed: None,
            unwritten: Vec::new(),
            holds: false,
            names: BTreeMap::new(),
            calls: 0,
            written: Written::default(),
            under_way: None,
            noticed: Vec::new(),
        };
        rig.outcome();
        rig
    }
}

/// A start without a state.
fn begin(words: &[&str]) -> Start {
    let instance = words.iter().find_map(|word| word.strip_prefix("instance="));
    Start {
        state: None,
        trusted: !words.contains(&"untrusted"),
        instance: match instance {
            Some("?") => None,
            Some(id) => Some(id.parse().unwrap()),
            None => Some("i-1".parse().unwrap()),
        },
        boot: words.iter().find_map(|it| it.strip_prefix("boot=")).unwrap_or("first").to_string(),
    }
}

/// Applies the next record; the first one is a whole state.
pub(crate) fn apply(replayed: &mut Option<Replay>, record: &Record, settings: &AgentSettings) {
    match (replayed, record) {
        (Some(replayed), record) => replayed.apply(record).unwrap(),
        (none, Record::Whole(state)) => {
            *none = Some(Replay::new(state.clone(), settings.ledger).unwrap());
        }
        (None, _) => panic!("the first record is not a whole state: {record:?}"),
    }
}

/// A state as it is at one moment: what has cooled down by then has.
pub(crate) fn as_of(state: State, settings: &AgentSettings, now: Tick) -> State {
    let ledger = Ledger::restore(state.ledger, settings.ledger, now).unwrap().snapshot();
    State { ledger, ..state }
}

impl Rig {
    pub(crate) fn set(&mut self, words: &[&str]) {
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, "true"));
            let settings = &mut self.settings;
            match name {
                "contract" => settings.contract = contract(value),
                "ipv4" => settings.ipv4 = value == "true",
                "ipv6" => settings.ipv6 = value == "true",
                "pre" => settings.pre_allocate = value.parse().unwrap(),
                "least" => settings.min_allocate = value.parse().unwrap(),
                "above" => settings.max_above_watermark = value.parse().unwrap(),
                "first" => settings.first_interface_index = value.parse().unwrap(),
                "primary" => settings.use_primary_address = value == "true",
                "fast" => settings.fast_start = value == "true",
                "host" => settings.host_networking = value == "true",
                "own" => settings.own = text::list(Some(&value)).into_iter().collect(),
                "wait" => settings.wait_max = text::duration(value),
                "waiting" => settings.waiting_max = value.parse().unwrap(),
                _ => panic!("no such setting: {name}"),
            }
        }
    }

    pub(crate) fn start(&mut self, words: &[&str]) {
        self.begin(begin(words));
    }

    pub(crate) fn restart(&mut self, words: &[&str]) {
        self.begin(Start { state: Some(self.on_disk()), ..begin(words) });
    }

    /// The state that the disk has.
    pub(crate) fn on_disk(&self) -> State {
        self.replayed.clone().unwrap().finish()
    }

    fn begin(&mut self, start: Start) {
        self.agent = Agent::new(self.settings.clone(), start, self.now).unwrap();
        (self.unwritten, self.holds, self.under_way) = (Vec::new(), false, None);
        self.names.clear();
    }

    pub(crate) fn metadata(&mut self, words: &[&str]) {
        self.agent.on_metadata(self.now, text::shown(words));
    }

    pub(crate) fn instance(&mut self, id: &str) {
        self.agent.on_instance(self.now, id.parse().unwrap());
    }

    pub(crate) fn word(&mut self, named: &BTreeMap<&str, &str>) {
        let mut word = text::word(named);
        if !named.contains_key("instance") {
            word.instance = Some("i-1".parse().unwrap());
        }
        word.used = self.written.used.clone();
        if let Some(used) = named.get("used") {
            let pairs = used.split(',').filter_map(|pair| pair.split_once(':'));
            word.used = pairs.map(|(it, owner)| (it.parse().unwrap(), owner.to_string())).collect();
        }
        if let Some((requested, allocated)) = self.written.pools.clone() {
            (word.requested, word.allocated) = (Some(requested), allocated);
        }
        if let Some(requested) = named.get("requested") {
            word.requested = Some((requested.parse().unwrap(), 0));
        }
        if named.contains_key("allocated") {
            word.allocated = text::list(named.get("allocated")).into_iter().collect();
        }
        self.agent.on_word(self.now, word);
    }

    pub(crate) fn found(&mut self, words: &[&str]) {
        self.agent.on_found(self.now, text::found(words));
    }

    pub(crate) fn host(&mut self, words: &[&str]) {
        self.agent.on_host(self.now, text::host(words));
    }

    pub(crate) fn tick(&mut self) {
        self.agent.on_time(self.now);
    }

    pub(crate) fn hold(&mut self, holds: bool) {
        self.holds = holds;
    }

    pub(crate) fn fail(&mut self) {
        self.poll_records();
        self.unwritten.clear();
        self.holds = true;
        self.agent.on_not_durable(self.now, "no space left".to_string());
    }

    pub(crate) fn published(&mut self, problem: Option<&str>) {
        let (id, publication) = self.under_way.take().unwrap();
        let published = match problem {
            Some(problem) => Published::Failed { problem: problem.to_string() },
            None => Published::Written,
        };
        if problem.is_none() {
            match publication {
                Publication::Used { used, .. } => {
                    let used = used.into_iter();
                    self.written.used =
                        used.map(|(address, (owner, _))| (address, owner.to_string())).collect();
                }
                Publication::Pools { requested, allocated } => {
                    self.written.pools = Some((requested, allocated));
                }
            }
        }
        self.agent.on_published(self.now, id, &published);
    }

    pub(crate) fn abandon(&mut self, name: &str) {
        let call = self.names.iter().rev().find(|(_, named)| *named == name);
        let call = *call.unwrap().0;
        self.agent.on_abandoned(self.now, call);
    }

    pub(crate) fn call(&mut self, words: &[&str]) {
        self.calls += 1;
        let id = CallId(self.calls);
        let name = words.get(1).filter(|_| matches!(words[0], "add" | "del" | "check"));
        self.names.insert(id, name.unwrap_or(&words[0]).to_string());
        self.agent.on_call(self.now, id, call(words));
    }

    /// Lets everything come out and takes note of it.
    pub(crate) fn outcome(&mut self) -> String {
        loop {
            let before = self.noticed.len();
            let wrote = self.poll_records();
            if !self.holds
                && let Some((last, _)) = self.unwritten.last()
            {
                let last = *last;
                for (_, record) in self.unwritten.drain(..) {
                    apply(&mut self.replayed, &record, &self.settings);
                    self.disk.push(record);
                }
                self.agent.on_durable(self.now, last);
            }
            self.poll_outcomes();
            let writes = self.poll_records();
            if !wrote && !writes && self.noticed.len() == before {
                break;
            }
        }
        // After a write that failed the disk is behind, until the whole state is there.
        if !self.holds && self.agent.status(self.now).problems.not_durable.is_none() {
            self.check_replay();
        }
        let noticed = std::mem::take(&mut self.noticed);
        if noticed.is_empty() { "nothing".to_string() } else { noticed.join("; ") }
    }

    fn poll_records(&mut self) -> bool {
        let before = self.unwritten.len();
        self.unwritten.extend(std::iter::from_fn(|| self.agent.poll_record()));
        self.unwritten.len() > before
    }

    fn poll_outcomes(&mut self) {
        let events = std::iter::from_fn(|| self.agent.poll_event());
        self.noticed.extend(events.filter_map(|event| text::event_text(&event)));
        while let Some((call, answer)) = self.agent.poll_answer() {
            let name = self.names.remove(&call).unwrap();
            self.noticed.push(format!("{name} {}", text::answer_text(&answer)));
        }
        if let Some((id, publication)) = self.agent.poll_publication(self.now) {
            assert!(self.under_way.is_none(), "two publications at once");
            self.noticed.push(text::publication_text(&publication));
            self.under_way = Some((id, publication));
        }
    }

    /// What is on disk is what the agent knows.
    fn check_replay(&self) {
        let (settings, now) = (&self.settings, self.now);
        let on_disk = as_of(self.on_disk(), settings, now);
        assert_eq!(on_disk, as_of(self.agent.state(), settings, now));
    }

    pub(crate) fn deadline(&self) -> String {
        let deadline = self.agent.deadline();
        deadline.map_or("none".to_string(), |at| format!("{} ms", at.as_millis()))
    }

    pub(crate) fn ready(&self) -> String {
        match self.agent.status(self.now).ready {
            Ok(()) => "ready".to_string(),
            Err(missing) => format!("missing: {missing}"),
        }
    }

    pub(crate) fn problems(&self) -> String {
        let problems = self.agent.status(self.now).problems;
        let invalid = problems.invalid.iter().map(ToString::to_string);
        let texts = [problems.inconsistent, problems.not_durable, problems.not_published];
        let all: Vec<String> = invalid.chain(texts.into_iter().flatten()).collect();
        if all.is_empty() { "none".to_string() } else { all.join("; ") }
    }

    pub(crate) fn tally(&self, family: &str) -> String {
        let families = self.agent.status(self.now).families;
        let found = families.into_iter().find(|(it, _)| *it == text::family(family));
        found.unwrap().1.to_string()
    }

    pub(crate) fn cidrs(&self) -> String {
        let usages = self.agent.status(self.now).cidrs;
        text::spaced(usages.into_iter().map(|usage| {
            let gone = if usage.withdrawn { "-" } else { "" };
            let (free, used) = (usage.free, usage.used);
            format!(
                "{gone}{}:{free}/{used}/{}/{}",
                usage.listed.cidr, usage.cooling, usage.promised
            )
        }))
    }

    pub(crate) fn enis(&self) -> String {
        let enis = self.agent.status(self.now).enis;
        text::spaced(enis.into_iter().map(|eni| {
            let primary = eni.primary.map(|primary| format!("={primary}")).unwrap_or_default();
            let problem = eni.problem.map(|problem| format!("({problem})")).unwrap_or_default();
            let carries = if eni.carries { "" } else { "!" };
            format!("{}#{}{primary}{carries}{problem}", eni.facts.id, eni.facts.number)
        }))
    }

    pub(crate) fn holdings(&self) -> String {
        let holdings = self.agent.status(self.now).holdings;
        text::spaced(holdings.into_iter().map(|held| {
            let by = held.attachment.map_or(String::new(), |attachment| format!("({attachment})"));
            format!("{}={}{by}", held.address, held.owner)
        }))
    }
}

fn contract(text: &str) -> Contract {
    match text {
        "per-ip" => Contract::PerIp,
        "cidr" => Contract::Cidr,
        _ => panic!("no such contract: {text}"),
    }
}

fn attachment(container: &str) -> Attachment {
    Attachment {
        network: "net".to_string(),
        container: container.to_string(),
        interface: "eth0".to_string(),
    }
}

fn call(words: &[&str]) -> Call {
    match *words {
        ["add", container, pod, ref rest @ ..] => Call::Add {
            attachment: attachment(container),
            pod: pod.parse().unwrap(),
            uid: None,
            wait: rest.first().map(|wait| text::duration(wait)),
        },
        ["del", container] => Call::Del { attachment: attachment(container) },
        ["check", container, ref addresses @ ..] => Call::Check {
            attachment: attachment(container),
            addresses: addresses.iter().map(|it| it.parse().unwrap()).collect(),
        },
        ["gc", network, ref valid @ ..] => Call::Gc {
            network: network.to_string(),
            valid: valid.iter().map(|container| sandbox(container)).collect(),
        },
        ["status"] => Call::Status,
        ["allocate", families, owner, ref claim @ ..] => Call::Allocate {
            families: families.split(',').map(text::family).collect(),
            owner: owner.parse().unwrap(),
            claim: if claim.is_empty() { Claim::NotNeeded } else { Claim::Expected },
        },
        ["exact", address, owner] => {
            Call::AllocateExact { address: address.parse().unwrap(), owner: owner.parse().unwrap() }
        }
        ["claim", address, id] => {
            let id = GrantId::from_u64(id.parse().unwrap());
            Call::Claim { address: address.parse().unwrap(), id }
        }
        ["release", address] => Call::Release { address: address.parse::<IpAddr>().unwrap() },
        _ => panic!("no such command: {words:?}"),
    }
}

fn sandbox(container: &str) -> Sandbox {
    Sandbox { container: container.to_string(), interface: "eth0".to_string() }
}
