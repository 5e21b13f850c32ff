//! Refusals of attachments, and of what else becomes of an interface in its life.

use std::net::Ipv4Addr;

use super::refusals;
use crate::id::{
    AddressAssociationId, AllocationId, AttachmentId, InstanceId, InterfaceId, SubnetId,
};

refusals! {
    /// No room for another interface on the network card or on the instance.
    attachment_limit(count: usize, instance_type: &str) "AttachmentLimitExceeded" "Interface count {count} exceeds the limit for {instance_type}";
    /// The index is taken. It is also what EC2 says on types with several network cards when the card was not named (cilium/cilium#42512).
    index_taken(instance: &InstanceId, index: i64) "InvalidParameterValue" "Instance '{instance}' already has an interface attached at device index '{index}'.";
    /// An index that no card has.
    index_invalid(index: i64) "InvalidParameterValue" "Invalid value '{index}' for device index. The value must be from 0 to 4294967295.";
    /// A network card that the type does not have.
    card_invalid(card: i64, instance_type: &str) "InvalidParameterValue" "Network card index {card} is not valid for instance type {instance_type}";
    /// The interface that is to be deleted is attached, or on its way to or from an instance.
    delete_in_use(interface: &InterfaceId) "InvalidParameterValue" "Network interface '{interface}' is currently in use.";
    /// The interface that is to be attached is in use already.
    attach_in_use(interface: &InterfaceId) "InvalidNetworkInterface.InUse" "Interface: [{interface}] in use.";
    /// The instance is neither running nor stopped.
    instance_not_running(instance: &InstanceId) "IncorrectState" "Instance '{instance}' is not 'running'";
    /// The same where an Elastic IP address is to be associated.
    incorrect_instance_state(instance: &InstanceId) "IncorrectInstanceState" "The instance '{instance}' is not in a valid state for this operation.";
    /// Interface and instance are not in one availability zone.
    other_zone() "InvalidParameterCombination" "You may not attach a network interface to an instance if they are not in the same availability zone";
    /// Interface and instance are not in one VPC.
    other_vpc(interface: &InterfaceId, instance: &InstanceId) "InvalidParameterCombination" "The networkInterface ID '{interface}' and the instance ID '{instance}' do not belong to the same VPC";
    /// The primary interface stays.
    detach_primary() "OperationNotPermitted" "The network interface at device index 0 and networkCard index 0 cannot be detached.";
    /// A managed service holds the interface.
    service_managed(interface: &InterfaceId) "OperationNotPermitted" "You are not allowed to manage the attachment of '{interface}': it belongs to an AWS service.";
    /// It is on its way already, or it is not attached.
    attachment_state(attachment: &AttachmentId, status: &str) "IncorrectState" "The attachment '{attachment}' is '{status}' and cannot be changed.";
    /// The interface is not attached, or not by this attachment.
    attachment_of_other(attachment: &AttachmentId, interface: &InterfaceId) "InvalidAttachmentID.NotFound" "The attachment ID '{attachment}' is not one of interface '{interface}'";
    /// The Region's quota of interfaces is used up.
    interface_limit(limit: usize) "NetworkInterfaceLimitExceeded" "The maximum number of network interfaces ({limit}) has been reached.";
    /// More groups than an interface may have.
    group_limit(limit: usize) "SecurityGroupsPerInterfaceLimitExceeded" "The maximum number of security groups per interface ({limit}) has been reached.";
    /// An interface without groups.
    no_groups() "MissingParameter" "At least one security group must be specified.";
    /// The subnet is in a zone that is out of service.
    zone_unavailable(subnet: &SubnetId) "Unavailable" "The availability zone of subnet '{subnet}' is unavailable. Please try again shortly.";

    /// The Elastic IP address, or the private address, is associated already.
    already_associated(allocation: &AllocationId, association: &AddressAssociationId)
        "Resource.AlreadyAssociated" "resource {allocation} is already associated with associate-id {association}";
    /// The same, seen from the private address.
    private_ip_associated(address: Ipv4Addr, interface: &InterfaceId)
        "Resource.AlreadyAssociated" "The private IP address {address} of network interface {interface} is already associated with an address";
    /// The private address is not on the interface.
    private_ip_missing(address: Ipv4Addr, interface: &InterfaceId) "InvalidParameterValue" "The private IP address {address} is not assigned to network interface {interface}";
    /// The instance has several interfaces, and none was named.
    several_interfaces(instance: &InstanceId)
        "InvalidInstanceID" "There are multiple interfaces attached to instance '{instance}'. Please specify an interface ID for the operation instead.";
}
