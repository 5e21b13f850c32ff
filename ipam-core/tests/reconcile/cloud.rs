//! A model of EC2 without any transport: enough of its truth for the operator's machine. It refuses
//! what EC2 refuses, with the code that EC2 uses (EC2 API reference, error codes).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipam_core::action::{Action, CreateEni, Ipv4Ask};
use ipam_core::call::{Api, Assigned, Mutation, Reply, Request};
use ipam_core::failure::{Failure, Refusal};
use ipam_core::ids::{
    AttachmentId, EniId, InstanceId, InstanceType, RouteTableId, SecurityGroupId, SubnetId, VpcId,
    ZoneName,
};
use ipam_core::policy::MANAGED_TAG;
use ipam_core::time::Tick;
use ipam_core::view::{
    Attachment, AttachmentState, EniKind, EniView, Ipv4Held, Ipv6Held, RouteTableView,
    SecurityGroupView, SubnetView, VpcView,
};
use ipnet::Ipv4Net;
use limits::Limits;

mod bucket;
mod listing;
mod others;
mod space;

pub(crate) use bucket::Buckets;
use space::Space;

pub(crate) type Answer = Result<Reply, Failure>;

/// EC2.
#[derive(Default)]
pub(crate) struct Cloud {
    pub now: Tick,
    pub instances: BTreeMap<InstanceId, Instance>,
    pub enis: BTreeMap<EniId, Stored>,
    /// Interfaces that are gone, which a stale reading may still show.
    gone: BTreeMap<EniId, Stored>,
    pub subnets: BTreeMap<SubnetId, Subnet>,
    pub vpcs: BTreeMap<VpcId, VpcView>,
    pub groups: BTreeMap<SecurityGroupId, SecurityGroupView>,
    pub tables: BTreeMap<RouteTableId, RouteTableView>,
    /// What types can hold that the table does not know.
    pub types: BTreeMap<InstanceType, Limits>,
    pub buckets: Buckets,
    /// How far readings of interfaces are behind.
    pub lag: Duration,
    /// How long a detachment takes after its answer.
    pub detaching_takes: Duration,
    /// Until when interfaces are being detached.
    detaching: BTreeMap<EniId, Tick>,
    /// Interfaces on one page.
    pub page_size: usize,
    /// Interfaces that a listing cannot tell about.
    pub unreadable: BTreeSet<EniId>,
    /// How far the clock by which listings tell ages is ahead.
    pub clock_ahead: Duration,
    /// Interfaces without a tag that says how old they are.
    pub ageless: BTreeSet<EniId>,
    tokens: BTreeMap<String, (Mutation, EniId)>,
    made: u32,
}

/// An instance.
pub(crate) struct Instance {
    pub kind: InstanceType,
    pub zone: ZoneName,
    pub running: bool,
}

/// A subnet and what is taken of it.
pub(crate) struct Subnet {
    pub view: SubnetView,
    pub space: Space,
}

impl Subnet {
    /// A subnet in which nothing is taken.
    pub(crate) fn new(view: SubnetView) -> Self {
        let space = Space::new(view.cidr, view.ipv6_cidr);
        Self { view, space }
    }
}

/// An interface, and how it was before.
pub(crate) struct Stored {
    pub eni: EniView,
    pub instance: Option<InstanceId>,
    /// When it was made.
    pub made: Tick,
    /// When it was made or detached last.
    pub loose_since: Tick,
    /// `None` once it was gone.
    versions: Vec<(Tick, Option<Version>)>,
}

type Version = (EniView, Option<InstanceId>);

/// What EC2 says when it refuses.
pub(crate) fn refused(refusal: Refusal) -> Failure {
    let (code, message) = (refusal.label().into(), format!("{refusal:?} by the model"));
    Failure::Refused { refusal, code, message }
}

impl Cloud {
    /// Carries a call out, unless its bucket is empty.
    pub(crate) fn execute(&mut self, request: &Request) -> Answer {
        self.finish_detaching();
        match request {
            Request::Mutate(mutation) => self.mutate(mutation).map_err(refused),
            Request::Read(read) => Ok(self.read(read)),
        }
    }

