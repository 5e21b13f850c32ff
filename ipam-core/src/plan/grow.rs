//! The passes in which a demand is met.

use alloc::vec::Vec;
use core::cmp::Reverse;

use limits::Limits;

use super::draft::Draft;
use super::site::Site;
use super::stock::Left;
use crate::action::{ADDRESSES_PER_PREFIX, Action, CreateEni, Ipv4Ask, eni_description};
use crate::capacity::{addresses_on, free_ipv6_slots};
use crate::ids::{SecurityGroupId, SubnetId};
use crate::managed::{is_made_for, left_alone};
use crate::prefix::prefixes_for;
use crate::reason::Reason;
use crate::subnet::Candidate;
use crate::view::{AttachmentState, EniView};

/// The form in which addresses are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Whole /28 prefixes.
    Prefixes,
    /// Single addresses.
    Addresses,
}

impl Form {
    /// As much as `addresses` calls for and `room` allows, in units of the form. The last prefix may
    /// be wanted in part only, but never goes beyond the room.
    fn units(self, addresses: u32, room: u32) -> u32 {
        match self {
            Self::Prefixes => prefixes_for(addresses).min(room / ADDRESSES_PER_PREFIX),
            Self::Addresses => addresses.min(room),
        }
    }

    /// An ask for `units`. No interface has more slots than fit the number.
    fn ask(self, units: u32) -> Ipv4Ask {
        let units = u16::try_from(units).unwrap_or(u16::MAX);
        match self {
            Self::Prefixes => Ipv4Ask::Prefixes(units),
            Self::Addresses => Ipv4Ask::Addresses(units),
        }
    }
}

impl<'a> Draft<'a> {
    /// Attaches interfaces that were made for the node, those that bring most first. What they hold
    /// was asked for, so they are attached even when the demand has shrunk since; an empty one only
    /// when more is wanted.
    pub(super) fn attach_made(&mut self) {
        let node = self.view.node;
        let is_loose = |eni: &&EniView| {
            let attaches = |action: &Action| matches!(action, Action::AttachEni { eni: attached, .. } if *attached == eni.id);
            eni.attachment.is_none()
                && is_made_for(eni, &node.identity.instance)
                && !self.under_way(attaches)
                && !node.marks.in_doubt.contains(&eni.id)
                && !node.marks.doomed.contains(&eni.id)
        };
        let mut loose: Vec<&EniView> = node.enis.iter().filter(is_loose).collect();
        loose.sort_by_key(|eni| (Reverse(addresses_on(eni, &node.settings)), &eni.id));
        for eni in loose {
            let brings_ipv6 = self.ipv6 && !eni.ipv6.prefixes.is_empty();
            let is_empty = eni.ipv4.addresses.is_empty() && eni.ipv4.prefixes.is_empty();
            if is_empty && !brings_ipv6 && self.want == 0 {
                continue;
            }
            if !node.running {
                let instance = node.identity.instance.clone();
                self.note(Reason::InstanceNotRunning { instance });
            }
            match self.next_index().filter(|_| self.can_attach(eni) && node.running) {
                Some(device_index) => {
                    self.ipv6 &= !brings_ipv6;
                    let attach = Action::AttachEni { eni: eni.id.clone(), device_index };
                    self.decide(attach, addresses_on(eni, &node.settings));
                    self.count_on(eni);
                }
                None => self.lose_slot(),
            }
        }
    }

    /// Deletes what is marked for it: EC2 refuses to attach it, nobody attached it, or it was detached because it held nothing. Until it
    /// is gone it keeps its slot, so that none is made in its place again and again.
    pub(super) fn delete_doomed(&mut self) {
        let node = self.view.node;
        let is_doomed =
            |eni: &&EniView| eni.attachment.is_none() && node.marks.doomed.contains(&eni.id);
        for eni in node.enis.iter().filter(is_doomed) {
            self.lose_slot();
            if !self.under_way(|action| action.eni() == Some(&eni.id)) {
                self.decide(Action::DeleteEni { eni: eni.id.clone() }, 0);
            }
        }
    }

    /// Whether EC2 would attach the interface and the node would use it. If not, that is noted.
    fn can_attach(&mut self, eni: &EniView) -> bool {
        let (limits, settings) = (self.limits, &self.view.node.settings);
        let fits = violates_no_limit(eni, limits)
            && addresses_on(eni, settings) <= self.room
            && left_alone(eni, settings, self.policy).is_none();
        if !fits {
            self.note(Reason::InterfaceUnusable { eni: eni.id.clone() });
        }
        fits
    }

