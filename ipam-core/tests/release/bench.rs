//! A node as text: what it has, what happens, and how far what leaves it is.
//!
//! Addresses are written by their last number: `4` is 10.0.0.4, `16/28` a prefix, `3,4` and `3-5` several.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::addresses::AddressSet;
use ipam_core::agent::Release;
use ipam_core::ids::EniId;
use ipam_core::prefix::addresses_of;
use ipam_core::release::{Grave, Holding, Look, ReleaseSettings, Releases, State, Usage};
use ipam_core::time::Tick;
use ipam_core::view::Contract;
use ipnet::Ipv4Net;

const SETTLE: Duration = Duration::from_secs(15);

pub(crate) struct Node {
    releases: Releases,
    settings: ReleaseSettings,
    contract: Contract,
    pub(crate) usage: Usage,
    held: BTreeSet<Ipv4Net>,
    /// Where that is.
    eni: u8,
    read: Tick,
    spare: u32,
    now: Tick,
}

/// Each line: what happens, and behind `->` how far what leaves is, what is to be written, what is to be unassigned and what is
/// withheld.
#[track_caller]
pub(crate) fn check(text: &str, steps: &str) {
    let (contract, held) = match text.strip_prefix("cidr ") {
        Some(held) => (Contract::Cidr, held),
        None => (Contract::PerIp, text),
    };
    check_on(&mut node(contract, held), steps);
}

#[track_caller]
pub(crate) fn check_on(node: &mut Node, steps: &str) {
    for line in steps.lines().map(str::trim) {
        let (changes, expected) = line.split_once("->").expect("an arrow");
        for change in changes.split(", ").map(str::trim).filter(|it| !it.is_empty()) {
            node.alter(change);
            node.look();
        }
        assert_eq!(node.describe(), expected.trim(), "{line}");
    }
}

pub(crate) fn node(contract: Contract, held: &str) -> Node {
    Node {
        releases: Releases::default(),
        settings: ReleaseSettings::default(),
        contract,
        usage: Usage { is_certain: true, ..Usage::default() },
        held: held.split(' ').flat_map(nets).collect(),
        eni: 1,
        read: Tick::from_millis(1_000_000),
        spare: 0,
        now: Tick::from_millis(1_000_000),
    }
}

fn address(last: &str) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last.parse().unwrap())
}

fn nets(text: &str) -> Vec<Ipv4Net> {
    text.split(',').flat_map(one_or_more).collect()
}

fn one_or_more(part: &str) -> Vec<Ipv4Net> {
    if let Some((first, length)) = part.split_once('/') {
        return vec![Ipv4Net::new(address(first), length.parse().unwrap()).unwrap()];
    }
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let range = u32::from(address(first))..=u32::from(address(last));
    range.map(|bits| Ipv4Net::from(Ipv4Addr::from(bits))).collect()
}

fn addresses(text: &str) -> Vec<Ipv4Addr> {
    nets(text).into_iter().flat_map(addresses_of).collect()
}

/// Units that follow each other as a range, from four on.
fn short(nets: &[Ipv4Net]) -> String {
    let last = |net: &Ipv4Net| net.addr().octets()[3];
    let is_range = nets.len() > 3
        && nets.iter().all(|net| net.prefix_len() == 32)
        && nets.windows(2).all(|two| last(&two[0]) + 1 == last(&two[1]));
    if let (true, [first, .., end]) = (is_range, nets) {
        return format!("{}-{}", last(first), last(end));
    }
    let one = |net: &Ipv4Net| match net.prefix_len() {
        32 => last(net).to_string(),
        length => format!("{}/{length}", last(net)),
    };
    nets.iter().map(one).collect::<Vec<_>>().join(",")
}

impl Node {
    fn alter(&mut self, change: &str) {
        let (word, rest) = change.split_once(' ').unwrap_or((change, ""));
        match word {
            "wait" => self.wait(Duration::from_secs(rest.parse().unwrap())),
            "spare" => self.spare = rest.parse().unwrap(),
            "used" => self.usage.used = addresses(rest).into_iter().collect(),
            "says" => self.say(rest),
            "forgets" => self.usage.releases.retain(|it, _| !addresses(rest).contains(it)),
            "written" => self.write(),
            "requested" => self.usage.requested = rest.parse().unwrap(),
            "allocated" => self.usage.allocated = nets(rest).into_iter().collect(),
            "listed" => self.usage.listed = addresses(rest).into_iter().collect::<AddressSet>(),
            "contract" => self.contract = Contract::Cidr,
            "restart" => self.releases = Releases::default(),
            "read" => self.read = self.now,
            "moves" => self.eni = 2,
            "hold" => self.held.extend(nets(rest)),
            "drop" => self.held.retain(|net| !nets(rest).contains(net)),
            _ => nets(rest).into_iter().for_each(|net| self.call(word, net)),
        }
    }