    fn mutate(&mut self, mutation: &Mutation) -> Result<Reply, Refusal> {
        match &mutation.action {
            Action::AssignAddresses { eni, count, .. } => {
                self.assign(eni, Ipv4Ask::Addresses(*count)).map(Reply::Assigned)
            }
            Action::AssignPrefixes { eni, count, .. } => {
                self.assign(eni, Ipv4Ask::Prefixes(*count)).map(Reply::Assigned)
            }
            Action::UnassignAddresses { eni, .. } | Action::UnassignPrefixes { eni, .. } => {
                self.unassign(eni, &mutation.action).map(|()| Reply::Done)
            }
            Action::AssignIpv6Prefix { eni } => self.assign_ipv6(eni).map(Reply::Assigned),
            Action::CreateEni(create) => self.create_once(mutation, create),
            Action::AttachEni { eni, device_index } => {
                self.attach(eni, &mutation.instance, *device_index)
            }
            Action::SetDeleteOnTermination { eni, .. } => {
                let stored = self.enis.get_mut(eni).ok_or(Refusal::EniNotFound)?;
                let attachment = stored.eni.attachment.as_mut();
                attachment.ok_or(Refusal::AttachmentNotFound)?.delete_on_termination = Some(true);
                self.changed(eni);
                Ok(Reply::Done)
            }
            Action::DetachEni { eni, attachment } => {
                self.detach(eni, attachment).map(|()| Reply::Done)
            }
            Action::SetSecurityGroups { eni, groups } => {
                self.set_groups(eni, groups).map(|()| Reply::Done)
            }
            Action::DeleteEni { eni } => self.delete(eni).map(|()| Reply::Done),
        }
    }

    pub(crate) fn limits(&self, instance: &InstanceId) -> Option<Limits> {
        let kind = &self.instances.get(instance)?.kind;
        self.types.get(kind).copied().or_else(|| limits::find(kind.as_str()))
    }

    /// The interfaces of an instance.
    pub(crate) fn enis_of(&self, instance: &InstanceId) -> impl Iterator<Item = &EniView> {
        let is_of = |stored: &&Stored| stored.instance.as_ref() == Some(instance);
        self.enis.values().filter(is_of).map(|stored| &stored.eni)
    }

    /// The interfaces that Berth made and that are attached to nothing.
    pub(crate) fn loose(&self) -> impl Iterator<Item = &Stored> {
        let is_made = |stored: &&Stored| stored.eni.tags.contains_key(MANAGED_TAG);
        self.enis.values().filter(is_made).filter(|stored| stored.instance.is_none())
    }

    pub(crate) fn assign(&mut self, id: &EniId, ask: Ipv4Ask) -> Result<Assigned, Refusal> {
        let stored = self.enis.get(id).ok_or(Refusal::EniNotFound)?;
        let (Ipv4Ask::Addresses(count) | Ipv4Ask::Prefixes(count)) = ask;
        let limits = stored.instance.as_ref().and_then(|it| self.limits(it));
        let held = 1 + stored.eni.ipv4.addresses.len() + stored.eni.ipv4.prefixes.len();
        if limits.is_some_and(|it| held + usize::from(count) > it.ipv4_per_eni.into()) {
            return Err(Refusal::EniFull);
        }
        let is_prefix = matches!(ask, Ipv4Ask::Prefixes(_));
        if count == 0 || is_prefix && limits.is_some_and(|it| !it.supports_prefixes()) {
            return Err(Refusal::Invalid);
        }
        let assigned = take(self.subnets.get_mut(&stored.eni.subnet), ask)?;
        let eni = &mut self.enis.get_mut(id).ok_or(Refusal::EniNotFound)?.eni;
        eni.ipv4.addresses.extend(&assigned.addresses);
        eni.ipv4.prefixes.extend(&assigned.prefixes);
        self.changed(id);
        Ok(assigned)
    }

    /// All or nothing, as at EC2: what is not assigned cannot be unassigned.
    fn unassign(&mut self, id: &EniId, action: &Action) -> Result<(), Refusal> {
        let stored = self.enis.get_mut(id).ok_or(Refusal::EniNotFound)?;
        let held = &mut stored.eni.ipv4;
        let single = held.addresses.iter().copied().map(Ipv4Net::from);
        let all: BTreeSet<Ipv4Net> = single.chain(held.prefixes.iter().copied()).collect();
        let gone: BTreeSet<Ipv4Net> = action.gives_back().collect();
        if gone.is_empty() || !gone.is_subset(&all) {
            return Err(Refusal::Invalid);
        }
        held.addresses.retain(|it| !gone.contains(&Ipv4Net::from(*it)));
        held.prefixes.retain(|it| !gone.contains(it));
        let space =
            &mut self.subnets.get_mut(&stored.eni.subnet).ok_or(Refusal::SubnetNotFound)?.space;
        for net in &gone {
            space.give_back(*net);
        }
        self.changed(id);
        Ok(())
    }

    fn assign_ipv6(&mut self, id: &EniId) -> Result<Assigned, Refusal> {
        let stored = self.enis.get_mut(id).ok_or(Refusal::EniNotFound)?;
        let subnet = self.subnets.get_mut(&stored.eni.subnet).ok_or(Refusal::SubnetNotFound)?;
        let prefix = subnet.space.take_ipv6_prefix().ok_or(Refusal::Invalid)?;
        stored.eni.ipv6.prefixes.push(prefix);
        self.changed(id);
        Ok(Assigned { ipv6_prefixes: vec![prefix], ..Assigned::default() })
    }

