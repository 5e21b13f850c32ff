//! A process of the agent.

use std::collections::BTreeMap;
use std::rc::Rc;

use ipam_core::agent::{
    Agent, Answer, Call, CallId, Event, Found, Publication, PublicationId, Published, Record,
    RecordId, ShownEni, Start, StateError, Word,
};
use ipam_core::time::Tick;

use super::Node;
use crate::api::Object;

/// What a process takes in.
#[derive(Debug)]
pub(crate) enum Input {
    /// Somebody asks.
    Call(CallId, Call),
    /// Who asked is gone.
    Abandoned(CallId),
    /// What the metadata shows.
    Metadata(Vec<ShownEni>),
    /// What the node's object says.
    Word(Box<Word>),
    /// Which addresses others know to be in use.
    Found(Vec<Found>),
    /// What became of a publication.
    Published(PublicationId, Published),
    /// Time has passed.
    Time,
}

/// A process of the agent.
#[derive(Debug)]
pub(crate) struct Process {
    /// The machine.
    pub(crate) agent: Agent,
    /// What waits for the disk, in order.
    inbox: Vec<Input>,
    /// What the disk writes.
    batch: Option<Batch>,
    /// Who asked: the pod's number, and what for.
    pub(crate) callers: BTreeMap<CallId, Caller>,
    /// The last call's number.
    pub(crate) calls: u64,
    /// The own object, as it was seen or written last.
    pub(crate) sight: Option<Rc<Object>>,
    /// What the machine was told of it last.
    pub(crate) heard: Option<Word>,
    /// Whether the own object was listed yet.
    pub(crate) has_looked: bool,
    /// The publication that is under way.
    pub(crate) publishing: Option<Publishing>,
    /// Whether a write of the object itself is under way.
    pub(crate) keeping: bool,
    /// The metadata that it was told last.
    pub(crate) told: Option<Vec<ShownEni>>,
    /// When the last thing that its watch brings is there.
    pub(crate) watched: Tick,
    /// Tells its watches apart.
    pub(crate) watch: u64,
}

/// A publication that is under way.
#[derive(Debug, Clone)]
pub(crate) struct Publishing {
    /// Its number, for the machine.
    pub(crate) id: PublicationId,
    /// What is to be written.
    pub(crate) publication: Publication,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// Whether the object is read again, since it was another one than expected.
    pub(crate) reads: bool,
}

/// Who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The ADD of a pod's sandbox.
    Add {
        /// The pod.
        pod: usize,
        /// Its sandbox.
        sandbox: u64,
    },
    /// The DEL of a sandbox.
    Del {
        /// Which.
        sandbox: u64,
    },
    /// A CHECK, STATUS or GC.
    Other,
}

/// Records on their way to the disk.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) last: RecordId,
    pub(crate) records: Vec<Record>,
    pub(crate) trusted: bool,
}

/// What comes out of a process.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) answers: Vec<(CallId, Answer)>,
    pub(crate) events: Vec<Event>,
    pub(crate) publication: Option<(PublicationId, Publication)>,
}

impl Process {
    /// Starts on what the disk of `node` has.
    ///
    /// # Errors
    /// What is there is no state: the agent wrote what it cannot read.
    pub(crate) fn start(node: &Node, now: Tick) -> Result<Self, StateError> {
        let (state, trusted) = node.disk.read();
        let instance = Some(node.identity.instance.clone());
        let start = Start { state, trusted, instance, boot: node.boot() };
        Ok(Self {
            agent: Agent::new(node.agent.clone(), start, node.clock(now))?,
            inbox: Vec::new(),
            batch: None,
            callers: BTreeMap::new(),
            calls: 0,
            sight: None,
            heard: None,
            has_looked: false,
            publishing: None,
            keeping: false,
            told: None,
            watched: now,
            watch: 0,
        })
    }

    /// Whether the disk writes.
    pub(crate) const fn is_writing(&self) -> bool {
        self.batch.is_some()
    }

    /// Takes something in, now or when the disk has written.
    pub(crate) fn take(&mut self, clock: Tick, input: Input) {
        if self.is_writing() {
            self.inbox.push(input);
        } else {
            self.hand_in(clock, input);
        }
    }

    fn hand_in(&mut self, clock: Tick, input: Input) {
        match input {
            Input::Call(id, call) => self.agent.on_call(clock, id, call),
            Input::Abandoned(id) => self.agent.on_abandoned(clock, id),
            Input::Metadata(shown) => self.agent.on_metadata(clock, shown),
            Input::Word(word) => self.agent.on_word(clock, *word),
            Input::Found(found) => self.agent.on_found(clock, found),
            Input::Published(id, published) => self.agent.on_published(clock, id, &published),
            Input::Time => self.agent.on_time(clock),
        }
    }

    /// The records that are to be written now, if there are any.
    pub(crate) fn begin_write(&mut self) -> bool {
        let mut records = Vec::new();
        let mut last = None;
        while let Some((id, record)) = self.agent.poll_record() {
            last = Some(id);
            records.push(record);
        }
        let trusted = self.agent.is_trusted();
        self.batch = last.map(|last| Batch { last, records, trusted });
        self.is_writing()
    }

    /// What the disk was writing.
    pub(crate) const fn end_write(&mut self) -> Option<Batch> {
        self.batch.take()
    }

    /// Hands in what came while the disk was writing.
    pub(crate) fn catch_up(&mut self, clock: Tick) {
        for input in std::mem::take(&mut self.inbox) {
            self.hand_in(clock, input);
        }
        if self.agent.deadline().is_some_and(|deadline| deadline <= clock) {
            self.agent.on_time(clock);
        }
    }

    /// Everything that may leave.
    pub(crate) fn poll(&mut self, clock: Tick) -> Output {
        let answers = std::iter::from_fn(|| self.agent.poll_answer()).collect();
        let free = self.publishing.is_none();
        let publication = if free { self.agent.poll_publication(clock) } else { None };
        let events = std::iter::from_fn(|| self.agent.poll_event()).collect();
        Output { answers, events, publication }
    }
}
