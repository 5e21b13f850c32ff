//! The book of pods: who waits since when and why, and who uses which address. It is kept by who starts and ends pods, not by any
//! part of Berth, and is what an audit holds Berth to.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::moment::{PodCounts, Waiting};

/// What is known of every pod. A clone is the same book.
#[derive(Debug, Clone, Default)]
pub struct Book(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    pods: BTreeMap<String, Pod>,
    made: u64,
    started: u64,
    ended: u64,
    refused: u64,
    waits: Vec<Duration>,
}

#[derive(Debug)]
struct Pod {
    since: Instant,
    node: Option<String>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Waiting { why: String },
    Running { addresses: Vec<IpAddr> },
    Ending,
}

/// An address that a pod uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The pod's node.
    pub node: String,
    /// Namespace and name of the pod.
    pub pod: String,
    /// The address.
    pub address: IpAddr,
}

impl Book {
    /// A pod was made. It waits from now on.
    pub fn made(&self, pod: &str) {
        self.with(|pages| {
            let waiting = Stage::Waiting { why: "not placed on a node yet".to_owned() };
            let new = Pod { since: Instant::now(), node: None, stage: waiting };
            if pages.pods.insert(pod.to_owned(), new).is_none() {
                pages.made += 1;
            }
        });
    }

    /// A pod waits for another reason than before.
    pub fn waits(&self, pod: &str, why: &str) {
        self.with(|pages| {
            if let Some(Pod { stage: Stage::Waiting { why: before }, .. }) = pages.pods.get_mut(pod)
            {
                why.clone_into(before);
            }
        });
    }

    /// A pod has a node.
    pub fn placed(&self, pod: &str, node: &str) {
        self.with(|pages| {
            if let Some(pod) = pages.pods.get_mut(pod) {
                pod.node = Some(node.to_owned());
            }
        });
        self.waits(pod, "its address is being asked for");
    }

    /// The plugin refused a pod, which is tried again.
    pub fn refused(&self, pod: &str, why: &str) {
        self.with(|pages| pages.refused += 1);
        self.waits(pod, why);
    }

    /// A pod has addresses, and uses them from now on.
    pub fn started(&self, pod: &str, addresses: Vec<IpAddr>) {
        self.with(|pages| {
            let Some(page) = pages.pods.get_mut(pod) else { return };
            if !matches!(page.stage, Stage::Waiting { .. }) {
                return;
            }
            page.stage = Stage::Running { addresses };
            pages.started += 1;
            let waited = page.since.elapsed();
            pages.waits.push(waited);
        });
    }

    /// A pod is ended: it uses its addresses no more, and they are about to be given back.
    pub fn ending(&self, pod: &str) {
        self.with(|pages| {
            if let Some(page) = pages.pods.get_mut(pod) {
                page.stage = Stage::Ending;
            }
        });
    }

    /// A pod is gone, with or without having had an address.
    pub fn ended(&self, pod: &str) {
        self.with(|pages| {
            if pages.pods.remove(pod).is_some() {
                pages.ended += 1;
            }
        });
    }

    /// A node is gone, with everything on it.
    pub fn node_ended(&self, node: &str) {
        self.with(|pages| {
            let before = pages.pods.len();
            pages.pods.retain(|_, pod| pod.node.as_deref() != Some(node));
            pages.ended += u64::try_from(before - pages.pods.len()).unwrap_or_default();
        });
    }

    /// Every address that a pod uses.
    #[must_use]
    pub fn in_use(&self) -> Vec<Use> {
        self.in_use_since().into_iter().map(|(_, used)| used).collect()
    }

    /// The same, each with the moment at which its pod was made: a pod that is made anew under its name is another one.
    #[must_use]
    pub fn in_use_since(&self) -> Vec<(Instant, Use)> {
        self.with(|pages| {
            let mut uses = Vec::new();
            for (name, page) in &pages.pods {
                let (Some(node), Stage::Running { addresses }) = (&page.node, &page.stage) else {
                    continue;
                };
                let (node, pod) = (node.clone(), name.clone());
                let of_one = |address: &IpAddr| {
                    let (node, pod, address) = (node.clone(), pod.clone(), *address);
                    (page.since, Use { node, pod, address })
                };
                uses.extend(addresses.iter().map(of_one));
            }
            uses
        })
    }

    /// How many pods there are, and have been.
    #[must_use]
    pub fn counts(&self) -> PodCounts {
        self.with(|pages| {
            let count = |wanted: fn(&Stage) -> bool| {
                let found = pages.pods.values().filter(|pod| wanted(&pod.stage)).count();
                u64::try_from(found).unwrap_or(u64::MAX)
            };
            PodCounts {
                made: pages.made,
                started: pages.started,
                ended: pages.ended,
                running: count(|stage| matches!(stage, Stage::Running { .. })),
                waiting: count(|stage| matches!(stage, Stage::Waiting { .. })),
                refused: pages.refused,
            }
        })
    }

    /// Pods without an address, those that have waited longest first.
    #[must_use]
    pub fn waiting(&self) -> Vec<Waiting> {
        let mut waiting: Vec<Waiting> = self.with(|pages| {
            let waits = |(name, pod): (&String, &Pod)| {
                let Stage::Waiting { why } = &pod.stage else { return None };
                let (pod_name, node) = (name.clone(), pod.node.clone());
                let (since, why) = (pod.since.elapsed(), why.clone());
                Some(Waiting { pod: pod_name, node, since, why })
            };
            pages.pods.iter().filter_map(waits).collect()
        });
        waiting.sort_by_key(|one| std::cmp::Reverse(one.since));
        waiting
    }

    /// How long each pod waited that got an address, in the order in which they got it.
    #[must_use]
    pub fn all_waits(&self) -> Vec<Duration> {
        self.with(|pages| pages.waits.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Pages) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