    fn call(&mut self, word: &str, net: Ipv4Net) {
        let (now, until) = (self.now, self.now + SETTLE);
        match word {
            "sent" => self.releases.on_sent(now, net),
            "lost" => self.releases.on_lost(now, net, now + self.settings.late_for),
            "kept" => self.releases.on_kept(now, net),
            "gone" => {
                self.held.remove(&net);
                self.releases.on_gone(now, net, Grave { until, kept: until });
            }
            "assigned" => {
                self.held.insert(net);
                self.releases.on_assigned(now, net);
            }
            other => panic!("nothing is {other:?}"),
        }
    }

    /// Time passes second by second, as a machine that is woken in time would have it.
    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.releases.deadline(self.now, &self.settings).filter(|at| *at < end)
        {
            self.now = at;
            self.look();
        }
        self.now = end;
    }

    fn say(&mut self, text: &str) {
        let (which, says) = text.split_once(' ').expect("an answer");
        let says = match says {
            "marked" => Release::Marked,
            "ready" => Release::Ready,
            "refused" => Release::Refused,
            other => panic!("no answer is {other:?}"),
        };
        self.usage.releases.extend(addresses(which).into_iter().map(|address| (address, says)));
    }

    /// The operator's entries are there.
    fn write(&mut self) {
        let entries = self.releases.entries(&self.usage);
        self.usage.releases.retain(|address, _| !entries.contains_key(address));
        let said = entries.into_iter().filter_map(|(address, entry)| Some((address, entry?)));
        self.usage.releases.extend(said);
    }

    fn look(&mut self) {
        let eni: EniId = format!("eni-{}", self.eni).parse().unwrap();
        let read = Some(self.read);
        let held = self.held.iter().rev();
        let held: Vec<Holding> =
            held.map(|net| Holding { net: *net, eni: eni.clone(), read }).collect();
        let look = Look {
            now: self.now,
            contract: self.contract,
            usage: &self.usage,
            held: &held,
            spare: self.spare,
            is_stranded: false,
            settle: SETTLE,
        };
        self.releases.look(&self.settings, look);
        let before = self.describe();
        self.releases.look(&self.settings, look);
        assert_eq!(before, self.describe(), "a second look changes nothing");
    }

    fn describe(&self) -> String {
        let all: BTreeSet<Ipv4Net> =
            self.held.iter().copied().chain(nets("1-63")).chain(nets("16/28,32/28")).collect();
        let mut states: Vec<(State, Vec<Ipv4Net>)> = Vec::new();
        for (net, state) in all.iter().filter_map(|net| Some((*net, self.releases.state(*net)?))) {
            match states.last_mut() {
                Some((last, nets)) if *last == state => nets.push(net),
                _ => states.push((state, vec![net])),
            }
        }
        let named = |(state, nets): &(State, Vec<Ipv4Net>)| {
            format!("{} {}", short(nets), format!("{state:?}").to_lowercase())
        };
        let mut parts = vec![states.iter().map(named).collect::<Vec<_>>().join(", ")];
        let entries = self.releases.entries(&self.usage);
        let mut writes: BTreeMap<&str, Vec<Ipv4Net>> = BTreeMap::new();
        for (address, entry) in entries {
            let verb = match entry {
                Some(Release::Marked) => "mark",
                Some(Release::Released) => "say",
                Some(_) => panic!("an answer of the agent's"),
                None => "remove",
            };
            writes.entry(verb).or_default().push(address.into());
        }
        parts.extend(writes.iter().map(|(verb, nets)| format!("{verb} {}", short(nets))));
        let (enis, due): (BTreeSet<&EniId>, Vec<Ipv4Net>) =
            self.releases.due(self.now, &self.settings).unzip();
        let from = enis.into_iter().find(|eni| eni.as_str() != "eni-1");
        let from = from.map_or(String::new(), |eni| format!(" from {eni}"));
        parts.extend((!due.is_empty()).then(|| format!("due {}{from}", short(&due))));
        let withheld: Vec<Ipv4Net> = self.releases.withheld().collect();
        parts.extend((!withheld.is_empty()).then(|| format!("withheld {}", short(&withheld))));
        parts.join("; ").trim().to_owned()
    }
}
