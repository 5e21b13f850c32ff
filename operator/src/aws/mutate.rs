//! What changes EC2: one request per action, with everything that belongs to it.

use std::time::Duration;

use aws_sdk_ec2::operation::assign_private_ip_addresses::AssignPrivateIpAddressesOutput;
use aws_sdk_ec2::types::{NetworkInterfaceAttachmentChanges, ResourceType, Tag, TagSpecification};
use ipam_core::action::{Action, CreateEni, Ipv4Ask};
use ipam_core::call::{Assigned, Mutation, Reply};
use ipam_core::failure::Failure;
use ipam_core::ids::EniId;
use ipam_core::view::Tags;
use jiff::Timestamp;

use super::eni::CREATED_AT_TAG;
use super::text::{Unreadable, all, required};
use super::{Aws, eni, send};

impl Aws {
    /// Changes something.
    pub(super) async fn mutate(&self, mutation: &Mutation) -> Result<Reply, Failure> {
        let api = mutation.action.api().name();
        match &mutation.action {
            Action::AssignAddresses { eni, subnet: _, count } => {
                self.assign(api, eni, (Some(*count), None)).await
            }
            Action::AssignPrefixes { eni, subnet: _, count } => {
                self.assign(api, eni, (None, Some(*count))).await
            }
            Action::UnassignAddresses { eni, addresses } => {
                self.unassign(api, eni, (Some(texts(addresses)), None)).await
            }
            Action::UnassignPrefixes { eni, prefixes } => {
                self.unassign(api, eni, (None, Some(texts(prefixes)))).await
            }
            Action::AssignIpv6Prefix { eni } => self.assign_ipv6(api, eni).await,
            Action::CreateEni(create) => self.create(api, mutation, create).await,
            Action::AttachEni { eni, device_index } => {
                let output = send!(
                    self,
                    api,
                    attach_network_interface
                        .network_interface_id(eni.as_str())
                        .instance_id(mutation.instance.as_str())
                        .device_index(i32::from(*device_index))
                        .network_card_index(0)
                )?;
                let id = required("attachmentId", output.attachment_id());
                understood(eni, id).map(Reply::Attached)
            }
            Action::SetDeleteOnTermination { eni, attachment } => {
                let change = NetworkInterfaceAttachmentChanges::builder()
                    .attachment_id(attachment.as_str())
                    .delete_on_termination(true)
                    .build();
                send!(
                    self,
                    api,
                    modify_network_interface_attribute
                        .network_interface_id(eni.as_str())
                        .attachment(change)
                )?;
                Ok(Reply::Done)
            }
            Action::SetSecurityGroups { eni, groups } => {
                send!(
                    self,
                    api,
                    modify_network_interface_attribute
                        .network_interface_id(eni.as_str())
                        .set_groups(Some(texts(groups)))
                )?;
                Ok(Reply::Done)
            }
            // Never by force: the instance has to let go by itself.
            Action::DetachEni { eni: _, attachment } => {
                let id = attachment.as_str();
                send!(self, api, detach_network_interface.attachment_id(id).force(false))?;
                Ok(Reply::Done)
            }
            Action::DeleteEni { eni } => {
                send!(self, api, delete_network_interface.network_interface_id(eni.as_str()))?;
                Ok(Reply::Done)
            }
        }
    }

    async fn assign(
        &self,
        api: &'static str,
        eni: &EniId,
        (addresses, prefixes): (Option<u16>, Option<u16>),
    ) -> Result<Reply, Failure> {
        let output = send!(
            self,
            api,
            assign_private_ip_addresses
                .network_interface_id(eni.as_str())
                .set_secondary_private_ip_address_count(addresses.map(i32::from))
                .set_ipv4_prefix_count(prefixes.map(i32::from))
        )?;
        understood(eni, assigned(&output)).map(Reply::Assigned)
    }

    async fn unassign(
        &self,
        api: &'static str,
        eni: &EniId,
        (addresses, prefixes): (Option<Vec<String>>, Option<Vec<String>>),
    ) -> Result<Reply, Failure> {
        send!(
            self,
            api,
            unassign_private_ip_addresses
                .network_interface_id(eni.as_str())
                .set_private_ip_addresses(addresses)
                .set_ipv4_prefixes(prefixes)
        )?;
        Ok(Reply::Done)
    }

    async fn assign_ipv6(&self, api: &'static str, eni: &EniId) -> Result<Reply, Failure> {
        let output = send!(
            self,
            api,
            assign_ipv6_addresses.network_interface_id(eni.as_str()).ipv6_prefix_count(1)
        )?;
        let prefixes = output.assigned_ipv6_prefixes().iter().map(|prefix| Some(prefix.as_str()));
        let ipv6_prefixes = understood(eni, all("assignedIpv6Prefixes", prefixes))?;
        Ok(Reply::Assigned(Assigned { ipv6_prefixes, ..Assigned::default() }))
    }

    async fn create(
        &self,
        api: &'static str,
        mutation: &Mutation,
        create: &CreateEni,
    ) -> Result<Reply, Failure> {
        let (addresses, prefixes) = match create.ipv4 {
            Ipv4Ask::Addresses(count) => (Some(count), None),
            Ipv4Ask::Prefixes(count) => (None, Some(count)),
        };
        let counted = |count: Option<u16>| count.filter(|count| *count > 0).map(i32::from);
        let groups = create.security_groups.iter().map(ToString::to_string).collect();
        let created_at = self.wall_clock(Duration::from_millis(mutation.first_sent.as_millis()));
        let output = send!(
            self,
            api,
            create_network_interface
                .client_token(mutation.token.as_str())
                .subnet_id(create.subnet.as_str())
                .description(create.description.as_str())
                .set_groups(Some(groups))
                .set_secondary_private_ip_address_count(counted(addresses))
                .set_ipv4_prefix_count(counted(prefixes))
                .set_ipv6_prefix_count(create.ipv6_prefix.then_some(1))
                .tag_specifications(tagged(&create.tags, created_at))
        )?;
        let made = output.network_interface().ok_or(Unreadable::Missing("networkInterface"));
        let made = made.and_then(|made| eni::listed(made, self.now()));
        let made = made.map_err(|problem| Failure::NoAnswer {
            cause: format!("the interface was made and cannot be read: {problem}"),
        })?;
        Ok(Reply::Created(made.eni))
    }
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// An answer that is not understood is none: the effect is there, and has to be observed.
fn understood<T>(eni: &EniId, read: Result<T, Unreadable>) -> Result<T, Failure> {
    read.map_err(|problem| Failure::NoAnswer { cause: format!("{eni}: {problem}") })
}

fn assigned(output: &AssignPrivateIpAddressesOutput) -> Result<Assigned, Unreadable> {
    let addresses = output.assigned_private_ip_addresses().iter();
    let prefixes = output.assigned_ipv4_prefixes().iter();
    Ok(Assigned {
        addresses: all("privateIpAddress", addresses.map(|one| one.private_ip_address()))?,
        prefixes: all("ipv4Prefix", prefixes.map(|one| one.ipv4_prefix()))?,
        ipv6_prefixes: Vec::new(),
    })
}

/// The tags of a new interface. In the order of their keys, so that a repeated request is the same to the letter.
fn tagged(tags: &Tags, created_at: Timestamp) -> TagSpecification {
    let mut tags = tags.clone();
    tags.insert(CREATED_AT_TAG.to_owned(), format!("{created_at:.0}"));
    let tags = tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    TagSpecification::builder()
        .resource_type(ResourceType::NetworkInterface)
        .set_tags(Some(tags.collect()))
        .build()
}
