//! Calls that change network interfaces, and tags.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, InstanceIpv6Address, Ipv4PrefixSpecificationRequest,
    Ipv6PrefixSpecificationRequest, NetworkInterfaceAttachmentChanges,
    NetworkInterfaceCreationType, PrivateIpAddressSpecification, ResourceType,
};

use super::{Outcome, refusal};
use crate::show;
use crate::words::Parameters;

type Result = std::result::Result<Outcome, String>;

fn done() -> Outcome {
    "done".to_owned().into()
}

fn ipv4_prefix(prefix: String) -> Ipv4PrefixSpecificationRequest {
    Ipv4PrefixSpecificationRequest::builder().ipv4_prefix(prefix).build()
}

fn ipv6_prefix(prefix: String) -> Ipv6PrefixSpecificationRequest {
    Ipv6PrefixSpecificationRequest::builder().ipv6_prefix(prefix).build()
}

fn ipv6_address(address: String) -> InstanceIpv6Address {
    InstanceIpv6Address::builder().ipv6_address(address).build()
}

/// `10.0.0.9` or, as the primary one, `10.0.0.9*`.
fn private(address: &str) -> PrivateIpAddressSpecification {
    let plain = address.trim_end_matches('*');
    let primary = plain != address;
    PrivateIpAddressSpecification::builder().private_ip_address(plain).primary(primary).build()
}

pub(super) async fn create(client: &Client, mut given: Parameters<'_>) -> Result {
    let kind = given.text("InterfaceType");
    let call = client
        .create_network_interface()
        .set_subnet_id(given.text("SubnetId"))
        .set_description(given.text("Description"))
        .set_groups(given.list("Groups"))
        .set_interface_type(kind.map(|kind| NetworkInterfaceCreationType::from(kind.as_str())))
        .set_private_ip_address(given.text("PrivateIpAddress"))
        .set_private_ip_addresses(given.list_of("PrivateIpAddresses", |address| private(&address)))
        .set_secondary_private_ip_address_count(given.number("SecondaryPrivateIpAddressCount"))
        .set_ipv4_prefixes(given.list_of("Ipv4Prefixes", ipv4_prefix))
        .set_ipv4_prefix_count(given.number("Ipv4PrefixCount"))
        .set_ipv6_addresses(given.list_of("Ipv6Addresses", ipv6_address))
        .set_ipv6_address_count(given.number("Ipv6AddressCount"))
        .set_ipv6_prefixes(given.list_of("Ipv6Prefixes", ipv6_prefix))
        .set_ipv6_prefix_count(given.number("Ipv6PrefixCount"))
        .set_tag_specifications(given.specification(ResourceType::NetworkInterface))
        .set_client_token(given.text("ClientToken"))
        .set_dry_run(given.flag("DryRun"));
    given.finish();
    let answer = call.send().await.map_err(|error| refusal(&error))?;
    let interface = answer.network_interface().expect("an interface");
    let made = interface.network_interface_id().map(str::to_owned);
    Ok(Outcome { text: show::held(interface), made })
}

pub(super) async fn attach(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .attach_network_interface()
        .set_network_interface_id(given.text("NetworkInterfaceId"))
        .set_instance_id(given.text("InstanceId"))
        .set_device_index(given.number("DeviceIndex"))
        .set_network_card_index(given.number("NetworkCardIndex"))
        .set_dry_run(given.flag("DryRun"));
    given.finish();
    let answer = call.send().await.map_err(|error| refusal(&error))?;
    let card = answer.network_card_index().expect("a card");
    Ok(Outcome { text: format!("card {card}"), made: answer.attachment_id().map(str::to_owned) })
}

pub(super) async fn detach(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .detach_network_interface()
        .set_attachment_id(given.text("AttachmentId"))
        .set_force(given.flag("Force"))
        .set_dry_run(given.flag("DryRun"));
    given.finish();
    call.send().await.map_err(|error| refusal(&error))?;
    Ok(done())
}

pub(super) async fn delete(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .delete_network_interface()
        .set_network_interface_id(given.text("NetworkInterfaceId"))
        .set_dry_run(given.flag("DryRun"));
    given.finish();
    call.send().await.map_err(|error| refusal(&error))?;
    Ok(done())
}

pub(super) async fn modify(client: &Client, mut given: Parameters<'_>) -> Result {
    let attachment = given.text("Attachment.AttachmentId");
    let delete = given.flag("Attachment.DeleteOnTermination");
    let changes = (attachment.is_some() || delete.is_some()).then(|| {
        NetworkInterfaceAttachmentChanges::builder()
            .set_attachment_id(attachment)
            .set_delete_on_termination(delete)
            .build()
    });
    let description = given.text("Description");
    let check = given.flag("SourceDestCheck");
    let call = client
        .modify_network_interface_attribute()
        .set_network_interface_id(given.text("NetworkInterfaceId"))
        .set_attachment(changes)
        .set_description(description.map(|value| AttributeValue::builder().value(value).build()))
        .set_groups(given.list("Groups"))
        .set_source_dest_check(check.map(|it| AttributeBooleanValue::builder().value(it).build()))
        .set_dry_run(given.flag("DryRun"));
    given.finish();
    call.send().await.map_err(|error| refusal(&error))?;
    Ok(done())
}

pub(super) async fn tag(client: &Client, mut given: Parameters<'_>) -> Result {
    let call = client
        .create_tags()
        .set_resources(given.list("Resources"))
        .set_tags(given.tags("Tags"))
        .set_dry_run(given.flag("DryRun"));
    given.finish();
    call.send().await.map_err(|error| refusal(&error))?;
    Ok(done())
}
