//! Which reading is sent next.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use super::Reconciler;
use super::agenda::Timer;
use super::gate::GateKey;
use super::reading::Collected;
use super::record::Slot;
use super::send::What;
use super::vpc::{Part, Sweep, VpcState};
use crate::call::{Api, Call, EniScope, PageToken, Read};
use crate::ids::{EniId, InstanceId, InstanceType, VpcId};
use crate::reason::{Blocked, Reason};
use crate::time::Tick;

/// Values that one filter takes (EC2 API reference, filters).
const FILTER_VALUES_MAX: usize = 200;
/// Instance types that one call names (EC2 API reference, `DescribeInstanceTypes`).
const TYPES_MAX: usize = 100;
/// Interfaces on one page (EC2 API reference, `DescribeNetworkInterfaces`).
const PAGE: usize = 1000;
/// Readings of nodes under way at once. Those that come meanwhile are read together.
const UNDER_WAY_MAX: usize = 4;
/// A reading that can wait for changes is made before them after this time.
const OVERDUE: Duration = Duration::from_secs(30);
/// What a node is blocked for the lack of is read again after this time.
const LACK: Duration = Duration::from_mins(1);

/// What waits to be read.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Nodes whose instances are to be read now.
    pub(super) nodes: BTreeSet<Slot>,
    /// Groups of nodes that are to be read now, each apart, to find out of which something cannot be read.
    pub(super) groups: VecDeque<BTreeSet<Slot>>,
    /// Interfaces that are to be read now.
    pub(super) enis: BTreeMap<EniId, Slot>,
    /// Readings with further pages.
    pub(super) further: VecDeque<(Box<NodesReading>, PageToken)>,
    pub(super) under_way: usize,
    /// Until when no node is read, after a failure.
    pub(super) pause: Option<Tick>,
    pub(super) step: Option<Duration>,
    /// Why nodes are not read.
    pub(super) trouble: Option<Reason>,
    /// Parts of VPCs that are to be read now, first listings first.
    pub(super) parts: BTreeSet<(Urgency, Part, VpcId)>,
    /// Instance types that are to be asked for now.
    pub(super) types: BTreeSet<InstanceType>,
    pub(super) types_are_under_way: bool,
    pub(super) types_pause: Option<Tick>,
    pub(super) types_step: Option<Duration>,
    /// Instance types that were asked for.
    pub(super) asked: BTreeSet<InstanceType>,
    /// Instance types that EC2 was asked for in vain.
    pub(super) unlearned: BTreeSet<InstanceType>,
}

/// How soon a part of a VPC is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Part of a first listing, before all changes.
    First,
    /// After all changes.
    Later,
    /// After that.
    Audit,
}

impl Reads {
    pub(super) fn forget(&mut self, slot: Slot) {
        self.nodes.remove(&slot);
        for group in &mut self.groups {
            group.remove(&slot);
        }
        self.groups.retain(|group| !group.is_empty());
        self.enis.retain(|_, owner| *owner != slot);
    }

    fn waits_for_nodes(&self) -> bool {
        let waits = !self.nodes.is_empty()
            || !self.groups.is_empty()
            || !self.enis.is_empty()
            || !self.further.is_empty();
        waits && self.pause.is_none() && self.under_way < UNDER_WAY_MAX
    }

    fn waits_for_types(&self) -> bool {
        !self.types.is_empty() && !self.types_are_under_way && self.types_pause.is_none()
    }
}

/// A reading of nodes or of interfaces.
#[derive(Debug, Default)]
pub(super) struct NodesReading {
    pub(super) nodes: BTreeSet<Slot>,
    pub(super) enis: BTreeMap<EniId, Slot>,
    /// Which interfaces it asks for.
    pub(super) scope: Vec<InstanceId>,
    /// When its first page was sent.
    pub(super) first_sent: Option<Tick>,
    pub(super) collected: BTreeMap<Slot, Vec<Collected>>,
    pub(super) has_unreadable: bool,
    /// Whether it is to find out of which node something cannot be read.
    is_group: bool,
}

impl NodesReading {
    fn read(&self, page: Option<PageToken>) -> Read {
        let scope = if self.enis.is_empty() {
            EniScope::Instances(self.scope.clone())
        } else {
            EniScope::Ids(self.enis.keys().cloned().collect())
        };
        Read::Enis { scope, page }
    }
}

impl Reconciler {
    /// The next reading: those that changes wait for, or else those that can wait for changes.
    pub(super) fn next_read(&mut self, can_wait: bool) -> Option<Call> {
        if !self.is_listed {
            return None;
        }
        if can_wait {
            let now = self.now;
            let later = self.next_part(Urgency::Later, now);
            return later.or_else(|| self.next_part(Urgency::Audit, now));
        }
        let nodes = if self.reads.waits_for_nodes() { self.next_nodes() } else { None };
        nodes.or_else(|| self.next_part(Urgency::First, self.now)).or_else(|| self.next_types())
    }

