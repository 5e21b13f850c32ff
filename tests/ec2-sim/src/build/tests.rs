//! What the control handle refuses, and what it builds.

use super::*;
use crate::id::{InterfaceId, SubnetId};
use crate::script::standard;
use crate::{Ec2, Settings};

#[track_caller]
fn check<Built: std::fmt::Debug>(
    build: impl FnOnce(&mut Builder<'_>, &SubnetId) -> Result<Built, BuildError>,
    expected: &str,
) {
    let mut script = standard();
    let subnet = script.subnet("a");
    let mut builder = script.ec2.build();
    let refused = build(&mut builder, &subnet).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(refused, Err(expected.to_owned()));
    assert_eq!(script.ec2.audit(), []);
}

#[test]
fn networks_must_fit_together() {
    let net = |text: &str| text.parse::<ipnet::Ipv4Net>().expect("a CIDR");
    let vpc = |builder: &Builder<'_>, subnet: &SubnetId| {
        builder.ec2.world().truth().subnet(subnet).expect("it is there").vpc.clone()
    };
    check(
        |builder, _| builder.vpc(NewVpc::new(net("10.0.0.0/8"))),
        "vpc cidr `10.0.0.0/8`: expected /16 to /28, without host bits",
    );
    check(
        |builder, subnet| builder.vpc_cidr(&vpc(builder, subnet), net("10.0.128.0/17")),
        "vpc cidr `10.0.128.0/17`: expected no overlap with 10.0.0.0/16",
    );
    check(
        |builder, subnet| {
            builder.subnet(NewSubnet::new(vpc(builder, subnet), "us-east-1a", net("10.0.9.0/24")))
        },
        "subnet zone `us-east-1a`: expected a zone of eu-west-1, such as eu-west-1a",
    );
    check(
        |builder, subnet| {
            builder.subnet(NewSubnet::new(vpc(builder, subnet), "eu-west-1a", net("10.9.0.0/24")))
        },
        "subnet ipv4_cidr `10.9.0.0/24`: expected /16 to /28 inside of 10.0.0.0/16",
    );
    check(
        |builder, subnet| builder.security_group(NewSecurityGroup::new(vpc(builder, subnet), "g1")),
        "security group `g1` is there already",
    );
    check(
        |builder, _| builder.elastic_ip(NewElasticIp::new([198, 51, 100, 1].into())),
        "elastic ip `198.51.100.1` is there already",
    );
}

#[test]
fn instances_and_interfaces_must_fit_too() {
    check(
        |builder, subnet| builder.instance(NewInstance::new("c5.tiny", subnet.clone())),
        "instance type `c5.tiny` is not in this world",
    );
    let missing = SubnetId::from_number(7);
    check(
        |builder, _| builder.interface(NewInterface::new(missing)),
        "subnet `subnet-00000000000000007` is not in this world",
    );
    let with = |subnet: &SubnetId, fill: fn(&mut NewInterface)| {
        let mut new = NewInterface::new(subnet.clone());
        new.id = Some(InterfaceId::from_number(7));
        fill(&mut new);
        new
    };
    let interface = "interface eni-00000000000000007";
    check(
        |builder, subnet| {
            builder.interface(with(subnet, |new| new.primary_ip = Some([10, 0, 0, 4].into())))
        },
        &format!("{interface}: Address 10.0.0.4 is in use."),
    );
    check(
        |builder, subnet| builder.interface(with(subnet, |new| new.ipv4.prefix_count = 99)),
        &format!("{interface}: There aren't sufficient free Ipv4 addresses or prefixes"),
    );
    check(
        |builder, subnet| {
            let mut new = NewInstance::new("c5.large", subnet.clone());
            new.primary = with(subnet, |new| new.ipv4.address_count = 10);
            builder.instance(new)
        },
        &format!(
            "{interface}: Address count 11 on interface-eni-00000000000000007 exceeds the limit for c5.large"
        ),
    );
}

