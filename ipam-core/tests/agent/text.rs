//! From the words of a script to values, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Duration;

use ipam_core::agent::{
    Answer, EniFacts, Event, Found, HostView, Lease, Publication, Release, ShownEni, Word, WordEni,
};
use ipam_core::ids::EniId;
use ipam_core::pool::{Claim, Family};
use ipam_core::time::Tick;
use ipnet::IpNet;

pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

pub(crate) fn duration(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(number) => Duration::from_millis(number.parse().unwrap()),
        None => Duration::from_secs(text.strip_suffix('s').unwrap().parse().unwrap()),
    }
}

pub(crate) fn time(text: &str) -> Tick {
    Tick::default() + duration(text)
}

pub(crate) fn family(text: &str) -> Family {
    match text {
        "ipv4" => Family::Ipv4,
        "ipv6" => Family::Ipv6,
        _ => panic!("no such family: {text}"),
    }
}

/// What is between commas.
pub(crate) fn list<T: FromStr<Err: std::fmt::Debug>>(text: Option<&&str>) -> Vec<T> {
    let parts = text.into_iter().flat_map(|text| text.split(',')).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().unwrap()).collect()
}

struct Interface {
    facts: EniFacts,
    primary: Option<Ipv4Addr>,
    addresses: BTreeSet<IpAddr>,
    prefixes: BTreeSet<IpNet>,
}

/// `eni-1#0` and `10.0.0.4*,10.0.0.5,10.0.1.0/28`.
fn interface(name: &str, holds: &str) -> Interface {
    let (id, number) = name.split_once('#').unwrap();
    let facts = EniFacts {
        id: id.parse().unwrap(),
        mac: format!("02:00:00:00:00:0{number}"),
        number: number.parse().unwrap(),
        subnet: Some("10.0.0.0/16".parse().unwrap()),
        vpc: Vec::from(["10.0.0.0/8".parse().unwrap()]),
    };
    let (addresses, prefixes) = (BTreeSet::new(), BTreeSet::new());
    let mut interface = Interface { facts, primary: None, addresses, prefixes };
    for part in holds.split(',').filter(|part| !part.is_empty()) {
        if let Some(primary) = part.strip_suffix('*') {
            interface.primary = Some(primary.parse().unwrap());
            interface.addresses.insert(primary.parse().unwrap());
        } else if part.contains('/') {
            interface.prefixes.insert(part.parse().unwrap());
        } else {
            interface.addresses.insert(part.parse().unwrap());
        }
    }
    interface
}

/// `eni-1#0=...`; `@1` behind the number is the network card.
pub(crate) fn shown(words: &[&str]) -> Vec<ShownEni> {
    let shown = words.iter().map(|word| {
        let (name, holds) = word.split_once('=').unwrap();
        let (name, card) = name.split_once('@').unwrap_or((name, "0"));
        let Interface { facts, primary, addresses, prefixes } = interface(name, holds);
        ShownEni { facts, network_card: card.parse().unwrap(), primary, addresses, prefixes }
    });
    shown.collect()
}

/// The word without what the agent writes. Where the pool is not given, it is all that the interfaces have.
pub(crate) fn word(named: &BTreeMap<&str, &str>) -> Word {
    let enis = named.iter().filter(|(name, _)| name.contains('#')).map(|(name, holds)| {
        let Interface { facts, primary, addresses, prefixes } = interface(name, holds);
        WordEni { facts, primary, addresses, prefixes }
    });
    let enis: Vec<WordEni> = enis.collect();
    let mut releases = BTreeMap::new();
    for (name, release) in [
        ("marked", Release::Marked),
        ("ready", Release::Ready),
        ("refused", Release::Refused),
        ("released", Release::Released),
    ] {
        releases.extend(list(named.get(name)).into_iter().map(|address| (address, release)));
    }
    Word {
        instance: named.get("instance").filter(|id| **id != "none").map(|id| id.parse().unwrap()),
        pool: match named.get("pool") {
            Some(&"none") => None,
            Some(pool) => {
                Some(pool.split(',').filter(|it| !it.is_empty()).map(pool_entry).collect())
            }
            None if enis.is_empty() => None,
            None => Some(enis.iter().flat_map(everything).collect()),
        },
        enis,
        releases,
        blocked: named.get("blocked").map(ToString::to_string),
        ..Word::default()
    }
}

fn pool_entry(entry: &str) -> (Ipv4Addr, EniId) {
    let (address, eni) = entry.split_once('@').unwrap();
    (address.parse().unwrap(), eni.parse().unwrap())
}

