//! What somebody else does to the world: other callers of the account, its administrators, and EC2's own failures.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::Ec2;
use super::region::Region;
use crate::actions::{self, Ask, Primary};
use crate::error::ApiError;
use crate::fault::{ForeignAct, Subjects};
use crate::id::{AttachmentId, InstanceId, InterfaceId, SubnetId};
use crate::model::{
    Attachment, AttachmentStatus, InstanceState, Interface, InterfaceKind, InterfaceStatus, Subnet,
};
use crate::request::{Action, AttachNetworkInterface, Caller, Operation};
use crate::space::Space;

impl Ec2 {
    /// Carries out what a fault lets somebody else do around a call. What cannot be done (any more) is left.
    pub(super) fn foreign(&mut self, act: &ForeignAct, caller: &Caller, about: &Subjects) {
        let region = &mut self.region;
        let subnet =
            |said: &Option<SubnetId>| said.clone().or_else(|| about.subnets.first().cloned());
        let interface =
            |said: &Option<InterfaceId>| said.clone().or_else(|| about.interfaces.first().cloned());
        let instance =
            |said: &Option<InstanceId>| said.clone().or_else(|| about.instances.first().cloned());
        match act {
            ForeignAct::TakeAddresses { subnet: said, count } => {
                subnet(said).and_then(|id| region.take_addresses(&id, *count).ok());
            }
            ForeignAct::LeaveAddresses { subnet: said, left } => {
                subnet(said).and_then(|id| region.leave_addresses(&id, *left).ok());
            }
            ForeignAct::LeaveBlocks { subnet: said, left } => {
                subnet(said).and_then(|id| region.leave_blocks(&id, *left).ok());
            }
            ForeignAct::TakeDeviceIndex { instance: said, device_index } => {
                if let Some(id) = instance(said) {
                    region.take_device_index(&id, *device_index);
                }
            }
            ForeignAct::Attach { interface: said, instance, device_index } => {
                if let Some(id) = interface(said) {
                    region.attach_by_others(id, instance.clone(), *device_index);
                }
            }
            ForeignAct::Detach { interface: said } => {
                if let Some(id) = interface(said) {
                    region.detach_by_others(&id);
                }
            }
            ForeignAct::Delete { interface: said } => {
                if let Some(id) = interface(said) {
                    region.delete_by_others(&id);
                }
            }
            ForeignAct::Unassign { interface: said } => {
                if let Some(id) = interface(said) {
                    region.unassign_by_others(&id);
                }
            }
            ForeignAct::Terminate { instance: said } => {
                if let Some(id) = instance(said) {
                    region.terminate(&id);
                }
            }
            ForeignAct::Stop { instance: said } => {
                if let Some(id) = instance(said) {
                    region.stop(&id);
                }
            }
            ForeignAct::Revoke { action } => self.revoke(caller, *action),
            ForeignAct::CutQuota { interfaces } => region.settings.quotas.interfaces = *interfaces,
            ForeignAct::ZoneOutage { zone, down } => region.set_outage(zone, *down),
            ForeignAct::ClockJump { seconds } => region.jump_clock(*seconds),
        }
    }

    /// Takes a permission from the caller, who becomes a known principal by that if it was none.
    fn revoke(&mut self, caller: &Caller, action: Action) {
        let world = &mut self.region.world;
        let own = crate::world::Principal {
            account: self.region.settings.account.clone(),
            allowed: None,
        };
        let mut principal = world.principal(&caller.access_key).cloned().unwrap_or(own);
        let allowed =
            principal.allowed.get_or_insert_with(|| Action::ALL.iter().copied().collect());
        allowed.remove(&action);
        world.set_principal(&caller.access_key, principal);
    }
}

impl Region {
    pub(crate) fn set_outage(&mut self, zone: &str, down: bool) {
        if down {
            self.outages.insert(zone.to_owned());
        } else {
            self.outages.remove(zone);
        }
    }

    pub(crate) const fn jump_clock(&mut self, seconds: i64) {
        self.clock_jump = self.clock_jump.saturating_add(seconds);
    }

