//! What Prometheus reads.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipam_core::agent::{Counts, Event, LastWord, Problems, Status};
use ipam_core::pool::{Expired, Family, GrantId, Owner, Tally};

use super::Metrics;
use crate::keeper::{CallKind, Observer, Write};

pub(crate) fn status() -> Status {
    let ipv4 = Tally { attached: 15, free: 2, used: 10, cooling: 2, promised: 1, withdrawn: 3 };
    Status {
        instance: None,
        families: vec![(Family::Ipv4, ipv4), (Family::Ipv6, Tally::default())],
        cidrs: vec![],
        enis: vec![],
        holdings: vec![],
        waiting: 4,
        attachments: 9,
        ready: Ok(()),
        word: Some(LastWord { age: Duration::from_secs(7), blocked: None }),
        publishing: None,
        problems: Problems { not_durable: Some("no space".into()), ..Problems::default() },
        counts: Counts::default(),
    }
}

/// Metrics on which everything has happened once.
fn everything() -> Metrics {
    let metrics = Metrics::new();
    let owner: Owner = "shop/cart-0".parse().unwrap();
    let address = "10.0.0.5".parse().unwrap();
    let waited = Duration::from_millis(3);
    let granted = |cut_short| Event::Granted { address, owner: owner.clone(), cut_short, waited };
    let expired = Expired { address, owner: owner.clone(), id: GrantId::from_u64(1) };
    let ipv6 = Event::Released { address: "fd00::1".parse().unwrap(), owner: owner.clone() };
    let released = Event::Released { address, owner: owner.clone() };
    for event in [
        granted(false),
        granted(true),
        released,
        ipv6,
        Event::Expired(expired),
        Event::Waits { waiting: 1 },
        Event::Kept { address },
        Event::WordHeard,
    ] {
        metrics.on_event(&event);
    }
    metrics.on_answer(CallKind::Add, "granted", Duration::from_micros(200));
    metrics.on_answer(CallKind::Add, "no_address", Duration::from_secs(10));
    metrics.on_answer(CallKind::Del, "done", Duration::from_micros(300));
    let took = Duration::from_micros(400);
    metrics.on_write(&Write { records: 110, anew: false, took, done: true });
    metrics.on_write(&Write { records: 1, anew: true, took, done: false });
    metrics.on_lost_event();
    metrics.on_replayed("done", 2);
    metrics.on_publication("written");
    metrics.on_host_changes("drift", 2);
    metrics.on_host_ensured("waited", took);
    metrics
}

/// Whether the exposition has each of these lines.
#[track_caller]
fn check(text: &str, expected: &str) {
    for line in expected.lines() {
        assert!(text.lines().any(|found| found == line), "{line:?} is missing in\n{text}");
    }
}

#[test]
fn what_happened_is_counted() {
    let text = everything().exposition(Some(&status()));
    check(
        &text,
        r#"cilium_ipam_events_total{action="allocate",family="ipv4"} 2
cilium_ipam_events_total{action="release",family="ipv4"} 2
cilium_ipam_events_total{action="release",family="ipv6"} 1
berth_agent_add_duration_seconds_count{outcome="granted",reason=""} 1
berth_agent_add_duration_seconds_bucket{outcome="granted",reason="",le="0.00025"} 1
berth_agent_add_duration_seconds_count{outcome="refused",reason="no_address"} 1
berth_agent_calls_total{call="del",outcome="done"} 1
berth_agent_waits_total 1
berth_agent_cool_downs_cut_short_total 1
berth_agent_release_refusals_total 1
berth_agent_ledger_fsync_seconds_count{result="done",write="append"} 1
berth_agent_ledger_fsync_seconds_count{result="failed",write="anew"} 1
berth_agent_ledger_records_total 110
berth_agent_lost_events_total 1
berth_agent_replayed_deletions_total{result="done"} 2
berth_agent_publications_total{result="written"} 1"#,
    );
}

/// The capacity is all addresses, so that used by capacity is a share.
#[test]
fn how_it_is_now() {
    check(
        &everything().exposition(Some(&status())),
        r#"cilium_ipam_capacity{family="ipv4"} 15
cilium_ipam_capacity{family="ipv6"} 0
cilium_ip_addresses{family="ipv4"} 13
berth_agent_addresses{family="ipv4",state="free"} 2
berth_agent_addresses{family="ipv4",state="cooling"} 2
berth_agent_addresses{family="ipv4",state="promised"} 1
berth_agent_ready 1
berth_agent_waiting 4
berth_agent_attachments 9
berth_agent_word_age_seconds 7
berth_agent_problems{problem="not_durable"} 1
berth_agent_problems{problem="not_published"} 0"#,
    );
    let silent = Status { word: None, ready: Err("the operator's word"), ..status() };
    let text = everything().exposition(Some(&silent));
    assert!(!text.contains("berth_agent_word_age_seconds"), "{text}");
    check(&text, "berth_agent_ready 0");
}

/// The table of the README, and what is there when everything has happened: name, type and labels.
#[test]
fn the_readme_has_every_metric() {
    let readme = include_str!("../../README.md");
    let rows = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter(|row| row.starts_with("cilium_") || row.starts_with("berth_agent_"));
    let documented: BTreeSet<String> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let labels: Vec<&str> =
                cells[2].split(',').map(|label| label.trim().trim_matches('`')).collect();
            format!("{} {} {}", cells[0].trim_matches('`'), cells[1], labels.join(","))
        })
        .map(|row| row.trim().to_owned())
        .collect();
    assert_eq!(documented, families(&everything().exposition(Some(&status()))));
}

/// Each family as `name type labels`.
fn families(text: &str) -> BTreeSet<String> {
    let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let (name, inside) = series.split_once('{').unwrap_or((series, ""));
        let names = inside.trim_end_matches('}').split("\",").filter_map(|label| {
            label.split_once('=').map(|(name, _)| name).filter(|name| *name != "le")
        });
        labels.entry(name).or_default().extend(names);
    }
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let of = |name: &str, suffix: &str| labels.get(format!("{name}{suffix}").as_str()).cloned();
    types
        .map(|line| {
            let (name, kind) = line.split_once(' ').unwrap();
            let labels = of(name, "").or_else(|| of(name, "_count")).unwrap_or_default();
            let labels: Vec<&str> = labels.into_iter().collect();
            format!("{name} {kind} {}", labels.join(",")).trim().to_owned()
        })
        .collect()
}
