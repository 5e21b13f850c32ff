//! One term: from the Lease won to the Lease lost.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ipam_core::ids::NodeName;
use ipam_core::policy::Policy;
use ipam_core::reconcile::{Allowance, Event, Reconciler, Rival, Totals};
use ipam_core::time::Tick;
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{error, info, warn};

use super::Office;
use super::feeds::{self, BACKLOG, Input};
use super::report::{self, Reporter};
use super::unread::Unread;
use super::work::{Done, Work};
use crate::board::{Board, Readiness};
use crate::cloud::Cloud;
use crate::kubernetes::leader::{Leadership, Standing};
use crate::kubernetes::nodes::{NodeChange, ObservedNode};
use crate::kubernetes::pods::PodsChange;
use crate::kubernetes::publish::{PublishEvent, PublishSettings, Publisher, render};
use crate::kubernetes::rival::who_wrote;

/// Why a term ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The Lease is lost.
    Lost,
    /// The operator is to stop.
    Shutdown,
    /// A watch broke, which it never should: nothing more would be seen.
    Broken,
}

/// How long changes on their way are waited for when the operator is to stop. Giving the Lease back and ending HTTP come
/// after that, and ten seconds are all there is.
const GRACE: Duration = Duration::from_secs(7);
/// What is shown of the whole is at most this old while anything happens.
const SHOWN_EVERY: Duration = Duration::from_secs(1);
/// How often the machine is asked while as many calls are on their way as may be.
const SATURATED_PAUSE: Duration = Duration::from_millis(100);

/// A machine and everything around it.
pub(super) struct Term<C> {
    board: Arc<Board>,
    client: Client,
    policy: Policy,
    machine: Reconciler,
    publisher: Publisher,
    work: Work<C>,
    calls_at_once: usize,
    reporter: Reporter,
    inputs: mpsc::Receiver<Input>,
    sender: mpsc::Sender<Input>,
    /// Watches, and what asks who a rival is. Broken off with the term.
    feeds: JoinSet<()>,
    listed: bool,
    /// Why `CiliumNode`s cannot be watched, as it was said last.
    away: Option<String>,
    unread: Unread,
    /// Nodes that the machine wanted published. What is written to the others is not known yet.
    offered: HashSet<NodeName>,
    /// When what is shown of the whole has to be renewed; `None` when nothing happened since.
    show_at: Option<Tick>,
    shown: Tick,
}

impl<C: Cloud> Term<C> {
    pub(super) fn new(office: &Office<C>) -> Self {
        let Office { settings, cloud, client, board, leadership, allowance } = office;
        let mut machine_settings = settings.machine.clone();
        let now = board.now();
        // Client tokens of one term are never those of another.
        machine_settings.token_salt =
            format!("{}-{}", machine_settings.token_salt, now.as_millis());
        let (sender, inputs) = mpsc::channel(BACKLOG);
        Self {
            board: Arc::clone(board),
            client: client.clone(),
            policy: machine_settings.policy.clone(),
            machine: Reconciler::with_allowance(machine_settings, allowance.clone(), now),
            publisher: Publisher::new(PublishSettings::default()),
            work: Work::new(Arc::clone(cloud), client.clone(), leadership.clone()),
            calls_at_once: settings.ec2.calls_in_flight,
            reporter: Reporter::new(client, settings, board),
            inputs,
            feeds: feeds::start(client, settings.kubernetes.watch_pods, &sender),
            sender,
            listed: false,
            away: None,
            unread: Unread::default(),
            offered: HashSet::new(),
            show_at: Some(now),
            shown: now,
        }
    }

    /// How much EC2 takes, as far as is known.
    pub(super) fn into_allowance(self) -> Allowance {
        self.machine.allowance()
    }

    /// Goes on until the Lease is lost or `shutdown` comes.
    pub(super) async fn serve(
        &mut self,
        leadership: &mut Leadership,
        shutdown: &mut Pin<&mut impl Future<Output = ()>>,
    ) -> End {
        loop {
            self.advance();
            tokio::select! {
                biased;
                () = &mut *shutdown => {
                    self.finish().await;
                    return End::Shutdown;
                }
                standing = leadership.changed() => {
                    if standing != Standing::Leading {
                        self.say_unanswered();
                        return End::Lost;
                    }
                }
                turn = self.next() => match turn {
                    Ok(turn) => self.take(turn),
                    Err(problem) => {
                        error!(%problem, "a watch broke");
                        return End::Broken;
                    }
                },
            }
        }
    }

