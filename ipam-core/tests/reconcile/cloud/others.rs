//! What others do at EC2: people, other programs, EC2 itself.

use ipam_core::action::{CreateEni, Ipv4Ask};
use ipam_core::ids::{EniId, InstanceId, NodeName, SubnetId};
use ipam_core::view::{Attachment, AttachmentState, EniView, Tags};

use super::Cloud;
use crate::text::instance_of;

impl Cloud {
    /// Somebody assigns addresses to an interface.
    pub(crate) fn other_assigns(&mut self, eni: &str, count: u16) {
        self.assign(&eni.parse().unwrap(), Ipv4Ask::Addresses(count)).unwrap();
    }

    /// Somebody makes an interface and attaches it.
    pub(crate) fn other_attaches(&mut self, instance: &str, subnet: &str, index: u16) -> EniId {
        let instance: InstanceId = instance.parse().unwrap();
        let groups = self.groups.keys().take(1).cloned().collect();
        let eni = self.create(&CreateEni {
            subnet: subnet.parse().unwrap(),
            security_groups: groups,
            ipv4: Ipv4Ask::Addresses(0),
            ipv6_prefix: false,
            device_index: index,
            description: String::from("somebody else's"),
            tags: Tags::new(),
        });
        let eni = eni.unwrap().id;
        self.attach(&eni, &instance, index).unwrap();
        eni
    }

    /// Somebody assigns an address to an interface of a node, if there is room.
    pub(crate) fn other_tries_to_assign(&mut self, node: &NodeName) {
        let eni = self.enis_of(&instance_of(node)).next().map(|eni| eni.id.clone());
        if let Some(eni) = eni {
            drop(self.assign(&eni, Ipv4Ask::Addresses(1)));
        }
    }

    /// Somebody attaches an interface to the instance of a node, if there is room.
    pub(crate) fn other_tries_to_attach(&mut self, node: &NodeName) {
        const INDEX: u16 = 2;
        let instance = instance_of(node);
        let taken = self
            .enis_of(&instance)
            .any(|eni| eni.attachment.as_ref().is_some_and(|it| it.device_index == INDEX));
        let fits = self.limits(&instance).map_or(0, |it| usize::from(it.enis));
        let subnet: SubnetId = "subnet-2".parse().unwrap();
        if !taken && self.enis_of(&instance).count() < fits && self.free(&subnet) > 0 {
            self.other_attaches(instance.as_str(), subnet.as_str(), INDEX);
        }
    }

    /// Somebody detaches an interface and deletes it.
    pub(crate) fn other_deletes(&mut self, eni: &str) {
        self.remove(&eni.parse().unwrap());
    }

    /// Somebody detaches an interface.
    pub(crate) fn other_detaches(&mut self, eni: &str) {
        let eni: EniId = eni.parse().unwrap();
        let at = self.enis[&eni].eni.attachment.clone().expect("an attachment");
        self.detach(&eni, &at.id.expect("an id")).unwrap();
    }

    /// Somebody puts an interface behind other groups, `sg-1,sg-2`.
    pub(crate) fn other_regroups(&mut self, eni: &str, groups: &str) {
        let eni: EniId = eni.parse().unwrap();
        let groups = groups.split(',').map(|it| it.parse().unwrap()).collect();
        self.enis.get_mut(&eni).expect("an interface").eni.security_groups = groups;
        self.changed(&eni);
    }

    /// The instance and the interfaces that end with it.
    pub(crate) fn terminate(&mut self, instance: &str) {
        let instance: InstanceId = instance.parse().unwrap();
        self.instances.remove(&instance);
        let of_instance = self.enis_of(&instance);
        let ids: Vec<EniId> = of_instance.map(|eni| eni.id.clone()).collect();
        for id in ids {
            let stored = self.enis.get_mut(&id).expect("an interface");
            let attachment = stored.eni.attachment.take();
            let ends = attachment.and_then(|it| it.delete_on_termination) == Some(true);
            stored.instance = None;
            stored.loose_since = self.now;
            if ends {
                self.remove(&id);
            } else {
                self.changed(&id);
            }
        }
    }

    /// Others take addresses of a subnet until `left` are free.
    pub(crate) fn others_take(&mut self, subnet: &str, left: u32, scattered: bool) {
        let subnet: SubnetId = subnet.parse().unwrap();
        self.subnets.get_mut(&subnet).unwrap().space.occupy(left, scattered);
    }

    /// Others give back the highest `blocks` blocks of a subnet.
    pub(crate) fn others_leave(&mut self, subnet: &str, blocks: usize) {
        let subnet: SubnetId = subnet.parse().unwrap();
        self.subnets.get_mut(&subnet).unwrap().space.vacate(blocks);
    }

    /// An interface that is there from the start, attached.
    pub(crate) fn put_attached(
        &mut self,
        eni: EniView,
        instance: &InstanceId,
        index: u16,
        asks: &[Ipv4Ask],
    ) {
        let mut eni = self.filled(eni, asks);
        let id = format!("eni-attach-{}", eni.id.as_str().trim_start_matches("eni-"));
        eni.attachment = Some(Attachment {
            id: Some(id.parse().unwrap()),
            device_index: index,
            network_card: 0,
            state: AttachmentState::Attached,
            delete_on_termination: Some(true),
        });
        self.put(eni, Some(instance.clone()));
    }

    /// An interface that is there from the start, attached to nothing.
    pub(crate) fn put_loose(&mut self, eni: EniView, asks: &[Ipv4Ask]) {
        let eni = self.filled(eni, asks);
        self.put(eni, None);
    }

    /// An interface with a primary address and what `asks` say.
    fn filled(&mut self, mut eni: EniView, asks: &[Ipv4Ask]) -> EniView {
        let subnet = self.subnets.get_mut(&eni.subnet).expect("a subnet");
        eni.ipv4.primary = subnet.space.take_addresses(1).unwrap()[0];
        for ask in asks {
            let held = super::take(Some(subnet), *ask).unwrap();
            eni.ipv4.addresses.extend(held.addresses);
            eni.ipv4.prefixes.extend(held.prefixes);
        }
        eni
    }
}
