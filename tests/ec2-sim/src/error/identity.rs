//! Refusals of identifiers: what does not exist (or is not visible yet), and what is no identifier at all.

use std::net::Ipv4Addr;

use super::refusals;
use crate::id::{AllocationId, AttachmentId, GroupId, InstanceId, InterfaceId, SubnetId, VpcId};

refusals! {
    /// No such interface.
    interface_not_found(id: &InterfaceId) "InvalidNetworkInterfaceID.NotFound" "The networkInterface ID '{id}' does not exist";
    /// None of these interfaces.
    interfaces_not_found(ids: &str) "InvalidNetworkInterfaceID.NotFound" "The networkInterface IDs '{ids}' do not exist";
    /// No such instance.
    instance_not_found(id: &InstanceId) "InvalidInstanceID.NotFound" "The instance ID '{id}' does not exist";
    /// None of these instances.
    instances_not_found(ids: &str) "InvalidInstanceID.NotFound" "The instance IDs '{ids}' do not exist";
    /// No such subnet.
    subnet_not_found(id: &SubnetId) "InvalidSubnetID.NotFound" "The subnet ID '{id}' does not exist";
    /// None of these subnets.
    subnets_not_found(ids: &str) "InvalidSubnetID.NotFound" "The subnet IDs '{ids}' do not exist";
    /// No such VPC.
    vpc_not_found(id: &VpcId) "InvalidVpcID.NotFound" "The vpc ID '{id}' does not exist";
    /// None of these VPCs.
    vpcs_not_found(ids: &str) "InvalidVpcID.NotFound" "The vpc IDs '{ids}' do not exist";
    /// No such group.
    group_not_found(id: &GroupId) "InvalidGroup.NotFound" "The security group '{id}' does not exist";
    /// None of these groups.
    groups_not_found(ids: &str) "InvalidGroup.NotFound" "The security groups '{ids}' do not exist";
    /// No group of that name.
    group_name_not_found(name: &str) "InvalidGroup.NotFound" "The security group '{name}' does not exist";
    /// The group is not one of the VPC in which it is to be used.
    group_not_in_vpc(id: &GroupId, vpc: &VpcId) "InvalidGroup.NotFound" "The security group '{id}' does not exist in VPC '{vpc}'";
    /// None of these route tables.
    route_tables_not_found(ids: &str) "InvalidRouteTableID.NotFound" "The routeTable ID '{ids}' does not exist";
    /// No such Elastic IP address.
    allocation_not_found(id: &AllocationId) "InvalidAllocationID.NotFound" "The allocation ID '{id}' does not exist";
    /// None of these Elastic IP addresses.
    allocations_not_found(ids: &str) "InvalidAllocationID.NotFound" "The allocation IDs '{ids}' do not exist";
    /// The account has no such public address.
    public_ip_not_found(address: Ipv4Addr) "InvalidAddress.NotFound" "Address '{address}' not found.";
    /// The account has none of these public addresses.
    public_ips_not_found(addresses: &str) "InvalidAddress.NotFound" "Addresses '{addresses}' not found.";
    /// No such attachment.
    attachment_not_found(id: &AttachmentId) "InvalidAttachmentID.NotFound" "The attachment ID '{id}' does not exist";
    /// Nothing to tag under this id.
    resource_not_found(id: &str) "InvalidID" "The ID '{id}' is not valid";
    /// None of these instance types.
    instance_types_not_found(names: &str) "InvalidInstanceType" "The following supplied instance types do not exist: [{names}]";

    /// No interface id.
    interface_malformed(text: &str) "InvalidNetworkInterfaceID.Malformed" "Invalid id: \"{text}\" (expecting \"eni-...\")";
    /// No instance id.
    instance_malformed(text: &str) "InvalidInstanceID.Malformed" "Invalid id: \"{text}\" (expecting \"i-...\")";
    /// No subnet id.
    subnet_malformed(text: &str) "InvalidSubnetID.Malformed" "Invalid id: \"{text}\" (expecting \"subnet-...\")";
    /// No VPC id.
    vpc_malformed(text: &str) "InvalidVpcID.Malformed" "Invalid id: \"{text}\" (expecting \"vpc-...\")";
    /// No group id.
    group_malformed(text: &str) "InvalidGroupId.Malformed" "Invalid id: \"{text}\" (expecting \"sg-...\")";
    /// No route table id.
    route_table_malformed(text: &str) "InvalidRouteTableId.Malformed" "Invalid id: \"{text}\" (expecting \"rtb-...\")";
    /// No allocation id.
    allocation_malformed(text: &str) "InvalidAllocationID.Malformed" "Invalid id: \"{text}\" (expecting \"eipalloc-...\")";
    /// No attachment id.
    attachment_malformed(text: &str) "InvalidNetworkInterfaceAttachmentId.Malformed" "Invalid id: \"{text}\" (expecting \"eni-attach-...\")";
}

impl super::ApiError {
    /// The refusal of a text that should have begun with `prefix`, such as `eni-`, by the code of that kind of resource.
    #[must_use]
    pub fn malformed(text: &str, prefix: &str) -> Self {
        match prefix {
            InterfaceId::PREFIX => Self::interface_malformed(text),
            InstanceId::PREFIX => Self::instance_malformed(text),
            SubnetId::PREFIX => Self::subnet_malformed(text),
            VpcId::PREFIX => Self::vpc_malformed(text),
            GroupId::PREFIX => Self::group_malformed(text),
            crate::id::RouteTableId::PREFIX => Self::route_table_malformed(text),
            AllocationId::PREFIX => Self::allocation_malformed(text),
            AttachmentId::PREFIX => Self::attachment_malformed(text),
            _ => Self::resource_not_found(text),
        }
    }
}
