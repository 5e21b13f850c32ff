//! VPCs, subnets and what belongs to them.

use crate::model::{
    ElasticIp, Reservation, ReservationKind, RouteTable, SecurityGroup, Subnet, Vpc,
};
use crate::protocol::encode::{Scene, tags};
use crate::protocol::plain::Plain;
use crate::protocol::xml::Xml;
use crate::reply::TaggedResource;

/// The service model's `Vpc`.
pub(super) fn vpc(xml: &mut Xml, scene: Scene<'_>, vpc: &Vpc) {
    let digits = vpc.id.as_str().get("vpc-".len()..).unwrap_or_default();
    xml.text("ownerId", scene.account);
    xml.plain("instanceTenancy", "default");
    xml.list(
        "ipv6CidrBlockAssociationSet",
        vpc.ipv6_cidrs.iter().enumerate(),
        |xml, (position, cidr)| {
            associated(xml, digits, "ipv6CidrBlock", position, cidr);
            xml.text("networkBorderGroup", scene.region);
            xml.plain("ipv6Pool", "Amazon");
        },
    );
    xml.list(
        "cidrBlockAssociationSet",
        vpc.ipv4_cidrs.iter().enumerate(),
        |xml, (position, cidr)| {
            associated(xml, digits, "cidrBlock", position, cidr);
        },
    );
    xml.plain("isDefault", false);
    tags(xml, &vpc.tags);
    xml.plain("vpcId", &vpc.id);
    xml.plain("state", "available");
    if let Some(primary) = vpc.ipv4_cidrs.first() {
        xml.plain("cidrBlock", primary);
    }
    xml.plain("dhcpOptionsId", "default");
}

/// A CIDR block of what has the digits `owner`. The association's id is made of these, since nothing else refers to it.
fn associated(xml: &mut Xml, owner: &str, block: &str, position: usize, cidr: impl Plain) {
    let kind = if block == "cidrBlock" { "vpc" } else { "ipv6" };
    let digits = owner.get(2..).unwrap_or_default();
    xml.plain("associationId", format_args!("{kind}-cidr-assoc-{position:02x}{digits}"));
    xml.plain(block, cidr);
    xml.element(&format!("{block}State"), |xml| xml.plain("state", "associated"));
}

/// The service model's `Subnet`.
pub(super) fn subnet(xml: &mut Xml, scene: Scene<'_>, subnet: &Subnet) {
    xml.text("availabilityZoneId", &subnet.zone_id);
    xml.plain("mapCustomerOwnedIpOnLaunch", false);
    xml.text("ownerId", scene.account);
    xml.plain("assignIpv6AddressOnCreation", false);
    xml.list("ipv6CidrBlockAssociationSet", subnet.ipv6_cidr, |xml, cidr| {
        let digits = subnet.id.as_str().get("subnet-".len()..).unwrap_or_default();
        associated(xml, digits, "ipv6CidrBlock", 0, cidr);
    });
    tags(xml, &subnet.tags);
    xml.text(
        "subnetArn",
        &format!("arn:aws:ec2:{}:{}:subnet/{}", scene.region, scene.account, subnet.id),
    );
    xml.plain("enableDns64", false);
    xml.plain("ipv6Native", false);
    xml.plain("subnetId", &subnet.id);
    xml.plain("state", "available");
    xml.plain("vpcId", &subnet.vpc);
    xml.plain("cidrBlock", subnet.ipv4_cidr);
    xml.plain("availableIpAddressCount", subnet.available_ipv4);
    xml.text("availabilityZone", &subnet.zone);
    xml.plain("defaultForAz", false);
    xml.plain("mapPublicIpOnLaunch", false);
}

/// The service model's `SubnetCidrReservation`.
pub(super) fn reservation(xml: &mut Xml, scene: Scene<'_>, reservation: &Reservation) {
    xml.plain("subnetCidrReservationId", &reservation.id);
    xml.plain("subnetId", &reservation.subnet);
    xml.plain("cidr", reservation.cidr);
    let kind = match reservation.kind {
        ReservationKind::Prefix => "prefix",
        ReservationKind::Explicit => "explicit",
    };
    xml.plain("reservationType", kind);
    xml.text("ownerId", scene.account);
    xml.text("description", &reservation.description);
    tags(xml, &reservation.tags);
}