    /// The next reading that can wait for changes and did for long. Without it, none would ever be made while more changes
    /// wait than a bucket of all actions lets through.
    pub(super) fn next_overdue(&mut self) -> Option<Call> {
        let by = self.now.before(OVERDUE);
        let later = self.next_part(Urgency::Later, by);
        later.or_else(|| self.next_part(Urgency::Audit, by))
    }

    /// Whether a reading waits for a token of an action.
    pub(super) fn waits_to_read(&self, api: Api) -> bool {
        let part_waits = |(_, part, vpc): &(Urgency, Part, VpcId)| {
            self.vpcs.contains_key(vpc) && self.part_api(*part) == api
        };
        let single = match api {
            Api::DescribeNetworkInterfaces => {
                self.reads.waits_for_nodes() || self.clean_up.waits_to_look()
            }
            Api::DescribeInstanceTypes => self.reads.waits_for_types(),
            _ => false,
        };
        self.is_listed && (single || self.reads.parts.iter().any(part_waits))
    }

    fn next_nodes(&mut self) -> Option<Call> {
        if self.budget.next_token(self.now, Api::DescribeNetworkInterfaces).is_some() {
            return None;
        }
        if let Some((reading, page)) = self.reads.further.pop_front() {
            return self.read_nodes(reading, Some(page));
        }
        let mut reading = Box::<NodesReading>::default();
        while reading.enis.len() < FILTER_VALUES_MAX
            && let Some((eni, slot)) = self.reads.enis.pop_first()
        {
            reading.enis.insert(eni, slot);
        }
        if reading.enis.is_empty()
            && let Some(group) = self.reads.groups.pop_front()
        {
            reading.is_group = true;
            for slot in group {
                self.add_instance(&mut reading, slot);
            }
        }
        while reading.enis.is_empty()
            && !reading.is_group
            && reading.scope.len() < FILTER_VALUES_MAX
            && let Some(slot) = self.reads.nodes.pop_first()
        {
            self.add_instance(&mut reading, slot);
        }
        let is_empty = reading.enis.is_empty() && reading.scope.is_empty();
        if is_empty { None } else { self.read_nodes(reading, None) }
    }

    fn add_instance(&self, reading: &mut NodesReading, slot: Slot) {
        if let Some(instance) = self.nodes.get(slot).and_then(|record| record.instance()) {
            reading.scope.push(instance.clone());
            reading.nodes.insert(slot);
        }
    }

    fn read_nodes(
        &mut self,
        mut reading: Box<NodesReading>,
        page: Option<PageToken>,
    ) -> Option<Call> {
        reading.first_sent = reading.first_sent.or(Some(self.now));
        let read = reading.read(page);
        self.reads.under_way += 1;
        self.read(read, What::Nodes(reading))
    }

    fn next_types(&mut self) -> Option<Call> {
        let api = Api::DescribeInstanceTypes;
        if !self.reads.waits_for_types() || self.budget.next_token(self.now, api).is_some() {
            return None;
        }
        let mut types = BTreeSet::new();
        while types.len() < TYPES_MAX
            && let Some(instance_type) = self.reads.types.pop_first()
        {
            types.insert(instance_type);
        }
        self.reads.types_are_under_way = true;
        let read = Read::InstanceTypes { types: types.iter().cloned().collect() };
        self.read(read, What::Types(types))
    }

    /// The next part of an urgency that waits since `by` or longer.
    fn next_part(&mut self, urgency: Urgency, by: Tick) -> Option<Call> {
        let since = |part: &Part, vpc: &VpcId| self.vpcs.get(vpc)?.parts.get(part)?.ready;
        let fits = |(its, part, vpc): &&(Urgency, Part, VpcId)| {
            *its == urgency
                && since(part, vpc).is_none_or(|since| since <= by)
                && self.budget.next_token(self.now, self.part_api(*part)).is_none()
        };
        let found = self.reads.parts.iter().find(fits)?.clone();
        self.reads.parts.remove(&found);
        let (_, part, vpc) = found;
        self.read_part(&vpc, part)
    }

    /// The action that reads a part.
    pub(super) fn part_api(&self, part: Part) -> Api {
        match part {
            Part::Subnets => Api::DescribeSubnets,
            Part::Enis | Part::Batch => Api::DescribeNetworkInterfaces,
            Part::Vpc => Api::DescribeVpcs,
            Part::Groups if self.reads_rules() => Api::DescribeSecurityGroups,
            Part::Groups => Api::GetSecurityGroupsForVpc,
            Part::Tables => Api::DescribeRouteTables,
        }
    }

    /// Whether security groups are read with their rules, because the other way is not allowed.
    fn reads_rules(&self) -> bool {
        self.gates.is_closed(&GateKey::Permission(Api::GetSecurityGroupsForVpc), self.now)
    }