    /// Waits for the next thing to happen. Nothing is lost when it is broken off. It fails when a watch broke.
    async fn next(&mut self) -> Result<Turn, JoinError> {
        let deadline = self.deadline().map(|tick| self.board.instant(tick));
        tokio::select! {
            done = self.work.next() => Ok(Turn::Done(done)),
            // The term holds a sender itself, so that the channel never ends.
            Some(input) = self.inputs.recv() => Ok(Turn::Input(input)),
            // Watches never end by themselves; asking who a rival is does.
            Some(Err(problem)) = self.feeds.join_next() => Err(problem),
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => Ok(Turn::Time),
        }
    }

    /// When to go on if nothing happens.
    fn deadline(&self) -> Option<Tick> {
        let now = self.board.now();
        let of_machine = self.machine.deadline().map(|at| {
            let saturated = self.work.calls() >= self.calls_at_once;
            at.max(now + if saturated { SATURATED_PAUSE } else { Duration::from_millis(1) })
        });
        [of_machine, self.publisher.deadline(), self.show_at].into_iter().flatten().min()
    }

    /// Takes in what happened, and everything else that happened by now.
    fn take(&mut self, turn: Turn) {
        self.board.metrics().on_turn();
        let now = self.board.now();
        match turn {
            Turn::Done(done) => self.on_done(now, done),
            Turn::Input(input) => self.on_input(now, input),
            Turn::Time => self.machine.on_time(now),
        }
        while let Some(done) = self.work.next_now() {
            self.on_done(now, done);
        }
        for _ in 0..BACKLOG {
            let Ok(input) = self.inputs.try_recv() else { break };
            self.on_input(now, input);
        }
        if self.machine.deadline().is_some_and(|at| at <= now) {
            self.machine.on_time(now);
        }
    }

    fn on_done(&mut self, now: Tick, done: Done) {
        self.touch();
        match done {
            Done::Call(id, answer) => self.machine.on_answer(now, id, *answer),
            Done::Write(write, result) => self.publisher.on_written(now, &write, result),
        }
    }

    fn on_input(&mut self, now: Tick, input: Input) {
        self.touch();
        match input {
            Input::Node(change) => self.on_node(now, change),
            Input::Pods(change) => self.on_pods(now, change),
            Input::Rival(name, rival) => self.machine.on_rival(now, &name, rival),
        }
    }

    fn on_node(&mut self, now: Tick, change: NodeChange) {
        match change {
            NodeChange::Seen(node) => {
                self.on_watching();
                let ObservedNode { seen, object, problems } = *node;
                self.unread.on_seen(&seen.name, problems);
                self.publisher.on_observed(&seen.name, &object, seen.ignored);
                self.machine.on_node(now, seen);
            }
            NodeChange::Gone(name) => {
                self.offered.remove(&name);
                self.unread.forget(&name);
                self.publisher.forget(&name);
                self.machine.on_node_gone(now, &name);
            }
            NodeChange::Listed => {
                self.on_watching();
                if !std::mem::replace(&mut self.listed, true) {
                    self.machine.on_nodes_listed(now);
                }
            }
            NodeChange::Unreadable { name, problem } => {
                let node = name.as_ref().map_or("", NodeName::as_str);
                warn!(node, problem, "a CiliumNode cannot be read: it stays as it is");
            }
            NodeChange::Away { problem } => self.on_away(problem),
        }
    }

    /// Said once for each problem: it is tried again and again for as long as it lasts.
    fn on_away(&mut self, problem: String) {
        if self.away.as_ref() != Some(&problem) {
            warn!(problem, "CiliumNodes cannot be watched: trying again");
            self.away = Some(problem);
        }
    }

    fn on_watching(&mut self) {
        if self.away.take().is_some() {
            info!("CiliumNodes are watched again");
        }
    }

    fn on_pods(&mut self, now: Tick, change: PodsChange) {
        let watched = match change {
            PodsChange::Waiting(name, count) => {
                return self.machine.on_waiting_pods(now, &name, count);
            }
            PodsChange::Unavailable { problem } => {
                warn!(problem, "waiting pods cannot be watched: only watermarks ask for addresses");
                false
            }
            PodsChange::Available => {
                info!("waiting pods are watched again");
                true
            }
        };
        self.board.say(|state| state.pods_watched = Some(watched));
    }

