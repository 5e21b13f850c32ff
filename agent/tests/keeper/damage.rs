//! Ledgers that are damaged.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::IpAddr;

use berth_agent::journal::storage::{Storage, StoredFile};
use berth_agent::journal::{Damage, OpenError, decode};
use berth_agent::keeper::StartError;
use ipam_core::agent::{Answer, Attachment, Found, Refused, State, Word};
use ipam_core::pool::LedgerSettings;

use crate::disk::Disk;
use crate::node::{Node, attachment, granted, options};

type Model = BTreeMap<Attachment, Vec<IpAddr>>;

/// A ledger with some changes in it and some of the zeros at its end, and who holds what.
async fn ledger(calls: usize) -> (Vec<u8>, Model) {
    let disk = Disk::default();
    let node = Node::start(disk.clone(), 2);
    let mut model = Model::new();
    for number in 0..calls {
        model.insert(attachment(number), granted(node.add(number).await));
    }
    node.del(0).await;
    model.remove(&attachment(0));
    model.insert(attachment(calls), granted(node.add(calls).await));
    let mut bytes = disk.content("ledger");
    bytes.truncate(written(&bytes) + 100);
    node.stop().await;
    (bytes, model)
}

fn read(bytes: &[u8]) -> (Option<State>, bool, Option<Damage>) {
    let recovered = decode(bytes, LedgerSettings::default());
    (recovered.state, recovered.trusted, recovered.damage)
}

fn held(state: &State) -> Model {
    let addresses = |list: &[(IpAddr, _)]| list.iter().map(|(address, _)| *address).collect();
    let attachments = state.attachments.iter();
    attachments.map(|(attachment, it)| (attachment.clone(), addresses(&it.addresses))).collect()
}

/// Up to where it is written.
fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

/// Where its last line starts.
fn last_line(bytes: &[u8]) -> usize {
    let end = written(bytes) - 1;
    bytes[..end].iter().rposition(|byte| *byte == b'\n').unwrap() + 1
}

#[tokio::test]
async fn a_torn_tail_costs_what_was_not_answered_and_nothing_else() {
    let (bytes, all) = ledger(5).await;
    let (start, end) = (last_line(&bytes), written(&bytes));
    let mut before = all.clone();
    before.remove(&attachment(5));
    for cut in start..=end {
        let mut zeros = bytes.clone();
        zeros[cut..].fill(0);
        for torn in [&bytes[..cut], &zeros] {
            let (state, trusted, damage) = read(torn);
            // Without its line break the record is whole all the same.
            let is_whole = cut >= end - 1;
            assert_eq!(held(&state.unwrap()), if is_whole { all.clone() } else { before.clone() });
            assert!(trusted, "cut at {}", cut - start);
            let is_torn = matches!(damage, Some(Damage::Torn { .. }));
            assert_eq!(is_torn, cut > start && !is_whole, "{damage:?}, cut at {}", cut - start);
        }
    }
}

#[tokio::test]
async fn after_a_torn_tail_the_agent_serves() {
    let (bytes, mut model) = ledger(5).await;
    model.remove(&attachment(5));
    for cut in [1, 20, 100] {
        let disk = Disk::with_ledger(&bytes[..last_line(&bytes) + cut]);
        let node = Node::start(disk.clone(), 2);
        assert_eq!(node.held().await, model);
        granted(node.add(9).await);
        node.stop().await;
        assert_eq!(disk.names(), ["ledger"]);
    }
}

#[tokio::test]
async fn a_flipped_byte_is_noticed_wherever_it_is() {
    let (bytes, all) = ledger(12).await;
    let end = written(&bytes);
    let mut random = fastrand::Rng::with_seed(6);
    for round in 0..2_000 {
        let mut flipped = bytes.clone();
        let at = random.usize(..end);
        flipped[at] ^= random.u8(1..);
        let (state, trusted, damage) = read(&flipped);
        let state = state.as_ref().map(held);
        let is_all = state.as_ref() == Some(&all);
        // The last line break only ends what is whole without it.
        assert!(!trusted || is_all, "round {round}: {damage:?}");
        assert!(damage.is_some() || is_all, "round {round}");
    }
}

#[tokio::test]
async fn nothing_that_is_read_makes_it_panic() {
    let (bytes, _) = ledger(12).await;
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2_000 {
        let mut damaged = bytes[..written(&bytes)].to_vec();
        for _ in 0..random.usize(1..8) {
            let (from, to) = (random.usize(..damaged.len()), random.usize(..damaged.len()));
            let part = damaged[from.min(to)..from.max(to)].to_vec();
            let at = random.usize(..damaged.len());
            match random.u8(..3) {
                0 => damaged.truncate(at.max(1)),
                1 => drop(damaged.splice(at..at, part.into_iter().take(400))),
                _ => damaged[at] = random.u8(..),
            }
        }
        let (state, trusted, _) = read(&damaged);
        assert!(!trusted || state.is_some());
    }
}

