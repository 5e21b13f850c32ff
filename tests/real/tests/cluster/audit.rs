//! What EC2, the kernels, the runtimes, the ledgers and the API server say at one moment, side by side.
//!
//! The looks at them are not one moment, so what may be so in passing becomes a finding only when it stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use real::cluster::Node;

use crate::bed::{Bed, same, until};
use crate::crowd::{self, Pod};
use crate::host;
use crate::ledger;
use crate::runtime;
use crate::truth::Truth;

/// Longer than a pod takes to come or to go.
const IN_PASSING: Duration = Duration::from_secs(20);
/// On a slow machine, so many times as long as half of the pods took to come at most.
const STARTS_IN_PASSING: u32 = 6;
/// On a machine so busy that looks are that far apart, two of them are too few to say that something stays.
const LOOKS_IN_PASSING: u32 = 3;
const ROUNDS_MIN: u32 = 5;
const PODS_MIN: usize = 20;

/// Many looks, and what was found.
#[derive(Default)]
pub(crate) struct Audit {
    rounds: u32,
    pods: BTreeSet<String>,
    most: usize,
    findings: BTreeSet<String>,
    /// What is wrong if it stays, since when it is so, and in how many looks it was.
    suspects: BTreeMap<String, (Instant, u32)>,
    /// For how long each of those that were in enough looks was so, at most.
    stayed: BTreeMap<String, Duration>,
    /// Pods that did not run yet, since when.
    coming: BTreeMap<String, Instant>,
    /// What pods took that came.
    starts: Vec<Duration>,
}

impl Audit {
    /// Looks at everything once.
    pub(crate) fn look(&mut self, bed: &Bed) {
        let wired: Vec<_> =
            bed.cluster.nodes().iter().map(|node| (node, host::wired(node))).collect();
        let (pods, others) = crowd::running(&bed.cluster);
        // What a pod has used is not taken from a node for long after its end, so what was true of one before is in a later truth.
        let truth = Truth::of(&bed.cluster);
        self.rounds += 1;
        self.most = self.most.max(pods.len());
        self.pods.extend(pods.iter().map(|pod| pod.name.clone()));
        self.note_starts(&pods, others.into_keys());
        self.check_addresses(bed, &truth, &pods);
        let mut suspects = BTreeSet::new();
        for (node, wired) in wired {
            self.check_wires(&truth, node, wired.keys());
            suspects.extend(disagreements(node, &pods));
        }
        self.check_ec2(bed);
        self.note(suspects);
    }

    /// No address is there twice, and each is on an interface of its node.
    fn check_addresses(&mut self, bed: &Bed, truth: &Truth, pods: &[Pod]) {
        let mut seen: BTreeMap<Ipv4Addr, &Pod> = BTreeMap::new();
        for pod in pods {
            if let Some(other) = seen.insert(pod.address, pod) {
                self.findings.insert(format!("one address, two pods: {pod:?}, {other:?}"));
            }
            if truth.holder(pod.node(bed), pod.address).is_none() {
                self.findings.insert(format!("not on its node: {pod:?}"));
            }
        }
    }

    fn check_wires<'a>(
        &mut self,
        truth: &Truth,
        node: &Node,
        wired: impl Iterator<Item = &'a Ipv4Addr>,
    ) {
        for address in wired {
            if truth.holder(node, *address).is_none() {
                self.findings.insert(format!("wired, and not on {}: {address}", node.name()));
            }
        }
    }

    fn check_ec2(&mut self, bed: &Bed) {
        let contradictions = bed.cluster.ec2("/_sim/audit").unwrap();
        for contradiction in contradictions.as_array().unwrap() {
            self.findings.insert(format!("EC2: {contradiction}"));
        }
    }

    /// Remembers what is suspect since when, and forgets what has passed.
    fn note(&mut self, suspects: BTreeSet<String>) {
        let now = Instant::now();
        self.suspects.retain(|suspect, _| suspects.contains(suspect));
        for suspect in suspects {
            let (since, looks) = self.suspects.entry(suspect.clone()).or_insert((now, 0));
            *looks += 1;
            if *looks > LOOKS_IN_PASSING {
                let stayed = self.stayed.entry(suspect).or_default();
                *stayed = (*stayed).max(now - *since);
            }
        }
    }

    /// Remembers how long pods take to come. One that never does says nothing of that.
    fn note_starts(&mut self, pods: &[Pod], others: impl Iterator<Item = String>) {
        let now = Instant::now();
        for other in others {
            self.coming.entry(other).or_insert(now);
        }
        for pod in pods {
            if let Some(since) = self.coming.remove(&pod.name) {
                self.starts.push(now - since);
            }
        }
    }

    /// What half of the pods took to come at most. A single one that something keeps from it does not excuse what keeps it.
    fn typical_start(&self) -> Duration {
        let mut starts = self.starts.clone();
        starts.sort_unstable();
        starts.get(starts.len() / 2).copied().unwrap_or_default()
    }

    /// What stayed for longer than it does in passing.
    fn lasting(&self) -> BTreeSet<String> {
        let in_passing = IN_PASSING.max(self.typical_start() * STARTS_IN_PASSING);
        let lasting = self.stayed.iter().filter(|(_, stayed)| **stayed > in_passing);
        lasting.map(|(suspect, stayed)| format!("for {stayed:?}: {suspect}")).collect()
    }

    /// Waits until nothing is suspect any more, when no pod comes or goes.
    #[track_caller]
    pub(crate) fn settles(&mut self, bed: &Bed) {
        until("not in passing", || {
            self.look(bed);
            same(&self.suspects.keys().collect(), &BTreeSet::new())
        });
    }

    /// Whether there was enough to look at.
    pub(crate) fn has_seen_enough(&self) -> bool {
        self.rounds >= ROUNDS_MIN && self.pods.len() >= PODS_MIN
    }

    /// Fails when there is a finding, and when there was nothing to look at.
    #[track_caller]
    pub(crate) fn check(&self) {
        let lasting = self.lasting();
        assert!(
            self.findings.is_empty() && lasting.is_empty(),
            "{:#?}\n{lasting:#?}",
            self.findings
        );
        assert!(self.has_seen_enough(), "{self}");
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, pods, most, findings, .. } = self;
        let (pods, findings) = (pods.len(), findings.len() + self.lasting().len());
        let start = self.typical_start();
        write!(
            out,
            "{rounds} looks at {pods} pods, {most} at once, that took {start:?} to come: {findings} findings"
        )
    }
}

/// Where the ledger of a node is neither what its pods have nor what its runtime runs.
fn disagreements(node: &Node, pods: &[Pod]) -> Vec<String> {
    let name = node.name();
    let Ok(report) = ledger::report(node) else { return vec![format!("{name} says nothing")] };
    let owners = report.owners();
    let here = pods.iter().filter(|pod| pod.node == name);
    let named = |pod: &&Pod| owners.get(&pod.address) == Some(&format!("default/{}", pod.name));
    let strange = here.filter(|pod| !named(pod)).map(|pod| format!("not in the ledger: {pod:?}"));
    let runs = runtime::sandboxes(node);
    let held: BTreeSet<String> = report.sandboxes().into_values().collect();
    let differ = held.symmetric_difference(&runs);
    strange.chain(differ.map(|id| format!("{name}: in one of ledger and runtime: {id}"))).collect()
}