    /// A token that was used before answers with what was made then.
    fn create_once(&mut self, mutation: &Mutation, create: &CreateEni) -> Result<Reply, Refusal> {
        if let Some((first, id)) = self.tokens.get(&mutation.token) {
            assert_eq!(first, mutation, "a repeated creation is the same to the letter");
            let stored = self.enis.get(id).ok_or(Refusal::Invalid)?;
            return Ok(Reply::Created(EniView { attachment: None, ..stored.eni.clone() }));
        }
        let eni = self.create(create)?;
        self.tokens.insert(mutation.token.clone(), (mutation.clone(), eni.id.clone()));
        Ok(Reply::Created(eni))
    }

    pub(crate) fn create(&mut self, create: &CreateEni) -> Result<EniView, Refusal> {
        if create.security_groups.iter().any(|it| !self.groups.contains_key(it)) {
            return Err(Refusal::SecurityGroupNotFound);
        }
        let subnet = self.subnets.get_mut(&create.subnet);
        let subnet = subnet.ok_or(Refusal::SubnetNotFound)?;
        let vpc = subnet.view.vpc.clone();
        let held = take(Some(subnet), create.ipv4)?;
        let Some(primary) = subnet.space.take_addresses(1) else {
            give_back(&mut subnet.space, &held);
            return Err(Refusal::SubnetOutOfAddresses);
        };
        let ipv6 = create.ipv6_prefix.then(|| subnet.space.take_ipv6_prefix()).flatten();
        self.made += 1;
        let eni = EniView {
            id: format!("eni-new{:04}", self.made).parse().unwrap(),
            kind: EniKind::Ordinary,
            mac: None,
            description: create.description.clone(),
            attachment: None,
            subnet: create.subnet.clone(),
            vpc,
            ipv4: Ipv4Held {
                primary: primary[0],
                addresses: held.addresses,
                prefixes: held.prefixes,
            },
            ipv6: Ipv6Held { addresses: Vec::new(), prefixes: ipv6.into_iter().collect() },
            security_groups: create.security_groups.clone(),
            tags: create.tags.clone(),
            public_ip: None,
        };
        self.put(eni.clone(), None);
        Ok(eni)
    }

    pub(crate) fn attach(
        &mut self,
        id: &EniId,
        instance: &InstanceId,
        device_index: u16,
    ) -> Result<Reply, Refusal> {
        let stored = self.enis.get(id).ok_or(Refusal::EniNotFound)?;
        let there = self.instances.get(instance).ok_or(Refusal::InstanceNotFound)?;
        if stored.instance.is_some() {
            return Err(Refusal::EniInUse);
        }
        if !there.running {
            return Err(Refusal::InstanceNotRunning);
        }
        if self.subnets[&stored.eni.subnet].view.zone != there.zone {
            return Err(Refusal::Invalid);
        }
        self.check_room(&stored.eni, instance, device_index)?;
        let attachment = format!("eni-attach-{}", id.as_str().trim_start_matches("eni-"));
        let stored = self.enis.get_mut(id).ok_or(Refusal::EniNotFound)?;
        stored.instance = Some(instance.clone());
        stored.eni.attachment = Some(Attachment {
            id: Some(attachment.parse().unwrap()),
            device_index,
            network_card: 0,
            state: AttachmentState::Attached,
            delete_on_termination: Some(false),
        });
        self.changed(id);
        Ok(Reply::Attached(attachment.parse().unwrap()))
    }

    fn check_room(
        &self,
        eni: &EniView,
        instance: &InstanceId,
        device_index: u16,
    ) -> Result<(), Refusal> {
        let limits = self.limits(instance).ok_or(Refusal::Invalid)?;
        let attached: Vec<&EniView> = self.enis_of(instance).collect();
        let has_index = |eni: &&EniView| {
            eni.attachment.as_ref().is_some_and(|it| it.device_index == device_index)
        };
        let held = 1 + eni.ipv4.addresses.len() + eni.ipv4.prefixes.len();
        if attached.len() >= limits.enis.into() {
            Err(Refusal::InstanceFull)
        } else if attached.iter().any(has_index) {
            Err(Refusal::IndexTaken)
        } else if held > limits.ipv4_per_eni.into() {
            Err(Refusal::EniHoldsTooMuch)
        } else {
            Ok(())
        }
    }

