//! What was answered is known after a restart, however the process ended.

use std::collections::BTreeMap;

use crate::disk::Disk;
use crate::node::{Node, attachment, granted, options};

#[tokio::test]
async fn a_restart_restores_every_owner() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start_in(folder.path(), 8);
    let mut model = BTreeMap::new();
    for number in 0..100 {
        model.insert(attachment(number), granted(node.add(number).await));
    }
    for number in (0..100).step_by(3) {
        node.del(number).await;
        model.remove(&attachment(number));
    }
    assert_eq!(node.held().await, model);
    node.stop().await;
    let node = Node::start_in(folder.path(), 8);
    assert_eq!(node.held().await, model);
    node.stop().await;
}

#[tokio::test]
async fn a_killed_process_loses_nothing() {
    let disk = Disk::default();
    let node = Node::start(disk.clone(), 2);
    let mut model = BTreeMap::new();
    for number in 0..20 {
        model.insert(attachment(number), granted(node.add(number).await));
        let after = Node::start(disk.after_kill(), 2);
        assert_eq!(after.held().await, model);
        after.stop().await;
    }
    node.stop().await;
}

#[tokio::test]
async fn the_same_add_is_answered_the_same_after_a_restart() {
    let disk = Disk::default();
    let node = Node::start(disk.clone(), 2);
    let first = granted(node.add(7).await);
    let after = Node::start(disk.after_kill(), 2);
    assert_eq!(granted(after.add(7).await), first);
    after.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn nothing_outlives_a_reboot() {
    let disk = Disk::default();
    let node = Node::start(disk.clone(), 2);
    granted(node.add(7).await);
    node.stop().await;
    let rebooted = berth_agent::keeper::KeeperOptions { boot: "another".to_owned(), ..options() };
    let after = Node::try_start(disk.after_kill(), rebooted).unwrap();
    assert!(after.held().await.is_empty());
    after.stop().await;
}

#[tokio::test]
async fn a_ledger_that_is_appended_to_for_long_stays_short() {
    let disk = Disk::default();
    let node = Node::start(disk.clone(), 1);
    let before = disk.content("ledger").len();
    for round in 0..3_000 {
        granted(node.add(round).await);
        node.del(round).await;
    }
    let after = disk.content("ledger").len();
    assert!(after <= before + before / 10, "from {before} to {after} bytes");
    assert_eq!(disk.names(), ["ledger"]);
    node.stop().await;
}
