//! What came back, as lines of text.

use aws_sdk_ec2::types::{
    Address, Instance, InstanceTypeInfo, NetworkInterface, NetworkInterfaceAttachment, RouteTable,
    Subnet, Tag, Vpc,
};

/// `+first +second`, or `nothing`.
pub(crate) fn plus<'a>(items: impl Iterator<Item = Option<&'a str>>) -> String {
    let items: Vec<_> = items.map(|item| format!("+{}", item.unwrap_or("?"))).collect();
    if items.is_empty() { "nothing".to_owned() } else { items.join(" ") }
}

/// The words with spaces between them; `-` where there is none.
pub(crate) fn words<'a>(words: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let words: Vec<_> = words.into_iter().map(|word| word.unwrap_or("-")).collect();
    words.join(" ")
}

/// ` {key:value,key:value}`, or nothing.
pub(crate) fn tags(tags: &[Tag]) -> String {
    if tags.is_empty() {
        return String::new();
    }
    let pair = |tag: &Tag| format!("{}:{}", tag.key().unwrap_or("?"), tag.value().unwrap_or("?"));
    format!(" {{{}}}", tags.iter().map(pair).collect::<Vec<_>>().join(","))
}

/// What it holds: the primary address, then everything else.
pub(crate) fn held(interface: &NetworkInterface) -> String {
    let singles = interface.private_ip_addresses().iter().filter(|one| one.primary() != Some(true));
    let rest = singles
        .map(|one| one.private_ip_address())
        .chain(interface.ipv4_prefixes().iter().map(|one| one.ipv4_prefix()))
        .chain(interface.ipv6_addresses().iter().map(|one| one.ipv6_address()))
        .chain(interface.ipv6_prefixes().iter().map(|one| one.ipv6_prefix()));
    format!("{} {}", interface.private_ip_address().unwrap_or("?"), plus(rest))
}

/// Everything about it that a test looks at.
pub(crate) fn interface(interface: &NetworkInterface) -> String {
    let status = interface.status().map_or("?", |status| status.as_str());
    let groups = interface.groups().iter().map(|one| one.group_name().unwrap_or("?"));
    let first = format!(
        "{} {status} in {} behind {}: {}",
        interface.network_interface_id().unwrap_or("?"),
        interface.subnet_id().unwrap_or("?"),
        groups.collect::<Vec<_>>().join(","),
        held(interface),
    );
    let public = interface.association().and_then(|one| one.public_ip());
    let description = interface.description().filter(|text| !text.is_empty());
    let parts = [
        Some(first),
        interface.attachment().map(attachment),
        public.map(|address| format!("public {address}")),
        (interface.source_dest_check() == Some(false)).then(|| "unchecked".to_owned()),
        description.map(|text| format!("\"{text}\"")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(", ") + &tags(interface.tag_set())
}

fn attachment(attachment: &NetworkInterfaceAttachment) -> String {
    let holder = attachment.instance_id().or(attachment.instance_owner_id());
    let status = attachment.status().map_or("?", |status| status.as_str());
    let card = attachment.network_card_index().unwrap_or(-1);
    let index = attachment.device_index().unwrap_or(-1);
    let end = if attachment.delete_on_termination() == Some(true) { " to the end" } else { "" };
    format!("{status} at {} {card}/{index}{end}", holder.unwrap_or("?"))
}

/// Its type, state and interfaces.
pub(crate) fn instance(instance: &Instance) -> String {
    let interfaces = instance.network_interfaces().iter().map(|one| one.network_interface_id());
    format!(
        "{} {} {} in {}: {}",
        instance.instance_id().unwrap_or("?"),
        instance.instance_type().map_or("?", |kind| kind.as_str()),
        instance.state().and_then(|state| state.name()).map_or("?", |name| name.as_str()),
        instance.subnet_id().unwrap_or("?"),
        plus(interfaces),
    )
}

/// Its CIDRs, zone and free addresses.
pub(crate) fn subnet(subnet: &Subnet) -> String {
    let ipv6 = subnet.ipv6_cidr_block_association_set().iter().map(|one| one.ipv6_cidr_block());
    let ipv4 =
        [subnet.subnet_id(), subnet.vpc_id(), subnet.availability_zone(), subnet.cidr_block()];
    let free = subnet.available_ip_address_count().unwrap_or(-1);
    format!("{}, {free} free", words(ipv4.into_iter().chain(ipv6)))
}

/// Its CIDRs.
pub(crate) fn vpc(vpc: &Vpc) -> String {
    let ipv4 = vpc.cidr_block_association_set().iter().map(|one| one.cidr_block());
    let ipv6 = vpc.ipv6_cidr_block_association_set().iter().map(|one| one.ipv6_cidr_block());
    format!("{} {}", vpc.vpc_id().unwrap_or("?"), words(ipv4.chain(ipv6)))
}

/// Its subnets and routes.
pub(crate) fn route_table(table: &RouteTable) -> String {
    let users = table.associations().iter().map(|one| {
        let main = (one.main() == Some(true)).then_some("everything else");
        one.subnet_id().or(main)
    });
    let route = |one: &aws_sdk_ec2::types::Route| {
        let target = one.gateway_id().or(one.nat_gateway_id());
        format!("{} to {}", one.destination_cidr_block().unwrap_or("?"), target.unwrap_or("?"))
    };
    let routes: Vec<_> = table.routes().iter().map(route).collect();
    format!(
        "{} of {} for {}: {}",
        table.route_table_id().unwrap_or("?"),
        table.vpc_id().unwrap_or("?"),
        words(users),
        routes.join(", "),
    )
}

/// What it can hold: interfaces on each card, and addresses on each interface.
pub(crate) fn instance_type(kind: &InstanceTypeInfo) -> String {
    let network = kind.network_info().expect("network information");
    let cards: Vec<_> = network
        .network_cards()
        .iter()
        .map(|card| card.maximum_network_interfaces().unwrap_or(-1).to_string())
        .collect();
    format!(
        "{} {} {} on cards {}, {} + {}",
        kind.instance_type().map_or("?", |name| name.as_str()),
        kind.hypervisor().map_or("metal", |name| name.as_str()),
        network.maximum_network_interfaces().unwrap_or(-1),
        cards.join("+"),
        network.ipv4_addresses_per_interface().unwrap_or(-1),
        network.ipv6_addresses_per_interface().unwrap_or(-1),
    )
}

/// What it stands for.
pub(crate) fn address(address: &Address) -> String {
    words([
        address.allocation_id(),
        address.public_ip(),
        address.network_interface_id(),
        address.private_ip_address(),
        address.instance_id(),
    ])
}
