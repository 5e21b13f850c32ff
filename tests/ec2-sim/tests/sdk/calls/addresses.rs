//! Calls about addresses.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{ResourceType, SubnetCidrReservationType};

use super::{Outcome, refusal};
use crate::show;
use crate::words::Parameters;

type Result = std::result::Result<Outcome, String>;

pub(super) async fn assign_private(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .assign_private_ip_addresses()
        .set_network_interface_id(given.text("NetworkInterfaceId"))
        .set_private_ip_addresses(given.list("PrivateIpAddresses"))
        .set_secondary_private_ip_address_count(given.number("SecondaryPrivateIpAddressCount"))
        .set_ipv4_prefixes(given.list("Ipv4Prefixes"))
        .set_ipv4_prefix_count(given.number("Ipv4PrefixCount"))
        .set_allow_reassignment(given.flag("AllowReassignment"));
    given.finish();
    let answer = call.send().await.map_err(|error| refusal(&error))?;
    let singles = answer.assigned_private_ip_addresses().iter().map(|one| one.private_ip_address());
    let prefixes = answer.assigned_ipv4_prefixes().iter().map(|one| one.ipv4_prefix());
    let interface = answer.network_interface_id().unwrap_or("?");
    Ok(format!("{interface} {}", show::plus(singles.chain(prefixes))).into())
}

pub(super) async fn unassign_private(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .unassign_private_ip_addresses()
        .set_network_interface_id(given.text("NetworkInterfaceId"))
        .set_private_ip_addresses(given.list("PrivateIpAddresses"))
        .set_ipv4_prefixes(given.list("Ipv4Prefixes"));
    given.finish();
    call.send().await.map_err(|error| refusal(&error))?;
    Ok("done".to_owned().into())
}

pub(super) async fn assign_ipv6(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .assign_ipv6_addresses()
        .set_network_interface_id(given.text("NetworkInterfaceId"))
        .set_ipv6_addresses(given.list("Ipv6Addresses"))
        .set_ipv6_address_count(given.number("Ipv6AddressCount"))
        .set_ipv6_prefixes(given.list("Ipv6Prefixes"))
        .set_ipv6_prefix_count(given.number("Ipv6PrefixCount"));
    given.finish();
    let answer = call.send().await.map_err(|error| refusal(&error))?;
    let all = answer.assigned_ipv6_addresses().iter().chain(answer.assigned_ipv6_prefixes());
    let interface = answer.network_interface_id().unwrap_or("?");
    Ok(format!("{interface} {}", show::plus(all.map(|one| Some(one.as_str())))).into())
}

pub(super) async fn unassign_ipv6(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .unassign_ipv6_addresses()
        .set_network_interface_id(given.text("NetworkInterfaceId"))
        .set_ipv6_addresses(given.list("Ipv6Addresses"))
        .set_ipv6_prefixes(given.list("Ipv6Prefixes"));
    given.finish();
    let answer = call.send().await.map_err(|error| refusal(&error))?;
    let all = answer.unassigned_ipv6_addresses().iter().chain(answer.unassigned_ipv6_prefixes());
    let interface = answer.network_interface_id().unwrap_or("?");
    Ok(format!("{interface} {}", show::plus(all.map(|one| Some(one.as_str())))).into())
}

pub(super) async fn associate(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .associate_address()
        .set_allocation_id(given.text("AllocationId"))
        .set_public_ip(given.text("PublicIp"))
        .set_instance_id(given.text("InstanceId"))
        .set_network_interface_id(given.text("NetworkInterfaceId"))
        .set_private_ip_address(given.text("PrivateIpAddress"))
        .set_allow_reassociation(given.flag("AllowReassociation"))
        .set_dry_run(given.flag("DryRun"));
    given.finish();
    let answer = call.send().await.map_err(|error| refusal(&error))?;
    let made = answer.association_id().map(str::to_owned);
    Ok(Outcome { text: "associated".to_owned(), made })
}

pub(super) async fn reserve(client: &Client, mut given: Parameters<'_>) -> Result {
    let kind = given.text("ReservationType");
    let call = client
        .create_subnet_cidr_reservation()
        .set_subnet_id(given.text("SubnetId"))
        .set_cidr(given.text("Cidr"))
        .set_reservation_type(kind.map(|kind| SubnetCidrReservationType::from(kind.as_str())))
        .set_description(given.text("Description"))
        .set_tag_specifications(given.specification(ResourceType::SubnetCidrReservation))
        .set_dry_run(given.flag("DryRun"));
    given.finish();
    let answer = call.send().await.map_err(|error| refusal(&error))?;
    let reservation = answer.subnet_cidr_reservation().expect("a reservation");
    let text = format!(
        "{} {} {}{}",
        reservation.cidr().unwrap_or("?"),
        reservation.reservation_type().map_or("?", SubnetCidrReservationType::as_str),
        reservation.description().unwrap_or("?"),
        show::tags(reservation.tags()),
    );
    Ok(Outcome { text, made: reservation.subnet_cidr_reservation_id().map(str::to_owned) })
}
