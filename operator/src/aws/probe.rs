//! Actions tried without an effect.

use aws_sdk_ec2::types::{
    Filter, NetworkInterfaceAttachmentChanges, ResourceType, Tag, TagSpecification,
};
use ipam_core::failure::Failure;

use super::{Aws, send};
use crate::check::{Examples, NO_ATTACHMENT, NO_ENI, Probe, Probes};

/// The smallest page, which is enough to find an example.
const FEW: i32 = 5;

impl Probes for Aws {
    /// Takes what the first page of each listing has. What cannot be listed is made up.
    async fn examples(&self) -> Examples {
        let mut examples = Examples::default();
        let subnets = send!(self, "DescribeSubnets", describe_subnets.max_results(FEW));
        let subnets = subnets.map(|output| output.subnets.unwrap_or_default()).unwrap_or_default();
        if let Some(subnet) = subnets.first() {
            replace(&mut examples.subnet, subnet.subnet_id());
            replace(&mut examples.vpc, subnet.vpc_id());
        }
        let attached = Filter::builder().name("attachment.status").values("attached").build();
        let enis = send!(
            self,
            "DescribeNetworkInterfaces",
            describe_network_interfaces.filters(attached).max_results(FEW)
        );
        let enis = enis.map(|output| output.network_interfaces.unwrap_or_default());
        let of_instance = enis.unwrap_or_default().into_iter().find(|one| {
            one.attachment().is_some_and(|attachment| attachment.instance_id().is_some())
        });
        if let Some(eni) = of_instance {
            let attachment = eni.attachment();
            replace(&mut examples.eni, eni.network_interface_id());
            replace(&mut examples.instance, attachment.and_then(|one| one.instance_id()));
            replace(&mut examples.attachment, attachment.and_then(|one| one.attachment_id()));
        }
        examples
    }

    async fn probe(&self, probe: Probe, examples: &Examples) -> Result<(), Failure> {
        match probe {
            Probe::CreateNetworkInterface
            | Probe::CreateTags
            | Probe::AttachNetworkInterface
            | Probe::ModifyNetworkInterfaceAttribute
            | Probe::AssignPrivateIpAddresses
            | Probe::UnassignPrivateIpAddresses
            | Probe::AssignIpv6Addresses
            | Probe::DetachNetworkInterface
            | Probe::DeleteNetworkInterface => self.probe_change(probe, examples).await,
            _ => self.probe_listing(probe, examples).await,
        }
    }
}

fn replace(example: &mut String, found: Option<&str>) {
    if let Some(found) = found {
        found.clone_into(example);
    }
}

impl Aws {
    async fn probe_change(&self, probe: Probe, examples: &Examples) -> Result<(), Failure> {
        let name = probe.name();
        match probe {
            Probe::CreateNetworkInterface => send!(
                self,
                name,
                create_network_interface.subnet_id(&examples.subnet).dry_run(true)
            )
            .map(drop),
            Probe::CreateTags => send!(
                self,
                "CreateNetworkInterface",
                create_network_interface
                    .subnet_id(&examples.subnet)
                    .tag_specifications(tagged())
                    .dry_run(true)
            )
            .map(drop),
            Probe::AttachNetworkInterface => send!(
                self,
                name,
                attach_network_interface
                    .network_interface_id(&examples.eni)
                    .instance_id(&examples.instance)
                    .device_index(1)
                    .network_card_index(0)
                    .dry_run(true)
            )
            .map(drop),
            Probe::ModifyNetworkInterfaceAttribute => {
                let change = NetworkInterfaceAttachmentChanges::builder()
                    .attachment_id(&examples.attachment)
                    .delete_on_termination(true);
                send!(
                    self,
                    name,
                    modify_network_interface_attribute
                        .network_interface_id(&examples.eni)
                        .attachment(change.build())
                        .dry_run(true)
                )
                .map(drop)
            }
            Probe::AssignPrivateIpAddresses
            | Probe::UnassignPrivateIpAddresses
            | Probe::AssignIpv6Addresses => self.probe_addresses(probe).await,
            // These two are not even tried on what somebody uses, in case that what answers is not EC2 and knows no dry run.
            Probe::DetachNetworkInterface => send!(
                self,
                name,
                detach_network_interface.attachment_id(NO_ATTACHMENT).force(false).dry_run(true)
            )
            .map(drop),
            _ => send!(
                self,
                "DeleteNetworkInterface",
                delete_network_interface.network_interface_id(NO_ENI).dry_run(true)
            )
            .map(drop),
        }
    }

    /// What knows no dry run is tried on an interface that nobody has.
    async fn probe_addresses(&self, probe: Probe) -> Result<(), Failure> {
        let name = probe.name();
        match probe {
            Probe::AssignPrivateIpAddresses => send!(
                self,
                name,
                assign_private_ip_addresses
                    .network_interface_id(NO_ENI)
                    .secondary_private_ip_address_count(1)
            )
            .map(drop),
            Probe::UnassignPrivateIpAddresses => send!(
                self,
                name,
                unassign_private_ip_addresses
                    .network_interface_id(NO_ENI)
                    .private_ip_addresses("192.0.2.1")
            )
            .map(drop),
            _ => send!(
                self,
                "AssignIpv6Addresses",
                assign_ipv6_addresses.network_interface_id(NO_ENI).ipv6_prefix_count(1)
            )
            .map(drop),
        }
    }

    async fn probe_listing(&self, probe: Probe, examples: &Examples) -> Result<(), Failure> {
        let name = probe.name();
        match probe {
            Probe::DescribeSubnets => {
                send!(self, name, describe_subnets.max_results(FEW).dry_run(true)).map(drop)
            }
            Probe::DescribeVpcs => {
                send!(self, name, describe_vpcs.max_results(FEW).dry_run(true)).map(drop)
            }
            Probe::DescribeRouteTables => {
                send!(self, name, describe_route_tables.max_results(FEW).dry_run(true)).map(drop)
            }
            Probe::DescribeSecurityGroups => {
                send!(self, name, describe_security_groups.max_results(FEW).dry_run(true)).map(drop)
            }
            Probe::GetSecurityGroupsForVpc => send!(
                self,
                name,
                get_security_groups_for_vpc.vpc_id(&examples.vpc).max_results(FEW).dry_run(true)
            )
            .map(drop),
            Probe::DescribeInstanceTypes => {
                send!(self, name, describe_instance_types.max_results(FEW).dry_run(true)).map(drop)
            }
            _ => send!(
                self,
                "DescribeNetworkInterfaces",
                describe_network_interfaces.max_results(FEW).dry_run(true)
            )
            .map(drop),
        }
    }
}

/// Any tag will do.
fn tagged() -> TagSpecification {
    TagSpecification::builder()
        .resource_type(ResourceType::NetworkInterface)
        .tags(Tag::builder().key("berth/check").value("dry run").build())
        .build()
}