    /// A foreign interface takes so many single addresses, its primary one included.
    ///
    /// # Errors
    ///
    /// As [`Region::take`]; `InvalidSubnetID.NotFound`.
    pub(crate) fn take_addresses(
        &mut self,
        subnet: &SubnetId,
        count: usize,
    ) -> Result<InterfaceId, ApiError> {
        let more = count.saturating_sub(1);
        let ask = if more == 0 { Ask::Nothing } else { Ask::AddressCount(more) };
        let taken = self.take(subnet, Primary::Any, &ask)?;
        let primary = taken.primary.ok_or_else(ApiError::internal_error)?;
        self.foreign_interface(subnet, primary, taken.addresses)
    }

    /// A foreign interface takes single addresses until no more than `left` can be picked.
    ///
    /// # Errors
    ///
    /// As [`Region::take_addresses`].
    pub(crate) fn leave_addresses(
        &mut self,
        subnet: &SubnetId,
        left: usize,
    ) -> Result<Option<InterfaceId>, ApiError> {
        let excess = self.space(subnet)?.free_singles() as usize;
        match excess.saturating_sub(left) {
            0 => Ok(None),
            excess => self.take_addresses(subnet, excess).map(Some),
        }
    }

    /// A foreign interface takes one address of each free block until no more than `left` blocks are free.
    ///
    /// # Errors
    ///
    /// `InvalidSubnetID.NotFound`.
    pub(crate) fn leave_blocks(
        &mut self,
        subnet: &SubnetId,
        left: usize,
    ) -> Result<Option<InterfaceId>, ApiError> {
        self.space(subnet)?;
        let rng = &mut self.dice.addresses;
        let Some(space) = self.world.space_mut(subnet) else { return Ok(None) };
        let excess = (space.free_blocks() as usize).saturating_sub(left);
        let blocks = space.take_prefixes(excess, rng).unwrap_or_default();
        let mut addresses = Vec::with_capacity(blocks.len());
        for block in blocks {
            space.give_back_prefix(block);
            let address = Ipv4Addr::from(u32::from(block.network()) + rng.u32(0..16));
            if space.take(address).is_ok() {
                addresses.push(address);
            }
        }
        match addresses.pop() {
            None => Ok(None),
            Some(primary) => self.foreign_interface(subnet, primary, addresses).map(Some),
        }
    }

    fn space(&self, subnet: &SubnetId) -> Result<&Space, ApiError> {
        let entry = self.world.subnet_entry(subnet);
        Ok(&entry.ok_or_else(|| ApiError::subnet_not_found(subnet))?.space)
    }

    /// Writes an interface of somebody else's, for addresses that have been taken.
    fn foreign_interface(
        &mut self,
        subnet: &SubnetId,
        primary_ip: Ipv4Addr,
        secondary_ips: Vec<Ipv4Addr>,
    ) -> Result<InterfaceId, ApiError> {
        let subnet = self.world.subnet(subnet).cloned();
        let subnet = subnet.ok_or_else(ApiError::internal_error)?;
        let mut interface = self.blank_interface(&subnet, primary_ip);
        interface.secondary_ips = secondary_ips;
        "Somebody else's".clone_into(&mut interface.description);
        let id = interface.id.clone();
        self.put_interface(interface);
        Ok(id)
    }

    /// A new interface that holds one address, taken before, and has the default groups.
    pub(crate) fn blank_interface(&mut self, subnet: &Subnet, primary_ip: Ipv4Addr) -> Interface {
        Interface {
            id: InterfaceId::from_number(self.number()),
            subnet: subnet.id.clone(),
            vpc: subnet.vpc.clone(),
            zone: subnet.zone.clone(),
            description: String::new(),
            mac: self.mac(),
            kind: InterfaceKind::Interface,
            status: InterfaceStatus::Available,
            groups: self.default_groups(&subnet.vpc),
            primary_ip,
            secondary_ips: Vec::new(),
            ipv4_prefixes: Vec::new(),
            ipv6_addresses: Vec::new(),
            ipv6_prefixes: Vec::new(),
            associations: BTreeMap::new(),
            attachment: None,
            source_dest_check: true,
            requester: None,
            created_at: self.now,
            loose_since: self.now,
            tags: BTreeMap::new(),
        }
    }

