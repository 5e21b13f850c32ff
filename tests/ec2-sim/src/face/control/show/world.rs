//! The world as JSON, for people.

use serde_json::{Value, json};

use crate::machine::Ec2;
use crate::model::{
    ElasticIp, Instance, Interface, Reservation, ReservationKind, RouteTable, SecurityGroup,
    Subnet, Vpc, mac,
};

/// Everything there is, in truth: not what some reader sees.
pub(super) fn world(ec2: &Ec2) -> Value {
    let truth = ec2.world().truth();
    let settings = ec2.settings();
    json!({
        "region": settings.region,
        "account": settings.account,
        "seed": settings.seed,
        "vpcs": truth.vpcs().map(|it| vpc(it)).collect::<Vec<_>>(),
        "subnets": truth.subnets().map(|it| subnet(&it)).collect::<Vec<_>>(),
        "reservations": truth.reservations().map(|it| reservation(it)).collect::<Vec<_>>(),
        "route_tables": truth.route_tables().map(|it| route_table(it)).collect::<Vec<_>>(),
        "security_groups": truth.security_groups().map(|it| group(it)).collect::<Vec<_>>(),
        "instances": truth.instances().map(|it| instance(it)).collect::<Vec<_>>(),
        "interfaces": truth.interfaces().map(|it| interface(it)).collect::<Vec<_>>(),
        "elastic_ips": truth.elastic_ips().map(|it| elastic_ip(it)).collect::<Vec<_>>(),
    })
}

/// Blocks and addresses as text.
fn texts(values: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

fn vpc(vpc: &Vpc) -> Value {
    json!({
        "id": vpc.id,
        "cidrs": texts(&vpc.ipv4_cidrs),
        "ipv6_cidrs": texts(&vpc.ipv6_cidrs),
        "tags": vpc.tags,
    })
}

fn subnet(subnet: &Subnet) -> Value {
    json!({
        "id": subnet.id,
        "vpc": subnet.vpc,
        "zone": subnet.zone,
        "zone_id": subnet.zone_id,
        "cidr": subnet.ipv4_cidr.to_string(),
        "ipv6_cidr": subnet.ipv6_cidr.map(|cidr| cidr.to_string()),
        "available_ipv4": subnet.available_ipv4,
        "tags": subnet.tags,
    })
}

fn reservation(reservation: &Reservation) -> Value {
    json!({
        "id": reservation.id,
        "subnet": reservation.subnet,
        "cidr": reservation.cidr.to_string(),
        "kind": match reservation.kind {
            ReservationKind::Prefix => "prefix",
            ReservationKind::Explicit => "explicit",
        },
        "description": reservation.description,
        "tags": reservation.tags,
    })
}

fn route_table(table: &RouteTable) -> Value {
    let route = |(destination, target): &(String, String)| json!({"destination": destination, "target": target});
    json!({
        "id": table.id,
        "vpc": table.vpc,
        "main": table.main.is_some(),
        "subnets": table.subnets.iter().map(|(_, subnet)| subnet).collect::<Vec<_>>(),
        "routes": table.routes.iter().map(route).collect::<Vec<_>>(),
        "tags": table.tags,
    })
}

fn group(group: &SecurityGroup) -> Value {
    json!({
        "id": group.id,
        "vpc": group.vpc,
        "name": group.name,
        "description": group.description,
        "tags": group.tags,
    })
}

fn instance(instance: &Instance) -> Value {
    json!({
        "id": instance.id,
        "instance_type": instance.instance_type,
        "state": instance.state,
        "subnet": instance.subnet,
        "zone": instance.zone,
        "private_ip": instance.private_ip,
        "launched_at_us": instance.launched_at.as_micros(),
        "tags": instance.tags,
    })
}

fn interface(interface: &Interface) -> Value {
    let attachment = interface.attachment.as_ref().map(|attachment| {
        json!({
            "id": attachment.id,
            "instance": attachment.instance,
            "instance_owner": attachment.instance_owner,
            "device_index": attachment.device_index,
            "network_card": attachment.network_card,
            "status": attachment.status.name(),
            "delete_on_termination": attachment.delete_on_termination,
        })
    });
    let public = interface.associations.iter();
    let public =
        public.map(|(private, it)| json!({"private_ip": private, "public_ip": it.public_ip}));
    json!({
        "id": interface.id,
        "subnet": interface.subnet,
        "status": interface.status.name(),
        "kind": interface.kind.name(),
        "description": interface.description,
        "mac": mac(interface.mac).to_string(),
        "groups": interface.groups,
        "primary_ip": interface.primary_ip,
        "secondary_ips": interface.secondary_ips,
        "ipv4_prefixes": texts(&interface.ipv4_prefixes),
        "ipv6_addresses": interface.ipv6_addresses,
        "ipv6_prefixes": texts(&interface.ipv6_prefixes),
        "public_ips": public.collect::<Vec<_>>(),
        "attachment": attachment,
        "source_dest_check": interface.source_dest_check,
        "requester": interface.requester,
        "created_at_us": interface.created_at.as_micros(),
        "tags": interface.tags,
    })
}

fn elastic_ip(address: &ElasticIp) -> Value {
    let target = address.association.as_ref();
    json!({
        "allocation": address.allocation,
        "public_ip": address.public_ip,
        "interface": target.map(|target| &target.interface),
        "private_ip": target.map(|target| target.private_ip),
        "tags": address.tags,
    })
}