#[test]
fn ipv6_addresses_are_held_once() {
    let with = |subnet: &SubnetId, addresses: &[&str], prefixes: &[&str]| {
        let mut new = NewInterface::new(subnet.clone());
        new.id = Some(InterfaceId::from_number(7));
        new.ipv6.addresses = addresses.iter().map(|text| text.parse().expect("one")).collect();
        new.ipv6.prefixes = prefixes.iter().map(|text| text.parse().expect("one")).collect();
        new
    };
    let twice = |what: &str| {
        format!("interface eni-00000000000000007: The value {what} is specified more than once.")
    };
    let (address, prefix) = ("2001:db8:0:1:1::1", "2001:db8:0:1:1::/80");
    check(
        |builder, subnet| builder.interface(with(subnet, &[address, address], &[])),
        &twice(address),
    );
    check(
        |builder, subnet| builder.interface(with(subnet, &[], &[prefix, prefix])),
        &twice(prefix),
    );
    check(
        |builder, subnet| builder.interface(with(subnet, &[address], &[prefix])),
        &twice(address),
    );
}

#[test]
fn nobody_waits_for_more_addresses_than_there_are() {
    type Fill = fn(&mut NewInterface);
    let refused = |text: &str| format!("interface eni-00000000000000007: {text}");
    let with = |subnet: &SubnetId, fill: Fill| {
        let mut new = NewInterface::new(subnet.clone());
        new.id = Some(InterfaceId::from_number(7));
        fill(&mut new);
        new
    };
    let short = "The specified subnet does not have enough free addresses to satisfy the request.";
    let fills: [(Fill, &str); 4] = [
        (|new| new.ipv6.address_count = usize::MAX, short),
        (|new| new.ipv6.prefix_count = usize::MAX, short),
        (|new| new.ipv4.address_count = usize::MAX, short),
        (
            |new| new.ipv4.prefix_count = usize::MAX,
            "There aren't sufficient free Ipv4 addresses or prefixes",
        ),
    ];
    for (fill, text) in fills {
        check(|builder, subnet| builder.interface(with(subnet, fill)), &refused(text));
    }
}

#[test]
fn a_recorded_world_can_be_rebuilt() {
    let mut ec2 = Ec2::new(Settings::default());
    let mut builder = ec2.build();
    let net = |text: &str| text.parse::<ipnet::Ipv4Net>().expect("a CIDR");
    let vpc = builder.vpc(NewVpc::new(net("10.0.0.0/16"))).expect("a VPC");
    let mut subnet = NewSubnet::new(vpc, "eu-west-1c", net("10.0.0.0/24"));
    subnet.id = Some("subnet-0a1b2c3d".parse().expect("an id"));
    let subnet = builder.subnet(subnet).expect("a subnet");
    let mut instance = NewInstance::new("m5.large", subnet.clone());
    instance.id = Some("i-0a1b2c3d".parse().expect("an id"));
    instance.primary.primary_ip = Some([10, 0, 0, 7].into());
    instance.primary.ipv4 = Holding {
        addresses: vec![[10, 0, 0, 8].into()],
        address_count: 1,
        prefixes: vec![net("10.0.0.32/28")],
        prefix_count: 1,
    };
    let instance = builder.instance(instance).expect("an instance");
    let second = NewAttachment {
        instance: Some(instance.clone()),
        instance_owner: None,
        device_index: 1,
        network_card: 0,
        delete_on_termination: true,
    };
    let mut interface = NewInterface::new(subnet.clone());
    interface.attachment = Some(second.clone());
    builder.interface(interface.clone()).expect("an interface");
    let again = builder.interface(interface).map_err(|error| error.to_string());
    assert_eq!(
        again,
        Err(format!(
            "instance {instance}: Instance '{instance}' already has an interface attached at device index '1'."
        ))
    );
    builder.leave_blocks(&subnet, 2).expect("a subnet");
    let left = builder.leave_addresses(&subnet, 40).expect("a subnet");
    assert!(left.is_some());
    let reader = ec2.world().truth();
    let subnet = reader.subnet(&subnet).expect("a subnet");
    assert_eq!((subnet.available_ipv4, subnet.zone_id.as_str()), (40, "euw1-az3"));
    assert_eq!(
        reader.interfaces_of(&instance).map(|interface| interface.ipv4_slots()).sum::<usize>(),
        6
    );
    assert_eq!(ec2.links(ec2.now(), &instance).len(), 2);
    assert_eq!(ec2.audit(), []);
}
