//! Disks that are full or broken, and are not any more.

use ipam_core::agent::{Answer, Refused};

use crate::disk::{Disk, Failing};
use crate::node::{Node, attachment, granted};

async fn without_a_disk(failing: Failing) {
    let disk = Disk::default();
    let node = Node::start(disk.clone(), 2);
    let first = granted(node.add(1).await);
    granted(node.add(2).await);
    disk.fail(failing);
    let refused = node.add(3).await;
    assert!(matches!(refused, Answer::Refused(Refused::NotDurable { .. })), "{refused:?}");
    let refused = node.add(4).await;
    assert!(matches!(refused, Answer::Refused(Refused::NotDurable { .. })), "{refused:?}");
    assert_eq!(node.del(2).await, Answer::Done);
    // Who has its address already is answered: nothing has to be written for it.
    assert_eq!(granted(node.add(1).await), first);
    // After a crash now, what was granted is known, and what was refused does no harm.
    let after = Node::start(disk.after_kill(), 2);
    assert_eq!(after.held().await.get(&attachment(1)), Some(&first));
    after.stop().await;
    disk.fail(Failing::Nothing);
    let third = granted(node.add(3).await);
    let after = Node::start(disk.after_power_failure(&mut fastrand::Rng::with_seed(1)), 2);
    let held = after.held().await;
    assert_eq!(held, [(attachment(1), first), (attachment(3), third)].into());
    after.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn with_a_full_disk_add_is_refused_and_del_works() {
    without_a_disk(Failing::Full).await;
}

#[tokio::test]
async fn a_failed_sync_is_not_trusted() {
    without_a_disk(Failing::Syncs).await;
}

#[tokio::test]
async fn what_the_failed_write_left_behind_is_cut_off() {
    let disk = Disk::default();
    let node = Node::start(disk.clone(), 2);
    granted(node.add(1).await);
    let before = disk.content("ledger");
    let length = before.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    disk.fail(Failing::Full);
    node.add(2).await;
    assert_eq!(disk.content("ledger"), before[..length]);
    node.stop().await;
}

#[tokio::test]
async fn a_keeper_begins_with_a_full_disk_and_recovers() {
    let disk = Disk::default();
    disk.fail(Failing::Full);
    let node = Node::start(disk.clone(), 2);
    assert!(matches!(node.add(1).await, Answer::Refused(Refused::NotDurable { .. })));
    assert_eq!(node.del(1).await, Answer::Done);
    disk.fail(Failing::Nothing);
    granted(node.add(1).await);
    node.stop().await;
}
