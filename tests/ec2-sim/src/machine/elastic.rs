//! Addresses on the move, and the Elastic IP addresses that stand for them.

use std::net::Ipv4Addr;

use super::region::Region;
use crate::id::InterfaceId;
use crate::model::{ElasticIp, ElasticIpTarget, Interface};

impl Region {
    /// Ends what stands for a private address of `interface`, which the caller writes.
    pub(crate) fn disassociate(&mut self, interface: &mut Interface, address: Ipv4Addr) {
        let Some(association) = interface.associations.remove(&address) else { return };
        if let Some(elastic_ip) = self.world.elastic_ip(&association.allocation) {
            let elastic_ip = ElasticIp::clone(elastic_ip);
            self.put_elastic_ip(ElasticIp { association: None, ..elastic_ip });
        }
    }

    /// Takes secondary addresses from the interface that has them, with the public addresses that stand for them. The caller writes `to`,
    /// whose own addresses they are to become.
    pub(crate) fn move_addresses(
        &mut self,
        from: &InterfaceId,
        addresses: &[Ipv4Addr],
        to: &mut Interface,
    ) {
        let Some(holder) = self.world.interface(from) else { return };
        let mut holder = Interface::clone(holder);
        holder.secondary_ips.retain(|address| !addresses.contains(address));
        for address in addresses {
            to.associations.extend(holder.associations.remove_entry(address));
        }
        self.put_interface(holder);
    }

    /// Lets the Elastic IP addresses of an interface say where they now lead.
    pub(crate) fn retarget_elastic_ips(&mut self, id: &InterfaceId) {
        let Some(interface) = self.world.interface(id).cloned() else { return };
        for (private_ip, association) in &interface.associations {
            let Some(elastic_ip) = self.world.elastic_ip(&association.allocation) else { continue };
            let target = ElasticIpTarget {
                id: association.id.clone(),
                interface: id.clone(),
                instance: interface.instance().cloned(),
                private_ip: *private_ip,
            };
            if elastic_ip.association.as_ref() != Some(&target) {
                let elastic_ip = ElasticIp::clone(elastic_ip);
                self.put_elastic_ip(ElasticIp { association: Some(target), ..elastic_ip });
            }
        }
    }

    /// Deletes an interface, and ends what stands for its addresses.
    pub(crate) fn remove_interface(&mut self, id: &InterfaceId) {
        let Some(interface) = self.world.interface(id) else { return };
        let mut interface = Interface::clone(interface);
        let addresses: Vec<_> = interface.associations.keys().copied().collect();
        for address in addresses {
            self.disassociate(&mut interface, address);
        }
        self.delete_interface(id);
    }
}
