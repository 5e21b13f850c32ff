//! Crashes in the middle of any operation of the disk.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipam_core::agent::{Answer, Attachment};

use crate::disk::Disk;
use crate::node::{Node, attachment};

/// What was answered before the crash.
#[derive(Debug, Default, Clone, PartialEq)]
struct Known {
    held: BTreeMap<Attachment, Vec<IpAddr>>,
    /// The sandboxes whose last call was not answered before the crash: it may have been done or not.
    open: Vec<Attachment>,
}

impl Known {
    fn note(&mut self, number: usize, answer: Answer, in_time: bool) {
        let attachment = attachment(number);
        self.held.remove(&attachment);
        match answer {
            _ if !in_time => self.open.push(attachment),
            Answer::Granted(leases) => {
                let addresses = leases.into_iter().map(|lease| lease.address);
                self.held.insert(attachment, addresses.collect());
            }
            Answer::Done => {}
            Answer::Refused(refused) => panic!("{refused}"),
        }
    }

    /// What was answered is there, once, and nothing is there that nobody asked for.
    fn check(&self, mut held: BTreeMap<Attachment, Vec<IpAddr>>, context: &str) {
        for open in &self.open {
            held.remove(open);
        }
        assert_eq!(held, self.held, "{context}");
    }
}

/// Adds and deletes until the disk crashes or nothing is left to do.
async fn churn(node: &Node, disk: &Disk, calls: usize, random: &mut fastrand::Rng) -> Known {
    let mut known = Known::default();
    for _ in 0..calls {
        let number = random.usize(..12);
        let holds = known.held.contains_key(&attachment(number));
        let answer = if holds { node.del(number).await } else { node.add(number).await };
        known.note(number, answer, !disk.has_crashed());
        if disk.has_crashed() {
            break;
        }
    }
    known
}

async fn crash_and_restart(operation: usize, seed: u64) -> bool {
    let disk = Disk::default();
    disk.crash_at(operation);
    let mut random = fastrand::Rng::with_seed(seed);
    let node = Node::start(disk.clone(), 2);
    let known = if disk.has_crashed() {
        Known::default()
    } else {
        churn(&node, &disk, 24, &mut random).await
    };
    let killed = disk.after_kill();
    let without_power = disk.after_power_failure(&mut random);
    for (after, how) in [(killed, "killed"), (without_power, "without power")] {
        let node = Node::start(after, 2);
        // A restart knows nothing of what came too late; whoever asks again is answered.
        known.check(node.held().await, &format!("{how} at operation {operation}"));
        node.stop().await;
    }
    let has_crashed = disk.has_crashed();
    node.stop().await;
    has_crashed
}

#[tokio::test]
async fn a_crash_at_any_operation_loses_nothing_that_was_answered() {
    let mut operation = 0;
    while crash_and_restart(operation, 1).await {
        operation += 1;
    }
    assert!(operation > 80, "{operation} operations");
}

#[tokio::test]
async fn two_hundred_crashes_in_a_churn_of_many_at_once() {
    for round in 0..200_u64 {
        let mut random = fastrand::Rng::with_seed(round);
        let disk = Disk::default();
        let node = Arc::new(Node::start(disk.clone(), 4));
        node.held().await;
        disk.crash_at(disk.operations() + random.usize(..40));
        let known = churn_of_many(&node, &disk).await;
        let after = Node::start(
            if random.bool() { disk.after_kill() } else { disk.after_power_failure(&mut random) },
            4,
        );
        known.check(after.held().await, &format!("round {round}"));
        after.stop().await;
        Arc::into_inner(node).unwrap().stop().await;
    }
}

async fn churn_of_many(node: &Arc<Node>, disk: &Disk) -> Known {
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let (node, disk) = (Arc::clone(node), disk.clone());
            tokio::spawn(async move {
                let mut known = Known::default();
                for call in 0..8 {
                    let answer =
                        if call % 2 == 0 { node.add(number).await } else { node.del(number).await };
                    known.note(number, answer, !disk.has_crashed());
                    if disk.has_crashed() {
                        break;
                    }
                }
                known
            })
        })
        .collect();
    let mut all = Known::default();
    for task in tasks {
        let known = task.await.unwrap();
        all.held.extend(known.held);
        all.open.extend(known.open);
    }
    all
}