    /// Somebody else's interface is attached to an instance, if there is room for it.
    fn take_device_index(&mut self, instance: &InstanceId, device_index: u32) -> Option<()> {
        let ready = [InstanceState::Running, InstanceState::Stopped];
        let instance = self.world.instance(instance)?.clone();
        if !ready.contains(&instance.state) {
            return None;
        }
        let kind = crate::instance_types::find(&instance.instance_type)?;
        let attached: Vec<_> = self.world.interfaces_of(&instance.id).cloned().collect();
        let places = || attached.iter().filter_map(|interface| interface.attachment.as_ref());
        let taken = places().any(|at| (at.network_card, at.device_index) == (0, device_index));
        let on_card = places().filter(|at| at.network_card == 0).count();
        let room = kind.interfaces_on_card(0)? as usize;
        if taken || room <= on_card || kind.maximum_network_interfaces as usize <= attached.len() {
            return None;
        }
        let taken = self.take(&instance.subnet, Primary::Any, &Ask::Nothing).ok()?;
        let id = self.foreign_interface(&instance.subnet, taken.primary?, Vec::new()).ok()?;
        let mut interface = Interface::clone(self.world.interface(&id)?);
        let attachment = Attachment {
            id: AttachmentId::from_number(self.number()),
            instance: Some(instance.id.clone()),
            instance_owner: self.settings.account.clone(),
            device_index,
            network_card: 0,
            status: AttachmentStatus::Attaching,
            delete_on_termination: true,
            attached_at: self.now,
        };
        let attachment_id = attachment.id.clone();
        interface.attachment = Some(attachment);
        interface.status = InterfaceStatus::Attaching;
        self.put_interface(interface);
        self.begin_attachment(&id, &attachment_id);
        Some(())
    }

    /// Attaches an interface, if a call could.
    fn attach_by_others(&mut self, interface: InterfaceId, instance: InstanceId, index: u32) {
        let device_index = i64::from(index);
        let request =
            AttachNetworkInterface { interface, instance, device_index, network_card: Some(0) };
        let owner = self.settings.account.clone();
        // Nobody is told whether it could: the caller whose interface it is finds out.
        drop(actions::perform(self, &owner, &Operation::AttachNetworkInterface(request)));
    }

    /// Lets go of an interface that is attached, and not as the primary one.
    pub(crate) fn detach_by_others(&mut self, id: &InterfaceId) -> bool {
        let Some(interface) = self.world.interface(id).cloned() else { return false };
        let Some(attachment) = &interface.attachment else { return false };
        if (attachment.network_card, attachment.device_index) == (0, 0) {
            return false;
        }
        self.begin_detachment(&interface, false);
        true
    }

    /// Deletes an interface that is not a primary one, whatever its state is.
    pub(crate) fn delete_by_others(&mut self, id: &InterfaceId) -> bool {
        let Some(interface) = self.world.interface(id).cloned() else { return false };
        if interface.attachment.is_some() {
            if !self.detach_by_others(id) {
                return false;
            }
            if let Some(interface) = self.world.interface(id).cloned() {
                self.begin_detachment(&interface, true);
            }
        }
        self.remove_interface(id);
        true
    }

    /// Takes every secondary address and every prefix from an interface.
    fn unassign_by_others(&mut self, id: &InterfaceId) {
        let Some(interface) = self.world.interface(id) else { return };
        let mut interface = Interface::clone(interface);
        interface.ipv4_prefixes.clear();
        for address in std::mem::take(&mut interface.secondary_ips) {
            self.disassociate(&mut interface, address);
        }
        self.put_interface(interface);
    }

    /// Lets a pending or running instance stop. Returns whether it was one.
    pub(crate) fn stop(&mut self, id: &InstanceId) -> bool {
        let stops = |state| matches!(state, InstanceState::Pending | InstanceState::Running);
        let is = self.world.instance(id).is_some_and(|instance| stops(instance.state));
        if is {
            self.begin_move(id, InstanceState::Stopping, InstanceState::Stopped);
        }
        is
    }

    /// Lets a stopped instance start. Returns whether it was one.
    pub(crate) fn start(&mut self, id: &InstanceId) -> bool {
        let stopped = InstanceState::Stopped;
        let is = self.world.instance(id).is_some_and(|instance| instance.state == stopped);
        if is {
            self.begin_move(id, InstanceState::Pending, InstanceState::Running);
        }
        is
    }

    /// Lets an instance end. Returns whether it was not already at that.
    pub(crate) fn terminate(&mut self, id: &InstanceId) -> bool {
        let ends = |state| matches!(state, InstanceState::ShuttingDown | InstanceState::Terminated);
        let is = self.world.instance(id).is_some_and(|instance| !ends(instance.state));
        if is {
            self.begin_move(id, InstanceState::ShuttingDown, InstanceState::Terminated);
        }
        is
    }
}
