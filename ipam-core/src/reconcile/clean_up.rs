//! Interfaces that no node claims: looked for every so often in each VPC that has or had nodes, and deleted after everything else.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use super::agenda::Timer;
use super::gate::GateKey;
use super::send::{Sent, What};
use super::trouble::{RETRY, unfit};
use super::{Event, Mode, ReconcileSettings, Reconciler};
use crate::action::Action;
use crate::call::{Api, Call, CallId, EniScope, Mutation, PageToken, Read, Reply, Request};
use crate::clean_up::{Judgement, Look, Rule, Sights, Verdict};
use crate::failure::{Failure, Remedy};
use crate::ids::{EniId, InstanceId, VpcId};
use crate::time::Tick;

/// The one action that it takes.
const API: Api = Api::DeleteNetworkInterface;

/// What is known of interfaces that no node claims.
#[derive(Debug)]
pub(super) struct CleanUp {
    /// `None`: they are not looked for.
    rule: Option<Rule>,
    interval: Duration,
    /// VPCs that have or had nodes.
    vpcs: BTreeMap<VpcId, Watched>,
    /// Looks that wait for their next page.
    looks: VecDeque<Looking>,
    /// What is to be deleted, oldest first.
    due: VecDeque<Unclaimed>,
}

/// One VPC that has or had nodes.
#[derive(Debug, Default)]
struct Watched {
    sights: Sights,
    /// How many the last look showed.
    unclaimed: usize,
    /// Those of which was said that they would be deleted.
    told: BTreeSet<EniId>,
}

/// A look at a VPC that is under way.
#[derive(Debug)]
pub(super) struct Looking {
    vpc: VpcId,
    /// `None` before its first page was asked for.
    look: Option<Look>,
    page: Option<PageToken>,
}

/// An interface that is to be deleted.
#[derive(Debug, Clone)]
pub(super) struct Unclaimed {
    vpc: VpcId,
    eni: EniId,
    instance: InstanceId,
    age: Option<Duration>,
}

impl CleanUp {
    pub(super) fn new(settings: &ReconcileSettings) -> Self {
        let interval = settings.clean_up.interval;
        let apart = interval.unwrap_or_default().max(settings.settle);
        let rule = interval.and_then(|_| Rule::new(&settings.policy, &settings.clean_up, apart));
        Self {
            rule,
            interval: interval.unwrap_or_default(),
            vpcs: BTreeMap::new(),
            looks: VecDeque::new(),
            due: VecDeque::new(),
        }
    }

    /// How many interfaces the last looks showed that no node claims; `None` when nobody looks.
    pub(super) fn unclaimed(&self) -> Option<usize> {
        self.rule.as_ref()?;
        Some(self.vpcs.values().map(|vpc| vpc.unclaimed).sum())
    }

    pub(super) fn waits_to_look(&self) -> bool {
        !self.looks.is_empty()
    }

    pub(super) fn waits_to_delete(&self) -> bool {
        !self.due.is_empty()
    }
}

impl Reconciler {
    /// Looks at a VPC from now on, as long as there is a machine: what its last node leaves behind shows up later.
    pub(super) fn watch_vpc(&mut self, vpc: &VpcId) {
        if self.clean_up.rule.is_some() && !self.clean_up.vpcs.contains_key(vpc) {
            self.clean_up.vpcs.insert(vpc.clone(), Watched::default());
            self.look_later(vpc, self.clean_up.interval);
        }
    }

    /// Says so if interfaces that no node claims cannot be told from those of other clusters.
    pub(super) fn say_if_not_cleaned_up(&mut self) {
        if self.settings.clean_up.interval.is_some() && self.clean_up.rule.is_none() {
            self.out.say(Event::CleanUpOff);
        }
    }

    fn look_later(&mut self, vpc: &VpcId, after: Duration) {
        self.agenda.set(Timer::CleanUp(vpc.clone()), Some(self.now + after));
    }

    /// It is time to look at a VPC. Nothing is looked for before all nodes are known.
    pub(super) fn look_at(&mut self, vpc: VpcId) {
        if self.is_view_complete {
            self.clean_up.looks.push_back(Looking { vpc, look: None, page: None });
        } else {
            self.look_later(&vpc, self.clean_up.interval);
        }
    }

    /// The next page of a look.
    pub(super) fn next_look(&mut self) -> Option<Call> {
        let (now, api) = (self.now, Api::DescribeNetworkInterfaces);
        if !self.clean_up.waits_to_look() || self.budget.next_token(now, api).is_some() {
            return None;
        }
        let Looking { vpc, look, page } = self.clean_up.looks.pop_front()?;
        let tags = self.clean_up.rule.as_ref()?.tags().clone();
        let scope = EniScope::Unattached { vpc: Some(vpc.clone()), tags };
        let look = Some(look.unwrap_or_else(|| Look::new(now)));
        let what = What::Look(Box::new(Looking { vpc, look, page: page.clone() }));
        self.read(Read::Enis { scope, page }, what)
    }

    /// A page of a look came, or none. A look that fails has shown nothing, and another one is taken soon.
    pub(super) fn looked(&mut self, sent: Tick, looking: Looking, answer: Result<Reply, Failure>) {
        let api = Api::DescribeNetworkInterfaces;
        let Looking { vpc, look, .. } = looking;
        let page = match answer {
            Ok(Reply::Enis(page)) => Ok(page),
            Ok(_) => Err(unfit("reading")),
            Err(failure) => Err(failure),
        };
        let (mut look, page) = match (look, page) {
            (Some(look), Ok(page)) => (look, page),
            (_, answer) => {
                let failure = answer.err().unwrap_or_else(|| unfit("reading"));
                self.say_failed(sent, api, &failure);
                if failure.remedy() == Remedy::SlowDown {
                    self.budget.on_throttled(self.now, api);
                }
                return self.look_later(&vpc, self.clean_up.interval.min(RETRY.1));
            }
        };
        for what in &page.unreadable {
            self.out.say(Event::Unreadable { api, what: what.clone() });
        }
        if let Some(page) = look.add(page) {
            let looking = Looking { vpc, look: Some(look), page: Some(page) };
            return self.clean_up.looks.push_back(looking);
        }
        self.look_later(&vpc, self.clean_up.interval);
        self.judge_look(&vpc, &look);
    }