/// The service model's `RouteTable`.
pub(super) fn route_table(xml: &mut Xml, scene: Scene<'_>, table: &RouteTable) {
    let main = table.main.iter().map(|id| (id, None));
    let subnets = table.subnets.iter().map(|(id, subnet)| (id, Some(subnet)));
    xml.list("associationSet", main.chain(subnets), |xml, (id, subnet)| {
        xml.plain("main", subnet.is_none());
        xml.plain("routeTableAssociationId", id);
        xml.plain("routeTableId", &table.id);
        if let Some(subnet) = subnet {
            xml.plain("subnetId", subnet);
        }
        xml.element("associationState", |xml| xml.plain("state", "associated"));
    });
    xml.element("propagatingVgwSet", |_| {});
    xml.plain("routeTableId", &table.id);
    xml.list("routeSet", &table.routes, |xml, (destination, target)| {
        route(xml, destination, target);
    });
    tags(xml, &table.tags);
    xml.plain("vpcId", &table.vpc);
    xml.text("ownerId", scene.account);
}

/// How targets begin, and the element that names such a target.
const TARGETS: &[(&str, &str)] = &[
    ("eigw-", "egressOnlyInternetGatewayId"),
    ("eni-", "networkInterfaceId"),
    ("i-", "instanceId"),
    ("nat-", "natGatewayId"),
    ("pcx-", "vpcPeeringConnectionId"),
    ("tgw-", "transitGatewayId"),
];

fn route(xml: &mut Xml, destination: &str, target: &str) {
    let block = match destination {
        list if list.starts_with("pl-") => "destinationPrefixListId",
        ipv6 if ipv6.contains(':') => "destinationIpv6CidrBlock",
        _ => "destinationCidrBlock",
    };
    xml.text(block, destination);
    let named = TARGETS.iter().find(|(prefix, _)| target.starts_with(prefix));
    xml.text(named.map_or("gatewayId", |(_, element)| element), target);
    xml.plain("origin", if target == "local" { "CreateRouteTable" } else { "CreateRoute" });
    xml.plain("state", "active");
}

/// The service model's `SecurityGroup`. Rules are none of the machine's business.
pub(super) fn group(xml: &mut Xml, scene: Scene<'_>, group: &SecurityGroup) {
    xml.plain("groupId", &group.id);
    xml.element("ipPermissionsEgress", |_| {});
    tags(xml, &group.tags);
    xml.plain("vpcId", &group.vpc);
    xml.text("ownerId", scene.account);
    xml.text("groupName", &group.name);
    xml.text("groupDescription", &group.description);
    xml.element("ipPermissions", |_| {});
}

/// The service model's `SecurityGroupForVpc`.
pub(super) fn group_for_vpc(xml: &mut Xml, scene: Scene<'_>, group: &SecurityGroup) {
    xml.text("description", &group.description);
    xml.text("groupName", &group.name);
    xml.text("ownerId", scene.account);
    xml.plain("groupId", &group.id);
    tags(xml, &group.tags);
    xml.plain("primaryVpcId", &group.vpc);
}

/// The service model's `Address`.
pub(super) fn address(xml: &mut Xml, scene: Scene<'_>, address: &ElasticIp) {
    xml.plain("allocationId", &address.allocation);
    xml.plain("domain", "vpc");
    xml.text("networkBorderGroup", scene.region);
    xml.plain("publicIpv4Pool", "amazon");
    xml.plain("publicIp", address.public_ip);
    if let Some(target) = &address.association {
        xml.plain("associationId", &target.id);
        xml.plain("networkInterfaceId", &target.interface);
        xml.text("networkInterfaceOwnerId", scene.account);
        xml.plain("privateIpAddress", target.private_ip);
        if let Some(instance) = &target.instance {
            xml.plain("instanceId", instance);
        }
    }
    tags(xml, &address.tags);
}

/// The service model's `TagDescription`.
pub(super) fn tagged(xml: &mut Xml, tag: &TaggedResource) {
    xml.text("key", &tag.key);
    xml.text("resourceId", &tag.resource);
    xml.plain("resourceType", tag.resource_type);
    xml.text("value", &tag.value);
}
