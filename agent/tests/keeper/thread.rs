//! The thread: many calls at once, those that are abandoned, and its end.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use berth_agent::clock::Clock;
use berth_agent::journal::storage::{Folder, Storage};
use berth_agent::keeper::{CallKind, Keeper, KeeperOptions, Observer, Panicked, Write};
use futures::future::join_all;
use ipam_core::agent::{AgentSettings, Answer, Call, Event, Published, Refused, Word};
use ipam_core::time::Tick;

use crate::disk::{Disk, Open};
use crate::node::{Node, granted, options, shown};

#[derive(Default)]
struct Counter {
    answers: Mutex<Vec<(CallKind, &'static str)>>,
    writes: AtomicUsize,
    records: AtomicUsize,
}

impl Observer for Counter {
    fn on_answer(&self, kind: CallKind, outcome: &'static str, _took: Duration) {
        self.answers.lock().unwrap().push((kind, outcome));
    }

    fn on_write(&self, write: &Write) {
        assert!(write.done);
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(write.records, Ordering::Relaxed);
    }

    fn on_lost_event(&self) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let counter = Arc::new(Counter::default());
    let options = KeeperOptions { observer: counter.clone(), ..options() };
    let node = Arc::new(Node::try_start(Folder::open(folder.path()).unwrap(), options).unwrap());
    node.keeper.on_metadata(vec![shown(64)]);
    let tasks: Vec<_> = (0..1_000)
        .map(|number| {
            let node = Arc::clone(&node);
            tokio::spawn(async move { granted(node.add(number).await) })
        })
        .collect();
    let mut addresses = BTreeSet::new();
    for task in tasks {
        for address in task.await.unwrap() {
            assert!(addresses.insert(address), "{address} was given twice");
        }
    }
    assert_eq!(addresses.len(), 1_000);
    assert_eq!(node.held().await.len(), 1_000);
    Arc::into_inner(node).unwrap().stop().await;
    let answers = counter.answers.lock().unwrap();
    let adds = answers.iter().filter(|answer| **answer == (CallKind::Add, "granted"));
    assert_eq!(adds.count(), 1_000);
}

#[tokio::test]
async fn calls_that_come_while_the_disk_is_busy_share_a_write() {
    let (disk, counter) = (Disk::default(), Arc::new(Counter::default()));
    let options = KeeperOptions { observer: counter.clone(), ..options() };
    let node = Node::try_start(disk.clone(), options).unwrap();
    node.keeper.on_metadata(vec![shown(64)]);
    // The listing is one record with all that is granted beside it.
    node.settled().await;
    let mut calls = Box::pin(join_all((0..1_000).map(|number| node.add(number))));
    let busy = disk.busy();
    poll_fn(|context| {
        assert!(calls.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(busy);
    assert_eq!(calls.await.into_iter().flat_map(granted).count(), 1_000);
    node.stop().await;
    let (writes, records) = (&counter.writes, counter.records.load(Ordering::Relaxed));
    assert!(records >= 1_000, "{records} records");
    let writes = writes.load(Ordering::Relaxed);
    assert!(writes <= 10, "{writes} writes");
}

#[tokio::test]
async fn a_stopped_keeper_refuses() {
    let node = Node::start(Disk::default(), 1);
    let keeper = node.keeper.clone();
    node.stop().await;
    assert_eq!(keeper.call(crate::node::add(1)).await, Answer::Refused(Refused::Stopping));
}

/// An agent that is dropped while it runs leaves nobody behind who could stop its thread.
#[tokio::test]
async fn a_keeper_that_nobody_holds_ends_and_frees_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start_in(folder.path(), 1);
    let addresses = granted(node.add(1).await);
    let clone = node.keeper.clone();
    drop(node.keeper);
    assert_eq!(granted(clone.call(crate::node::add(1)).await), addresses, "a clone is enough");
    drop(clone);
    node.thread.ended().await.unwrap();
    let next = Node::start_in(folder.path(), 1);
    assert_eq!(granted(next.add(1).await), addresses, "what was written is there");
    next.stop().await;
}

fn waiting_options(clock: Clock) -> KeeperOptions {
    let settings = AgentSettings { wait_max: Duration::from_secs(10), ..options().settings };
    KeeperOptions { settings, clock, ..options() }
}

#[tokio::test]
async fn who_waits_is_refused_when_it_stops() {
    let node = Node::try_start(Disk::default(), waiting_options(Clock::boot())).unwrap();
    node.keeper.on_metadata(vec![shown(0)]);
    let keeper = node.keeper.clone();
    let waits = tokio::spawn(async move { keeper.call(crate::node::add(1)).await });
    while node.settled().await.waiting == 0 {}
    node.stop().await;
    assert_eq!(waits.await.unwrap(), Answer::Refused(Refused::Stopping));
}

#[tokio::test]
async fn who_waits_is_answered_when_time_is_up() {
    let (clock, hand) = Clock::by_hand(Tick::from_millis(1_000));
    let node = Node::try_start(Disk::default(), waiting_options(clock)).unwrap();
    node.keeper.on_metadata(vec![shown(0)]);
    let keeper = node.keeper.clone();
    let waits = tokio::spawn(async move { keeper.call(crate::node::add(1)).await });
    let mut waiting = 0;
    while waiting == 0 {
        hand.advance(Duration::from_millis(100));
        waiting = node.settled().await.waiting;
    }
    hand.advance(Duration::from_secs(10));
    let answer = waits.await.unwrap();
    assert!(matches!(answer, Answer::Refused(Refused::NoAddress { .. })), "{answer:?}");
    node.stop().await;
}

#[tokio::test]
async fn an_abandoned_call_holds_nothing() {
    let node = Node::try_start(Disk::default(), waiting_options(Clock::boot())).unwrap();
    node.keeper.on_metadata(vec![shown(0)]);
    let mut waits = Box::pin(node.add(1));
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut waits).await.is_err());
    drop(waits);
    while node.settled().await.waiting > 0 {}
    node.keeper.on_metadata(vec![shown(1)]);
    assert!(node.held().await.is_empty());
    node.stop().await;
}

/// A disk that makes its user panic.
struct Bomb(Disk);

impl Storage for Bomb {
    type File = Open;