    /// Carries out what the machine wants, until it wants nothing more.
    fn advance(&mut self) {
        let now = self.board.now();
        while self.work.calls() < self.calls_at_once
            && let Some(call) = self.machine.poll_call(now)
        {
            self.touch();
            self.work.call(call);
        }
        self.settle(now);
        if self.show_at.is_some_and(|at| at <= now) {
            self.show(now);
        }
    }

    /// Everything but calls.
    fn settle(&mut self, now: Tick) {
        while let Some(event) = self.machine.poll_event() {
            self.on_event(&event);
        }
        while let Some(name) = self.machine.poll_publication() {
            self.publisher.on_wanted(&name);
            self.offered.insert(name);
        }
        let Self { machine, publisher, policy, offered, .. } = self;
        let rendered = |name: &NodeName| {
            let node = offered.contains(name).then(|| machine.node(name)).flatten()?;
            // An instance without interfaces was never observed: nothing is known, which is not the same as empty.
            let is_known = node.enis.iter().any(|eni| eni.attachment.is_some());
            let summary = machine.summary(name).filter(|_| is_known)?;
            let giving_back = machine.giving_back(name);
            Some(render(node, machine.network(), policy, summary.obstacle(), giving_back))
        };
        while let Some(write) = publisher.poll_write(now, rendered) {
            self.work.write(write);
        }
        while let Some(event) = self.publisher.poll_event() {
            self.on_publish_event(event);
        }
        while let Some(name) = self.machine.poll_summary() {
            self.board.nodes().set(&name, self.machine.summary(&name));
        }
    }

    fn on_event(&mut self, event: &Event) {
        self.board.metrics().on_event(event);
        self.reporter.on_event(event);
        match event {
            Event::ViewComplete { .. } => {
                self.board.say(|state| state.readiness = Readiness::Ready);
            }
            Event::RivalFound { node, .. } => self.publisher.hold(node.as_ref()),
            Event::RivalGone { node } => self.publisher.resume(node.as_ref()),
            _ => {}
        }
    }

    fn on_publish_event(&mut self, event: PublishEvent) {
        report::log_publication(&event, self.board.metrics());
        let PublishEvent::Rival { node, deed, .. } = event else { return };
        let (client, sender) = (self.client.clone(), self.sender.clone());
        self.feeds.spawn(async move {
            let rival: Rival = who_wrote(&client, &node, &deed).await;
            // Nobody is there to hear it when the term is over.
            let _ended = sender.send(Input::Rival(node, rival)).await;
        });
    }

    /// Something happened: what is shown of the whole is to be renewed, but not for each thing anew.
    fn touch(&mut self) {
        if self.show_at.is_none() {
            self.show_at = Some(self.board.now().max(self.shown + SHOWN_EVERY));
        }
    }

    fn show(&mut self, now: Tick) {
        self.shown = now;
        self.show_at = None;
        let Totals { subnets, unclaimed_enis, .. } = self.machine.totals(now);
        let budget = self.machine.budget().clone();
        let (calls, writes) = (self.work.calls(), self.work.writes());
        self.board.say(|state| {
            state.subnets = subnets;
            state.unclaimed_enis = unclaimed_enis;
            state.budget = Some(budget);
            state.calls_in_flight = calls;
            state.writes_in_flight = writes;
        });
    }

    /// Sends no further change, and waits a limited time for those on their way.
    async fn finish(&mut self) {
        let until = Instant::now() + GRACE;
        info!(
            changes = self.work.mutations(),
            writes = self.work.writes(),
            "stopping: waiting for what is on its way"
        );
        while self.work.mutations() > 0 || self.work.writes() > 0 {
            let Ok(done) = timeout_at(until, self.work.next()).await else {
                return self.say_unanswered();
            };
            let now = self.board.now();
            self.on_done(now, done);
            while let Some(event) = self.machine.poll_event() {
                self.on_event(&event);
            }
            while let Some(event) = self.publisher.poll_event() {
                report::log_publication(&event, self.board.metrics());
            }
        }
    }

    /// Whoever looks into what happened at EC2 finds here what nobody waited for.
    fn say_unanswered(&self) {
        for change in self.work.changes() {
            warn!(change, "not waited for any longer: whoever leads next observes what came of it");
        }
    }
}

/// What made the loop turn.
enum Turn {
    Done(Done),
    Input(Input),
    Time,
}
