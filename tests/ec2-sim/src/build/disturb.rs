//! What changes a world that is in use.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::network::unknown;
use super::{BuildError, Builder};
use crate::assumption::Assumptions;
use crate::error::ApiError;
use crate::fault::Rules;
use crate::id::{InstanceId, InterfaceId, SubnetId};
use crate::latency;
use crate::model::InstanceState;
use crate::settings::Quotas;
use crate::staleness::Mode;
use crate::throttle::Buckets;
use crate::world::Principal;

impl Builder<'_> {
    /// Adds or replaces the principal of an access key. From the first one on, keys that nobody has are refused (`AuthFailure`); as long
    /// as there is none, every key is the Region's account's own and may do everything.
    pub fn principal(&mut self, access_key: &str, principal: Principal) {
        self.ec2.region.world.set_principal(access_key, principal);
    }

    /// The quotas.
    pub const fn quotas(&mut self) -> &mut Quotas {
        &mut self.ec2.region.settings.quotas
    }

    /// The assumptions. How subnets pick addresses is settled when they are built.
    pub const fn assumptions(&mut self) -> &mut Assumptions {
        &mut self.ec2.region.settings.assumptions
    }

    /// The token buckets, their sizes, and what they hold.
    pub const fn buckets(&mut self) -> &mut Buckets {
        &mut self.ec2.buckets
    }

    /// How long calls and background changes take.
    pub const fn latency(&mut self) -> &mut latency::Settings {
        &mut self.ec2.region.settings.latency
    }

    /// How far reads lag behind changes that are yet to come.
    pub const fn staleness(&mut self, mode: Mode) {
        self.ec2.region.settings.staleness = mode;
    }

    /// The fault rules.
    pub const fn faults(&mut self) -> &mut Rules {
        &mut self.ec2.rules
    }

    /// Starts a stopped instance.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown instance and one that is not stopped.
    pub fn start_instance(&mut self, id: &InstanceId) -> Result<(), BuildError> {
        let state = self.instance_state(id)?;
        let done = self.ec2.region.start(id);
        moved(done, id, state, "stopped")
    }

    /// Stops an instance.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown instance and one that is neither pending nor running.
    pub fn stop_instance(&mut self, id: &InstanceId) -> Result<(), BuildError> {
        let state = self.instance_state(id)?;
        let done = self.ec2.region.stop(id);
        moved(done, id, state, "pending or running")
    }

    /// Terminates an instance.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown instance and one that is at its end already.
    pub fn terminate_instance(&mut self, id: &InstanceId) -> Result<(), BuildError> {
        let state = self.instance_state(id)?;
        let done = self.ec2.region.terminate(id);
        moved(done, id, state, "not at its end")
    }

    fn instance_state(&self, id: &InstanceId) -> Result<InstanceState, BuildError> {
        let instance = self.ec2.region.world.instance(id);
        Ok(instance.ok_or_else(|| unknown("instance", id))?.state)
    }

    /// Lets a foreign interface take `count` single addresses of a subnet, its primary one included; at least one.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown subnet and one that has fewer.
    pub fn take_addresses(
        &mut self,
        subnet: &SubnetId,
        count: usize,
    ) -> Result<InterfaceId, BuildError> {
        let taken = self.ec2.region.take_addresses(subnet, count);
        taken.map_err(|error| refused(subnet, error))
    }

    /// Lets a foreign interface take all single addresses of a subnet but `left`. None when no more than these were free.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown subnet.
    pub fn leave_addresses(
        &mut self,
        subnet: &SubnetId,
        left: usize,
    ) -> Result<Option<InterfaceId>, BuildError> {
        let taken = self.ec2.region.leave_addresses(subnet, left);
        taken.map_err(|error| refused(subnet, error))
    }

    /// Fragments a subnet: a foreign interface takes one address of each free /28 until no more than `left` of them are free.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown subnet.
    pub fn leave_blocks(
        &mut self,
        subnet: &SubnetId,
        left: usize,
    ) -> Result<Option<InterfaceId>, BuildError> {
        let taken = self.ec2.region.leave_blocks(subnet, left);
        taken.map_err(|error| refused(subnet, error))
    }

    /// Takes addresses and prefixes from an interface behind its owner's back.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown interface, and for what is not among its secondary addresses and prefixes.
    pub fn unassign(
        &mut self,
        id: &InterfaceId,
        addresses: &[Ipv4Addr],
        prefixes: &[Ipv4Net],
    ) -> Result<(), BuildError> {
        let mut interface = self.find_interface(id)?;
        let absent = addresses.iter().find(|one| !interface.secondary_ips.contains(one));
        if let Some(address) = absent {
            return Err(unknown("secondary address", address));
        }
        let absent = prefixes.iter().find(|one| !interface.ipv4_prefixes.contains(one));
        if let Some(prefix) = absent {
            return Err(unknown("prefix", prefix));
        }
        interface.secondary_ips.retain(|address| !addresses.contains(address));
        interface.ipv4_prefixes.retain(|prefix| !prefixes.contains(prefix));
        for address in addresses {
            self.ec2.region.disassociate(&mut interface, *address);
        }
        self.ec2.region.put_interface(interface);
        Ok(())
    }

    /// Lets an interface go from its instance.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown interface, one that is not attached, and a primary one.
    pub fn detach(&mut self, id: &InterfaceId) -> Result<(), BuildError> {
        self.find_interface(id)?;
        let done = self.ec2.region.detach_by_others(id);
        let found = || "not attached, or a primary interface".to_owned();
        let expected = "attached, and not a primary interface";
        let refusal = || BuildError::State { id: id.to_string(), found: found(), expected };
        if done { Ok(()) } else { Err(refusal()) }
    }

    /// Deletes an interface, whatever it is attached to.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for an unknown interface and a primary one.
    pub fn delete_interface(&mut self, id: &InterfaceId) -> Result<(), BuildError> {
        self.find_interface(id)?;
        let done = self.ec2.region.delete_by_others(id);
        let expected = "no primary interface";
        let found = "a primary interface".to_owned();
        let refusal = BuildError::State { id: id.to_string(), found, expected };
        if done { Ok(()) } else { Err(refusal) }
    }

    /// Takes a zone out of service, or brings it back. Meanwhile nothing in its subnets can be changed (`Unavailable`).
    pub fn zone_outage(&mut self, zone: &str, down: bool) {
        self.ec2.region.set_outage(zone, down);
    }

    /// Lets the wall clock of timestamps jump; time itself goes on as before.
    pub const fn jump_clock(&mut self, seconds: i64) {
        self.ec2.region.jump_clock(seconds);
    }
}

fn refused(subnet: &SubnetId, error: ApiError) -> BuildError {
    BuildError::Refused { what: format!("subnet {subnet}"), error }
}

fn moved(
    done: bool,
    id: &InstanceId,
    state: InstanceState,
    expected: &'static str,
) -> Result<(), BuildError> {
    let refusal =
        || BuildError::State { id: id.to_string(), found: format!("{state:?}"), expected };
    if done { Ok(()) } else { Err(refusal()) }
}