#[tokio::test]
async fn a_damaged_ledger_is_kept_and_nothing_is_handed_out_until_the_used_ones_are_known() {
    let (mut bytes, model) = ledger(5).await;
    let place = last_line(&bytes) - 40;
    bytes[place] ^= 1;
    let disk = Disk::with_ledger(&bytes);
    let node = Node::start(disk.clone(), 2);
    assert_eq!(disk.content("ledger.damaged-1"), bytes);
    let refused = node.add(9).await;
    assert!(matches!(refused, Answer::Refused(Refused::NotReady { .. })), "{refused:?}");
    // It stays so over a restart, since the new ledger says so.
    let again = Node::start(disk.after_kill(), 2);
    let refused = again.add(9).await;
    assert!(matches!(refused, Answer::Refused(Refused::NotReady { .. })), "{refused:?}");
    let found = model.values().flatten().map(|address| Found { address: *address, pod: None });
    again.keeper.on_found(found.collect());
    // What was promised away only the operator knows.
    let refused = again.add(9).await;
    assert!(matches!(refused, Answer::Refused(Refused::NotReady { .. })), "{refused:?}");
    again.keeper.on_word(Word { instance: options().instance, ..Word::default() });
    let addresses = granted(again.add(9).await);
    assert!(!model.values().any(|used| *used == addresses), "{addresses:?} is used");
    again.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn three_damaged_ledgers_are_kept() {
    let mut disk = Disk::default();
    for round in b'0'..b'5' {
        disk.create("ledger").unwrap().write_durably(0, &[b'x', round]).unwrap();
        Node::start(disk.clone(), 1).stop().await;
    }
    let kept: Vec<String> =
        disk.names().into_iter().filter(|name| name.contains("damaged")).collect();
    assert_eq!(kept, ["ledger.damaged-1", "ledger.damaged-2", "ledger.damaged-3"]);
    assert_eq!(disk.content("ledger.damaged-1"), b"x4");
    assert_eq!(disk.content("ledger.damaged-3"), b"x2");
}

#[tokio::test]
async fn what_is_no_ledger_is_put_aside() {
    for bytes in [&b""[..], b"\0\0\0", b"hello\n", b"berth-ledger", &[255; 100]] {
        let (state, trusted, damage) = read(bytes);
        assert!(state.is_none() && !trusted, "{bytes:?}");
        assert!(matches!(damage, Some(Damage::Header)), "{bytes:?}: {damage:?}");
        let disk = Disk::with_ledger(bytes);
        Node::start(disk.clone(), 1).stop().await;
        assert_eq!(disk.content("ledger.damaged-1"), bytes);
    }
}

#[tokio::test]
async fn a_later_format_is_left_alone() {
    let json = br#"{"format":"berth-ledger","version":2}"#;
    let mut bytes = format!("{:08x} {:08} ", crc32fast::hash(json), json.len()).into_bytes();
    bytes.extend_from_slice(json);
    bytes.extend_from_slice(b"\nwhatever comes then");
    let disk = Disk::with_ledger(&bytes);
    let error = Node::try_start(disk.clone(), options()).err().unwrap();
    assert!(matches!(error, StartError::Journal(OpenError::Newer(_))), "{error}");
    assert_eq!(
        error.to_string(),
        "the ledger is of format 2: this program knows 1: use that version, or move the ledger away"
    );
    assert_eq!(disk.content("ledger"), bytes);
    assert_eq!(disk.names(), ["ledger"]);
}

#[tokio::test]
async fn a_ledger_that_may_be_whole_is_left_alone() {
    let (bytes, _) = ledger(2).await;
    let disk = Disk::with_ledger(&bytes);
    disk.refuse_reads(ErrorKind::PermissionDenied);
    let error = Node::try_start(disk.clone(), options()).err().unwrap();
    assert!(matches!(error, StartError::Journal(OpenError::Unread(_))), "{error}");
    assert_eq!((disk.names(), disk.content("ledger")), (vec!["ledger".to_owned()], bytes.clone()));
    // What is broken for good keeps no agent from starting.
    disk.refuse_reads(ErrorKind::FileTooLarge);
    Node::start(disk.clone(), 2).stop().await;
    assert_eq!(disk.content("ledger.damaged-1"), bytes);
}
