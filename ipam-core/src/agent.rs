//! The agent of a node as a machine: who asks for an address is answered, what must outlive the process is recorded first,
//! and what others have to know is published.
//!
//! The shell hands in what it is asked ([`Agent::on_call`]), what it sees (the instance's own metadata, the operator's word),
//! and what became of its writes; it takes out records for the disk, answers, publications and events, and asks
//! again at [`Agent::deadline`].
//!
//! * **Durable before answered**: an answer leaves only when all records that it rests on are on disk ([`Agent::on_durable`]).
//!   When they cannot be written, what was granted is taken back and refused; what was given back stays given back.
//! * **The operator's word wins, safely**: until it comes, the addresses that the metadata shows are handed out. A used address is
//!   never dropped by either.
//! * **What is not known is not handed out**: after records were lost, until somebody has said which addresses are in use; and
//!   after a boot, until it is known that this is still the same instance.
//! * **Waiting**: who finds no free address waits for one, in order, up to a limit; demand is raised at once.

mod answers;
mod attachment;
mod book;
mod call;
mod calls;
mod event;
mod give_back;
mod grants;
mod handshake;
mod host;
mod journal;
mod lease;
mod listing;
mod publication;
mod publish;
mod publisher;
mod record;
mod replay;
mod settings;
mod sight;
mod start;
mod status;
mod waiting;
mod word;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use ipnet::IpNet;

use self::answers::Answers;
pub use self::attachment::{Attachment, Sandbox};
use self::book::Book;
pub use self::call::{Answer, Call, CallId, Refused};
pub use self::event::Event;
use self::give_back::GiveBack;
use self::handshake::Handshake;
use self::journal::Journal;
pub use self::lease::{EniFacts, Lease};
pub use self::publication::{Publication, PublicationId, Published};
use self::publisher::Publisher;
pub use self::record::{Attached, Ground, Record, RecordId, State};
pub use self::replay::{Replay, ReplayError};
pub use self::settings::AgentSettings;
use self::sight::Sight;
pub use self::start::{Start, StateError};
pub use self::status::{Counts, EniStanding, Held, LastWord, Problems, Status};
use self::waiting::Waiting;
pub use self::word::{Found, HostView, Release, ShownEni, Word, WordEni};
use crate::ids::InstanceId;
use crate::pool::{Family, Owner};
use crate::time::Tick;

/// The agent of a node.
#[derive(Debug)]
pub struct Agent {
    settings: AgentSettings,
    /// The latest moment it was told of.
    now: Tick,
    book: Book,
    journal: Journal,
    answers: Answers,
    waiting: Waiting,
    /// Who got no address and does not wait, and until when that counts.
    unmet: BTreeMap<(Owner, Family), Tick>,
    sight: Sight,
    /// Whether all addresses in use, and all that are promised away, are known.
    trusted: bool,
    /// Whether it was told which addresses are in use.
    found_told: bool,
    /// Whether the state may be another instance's.
    doubtful: bool,
    handshake: Handshake,
    give_back: GiveBack,
    /// Promises that are not on disk yet, with the record that shows them.
    unproven: BTreeMap<IpNet, RecordId>,
    publisher: Publisher,
    events: VecDeque<Event>,
    counts: Counts,
}

impl Agent {
    /// An agent that goes on where its state on disk ends. The first record that comes out of it is a [`Record::Whole`].
    ///
    /// # Errors
    /// [`StateError`]: the state is not one of an agent. It is safe to put it aside and to begin without it, untrusted.
    pub fn new(settings: AgentSettings, start: Start, now: Tick) -> Result<Self, StateError> {
        let ledger = settings.ledger;
        let Start { state, trusted, instance, boot } = start;
        let mut agent = Self {
            book: Book::new(instance.clone(), boot.clone(), ledger),
            publisher: Publisher::new(&settings),
            settings,
            now,
            journal: Journal::default(),
            answers: Answers::default(),
            waiting: Waiting::default(),
            unmet: BTreeMap::new(),
            sight: Sight::default(),
            trusted,
            found_told: trusted,
            doubtful: false,
            handshake: Handshake::default(),
            give_back: GiveBack::default(),
            unproven: BTreeMap::new(),
            events: VecDeque::new(),
            counts: Counts::default(),
        };
        if let Some(state) = state {
            agent.go_on_with(Book::restore(state, ledger, now)?, instance, boot);
        }
        agent.journal.note_whole();
        Ok(agent)
    }

    /// A call. Its answer comes out of [`Agent::poll_answer`], at once or later.
    pub fn on_call(&mut self, now: Tick, id: CallId, call: Call) {
        self.advance(now);
        self.handle(id, call);
    }

    /// Whoever made the call is gone. What it was granted and was not told is given back.
    pub fn on_abandoned(&mut self, now: Tick, id: CallId) {
        self.advance(now);
        self.abandon(id);
        self.serve();
    }