    fn read(&mut self, name: &str) -> std::io::Result<Option<Vec<u8>>> {
        self.0.read(name)
    }

    fn create(&mut self, name: &str) -> std::io::Result<Open> {
        assert!(self.0.operations() < 10, "this is what the test is about");
        self.0.create(name)
    }

    fn keep(&mut self, name: &str, as_well: &str) -> std::io::Result<()> {
        self.0.keep(name, as_well)
    }

    fn rename(&mut self, from: &str, to: &str) -> std::io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&mut self, name: &str) -> std::io::Result<()> {
        self.0.remove(name)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        Storage::sync(&mut self.0)
    }
}

#[tokio::test]
async fn a_panic_is_not_silent() {
    let node = Node::start(Bomb(Disk::default()), 1);
    node.keeper.stop();
    assert_eq!(node.thread.ended().await, Err(Panicked));
    let answer = node.keeper.call(crate::node::add(1)).await;
    assert_eq!(answer, Answer::Refused(Refused::Stopping));
}

/// A probe asks each few seconds, and a node that is full stays so: its log would say nothing else.
#[tokio::test]
async fn probes_are_no_events() {
    let (keeper, mut outputs, thread) = Keeper::start_on(Disk::default(), options()).unwrap();
    for _ in 0..3 {
        let answer = keeper.call(Call::Status).await;
        assert!(matches!(answer, Answer::Refused(Refused::NoAddress { .. })), "{answer:?}");
    }
    let refused = keeper.call(crate::node::add(1)).await;
    assert!(matches!(refused, Answer::Refused(Refused::NoAddress { .. })), "{refused:?}");
    keeper.stop();
    thread.ended().await.unwrap();
    let mut events = Vec::new();
    while let Some(event) = outputs.events.recv().await {
        events.push(event);
    }
    assert!(matches!(events.as_slice(), [Event::Refused(_)]), "the ADD alone: {events:?}");
}

/// Whoever has an answer finds what it changed counted, however far the status lags.
#[tokio::test]
async fn what_changed_hands_is_counted_before_the_answer_leaves() {
    let node = Node::start(Disk::default(), 1);
    for number in 1..=5 {
        granted(node.add(number).await);
        assert_eq!(node.keeper.changes(), u64::try_from(number).unwrap());
    }
    assert_eq!(node.add(5).await, node.add(5).await, "asked again, nothing changes");
    node.del(5).await;
    assert_eq!(node.keeper.changes(), 6);
    // A whole state is written in the place of single changes.
    node.keeper.on_metadata(vec![shown(2)]);
    granted(node.add(6).await);
    assert_eq!(node.keeper.changes(), 7);
    node.stop().await;
}

/// What has changed meanwhile is not in what was written, and counts with the next one.
#[tokio::test]
async fn a_publication_shows_what_had_changed_when_it_was_sent() {
    let (keeper, mut outputs, thread) = Keeper::start_on(Disk::default(), options()).unwrap();
    keeper.on_metadata(vec![shown(1)]);
    granted(keeper.call(crate::node::add(1)).await);
    keeper.on_word(Word { instance: options().instance, ..Word::default() });
    let (id, _) = outputs.publications.recv().await.unwrap();
    granted(keeper.call(crate::node::add(2)).await);
    let mut published = keeper.published();
    assert_eq!(*published.borrow(), 0, "nothing is written yet");
    keeper.on_published(id, Published::Written);
    published.changed().await.unwrap();
    assert_eq!((*published.borrow_and_update(), keeper.changes()), (1, 2));

    let (id, _) = outputs.publications.recv().await.unwrap();
    keeper.on_published(id, Published::Failed { problem: "by design".to_owned() });
    let (id, _) = outputs.publications.recv().await.unwrap();
    assert!(!published.has_changed().unwrap(), "what failed shows nothing");
    keeper.on_published(id, Published::Written);
    published.changed().await.unwrap();
    assert_eq!(*published.borrow(), 2);
    keeper.stop();
    thread.ended().await.unwrap();
}