    /// Asks for one IPv6 prefix on an attached interface, if one is wanted and can be had there, or
    /// waits for an interface on its way that can take it.
    pub(super) fn assign_ipv6(&mut self) {
        if !self.ipv6 {
            return;
        }
        let takes_prefix = |eni: &&'a EniView| {
            free_ipv6_slots(eni, self.limits) > 0
                && !self.view.node.marks.in_doubt.contains(&eni.id)
                && self.stock.left(&eni.subnet).is_some_and(|left| left.ipv6)
        };
        let attached = self.growing.iter().map(|growing| growing.eni).find(takes_prefix);
        self.ipv6 = attached.is_none() && !self.arriving.iter().any(takes_prefix);
        if let Some(eni) = attached {
            self.decide(Action::AssignIpv6Prefix { eni: eni.id.clone() }, 0);
        }
    }

    /// Fills attached interfaces in one form, by ascending device index.
    pub(super) fn fill_attached(&mut self, form: Form) {
        if form == Form::Prefixes && !self.capable {
            return;
        }
        for position in 0..self.growing.len() {
            let growing = &self.growing[position];
            if self.want > 0 && growing.slots > 0 {
                self.fill(growing.eni, growing.slots, form);
            }
        }
    }

    /// Asks for as much as is wanted, fits into `slots` and is there.
    fn fill(&mut self, eni: &'a EniView, slots: u32, form: Form) {
        let (id, subnet) = (eni.id.clone(), eni.subnet.clone());
        let Some(left) = self.stock.left(&eni.subnet) else {
            self.note(Reason::SubnetUnknown { eni: id, subnet });
            return;
        };
        if !left.usable {
            self.note(Reason::SubnetFilteredOut { eni: id, subnet });
            return;
        }
        let units = form.units(self.want, self.room).min(slots).min(left.for_attached(form));
        if units == 0 {
            return;
        }
        let ask = form.ask(units);
        self.stock.take(&eni.subnet, ask);
        self.note_if_second_best(&eni.subnet, form, self.room);
        let action = match ask {
            Ipv4Ask::Prefixes(count) => Action::AssignPrefixes { eni: id, subnet, count },
            Ipv4Ask::Addresses(count) => Action::AssignAddresses { eni: id, subnet, count },
        };
        self.decide(action, ask.addresses());
    }

    /// Makes new interfaces in one form while more is missing than interfaces on their way can take.
    /// A slot does not come back, so none is spent on the cushion alone.
    pub(super) fn create(&mut self, form: Form) {
        if form == Form::Prefixes && !self.capable {
            return;
        }
        while self.missing() > self.coming() && self.create_one(form) {}
    }

    /// Makes a new interface for the IPv6 prefix alone, if no other took it.
    pub(super) fn create_for_ipv6(&mut self) {
        if !self.ipv6 {
            return;
        }
        let too_many = self.reason_of_maximum().filter(|_| self.primary_address() > self.room);
        if let Some(reason) = too_many {
            self.note(reason);
        } else if !self.create_in(Form::Addresses, 0, 0, |left| left.ipv6) {
            self.note(Reason::NoIpv6Subnet);
        }
    }

    /// Makes one interface with as much as is wanted, where an IPv6 prefix can be had too if one is
    /// wanted, else wherever addresses are.
    fn create_one(&mut self, form: Form) -> bool {
        let primary = self.primary_address();
        let Some(room) = self.room.checked_sub(primary) else {
            return false;
        };
        let units =
            form.units(self.want.saturating_sub(self.coming().saturating_add(primary)), room);
        let slots = u32::from(self.limits.ipv4_per_eni).saturating_sub(1);
        let units = units.min(slots);
        // A primary address that is for pods is worth an interface by itself.
        let least = u32::from(primary == 0 || form == Form::Prefixes);
        if units < least {
            return false;
        }
        self.ipv6 && self.create_in(form, units, least, |left| left.ipv6)
            || self.create_in(form, units, least, |_| true)
    }

    /// Makes one interface with up to `units` and at least `least`, in the best subnet that will do.
    fn create_in(
        &mut self,
        form: Form,
        units: u32,
        least: u32,
        will_do: impl Fn(&Left) -> bool,
    ) -> bool {
        let Some(device_index) = self.next_index().filter(|_| self.view.node.running) else {
            return false;
        };
        let Some((subnet, security_groups)) = self.place(form, units, least, will_do) else {
            return false;
        };
        let Some((left, has)) =
            self.stock.left(subnet).and_then(|it| Some((it, it.for_new(form)?)))
        else {
            return false;
        };
        let ipv4 = form.ask(units.min(has));
        self.stock.take(subnet, Ipv4Ask::Addresses(1));
        self.stock.take(subnet, ipv4);
        let ipv6_prefix = self.ipv6 && left.ipv6;
        self.ipv6 &= !ipv6_prefix;
        if ipv4.addresses() > 0 {
            let room = self.room.saturating_sub(self.primary_address());
            self.note_if_second_best(subnet, form, room);
        }
        let create = CreateEni {
            subnet: subnet.clone(),
            security_groups,
            ipv4,
            ipv6_prefix,
            device_index,
            description: eni_description(&self.view.node.identity.instance),
            tags: self.policy.eni_tags().clone(),
        };
        self.decide(Action::CreateEni(create), ipv4.addresses() + self.primary_address());
        true
    }

    /// The best subnet that will do, and the security groups of an interface in it.
    fn place(
        &mut self,
        form: Form,
        units: u32,
        least: u32,
        will_do: impl Fn(&Left) -> bool,
    ) -> Option<(&'a SubnetId, Vec<SecurityGroupId>)> {
        let (view, limits, policy) = (self.view, self.limits, self.policy);
        let site = self.site.get_or_insert_with(|| Site::find(view, limits, policy));
        match site {
            Ok(site) => {
                let stock = &self.stock;
                let left = |it: &Candidate<'a>| {
                    Some(stock.left_in(it.id, it.subnet)).filter(|left| will_do(left))
                };
                let subnet = site.best(form, units, least, left)?;
                Some((subnet, site.security_groups.clone()))
            }
            Err(reason) => {
                let reason = reason.clone();
                self.note(reason);
                None
            }
        }
    }

    /// Lets interfaces that were made for the node end with it. Others are not Berth's to change.
    pub(super) fn repair_attributes(&mut self) {
        let node = self.view.node;
        if !node.settings.delete_on_termination {
            return;
        }
        let is_own = |eni: &&EniView| {
            is_made_for(eni, &node.identity.instance)
                && left_alone(eni, &node.settings, self.policy).is_none()
                && !node.marks.in_doubt.contains(&eni.id)
        };
        let own: Vec<&EniView> = node.enis.iter().filter(is_own).collect();
        for eni in own {
            let Some(attachment) = &eni.attachment else { continue };
            let outlives = attachment.state == AttachmentState::Attached
                && attachment.delete_on_termination == Some(false);
            if let Some(id) = attachment.id.clone().filter(|_| outlives) {
                let repair = Action::SetDeleteOnTermination { eni: eni.id.clone(), attachment: id };
                if !self.under_way(|action| *action == repair) {
                    self.decide(repair, 0);
                }
            }
        }
    }

    fn primary_address(&self) -> u32 {
        u32::from(self.view.node.settings.use_primary_address)
    }

    /// Says so when single addresses are taken where whole prefixes are the rule and `room` is left
    /// for one.
    fn note_if_second_best(&mut self, subnet: &SubnetId, form: Form, room: u32) {
        if form == Form::Addresses && self.capable && room >= ADDRESSES_PER_PREFIX {
            self.note(Reason::NoFreePrefix { subnet: subnet.clone() });
        }
    }
}

/// Whether an interface holds no more than its instance type takes. EC2 finds out when it is attached.
fn violates_no_limit(eni: &EniView, limits: Limits) -> bool {
    let ipv4 = 1 + eni.ipv4.addresses.len() + eni.ipv4.prefixes.len();
    let ipv6 = eni.ipv6.addresses.len() + eni.ipv6.prefixes.len();
    let has_prefixes = !eni.ipv4.prefixes.is_empty() || !eni.ipv6.prefixes.is_empty();
    ipv4 <= usize::from(limits.ipv4_per_eni)
        && ipv6 <= usize::from(limits.ipv6_per_eni)
        && (limits.supports_prefixes() || !has_prefixes)
}
