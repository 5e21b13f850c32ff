//! The passes in which a demand is met.

use alloc::vec::Vec;

use super::draft::Draft;
use super::site::Site;
use super::stock::Left;
use crate::action::{ADDRESSES_PER_PREFIX, Action, CreateEni, Ipv4Ask, eni_description};
use crate::capacity::{addresses_on, free_ipv6_slots};
use crate::ids::{SecurityGroupId, SubnetId};
use crate::managed::left_alone;
use crate::prefix::prefixes_for;
use crate::reason::Reason;
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

    /// How many units a subnet has for an interface that is already in it.
    fn left_in(self, left: &Left) -> u32 {
        match self {
            Self::Prefixes => left.prefixes,
            Self::Addresses => left.addresses(),
        }
    }

    /// How many units a subnet has for a new interface, which takes a primary address first.
    fn left_for_new(self, left: &Left) -> u32 {
        let (prefixes, addresses) = left.beside_primary();
        match self {
            Self::Prefixes => prefixes,
            Self::Addresses => addresses,
        }
    }
}

impl<'a> Draft<'a> {
    /// Attaches interfaces whose description says that they were made for the node. What they hold was asked for, so they are
    /// attached even when the demand has shrunk since; an empty one only when more is wanted.
    pub(super) fn attach_made(&mut self) {
        let node = self.view.node;
        let own = eni_description(&node.identity.instance);
        let is_loose = |eni: &&EniView| {
            let attaching = |action: &Action| matches!(action, Action::AttachEni { eni: attached, .. } if *attached == eni.id);
            eni.attachment.is_none()
                && eni.description == own
                && left_alone(eni, &node.settings, self.policy).is_none()
                && !self.under_way(attaching)
        };
        let loose: Vec<&EniView> = node.enis.iter().filter(is_loose).collect();
        for eni in loose {
            let addresses = addresses_on(eni, &node.settings);
            let brings_ipv6 = self.ipv6 && !eni.ipv6.prefixes.is_empty();
            let holds_something = addresses > 0 || brings_ipv6;
            let is_wanted = (holds_something || self.want > 0) && addresses <= self.room;
            if let Some(device_index) = self.next_index().filter(|_| is_wanted) {
                self.ipv6 &= !brings_ipv6;
                let eni = eni.id.clone();
                self.decide(Action::AttachEni { eni, device_index }, addresses);
            }
        }
    }

    /// Asks for one IPv6 prefix on an attached interface, if one is wanted and can be had there.
    pub(super) fn assign_ipv6(&mut self) {
        if !self.ipv6 {
            return;
        }
        let (limits, stock) = (self.limits, &mut self.stock);
        let mut enis = self.growing.iter().map(|growing| growing.eni);
        let takes_prefix = |eni: &&'a EniView| {
            free_ipv6_slots(eni, limits) > 0
                && stock.left(&eni.subnet).is_some_and(|left| left.ipv6)
        };
        if let Some(eni) = enis.find(takes_prefix) {
            self.ipv6 = false;
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
        let units = form.units(self.want, self.room).min(slots).min(form.left_in(left));
        if units == 0 {
            return;
        }
        let ask = form.ask(units);
        left.take(ask);
        self.note_if_second_best(&eni.subnet, form);
        let action = match ask {
            Ipv4Ask::Prefixes(count) => Action::AssignPrefixes { eni: id, subnet, count },
            Ipv4Ask::Addresses(count) => Action::AssignAddresses { eni: id, subnet, count },
        };
        self.decide(action, ask.addresses());
    }

    /// Makes new interfaces in one form while more is wanted and there is a slot.
    pub(super) fn create(&mut self, form: Form) {
        if form == Form::Prefixes && !self.capable {
            return;
        }
        while self.want > 0 && self.room > 0 && self.create_one(form) {}
    }

    /// Makes a new interface for the IPv6 prefix alone, if no other took it.
    pub(super) fn create_for_ipv6(&mut self) {
        if !self.ipv6 {
            return;
        }
        let has_room = self.primary_address() <= self.room;
        if !has_room
            || !self.create_in(Form::Addresses, 0, |left| left.ipv6 && left.addresses() > 0)
        {
            self.note(Reason::NoIpv6Subnet);
        }
    }

    /// Makes one interface with as much as is wanted, where an IPv6 prefix can be had too if one is
    /// wanted, else wherever addresses are.
    fn create_one(&mut self, form: Form) -> bool {
        let primary = self.primary_address();
        let units =
            form.units(self.want.saturating_sub(primary), self.room.saturating_sub(primary));
        let least = match (form, units) {
            (Form::Prefixes, 0) => return false,
            (_, units) => units.min(1),
        };
        let has_units = |left: &Left| left.addresses() > 0 && form.left_for_new(left) >= least;
        self.ipv6 && self.create_in(form, units, |left| left.ipv6 && has_units(left))
            || self.create_in(form, units, has_units)
    }

    /// Makes one interface with up to `units`, in the best subnet that will do.
    fn create_in(&mut self, form: Form, units: u32, will_do: impl Fn(&Left) -> bool) -> bool {
        let Some(device_index) = self.next_index() else {
            return false;
        };
        let Some((subnet, security_groups)) = self.place(will_do) else {
            return false;
        };
        let slots = u32::from(self.limits.ipv4_per_eni).saturating_sub(1);
        let Some(left) = self.stock.left(subnet) else {
            return false;
        };
        let ipv4 = form.ask(units.min(slots).min(form.left_for_new(left)));
        left.take(Ipv4Ask::Addresses(1));
        left.take(ipv4);
        let ipv6_prefix = self.ipv6 && left.ipv6;
        self.ipv6 &= !ipv6_prefix;
        if ipv4.addresses() > 0 {
            self.note_if_second_best(subnet, form);
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
        will_do: impl Fn(&Left) -> bool,
    ) -> Option<(&'a SubnetId, Vec<SecurityGroupId>)> {
        let (view, limits, policy) = (self.view, self.limits, self.policy);
        let site = self.site.get_or_insert_with(|| Site::find(view, limits, policy));
        let stock = &mut self.stock;
        match site {
            Ok(site) => {
                let subnet = site.best(|subnet| stock.left(subnet).copied().filter(&will_do))?;
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
        let own = eni_description(&node.identity.instance);
        for eni in node.enis.iter().filter(|eni| eni.description == own) {
            let Some(attachment) = &eni.attachment else {
                continue;
            };
            let outlives = attachment.state == AttachmentState::Attached
                && attachment.delete_on_termination == Some(false);
            let is_managed = left_alone(eni, &node.settings, self.policy).is_none();
            if let Some(id) = attachment.id.clone().filter(|_| outlives && is_managed) {
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

    /// Says so when single addresses are taken where a whole prefix was called for and allowed.
    fn note_if_second_best(&mut self, subnet: &SubnetId, form: Form) {
        if form == Form::Addresses && self.capable && self.room >= ADDRESSES_PER_PREFIX {
            self.note(Reason::NoFreePrefix { subnet: subnet.clone() });
        }
    }
}
