//! A long ledger is written anew when nobody asks for anything.

use std::sync::Arc;
use std::time::Duration;

use berth_agent::clock::{Clock, Hand};
use berth_agent::journal::decode;
use berth_agent::keeper::{CallKind, KeeperOptions, Observer, Write};
use futures::future::join_all;
use ipam_core::agent::{Answer, Call};
use ipam_core::pool::{Claim, Family, LedgerSettings, Owner};
use ipam_core::time::Tick;

use crate::disk::{Disk, Failing};
use crate::node::{Node, granted, options, shown};

/// Fills more than half of the room of the ledger.
async fn fill(node: &Node) {
    for _ in 0..60 {
        join_all((0..40).map(|number| node.add(number))).await.into_iter().for_each(|answer| {
            granted(answer);
        });
        join_all((0..40).map(|number| node.del(number))).await;
    }
}

fn at(clock: Clock, observer: Arc<dyn Observer>) -> KeeperOptions {
    KeeperOptions { clock, observer, ..options() }
}

fn start(disk: &Disk, options: KeeperOptions) -> Node {
    let node = Node::try_start(disk.clone(), options).unwrap();
    node.keeper.on_metadata(vec![shown(4)]);
    node
}

/// The room that is left outlasts the disk's.
#[tokio::test]
async fn on_a_full_disk_a_ledger_with_room_goes_on() {
    let disk = Disk::default();
    let node = Node::start(disk.clone(), 4);
    granted(node.add(100).await);
    let begun = disk.content("ledger");
    disk.fail(Failing::Grown);
    fill(&node).await;
    let operations = disk.operations();
    // Until it was tried to write it anew.
    while disk.operations() == operations {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for number in 200..220 {
        granted(node.add(number).await);
    }
    assert!(node.settled().await.problems.not_durable.is_none());
    assert_eq!(disk.content("ledger").len(), begun.len(), "the same file");
    assert!(!disk.names().contains(&"ledger.new".to_owned()), "its rest takes no room");
    let after = Node::start(disk.after_kill(), 4);
    assert_eq!(after.held().await, node.held().await);
    after.stop().await;
    node.stop().await;
}

/// Lets much time pass between a write and what is done after it.
struct Late(Hand);

impl Observer for Late {
    fn on_answer(&self, kind: CallKind, _outcome: &'static str, _took: Duration) {
        if kind == CallKind::Allocate {
            self.0.advance(Duration::from_hours(1));
        }
    }
    fn on_write(&self, _write: &Write) {}
    fn on_lost_event(&self) {}
}

/// What happens by itself right before the ledger is written anew is in it once.
#[tokio::test]
async fn what_expires_meanwhile_is_written_once() {
    let disk = Disk::default();
    let (clock, hand) = Clock::by_hand(Tick::from_millis(1_000));
    let node = start(&disk, at(clock, Arc::new(Late(hand.clone()))));
    fill(&node).await;
    let owner: Owner = "default/late".parse().unwrap();
    let allocated = node.keeper.call(Call::Allocate {
        families: vec![Family::Ipv4],
        owner,
        claim: Claim::Expected,
    });
    assert!(matches!(allocated.await, Answer::Granted(_)));
    granted(node.add(1).await);
    let recovered = decode(&disk.content("ledger"), LedgerSettings::default());
    assert!(recovered.damage.is_none() && recovered.trusted, "{:?}", recovered.damage);
    node.stop().await;
}
