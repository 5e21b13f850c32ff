//! Refusals of addresses: what a subnet has no room for, what is taken, what is out of place, what an interface cannot hold.

use std::fmt::Display;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::refusals;
use crate::id::InterfaceId;

refusals! {
    /// The subnet has fewer free single addresses than were asked for.
    insufficient_addresses() "InsufficientFreeAddressesInSubnet" "The specified subnet does not have enough free addresses to satisfy the request.";
    /// The subnet has fewer free addresses than the prefixes that were asked for need (cilium/cilium#31016).
    insufficient_for_prefixes() "InvalidParameterValue" "There aren't sufficient free Ipv4 addresses or prefixes";
    /// The subnet has free addresses and no aligned free block of 16 (cilium/cilium#31016).
    insufficient_blocks() "InsufficientCidrBlocks" "The specified subnet does not have enough free cidr blocks to satisfy the request.";
    /// The subnet has no IPv6 CIDR.
    no_ipv6_cidr() "InvalidParameterValue" "The subnet does not have an IPv6 CIDR block associated with it.";

    /// The interface would hold more addresses and prefixes than its instance's type allows.
    address_limit() "PrivateIpAddressLimitExceeded" "Number of private addresses will exceed limit.";
    /// The same for IPv6.
    ipv6_address_limit() "PrivateIpAddressLimitExceeded" "Number of IPv6 addresses will exceed limit.";
    /// The interface that is to be attached holds more than the type allows. Only here is the type known.
    attach_address_limit(count: usize, interface: &InterfaceId, instance_type: &str)
        "InvalidInterface.IpAddressLimitExceeded" "Address count {count} on interface-{interface} exceeds the limit for {instance_type}";
    /// Prefixes on a type that is not built on Nitro.
    prefixes_unsupported(instance_type: &str)
        "InvalidParameterValue" "Prefixes are not supported on instance type {instance_type}";

    /// The primary address that was named is taken.
    primary_in_use(address: Ipv4Addr) "InvalidIPAddress.InUse" "Address {address} is in use.";
    /// Secondary addresses that were named are taken by another interface, and reassignment was not allowed.
    secondary_in_use(addresses: &str) "InvalidParameterValue" "[{addresses}] assigned, but move is not allowed.";
    /// What was named is taken, by a prefix or by a managed service.
    already_assigned(what: &dyn Display) "Resource.AlreadyAssigned" "{what} is already assigned to a resource.";
    /// A primary address cannot be moved.
    move_of_primary(address: Ipv4Addr) "InvalidParameterValue" "The primary IP address {address} of an interface cannot be reassigned.";
    /// Not an address of the subnet.
    address_outside(address: &dyn Display) "InvalidParameterValue" "Address {address} does not fall within the subnet's address range";
    /// One of the first four addresses or the last one.
    address_reserved(address: Ipv4Addr) "InvalidParameterValue" "Address {address} is in subnet's reserved address range";
    /// Not a prefix of the subnet.
    prefix_outside(prefix: &dyn Display) "InvalidParameterValue" "The prefix {prefix} does not fall within the subnet's address range";
    /// Not exactly an aligned block of the one length that EC2 gives: 28 for IPv4, 80 for IPv6.
    prefix_length(prefix: &dyn Display, length: u8) "InvalidParameterValue" "The prefix {prefix} is invalid. A prefix must be an aligned block with a length of /{length}.";
    /// A prefix over one of the five addresses that EC2 keeps.
    prefix_reserved(prefix: Ipv4Net) "InvalidParameterValue" "The prefix {prefix} overlaps the subnet's reserved address range";

    /// What is to be taken from an interface is not on it.
    not_assigned(interface: &InterfaceId) "InvalidParameterValue" "Some of the specified addresses are not assigned to interface {interface}";
    /// The primary address stays.
    unassign_primary(address: Ipv4Addr) "InvalidParameterValue" "Value ({address}) for parameter privateIpAddress is invalid. The primary IP address of an interface cannot be unassigned.";

    /// A reservation that overlaps another one.
    reservation_overlap(cidr: Ipv4Net) "InvalidSubnetCidrReservation.Conflict" "The CIDR {cidr} conflicts with another subnet CIDR reservation";
    /// A reservation that does not lie in its subnet.
    reservation_outside(cidr: Ipv4Net) "InvalidParameterValue" "The CIDR {cidr} does not fall within the subnet's address range";

    /// The VPC has as many addresses and prefixes in use as it may.
    address_usage_limit(limit: u64) "NetworkAddressUsageLimitExceeded" "The maximum number of network address usage units ({limit}) has been reached for the VPC.";
}
