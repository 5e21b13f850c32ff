//! Long runs: what is on disk at each moment is enough, and a burst of pods is a handful of writes.

use std::collections::BTreeMap;

use ipam_core::agent::{Agent, Attachment, Record, Replay, Start, State};
use ipam_core::time::Tick;

use crate::rig::{Rig, apply};

/// Numbers that look like chance and are the same each time (Knuth's 64-bit linear congruential generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What a container was told last, and how many records were on disk then.
type Told = BTreeMap<String, Vec<(usize, bool)>>;

/// Many sandboxes come and go, the operator asks for addresses, and the clock goes on.
fn churn(seed: u64, contract: &str) -> (Rig, Told) {
    let (mut rig, mut chance, mut told) = (Rig::default(), Chance(seed), Told::new());
    rig.set(&[contract, "pre=4"]);
    rig.start(&[]);
    rig.outcome();
    let mut pool = "10.0.1.0/28".to_string();
    for step in 0..400 {
        rig.now = rig.now + std::time::Duration::from_millis(chance.below(4000));
        let container = format!("c{}", chance.below(24));
        match chance.below(12) {
            0 => word(&mut rig, &mut chance, &mut pool),
            1 => rig.tick(),
            2 if rig.under_way.is_some() => rig.published((step % 5 == 0).then_some("conflict")),
            3 => rig.call(&["gc", "other"]),
            4 => rig.call(&["allocate", "ipv4", &format!("b/p{step}"), "claim"]),
            5 => rig.found(&[&format!("10.0.1.{}", chance.below(16))]),
            6..=8 => rig.call(&["del", &container]),
            _ => rig.call(&["add", &container, &format!("a/{container}"), "0s"]),
        }
        let outcome = rig.outcome();
        for said in outcome.split("; ").filter_map(|said| said.split_once(' ')) {
            note(&mut told, said, rig.disk.len());
        }
    }
    (rig, told)
}

fn note(told: &mut Told, (container, said): (&str, &str), records: usize) {
    if container.starts_with('c') && (said == "done" || said.starts_with("10.")) {
        told.entry(container.to_string()).or_default().push((records, said != "done"));
    }
}

/// The operator gives or takes a prefix, or asks for an address.
fn word(rig: &mut Rig, chance: &mut Chance, pool: &mut String) {
    if chance.below(2) == 0 {
        *pool = match chance.below(3) {
            0 => "10.0.1.0/28".to_string(),
            1 => "10.0.1.0/28,10.0.2.0/28".to_string(),
            _ => "10.0.2.0/28,10.0.3.7".to_string(),
        };
    }
    let marked = format!("10.0.{}.{}", 1 + chance.below(2), chance.below(16));
    let named = BTreeMap::from([("eni-1#0", pool.as_str()), ("marked", marked.as_str())]);
    rig.word(&named);
}

fn attachment(container: &str) -> Attachment {
    Attachment {
        network: "net".to_string(),
        container: container.to_string(),
        interface: "eth0".to_string(),
    }
}

/// What was answered by then is in the state, and what was given back is not.
fn check_told(state: &State, told: &Told, records: usize) {
    for (container, told) in told {
        let behind = told.partition_point(|(at, _)| *at <= records);
        let Some((_, holds)) = behind.checked_sub(1).map(|index| told[index]) else { continue };
        // The next answer may be about to leave: some of its records are there already.
        if told.get(behind).is_some_and(|(at, _)| at - records <= 2) {
            continue;
        }
        let held = state.attachments.contains_key(&attachment(container));
        assert_eq!(held, holds, "{container} with {records} records");
    }
}

#[track_caller]
fn check_crashes(contract: &str) {
    for seed in 1..=3 {
        let (rig, told) = churn(seed, contract);
        let mut replay: Option<Replay> = None;
        let mut granted = 0;
        for (index, record) in rig.disk.iter().enumerate() {
            granted += usize::from(matches!(record, Record::Granted { .. }));
            apply(&mut replay, record, &rig.settings);
            let state = replay.clone().unwrap().finish();
            check_told(&state, &told, index + 1);
            let start = Start {
                trusted: true,
                instance: state.instance.clone(),
                boot: state.boot.clone(),
                state: Some(state),
            };
            Agent::new(rig.settings.clone(), start, rig.now).unwrap();
        }
        assert!(granted > 50, "{granted} grants are no churn");
    }
}

#[test]
fn a_crash_behind_any_record_loses_no_answer() {
    check_crashes("contract=per-ip");
}

#[test]
fn a_crash_behind_any_record_loses_no_answer_of_the_cidr_contract() {
    check_crashes("contract=cidr");
}

/// A thousand ADDs and DELs within half a minute; each publication takes 50 ms.
fn publications_of_a_burst(contract: &str, prefixes: &str) -> usize {
    let mut rig = Rig::default();
    rig.set(&[contract]);
    rig.start(&[]);
    rig.word(&BTreeMap::from([("eni-1#0", prefixes)]));
    let (mut publications, mut ends) = (0, None);
    for step in 0..1_000_u64 {
        rig.now = Tick::from_millis(1_000 + step * 30);
        let container = format!("c{}", step / 2);
        if step % 2 == 0 || step < 60 {
            rig.call(&["add", &container, &format!("a/p{step}")]);
        } else {
            rig.call(&["del", &format!("c{}", step / 2 - 30)]);
        }
        publications += rig.outcome().matches("publish").count();
        if rig.under_way.is_some() && ends.is_none() {
            ends = Some(rig.now + std::time::Duration::from_millis(50));
        }
        if ends.is_some_and(|ends| ends <= rig.now) {
            ends = None;
            rig.published(None);
            rig.word(&BTreeMap::from([("eni-1#0", prefixes)]));
            publications += rig.outcome().matches("publish").count();
        }
    }
    publications
}

#[test]
fn a_burst_of_pods_is_a_handful_of_writes() {
    let ample = "10.0.1.0/26,10.0.1.64/26";
    for contract in ["contract=per-ip", "contract=cidr"] {
        for prefixes in [ample, "10.0.1.0/28"] {
            let publications = publications_of_a_burst(contract, prefixes);
            assert!(publications > 1, "{contract} {prefixes}: {publications}");
            assert!(publications <= 20, "{contract} {prefixes}: {publications}");
        }
    }
}