    /// All records up to this one are on disk.
    pub fn on_durable(&mut self, now: Tick, id: RecordId) {
        self.advance(now);
        self.journal.on_durable(id);
        let durable = self.journal.durable();
        self.answers.on_durable(durable);
        let unproven = self.unproven.len();
        self.unproven.retain(|_, record| *record > durable);
        if self.unproven.len() < unproven {
            self.publisher.mark(self.now);
        }
    }

    /// None of the records since the last durable one is on disk. What answers rest on them is taken back, unless it only gives
    /// something back. The next record is a [`Record::Whole`]: with the next change, or soon without one.
    pub fn on_not_durable(&mut self, now: Tick, problem: String) {
        self.advance(now);
        self.refuse_held(&Refused::NotDurable { problem: problem.clone() });
        self.journal.on_failure(self.now, problem.clone());
        let showing = self.journal.showing();
        self.unproven.values_mut().for_each(|record| *record = showing);
        self.events.push_back(Event::NotDurable { problem });
        self.serve();
    }

    /// Which instance this is, when it was not known at the start.
    pub fn on_instance(&mut self, now: Tick, instance: InstanceId) {
        self.advance(now);
        self.learn_instance(instance);
        self.see_unattributed();
        self.serve();
    }

    /// All interfaces that the metadata of the instance shows.
    pub fn on_metadata(&mut self, now: Tick, shown: Vec<ShownEni>) {
        self.advance(now);
        self.sight.metadata = shown;
        self.list();
        self.shake_hands();
        self.serve();
    }

    /// What the `CiliumNode` says now. When it is gone there is nothing to say: the last word stands.
    pub fn on_word(&mut self, now: Tick, word: Word) {
        self.advance(now);
        self.see_word(word);
    }

    /// How the host's network is now.
    pub fn on_host(&mut self, now: Tick, host: HostView) {
        self.advance(now);
        self.see_host(host);
        self.serve();
    }

    /// All addresses that others know to be in use.
    pub fn on_found(&mut self, now: Tick, found: Vec<Found>) {
        self.advance(now);
        self.see_found(found);
    }

    /// What became of a publication.
    pub fn on_published(&mut self, now: Tick, id: PublicationId, published: &Published) {
        self.advance(now);
        self.end_publication(id, published);
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: Tick) {
        self.advance(now);
        self.serve();
        self.end_waits();
        let now = self.now;
        let unmet = self.unmet.len();
        self.unmet.retain(|_, until| *until > now);
        if self.unmet.len() < unmet {
            self.publisher.mark(now);
        }
        if self.handshake_due().is_some_and(|due| due <= now) {
            self.shake_hands();
            self.serve();
        }
        if self.publication_due().is_some_and(|due| due <= now) {
            self.reconsider();
        }
        self.journal.on_time(now);
    }

    /// The next record for the disk, in order.
    pub fn poll_record(&mut self) -> Option<(RecordId, Record)> {
        let (id, change) = self.journal.poll()?;
        Some((id, change.unwrap_or_else(|| Record::Whole(self.book.state()))))
    }

    /// The next answer that may leave.
    pub fn poll_answer(&mut self) -> Option<(CallId, Answer)> {
        self.answers.poll()
    }

    /// What is to be published now, if something is. When CIDRs are to be given back, records come out first, and the publication
    /// when they are on disk.
    pub fn poll_publication(&mut self, now: Tick) -> Option<(PublicationId, Publication)> {
        self.advance(now);
        self.next_publication()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Agent::on_time`] or [`Agent::poll_publication`] has something to do next. At once while a record was not polled.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        let moments = [
            self.journal.has_more().then_some(self.now),
            self.waiting.deadline(),
            self.book.ledger.next_deadline(),
            self.unmet.values().min().copied(),
            self.handshake_due(),
            self.journal.deadline(),
            self.publication_due(),
        ];
        moments.into_iter().flatten().min()
    }

    /// Whether all addresses in use and all promises are known: not after records were lost, until [`Agent::on_found`] was called
    /// and the operator's word was heard.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// All that must outlive the process, every record that was polled included.
    #[must_use]
    pub fn state(&self) -> State {
        self.book.state()
    }

    /// Notes that it is `now`, unless it has been later before.
    fn advance(&mut self, now: Tick) {
        self.now = self.now.max(now);
        let cooling = Family::ALL.map(|family| self.book.ledger.tally(family).cooling);
        let expired = self.book.ledger.expire(self.now);
        let has_expired = !expired.is_empty();
        for expired in expired {
            self.note_expired(expired);
        }
        if has_expired {
            self.serve();
        }
        // What has cooled down may be given back as part of its CIDR.
        if Family::ALL.map(|family| self.book.ledger.tally(family).cooling) != cooling {
            self.publisher.mark(self.now);
        }
    }

    /// What must be known before an address can be handed out, if something must.
    fn missing(&self) -> Option<&'static str> {
        if self.doubtful {
            return Some("the id of the instance");
        }
        if !self.found_told {
            return Some("the list of addresses in use");
        }
        (!self.trusted).then_some("the operator's word")
    }

    fn handshake_due(&self) -> Option<Tick> {
        self.handshake.deadline(self.settings.ledger.remember())
    }
}
