//! Batches of which the power failure let some sectors reach the disk, in any order.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use berth_agent::journal::{Damage, decode};
use futures::future::join_all;
use ipam_core::agent::Attachment;
use ipam_core::pool::LedgerSettings;

use crate::disk::Disk;
use crate::node::{Node, attachment, granted};

const SECTOR: usize = 512;

type Held = BTreeMap<Attachment, Vec<IpAddr>>;

/// Where a line that belongs to the one behind it says so.
const MARK: usize = 8;

/// The lines of each batch.
fn batches(bytes: &[u8]) -> Vec<Range<usize>> {
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let (mut all, mut start, mut at) = (Vec::new(), 0, 0);
    for line in bytes[..end].split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if line[MARK] == b' ' {
            all.push(start..at);
            start = at;
        }
    }
    all
}

/// A ledger that ends with a batch of several sectors.
async fn ledger(prefixes: u8) -> Vec<u8> {
    for _ in 0..1_000 {
        let disk = Disk::default();
        let node = Node::start(disk.clone(), prefixes);
        granted(node.add(0).await);
        // The thread takes the first of them, and the others together while it writes.
        join_all((1..40).map(|number| node.add(number))).await;
        let bytes = disk.content("ledger");
        node.stop().await;
        if batches(&bytes).last().is_some_and(|batch| batch.len() > 8 * SECTOR) {
            return bytes;
        }
    }
    panic!("the calls never came together");
}

fn read(bytes: &[u8]) -> (Held, bool, Option<Damage>) {
    let recovered = decode(bytes, LedgerSettings::default());
    let addresses = |list: &[(IpAddr, _)]| list.iter().map(|(address, _)| *address).collect();
    let attachments = recovered.state.map(|state| state.attachments).unwrap_or_default();
    let held = attachments.iter().map(|(at, it)| (at.clone(), addresses(&it.addresses)));
    (held.collect(), recovered.trusted, recovered.damage)
}

#[tokio::test]
async fn sectors_that_were_not_written_cost_what_was_not_answered_and_nothing_else() {
    let bytes = ledger(4).await;
    let batch = batches(&bytes).pop().unwrap();
    let mut before = bytes.clone();
    before[batch.start..].fill(0);
    let (answered, ..) = read(&before);
    let (all, ..) = read(&bytes);
    assert!(answered.contains_key(&attachment(0)) && all.len() == 40);
    let mut random = fastrand::Rng::with_seed(3);
    let mut torn = 0;
    for round in 0..500 {
        let mut found = before.clone();
        for sector in batch.start / SECTOR..=batch.end / SECTOR {
            let place = sector * SECTOR..(sector + 1) * SECTOR;
            if random.bool() {
                found[place.clone()].copy_from_slice(&bytes[place]);
            }
        }
        let (held, trusted, damage) = read(&found);
        assert!(trusted, "round {round}: {damage:?}");
        assert!(answered.iter().all(|(at, it)| held.get(at) == Some(it)), "round {round}");
        assert!(held.iter().all(|(at, it)| all.get(at) == Some(it)), "round {round}");
        torn += usize::from(matches!(damage, Some(Damage::Torn { .. })));
    }
    assert!(torn > 400, "{torn}");
}

#[tokio::test]
async fn a_sector_that_is_lost_from_what_was_answered_is_damage() {
    let bytes = ledger(4).await;
    let batch = batches(&bytes).pop().unwrap();
    let mut single = bytes.clone();
    single[batch.start - 10] = 0;
    // Behind the last batch, all the same, another one that is whole.
    let mut followed = bytes.clone();
    let line = b"00000000 00000002 {}\n";
    followed.splice(batch.end..batch.end + line.len(), line.iter().copied());
    let middle = (batch.start / SECTOR + 2) * SECTOR;
    followed[middle..middle + SECTOR].fill(0);
    for (damaged, what) in [(single, "a byte"), (followed, "a batch that was answered")] {
        let (_, trusted, damage) = read(&damaged);
        assert!(!trusted && matches!(damage, Some(Damage::Line { .. })), "{what}: {damage:?}");
    }
}

/// Of the line in front of the last batch enough is left to say that it was answered.
#[tokio::test]
async fn a_lost_sector_in_which_two_batches_meet_is_damage() {
    let mut met = 0;
    for prefixes in 4..16 {
        let mut bytes = ledger(prefixes).await;
        let batch = batches(&bytes).pop().unwrap();
        let sector = (batch.start - 1) / SECTOR * SECTOR;
        let line = bytes[..sector].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        // Otherwise nothing tells it from a batch that was not answered.
        let says_so = sector - line > MARK + 10 && bytes[line + MARK] == b' ';
        bytes[sector..sector + SECTOR].fill(0);
        if says_so {
            let (_, trusted, damage) = read(&bytes);
            assert!(!trusted, "{prefixes} prefixes: {damage:?}");
            met += 1;
        }
    }
    assert!(met > 0, "the sectors never fell like that");
}