    fn read_part(&mut self, vpc: &VpcId, part: Part) -> Option<Call> {
        if part == Part::Batch {
            return self.read_batch(vpc);
        }
        let without_rules = !self.reads_rules();
        let (before, now) = (self.nodes.next_slot(), self.now);
        let state = self.vpcs.get_mut(vpc)?;
        let progress = state.parts.get_mut(&part)?;
        progress.ready = None;
        let page = progress.page.clone();
        if page.is_none() {
            progress.first_sent = Some(now);
            start_over(state, part, before, now);
        }
        let named = vpc.clone();
        let read = match part {
            Part::Subnets => Read::Subnets { vpc: named, page },
            Part::Enis | Part::Batch => Read::Enis { scope: EniScope::Vpc(named), page },
            Part::Vpc => Read::Vpc { vpc: named },
            Part::Groups => Read::SecurityGroups { vpc: named, without_rules, page },
            Part::Tables => Read::RouteTables { vpc: named, page },
        };
        let call = self.read(read, What::Part(vpc.clone(), part))?;
        if let Some(progress) = self.progress(vpc, part) {
            progress.call = Some(call.id);
        }
        Some(call)
    }

    /// The nodes of a VPC that were observed longest ago.
    fn read_batch(&mut self, vpc: &VpcId) -> Option<Call> {
        let state = self.vpcs.get_mut(vpc)?;
        state.parts.get_mut(&Part::Batch)?.ready = None;
        let oldest: Vec<Slot> =
            state.by_age.iter().take(FILTER_VALUES_MAX).map(|(_, slot)| *slot).collect();
        let mut reading = Box::<NodesReading>::default();
        for slot in oldest {
            self.add_instance(&mut reading, slot);
        }
        self.plan_audit(vpc);
        if reading.scope.is_empty() { None } else { self.read_nodes(reading, None) }
    }

    /// Sets when the nodes of a VPC are observed next: all by one listing or some by their instances, whichever takes
    /// fewer calls in an audit interval.
    pub(super) fn plan_audit(&mut self, vpc: &VpcId) {
        let Some(state) = self.vpcs.get(vpc) else { return };
        let pages = state.enis.div_ceil(PAGE).max(1);
        let batches = state.nodes.len().div_ceil(FILTER_VALUES_MAX).max(1);
        let interval = self.settings.audit_interval;
        let is_failing = state.parts.get(&Part::Enis).is_some_and(|part| part.step.is_some());
        let (listing, batch) = if pages <= batches {
            (Some(self.now + interval), None)
        } else {
            let batches = u32::try_from(batches).unwrap_or(u32::MAX);
            (None, Some(self.now + interval / batches))
        };
        let listing = listing.into_iter().chain(state.look).min();
        if !is_failing {
            self.agenda.set(Timer::Part(vpc.clone(), Part::Enis), listing);
        }
        self.agenda.set(Timer::Part(vpc.clone(), Part::Batch), batch);
    }

    /// Lets a part of a VPC be read now, unless it is being read.
    pub(super) fn make_ready(&mut self, vpc: &VpcId, part: Part) {
        let now = self.now;
        let Some(state) = self.vpcs.get_mut(vpc) else { return };
        let urgency = match part {
            _ if !state.is_complete => Urgency::First,
            Part::Enis | Part::Batch => Urgency::Audit,
            _ => Urgency::Later,
        };
        let Some(progress) = state.parts.get_mut(&part) else { return };
        if progress.call.is_none() && progress.ready.is_none() {
            progress.ready = Some(now);
            self.reads.parts.insert((urgency, part, vpc.clone()));
        }
        self.agenda.set(Timer::Part(vpc.clone(), part), None);
    }

    /// Reads what a node is blocked for the lack of again before its time.
    pub(super) fn read_network_soon(&mut self, slot: Slot, blocked: &[Blocked]) {
        let vpc = self.nodes.get(slot).and_then(|record| record.vpc().cloned());
        let Some((vpc, state)) = vpc.and_then(|vpc| self.vpcs.get(&vpc).map(|state| (vpc, state)))
        else {
            return;
        };
        let lacks_groups =
            blocked.iter().any(|it| matches!(it.reason, Reason::NoSecurityGroupWithTags { .. }));
        let lacks_subnets = blocked.iter().any(|it| {
            !matches!(
                it.reason,
                Reason::NoSecurityGroupWithTags { .. } | Reason::NoFreePrefix { .. }
            )
        });
        let wanted = [
            (Part::Groups, lacks_groups, LACK),
            (Part::Subnets, lacks_subnets, self.settings.subnets_busy),
        ];
        for (part, lacks, after) in wanted {
            let progress = state.parts.get(&part);
            let idle = progress.filter(|it| lacks && it.is_idle() && it.step.is_none());
            if let Some(read) = idle.and_then(|it| it.read) {
                let at = (read + after).max(self.now);
                self.agenda.set_by(Timer::Part(vpc.clone(), part), at);
            }
        }
    }
}

/// Forgets what was collected of a listing.
fn start_over(state: &mut VpcState, part: Part, before: Slot, now: Tick) {
    match part {
        Part::Subnets => {
            state.subnets.clear();
            state.subnets_unreadable = false;
        }
        Part::Enis => {
            state.look = state.look.filter(|at| *at > now);
            state.sweep = Sweep { before: Some(before), ..Sweep::default() };
        }
        Part::Groups => {
            state.groups.clear();
            state.groups_unreadable = false;
        }
        Part::Tables => state.tables.clear(),
        Part::Vpc | Part::Batch => {}
    }
}
