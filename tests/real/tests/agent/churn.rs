//! Pods that come and go while the agent is killed again and again.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use crate::crowd::Live;
use crate::node::Node;
use crate::plugin::Plugin;

const KILLS: usize = 50;
/// Where the machine is so slow that few pods come between two kills, it goes on until there were enough, and no longer than this.
const KILLS_MAX: usize = 4 * KILLS;
/// Pods that come and go at once.
const WORKERS: usize = 4;
/// Each has at most so many at a time: together they have fewer than there are addresses.
const PODS_MAX: usize = 12;
/// Before a kill.
const LIFE_MS: Range<u64> = 0..200;

/// Kills the agent at 50 moments of the churn or more, and compares in the end what it knows with what pods have.
pub(crate) fn under_kills(node: &Node) {
    let mut rng = Rng::new();
    say(&format!("seed {}", rng.get_seed()));
    let (plugin, live, stop) = (Plugin::of(node), Live::default(), AtomicBool::new(false));
    let added = AtomicUsize::new(0);
    node.serve(&[]);
    thread::scope(|scope| {
        // Whoever fails ends the others, too.
        let stopped = StopAtEnd(&stop);
        for number in 0..WORKERS {
            let mut worker = Worker { number, plugin: &plugin, live: &live, rng: rng.fork() };
            let (stop, added) = (&stop, &added);
            scope.spawn(move || {
                let _stopped = StopAtEnd(stop);
                worker.churn(stop, added);
            });
        }
        for kill in 0..KILLS_MAX {
            let is_enough = kill >= KILLS && added.load(Ordering::Relaxed) > KILLS;
            if is_enough || stop.load(Ordering::Relaxed) {
                break;
            }
            // Some moments of a life are before it serves, whatever time that takes here.
            if rng.u8(..4) > 0 {
                node.await_ready();
            }
            thread::sleep(Duration::from_millis(rng.u64(LIFE_MS)));
            node.kill_agent();
            node.start_agent(&[]);
        }
        node.await_ready();
        drop(stopped);
    });
    let added = added.into_inner();
    say(&format!("{added} pods came"));
    assert!(added > KILLS, "the agent hardly lived: {added}");
    compare(node, &live);
    // What is known is on disk, too.
    node.kill_agent();
    node.serve(&[]);
    compare(node, &live);
}

/// Says what a failure cannot be understood without, also where the test harness keeps its output to itself.
fn say(text: &str) {
    writeln!(io::stderr(), "churn: {text}").unwrap();
}

/// Every address is held by the pod that lives with it, or free.
fn compare(node: &Node, live: &Live) {
    let pods = live.pods();
    let report = node.await_pods(&pods);
    assert_eq!(report.sandboxes(), pods);
    let used = u64::try_from(pods.len()).unwrap();
    let counts = ["used", "free", "attached", "withdrawn"].map(|state| report.count(state));
    assert_eq!(counts, [used, 64 - used, 64, 0], "{report:?}");
}

/// Tells the others to end when this goes, also in a panic.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Worker<'a> {
    number: usize,
    plugin: &'a Plugin,
    live: &'a Live,
    rng: Rng,
}

impl Worker<'_> {
    /// Lets pods come and go until told otherwise; the last ones stay. Adds to `added` each that came.
    fn churn(&mut self, stop: &AtomicBool, added: &AtomicUsize) {
        let (mut held, mut tried) = (Vec::new(), 0);
        while !stop.load(Ordering::Relaxed) {
            if held.len() < PODS_MAX && self.rng.bool() {
                let pod = format!("pod-{}-{tried}", self.number);
                tried += 1;
                if let Some(address) = self.add(&pod) {
                    held.push((address, pod));
                    added.fetch_add(1, Ordering::Relaxed);
                }
            } else if !held.is_empty() {
                let (address, pod) = held.swap_remove(self.rng.usize(..held.len()));
                self.live.goes(address, &pod);
                self.plugin.delete(&pod).unwrap();
            }
        }
    }

    /// Asks for an address. When there is no answer, the sandbox is given up, as a kubelet does.
    fn add(&self, pod: &str) -> Option<Ipv4Addr> {
        match self.plugin.add(pod) {
            Ok(address) => {
                self.live.came(address, pod);
                Some(address)
            }
            Err(refused) => {
                assert_eq!(refused["code"], 11, "{refused}");
                self.plugin.delete(pod).unwrap();
                None
            }
        }
    }
}
