//! What the keeper's thread does.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ipam_core::agent::{
    Agent, Answer, CallId, Event, Publication, PublicationId, Published, Record, RecordId, Refused,
    Start, StateError, Status,
};
use ipam_core::time::Tick;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use super::observer::{CallKind, Observer, Write, outcome};
use super::queue::{Asked, Inbox};
use super::{KeeperOptions, Shared, changes};
use crate::clock::Clock;
use crate::journal::storage::Storage;
use crate::journal::{Journal, Recovered, Way, WriteError};

/// The status is not renewed more often than this.
const SHOW: Duration = Duration::from_millis(100);
/// And at least so often: some of it is how long ago something was.
const SHOW_AGAIN: Duration = Duration::from_secs(1);
/// The ledger is written anew when nothing was to be done for so long: nobody waits for that then.
const IDLE: Duration = Duration::from_millis(50);

/// And after this time again, if that did not succeed.
const TIDY_AGAIN: Duration = Duration::from_mins(1);

/// Who waits for an answer.
struct Waiting {
    kind: CallKind,
    reply: oneshot::Sender<Answer>,
    began: Instant,
}

/// The machine, the journal, and who waits.
pub(super) struct Work<S: Storage> {
    agent: Agent,
    journal: Journal<S>,
    clock: Clock,
    observer: Arc<dyn Observer>,
    publish: mpsc::Sender<(PublicationId, Publication)>,
    tell: mpsc::Sender<Event>,
    waiting: HashMap<CallId, Waiting>,
    /// The records of one batch.
    records: Vec<Record>,
    /// What was answered of one batch, for the observer.
    answered: Vec<(CallKind, &'static str, Duration)>,
    /// The writes of one batch, for the observer.
    writes: Vec<Write>,
    /// How many addresses have changed hands.
    changes: u64,
    /// The publication that was sent last, and how many had then.
    sent: Option<(PublicationId, u64)>,
    /// When the ledger is to be written anew if nothing comes until then.
    tidy: Option<Tick>,
    /// And not before.
    tidy_from: Tick,
    /// When the status was renewed, and when it is to be again.
    shown: Tick,
    show: Tick,
}

impl<S: Storage> Work<S> {
    /// A machine that goes on where the ledger ends; without the ledger, and untrusted, if it cannot go on from there.
    pub(super) fn new(
        mut journal: Journal<S>,
        recovered: Recovered,
        options: KeeperOptions,
        publish: mpsc::Sender<(PublicationId, Publication)>,
        tell: mpsc::Sender<Event>,
    ) -> Result<Self, StateError> {
        let KeeperOptions { settings, instance, boot, clock, observer, state_dir: _ } = options;
        if let Some(damage) = &recovered.damage {
            let trusted = recovered.trusted;
            warn!(%damage, trusted, "the ledger was recovered up to its damage");
        }
        let Recovered { state, trusted, .. } = recovered;
        let start = Start { state, trusted, instance: instance.clone(), boot: boot.clone() };
        let now = clock.now();
        let agent = Agent::new(settings.clone(), start, now).or_else(|problem| {
            error!(%problem, "the ledger says what cannot be: beginning without it");
            journal.refuse();
            let start = Start { state: None, trusted: false, instance, boot };
            Agent::new(settings, start, now)
        })?;
        Ok(Self {
            agent,
            journal,
            clock,
            observer,
            publish,
            tell,
            waiting: HashMap::new(),
            records: Vec::new(),
            answered: Vec::new(),
            writes: Vec::new(),
            changes: 0,
            sent: None,
            tidy: None,
            tidy_from: now,
            shown: now,
            show: now,
        })
    }

    /// Writes what it begins with.
    pub(super) fn begin(&mut self) -> Status {
        self.commit();
        self.agent.status(self.clock.now())
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self, shared: &Shared) {
        let mut inbox = Inbox::default();
        self.follow_up(shared);
        while shared.queue.take(&mut inbox, self.patience(), self.waiting.len()) {
            self.hand_in(&mut inbox, shared);
            self.commit();
            self.answer(shared);
            self.follow_up(shared);
        }
        self.end(inbox);
    }

    /// For how long nothing has to be done if nothing comes.
    fn patience(&self) -> Duration {
        let next =
            [self.agent.deadline(), self.tidy].into_iter().flatten().fold(self.show, Tick::min);
        self.clock.until(next)
    }

    /// What others say comes first: calls are answered by the latest that is known.
    fn hand_in(&mut self, inbox: &mut Inbox, shared: &Shared) {
        let now = self.clock.now();
        if let Some(instance) = inbox.instance.take() {
            self.agent.on_instance(now, instance);
        }
        if let Some(host) = inbox.host.take() {
            self.agent.on_host(now, host);
        }
        if let Some(shown) = inbox.metadata.take() {
            self.agent.on_metadata(now, shown);
        }
        if let Some(word) = inbox.word.take() {
            self.agent.on_word(now, word);
        }
        if let Some(found) = inbox.found.take() {
            self.agent.on_found(now, found);
        }
        for (id, published) in inbox.published.drain(..) {
            if published == Published::Written
                && let Some((_, shows)) = self.sent.filter(|(sent, _)| *sent == id)
            {
                shared.published.send_replace(shows);
            }
            self.agent.on_published(now, id, &published);
        }
        for Asked { id, call, reply, began } in inbox.calls.drain(..) {
            let kind = CallKind::of(&call);
            self.waiting.insert(id, Waiting { kind, reply, began });
            self.agent.on_call(now, id, call);
        }
        for id in inbox.abandoned.drain(..) {
            self.waiting.remove(&id);
            self.agent.on_abandoned(now, id);
        }
        if self.agent.deadline().is_some_and(|deadline| deadline <= now) {
            self.agent.on_time(now);
        }
    }