    fn detach(&mut self, id: &EniId, attachment: &AttachmentId) -> Result<(), Refusal> {
        let stored = self.enis.get_mut(id).ok_or(Refusal::AttachmentNotFound)?;
        let named = |at: &&mut Attachment| at.id.as_ref() == Some(attachment);
        let at = stored.eni.attachment.as_mut().filter(named).ok_or(Refusal::AttachmentNotFound)?;
        if at.device_index == 0 {
            return Err(Refusal::Invalid);
        }
        at.state = AttachmentState::Detaching;
        self.changed(id);
        self.detaching.insert(id.clone(), self.now + self.detaching_takes);
        self.finish_detaching();
        Ok(())
    }

    fn finish_detaching(&mut self) {
        let now = self.now;
        for (id, at) in self.detaching.extract_if(.., |_, at| *at <= now).collect::<Vec<_>>() {
            let Some(stored) = self.enis.get_mut(&id) else { continue };
            (stored.eni.attachment, stored.instance) = (None, None);
            stored.loose_since = at;
            self.changed(&id);
        }
    }

    fn set_groups(&mut self, id: &EniId, groups: &[SecurityGroupId]) -> Result<(), Refusal> {
        if groups.is_empty() || groups.iter().any(|it| !self.groups.contains_key(it)) {
            return Err(Refusal::SecurityGroupNotFound);
        }
        let stored = self.enis.get_mut(id).ok_or(Refusal::EniNotFound)?;
        stored.eni.security_groups = groups.to_vec();
        self.changed(id);
        Ok(())
    }

    pub(crate) fn delete(&mut self, id: &EniId) -> Result<(), Refusal> {
        let stored = self.enis.get(id).ok_or(Refusal::EniNotFound)?;
        if stored.instance.is_some() {
            return Err(Refusal::EniInUse);
        }
        self.remove(id);
        Ok(())
    }

    /// The end of an interface, whatever it is attached to.
    fn remove(&mut self, id: &EniId) {
        let mut stored = self.enis.remove(id).expect("an interface");
        let subnet = self.subnets.get_mut(&stored.eni.subnet).expect("a subnet");
        let held = &stored.eni.ipv4;
        subnet.space.give_back(held.primary.into());
        held.addresses.iter().for_each(|address| subnet.space.give_back((*address).into()));
        held.prefixes.iter().for_each(|prefix| subnet.space.give_back(*prefix));
        stored.versions.push((self.now, None));
        let (now, lag) = (self.now, self.lag);
        let is_shown = |it: &Stored| it.versions.last().is_some_and(|(at, _)| *at + lag >= now);
        self.gone.retain(|_, stored| is_shown(stored));
        self.gone.insert(id.clone(), stored);
    }

    /// A new interface.
    pub(crate) fn put(&mut self, eni: EniView, instance: Option<InstanceId>) {
        let id = eni.id.clone();
        let versions = vec![(self.now, Some((eni.clone(), instance.clone())))];
        let stored = Stored { eni, instance, made: self.now, loose_since: self.now, versions };
        self.enis.insert(id, stored);
    }

    /// What is true of an interface from now on.
    pub(crate) fn changed(&mut self, id: &EniId) {
        let stored = self.enis.get_mut(id).expect("an interface");
        let version = (stored.eni.clone(), stored.instance.clone());
        stored.versions.push((self.now, Some(version)));
        let horizon = self.now.since(Tick::default()).saturating_sub(self.lag);
        let seen = |(at, _): &(Tick, Option<Version>)| at.since(Tick::default()) <= horizon;
        let settled = stored.versions.iter().take_while(|it| seen(it)).count();
        stored.versions.drain(..settled.saturating_sub(1));
    }

    /// Addresses of a subnet that nobody has.
    pub(crate) fn free(&self, subnet: &SubnetId) -> u32 {
        self.subnets[subnet].space.free()
    }

    pub(crate) fn api_is_throttled(&mut self, api: Api) -> bool {
        !self.buckets.take(self.now, api)
    }
}

fn take(subnet: Option<&mut Subnet>, ask: Ipv4Ask) -> Result<Assigned, Refusal> {
    let space = &mut subnet.ok_or(Refusal::SubnetNotFound)?.space;
    let nothing = Assigned::default;
    match ask {
        Ipv4Ask::Addresses(count) => {
            let addresses = space.take_addresses(count).ok_or(Refusal::SubnetOutOfAddresses)?;
            Ok(Assigned { addresses, ..nothing() })
        }
        Ipv4Ask::Prefixes(count) => {
            let prefixes = space.take_prefixes(count).ok_or(Refusal::SubnetOutOfPrefixes)?;
            Ok(Assigned { prefixes, ..nothing() })
        }
    }
}

fn give_back(space: &mut Space, held: &Assigned) {
    held.addresses.iter().for_each(|it| space.give_back(Ipv4Net::from(*it)));
    held.prefixes.iter().for_each(|it| space.give_back(*it));
}