    /// Decides what goes of what a whole look shows. What was decided before and not done yet is decided anew.
    fn judge_look(&mut self, vpc: &VpcId, look: &Look) {
        let Some(rule) = &self.clean_up.rule else { return };
        let Some(watched) = self.clean_up.vpcs.get_mut(vpc) else { return };
        let is_node = |instance: &InstanceId| self.nodes.is_node(instance);
        let verdicts = rule.judge(look, &mut watched.sights, self.now, is_node);
        let watched_now = verdicts.iter().filter(|it| it.judgement.is_unclaimed());
        watched.unclaimed = watched_now.count();
        let due = verdicts.into_iter().filter(|it| it.judgement == Judgement::Due);
        let due = due.filter_map(|verdict| unclaimed(vpc, verdict)).collect();
        match self.settings.mode {
            Mode::Normal => {
                self.clean_up.due.retain(|it| it.vpc != *vpc);
                self.clean_up.due.extend(due);
            }
            Mode::Observe => self.tell(vpc, due),
            Mode::NoRelease => {}
        }
    }

    /// Says once of each interface that it would be deleted.
    fn tell(&mut self, vpc: &VpcId, due: Vec<Unclaimed>) {
        let Some(watched) = self.clean_up.vpcs.get_mut(vpc) else { return };
        let before = core::mem::take(&mut watched.told);
        for Unclaimed { eni, instance, age, .. } in due {
            watched.told.insert(eni.clone());
            if !before.contains(&eni) {
                self.out.say(Event::WouldCleanUp { eni, instance, age });
            }
        }
    }

    /// Whether nothing forbids deletions now.
    fn may_clean_up(&self) -> bool {
        !self.rivals.are_everywhere() && !self.gates.is_closed(&GateKey::Permission(API), self.now)
    }

    /// The next interface to delete. What must not be deleted now is looked at again before it is.
    pub(super) fn next_clean_up(&mut self) -> Option<Call> {
        if !self.may_clean_up() {
            self.clean_up.due.clear();
        }
        self.clean_up.due.retain(|it| !self.nodes.is_node(&it.instance));
        if self.clean_up.due.is_empty() || !self.budget.take(self.now, API) {
            return None;
        }
        let unclaimed = self.clean_up.due.pop_front()?;
        Some(self.delete_unclaimed(unclaimed))
    }

    fn delete_unclaimed(&mut self, unclaimed: Unclaimed) -> Call {
        let (id, now) = (self.next_id(), self.now);
        let Unclaimed { vpc, eni, instance, .. } = &unclaimed;
        if let Some(watched) = self.clean_up.vpcs.get_mut(vpc) {
            watched.sights.forget(eni);
        }
        // A node that comes now must not count on it.
        if let Some(enis) = self.vpcs.get_mut(vpc).and_then(|it| it.unclaimed.get_mut(instance)) {
            enis.retain(|it| it.id != *eni);
        }
        self.gates.ask(&GateKey::Permission(API), id);
        self.line.served(API);
        self.out.say(Event::Sent { call: id, api: API, change: None, waited: Duration::ZERO });
        let mutation = Mutation {
            node: None,
            instance: instance.clone(),
            action: Action::DeleteEni { eni: eni.clone() },
            token: format!("{}-{}", self.settings.token_salt, id.0),
            first_sent: now,
        };
        let what = What::CleanUp(Box::new(unclaimed));
        self.calls.insert(id, Sent { at: now, api: API, what });
        Call { id, request: Request::Mutate(mutation) }
    }

    /// A deletion was answered, or not. Whatever came of it, the next looks tell.
    pub(super) fn cleaned_up(
        &mut self,
        call: CallId,
        sent: Tick,
        unclaimed: Unclaimed,
        answer: Result<Reply, Failure>,
    ) {
        let key = GateKey::Permission(API);
        let Unclaimed { vpc, eni, instance, age } = unclaimed;
        let took = self.now.since(sent);
        let failure = match answer {
            Ok(Reply::Done) => {
                self.grant(&key, sent);
                if let Some(watched) = self.clean_up.vpcs.get_mut(&vpc) {
                    watched.unclaimed = watched.unclaimed.saturating_sub(1);
                }
                return self.out.say(Event::CleanedUp { eni, instance, age, took });
            }
            Ok(_) => unfit("action"),
            Err(failure) => failure,
        };
        match failure.remedy() {
            Remedy::SlowDown => self.budget.on_throttled(self.now, API),
            Remedy::DoWithout => self.miss_permission(API, sent),
            _ => {}
        }
        self.out.say(Event::CleanUpFailed { eni, instance, failure, took });
        if self.gates.let_go(&key, call) {
            self.open_gate(&key);
        }
    }
}

fn unclaimed(vpc: &VpcId, verdict: Verdict<'_>) -> Option<Unclaimed> {
    let Verdict { listed, instance, age, .. } = verdict;
    Some(Unclaimed { vpc: vpc.clone(), eni: listed.eni.id.clone(), instance: instance?, age })
}