    /// Makes all records durable, and tells the machine. What it does because it could not be done waits for the next batch.
    fn commit(&mut self) {
        while let Some(last) = self.collect() {
            self.journal.set_trusted(self.agent.is_trusted());
            let began = Instant::now();
            let written = self.journal.append(&self.records, || self.agent.state());
            let way = written.as_ref().copied().unwrap_or(Way::Anew);
            self.note_write(self.records.len(), way, began, written.is_ok());
            self.records.clear();
            match written {
                Ok(_) => self.agent.on_durable(self.clock.now(), last),
                Err(problem) => return self.not_durable(&problem),
            }
        }
    }

    fn not_durable(&mut self, problem: &WriteError) {
        error!(
            %problem,
            "the ledger cannot be written, and pods get no addresses until it can: look at the disk of the state folder"
        );
        self.agent.on_not_durable(self.clock.now(), problem.to_string());
    }

    fn collect(&mut self) -> Option<RecordId> {
        let mut last = None;
        while let Some((id, record)) = self.agent.poll_record() {
            last = Some(id);
            self.count(&record);
            self.records.push(record);
        }
        last
    }

    /// Counts what changes hands. A whole state stands for any number of changes.
    fn count(&mut self, record: &Record) {
        match record {
            Record::Granted { .. } | Record::Released { .. } => self.changes += 1,
            Record::Whole(_) => self.changes = changes(&self.agent.status(self.clock.now())),
            Record::Claimed { .. } => {}
        }
    }

    fn note_write(&mut self, records: usize, way: Way, began: Instant, done: bool) {
        let anew = way == Way::Anew;
        self.writes.push(Write { records, anew, took: began.elapsed(), done });
    }

    /// Lets the answers leave. Whoever has one finds what it changed counted.
    fn answer(&mut self, shared: &Shared) {
        shared.changes.store(self.changes, Ordering::Release);
        while let Some((id, answer)) = self.agent.poll_answer() {
            if let Some(Waiting { kind, reply, began }) = self.waiting.remove(&id) {
                let outcome = outcome(&answer);
                // Whoever is gone by now has abandoned the call.
                if reply.send(answer).is_ok() {
                    self.answered.push((kind, outcome, began.elapsed()));
                }
            }
        }
    }

    /// All that nobody waits for.
    fn follow_up(&mut self, shared: &Shared) {
        for (kind, outcome, took) in self.answered.drain(..) {
            self.observer.on_answer(kind, outcome, took);
        }
        for write in self.writes.drain(..) {
            self.observer.on_write(&write);
        }
        let now = self.clock.now();
        while self.publish.capacity() > 0
            && let Some(publication) = self.agent.poll_publication(now)
        {
            self.sent = Some((publication.0, self.changes));
            // Without a taker it is one that never ends.
            let _ = self.publish.try_send(publication);
        }
        self.tell_events();
        self.show(shared, now);
        self.keep_short(now, shared);
    }

    fn show(&mut self, shared: &Shared, now: Tick) {
        // Something happened, or it is time.
        self.show = self.show.min(self.shown + SHOW);
        if self.show <= now {
            shared.show(self.agent.status(now));
            (self.shown, self.show) = (now, now + SHOW_AGAIN);
        }
    }

    /// Writes a long ledger anew when nobody asks for anything.
    fn keep_short(&mut self, now: Tick, shared: &Shared) {
        let is_due = self.tidy.is_some_and(|due| due <= now);
        self.tidy = self.journal.is_long().then(|| self.tidy_from.max(now + IDLE));
        if is_due && self.tidy.take().is_some() {
            // Records that came out since the last write are in the state already: behind it they would be something that cannot have happened.
            self.commit();
            self.answer(shared);
            self.write_anew();
        }
    }

    fn write_anew(&mut self) {
        self.journal.set_trusted(self.agent.is_trusted());
        let began = Instant::now();
        let written = self.journal.write_anew(&self.agent.state());
        self.note_write(0, Way::Anew, began, written.is_ok());
        match written {
            Ok(()) => {}
            Err(problem) if self.journal.is_open() => {
                warn!(%problem, "the ledger goes on in the room that it has: it cannot be written anew");
                self.tidy_from = self.clock.now() + TIDY_AGAIN;
            }
            Err(problem) => self.not_durable(&problem),
        }
    }

    fn tell_events(&mut self) {
        while let Some(event) = self.agent.poll_event() {
            if matches!(self.tell.try_send(event), Err(mpsc::error::TrySendError::Full(_))) {
                self.observer.on_lost_event();
            }
        }
    }

    /// Refuses what is in flight, and leaves a ledger without changes behind.
    fn end(mut self, inbox: Inbox) {
        let now = self.clock.now();
        let waiting = self.waiting.drain();
        let replies: Vec<_> = waiting.map(|(id, waiting)| (Some(id), waiting.reply)).collect();
        let asked = inbox.calls.into_iter().map(|asked| (None, asked.reply));
        for (id, reply) in replies.into_iter().chain(asked) {
            let _ = reply.send(Answer::Refused(Refused::Stopping));
            if let Some(id) = id {
                self.agent.on_abandoned(now, id);
            }
        }
        self.commit();
        self.write_anew();
        for write in self.writes.drain(..) {
            self.observer.on_write(&write);
        }
    }
}
