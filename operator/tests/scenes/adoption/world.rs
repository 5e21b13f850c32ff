//! The EC2 that a recorded object describes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ec2_sim::build::{
    Holding, NewAttachment, NewInstance, NewInterface, NewSecurityGroup, NewSubnet, NewVpc,
};
use ec2_sim::id::InstanceId;
use ec2_sim::instance_types;
use ec2_sim::model::{Tags, mac};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

use crate::rig::Rig;

fn read<T: FromStr<Err: Debug>>(value: &Value) -> T {
    let text = value.as_str().unwrap_or_else(|| panic!("{value}: expected a text"));
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn list<T: FromStr<Err: Debug>>(value: &Value) -> Vec<T> {
    value.as_array().into_iter().flatten().map(read).collect()
}

fn tags(value: &Value) -> Tags {
    if value.is_null() { Tags::new() } else { serde_json::from_value(value.clone()).unwrap() }
}

/// Builds what the object describes, and returns the object with the hardware addresses of the interfaces that were built:
/// they are the one thing that nobody can ask EC2 for.
pub(super) fn build(rig: &Rig, object: &Value) -> Value {
    let enis: BTreeMap<String, Value> = match &object["status"]["eni"]["enis"] {
        Value::Null => BTreeMap::new(),
        enis => serde_json::from_value(enis.clone()).unwrap(),
    };
    if enis.is_empty() {
        return object.clone();
    }
    let eni = &object["spec"]["eni"];
    network(rig, eni, &enis);
    let instance: InstanceId = read(&object["spec"]["instance-id"]);
    let kind = eni["instance-type"].as_str().unwrap();
    let kind = instance_types::find(kind).map_or("m5.large", |_| kind);
    let mut ordered: Vec<&Value> = enis.values().collect();
    ordered.sort_by_key(|eni| eni["number"].as_u64().unwrap_or(0));
    let primary = interface(ordered[0], &instance);
    let new = NewInstance {
        id: Some(instance.clone()),
        primary: NewInterface { attachment: None, ..primary.clone() },
        ..NewInstance::new(kind, primary.subnet)
    };
    rig.ec2.with(|ec2, _| ec2.build().instance(new)).unwrap();
    for eni in &ordered[1..] {
        let new = interface(eni, &instance);
        rig.ec2.with(|ec2, _| ec2.build().interface(new)).unwrap();
    }
    with_macs(rig, object, &enis)
}

/// VPC, subnets and groups, with the tags that the node selects them by.
fn network(rig: &Rig, spec: &Value, enis: &BTreeMap<String, Value>) {
    let any = enis.values().next().unwrap();
    let vpc = NewVpc {
        id: Some(read(&any["vpc"]["id"])),
        secondary_cidrs: list(&any["vpc"]["cidrs"]),
        ipv6_cidrs: vec!["2400:6500:6a80:3100::/56".parse().unwrap()],
        ..NewVpc::new(read(&any["vpc"]["primary-cidr"]))
    };
    let id = rig.ec2.with(|ec2, _| ec2.build().vpc(vpc)).unwrap();
    let subnets: BTreeSet<(String, String)> = enis
        .values()
        .map(|eni| (read(&eni["subnet"]["id"]), read(&eni["subnet"]["cidr"])))
        .collect();
    for (number, (subnet, cidr)) in subnets.iter().enumerate() {
        let chosen = Some(subnet.as_str()) != spec["node-subnet-id"].as_str();
        let new = NewSubnet {
            id: Some(subnet.parse().unwrap()),
            ipv6_cidr: Some(format!("2400:6500:6a80:31{number:02x}::/64").parse().unwrap()),
            tags: if chosen { tags(&spec["subnet-tags"]) } else { Tags::new() },
            ..NewSubnet::new(
                id.clone(),
                spec["availability-zone"].as_str().unwrap(),
                cidr.parse().unwrap(),
            )
        };
        rig.ec2.with(|ec2, _| ec2.build().subnet(new)).unwrap();
    }
    let groups: BTreeSet<String> =
        enis.values().flat_map(|eni| list::<String>(&eni["security-groups"])).collect();
    for group in groups {
        let new = NewSecurityGroup {
            id: Some(group.parse().unwrap()),
            tags: tags(&spec["security-group-tags"]),
            ..NewSecurityGroup::new(id.clone(), &group)
        };
        rig.ec2.with(|ec2, _| ec2.build().security_group(new)).unwrap();
    }
}

fn interface(eni: &Value, instance: &InstanceId) -> NewInterface {
    let prefixes: Vec<Ipv4Net> = list(&eni["prefixes"]);
    let outside = |one: &Ipv4Addr| !prefixes.iter().any(|prefix| prefix.contains(one));
    let addresses: Vec<Ipv4Addr> = list(&eni["addresses"]);
    NewInterface {
        id: Some(read(&eni["id"])),
        description: eni["description"].as_str().unwrap_or_default().to_owned(),
        groups: list(&eni["security-groups"]),
        primary_ip: Some(read(&eni["ip"])),
        ipv4: Holding {
            addresses: addresses.into_iter().filter(outside).collect(),
            prefixes,
            ..Holding::default()
        },
        ipv6: Holding { prefixes: list(&eni["ipv6-prefixes"]), ..Holding::default() },
        attachment: Some(NewAttachment {
            instance: Some(instance.clone()),
            instance_owner: None,
            device_index: eni["number"].as_u64().unwrap_or(0).try_into().unwrap(),
            network_card: 0,
            delete_on_termination: true,
        }),
        tags: tags(&eni["tags"]),
        ..NewInterface::new(read(&eni["subnet"]["id"]))
    }
}

fn with_macs(rig: &Rig, object: &Value, enis: &BTreeMap<String, Value>) -> Value {
    let mut object = object.clone();
    for id in enis.keys() {
        let octets =
            rig.ec2.with(|ec2, _| ec2.world().truth().interface(&id.parse().unwrap()).unwrap().mac);
        object["status"]["eni"]["enis"][id]["mac"] = json!(mac(octets).to_string());
    }
    object
}