fn everything(eni: &WordEni) -> Vec<(Ipv4Addr, EniId)> {
    let single = eni.addresses.iter().filter_map(|address| match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    });
    let delegated = eni.prefixes.iter().filter_map(|cidr| match cidr {
        IpNet::V4(cidr) => Some((u32::from(cidr.network()), u32::from(cidr.broadcast()))),
        IpNet::V6(_) => None,
    });
    let delegated = delegated.flat_map(|(first, last)| (first..=last).map(Ipv4Addr::from));
    single.chain(delegated).map(|address| (address, eni.facts.id.clone())).collect()
}

pub(crate) fn found(words: &[&str]) -> Vec<Found> {
    let found = words.iter().map(|word| match word.split_once('=') {
        Some((address, pod)) => {
            Found { address: address.parse().unwrap(), pod: Some(pod.parse().unwrap()) }
        }
        None => Found { address: word.parse().unwrap(), pod: None },
    });
    found.collect()
}

/// `eni-2`, or `eni-3=no-device` for one with a problem.
pub(crate) fn host(words: &[&str]) -> HostView {
    let (problems, ready): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| word.contains('='));
    let problems = problems.iter().filter_map(|word| word.split_once('='));
    HostView {
        ready: ready.iter().map(|eni| eni.parse().unwrap()).collect(),
        problems: problems.map(|(eni, why)| (eni.parse().unwrap(), why.to_string())).collect(),
    }
}

pub(crate) fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Granted(leases) => spaced(leases.iter().map(lease_text)),
        Answer::Done => "done".to_string(),
        Answer::Refused(refused) => format!("{}: {refused}", refused.label()),
    }
}

/// The interface is named when it is not the first one.
fn lease_text(lease: &Lease) -> String {
    let claim = match lease.claim {
        Claim::Expected => format!(" claim {}", lease.id),
        Claim::NotNeeded => String::new(),
    };
    let eni = Some(&lease.eni.id).filter(|eni| eni.as_str() != "eni-1");
    let eni = eni.map_or(String::new(), |eni| format!(" on {eni}"));
    format!("{}{eni}{claim}", lease.address)
}

/// What of the events is not shown by the answers anyway.
pub(crate) fn event_text(event: &Event) -> Option<String> {
    Some(match event {
        Event::Granted { cut_short: true, address, .. } => format!("{address} cut short"),
        Event::Expired(expired) => format!("{} of {} expired", expired.address, expired.owner),
        Event::Listed { added, removed, withdrawn } => {
            format!("listed +{added} -{removed} withdrawn {withdrawn}")
        }
        Event::InvalidCidr(invalid) => format!("invalid: {invalid}"),
        Event::WordOfAnother { instance } => format!("the word is of {instance}"),
        Event::WordInconsistent { problem } => format!("inconsistent: {problem}"),
        Event::Promised { cidr } => format!("promised {cidr}"),
        Event::Kept { address } => format!("kept {address}"),
        Event::StartedClean { because, attachments } => {
            format!("clean because of {because}, {attachments} attachments")
        }
        Event::Collected { attachment } => format!("collected {attachment}"),
        Event::HostReady { eni } => format!("{eni} ready"),
        Event::HostProblem { eni, carries, problem } => {
            format!("{eni}{}: {problem}", if *carries { " carries on" } else { "" })
        }
        Event::Adopted { address, owner } => format!("adopted {address} of {owner}"),
        Event::Granted { .. }
        | Event::Released { .. }
        | Event::Refused(_)
        | Event::Waits { .. }
        | Event::WordHeard
        | Event::NotDurable { .. } => return None,
    })
}

pub(crate) fn publication_text(publication: &Publication) -> String {
    match publication {
        Publication::Used { used, releases } => {
            let used =
                used.iter().map(|(address, (owner, eni))| format!("{address}={owner}@{eni}"));
            let releases = releases.iter().map(|(address, release)| match release {
                Some(release) => format!("{address}:{release:?}"),
                None => format!("{address}:gone"),
            });
            format!("publish used [{}] releases [{}]", spaced(used), spaced(releases))
        }
        Publication::Pools { requested: (ipv4, ipv6), allocated } => {
            format!("publish requested {ipv4},{ipv6} allocated [{}]", spaced(allocated.iter()))
        }
    }
}

pub(crate) fn spaced(items: impl Iterator<Item: Display>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}
