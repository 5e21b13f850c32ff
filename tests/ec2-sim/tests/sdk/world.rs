//! The Region that the scripts talk about.

use std::net::Ipv4Addr;

use ec2_sim::build::{
    Builder, NewAttachment, NewElasticIp, NewInstance, NewInterface, NewRouteTable,
    NewSecurityGroup, NewSubnet, NewVpc,
};
use ec2_sim::id::{AllocationId, GroupId, InstanceId, InterfaceId, RouteTableId, SubnetId, VpcId};
use ec2_sim::model::{InterfaceKind, Tags};
use ec2_sim::{Settings, throttle};
use ipnet::Ipv4Net;

use crate::words::Names;

/// No throttling, no latency, no lag; the lowest address that is free is the next one.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings { buckets: throttle::Settings::unlimited(), ..Settings::default() };
    settings.assumptions.set("pick-policy", "lowest-first").expect("an assumption");
    settings
}

/// Name, number, zone, CIDR.
const SUBNETS: &[(&str, u64, &str, &str)] = &[
    ("nodes-a", 1, "eu-west-1a", "10.0.0.0/24"),
    ("nodes-b", 2, "eu-west-1b", "10.0.1.0/24"),
    ("pods-a", 3, "eu-west-1a", "10.0.2.0/24"),
    ("few-a", 4, "eu-west-1a", "10.0.4.0/28"),
    ("tiny-a", 5, "eu-west-1a", "10.0.5.0/26"),
];

/// Name, number, type, number of the subnet, address.
const INSTANCES: &[(&str, u64, &str, u64, [u8; 4])] = &[
    ("node-1", 1, "m5.large", 1, [10, 0, 0, 10]),
    ("node-2", 2, "m5.large", 2, [10, 0, 1, 10]),
    ("big", 3, "c6in.32xlarge", 1, [10, 0, 0, 11]),
    ("old", 4, "t2.micro", 1, [10, 0, 0, 12]),
];

fn cidr(text: &str) -> Ipv4Net {
    text.parse().expect("a CIDR")
}

fn named(name: &str) -> Tags {
    Tags::from([("Name".to_owned(), name.to_owned())])
}

/// Builds it. Every object has a name, and instances' interfaces are called after them.
pub(crate) fn build(builder: &mut Builder<'_>) -> Names {
    let mut names = Names::default();
    let vpc = VpcId::from_number(1);
    names.learn("main", vpc.as_str());
    network(builder, &vpc, &mut names);
    for (name, number, kind, subnet, address) in INSTANCES {
        let mut new = NewInstance::new(kind, SubnetId::from_number(*subnet));
        new.id = Some(InstanceId::from_number(*number));
        new.primary.id = Some(InterfaceId::from_number(*number));
        new.primary.primary_ip = Some(Ipv4Addr::from(*address));
        new.tags = named(name);
        names.learn(name, InstanceId::from_number(*number).as_str());
        names.learn(&format!("{name}-eth0"), InterfaceId::from_number(*number).as_str());
        builder.instance(new).expect("an instance");
    }
    let mut balancer = NewInterface::new(SubnetId::from_number(2));
    balancer.id = Some(InterfaceId::from_number(9));
    balancer.primary_ip = Some(Ipv4Addr::new(10, 0, 1, 9));
    balancer.kind = InterfaceKind::Other("network_load_balancer".to_owned());
    balancer.requester = Some("amazon-elb".to_owned());
    balancer.attachment = Some(NewAttachment {
        instance: None,
        instance_owner: Some("amazon-elb".to_owned()),
        device_index: 1,
        network_card: 0,
        delete_on_termination: false,
    });
    names.learn("balancer", InterfaceId::from_number(9).as_str());
    builder.interface(balancer).expect("an interface");
    let mut spare = NewInterface::new(SubnetId::from_number(2));
    spare.id = Some(InterfaceId::from_number(8));
    spare.primary_ip = Some(Ipv4Addr::new(10, 0, 1, 8));
    names.learn("spare", InterfaceId::from_number(8).as_str());
    builder.interface(spare).expect("an interface");
    names
}

fn network(builder: &mut Builder<'_>, vpc: &VpcId, names: &mut Names) {
    let mut new = NewVpc::new(cidr("10.0.0.0/16"));
    new.id = Some(vpc.clone());
    new.secondary_cidrs = vec![cidr("100.64.0.0/16")];
    new.ipv6_cidrs = vec!["2001:db8:1234:1a00::/56".parse().expect("a CIDR")];
    new.default_group = Some(GroupId::from_number(1));
    new.main_route_table = Some(RouteTableId::from_number(1));
    new.tags = named("main");
    builder.vpc(new).expect("a VPC");
    names.learn("default", GroupId::from_number(1).as_str());
    names.learn("rest", RouteTableId::from_number(1).as_str());
    for (name, number, zone, block) in SUBNETS {
        let mut new = NewSubnet::new(vpc.clone(), zone, cidr(block));
        new.id = Some(SubnetId::from_number(*number));
        new.tags = named(name);
        if *name == "pods-a" {
            new.ipv6_cidr = Some("2001:db8:1234:1a02::/64".parse().expect("a CIDR"));
        }
        names.learn(name, SubnetId::from_number(*number).as_str());
        builder.subnet(new).expect("a subnet");
    }
    let mut group = NewSecurityGroup::new(vpc.clone(), "pods");
    group.id = Some(GroupId::from_number(2));
    names.learn("pod-group", GroupId::from_number(2).as_str());
    builder.security_group(group).expect("a group");
    let mut table = NewRouteTable::new(vpc.clone());
    table.id = Some(RouteTableId::from_number(2));
    table.subnets = vec![SubnetId::from_number(1)];
    table.routes = vec![("0.0.0.0/0".to_owned(), "igw-0123456789abcdef0".to_owned())];
    names.learn("public", RouteTableId::from_number(2).as_str());
    builder.route_table(table).expect("a route table");
    let mut address = NewElasticIp::new(Ipv4Addr::new(198, 51, 100, 1));
    address.allocation = Some(AllocationId::from_number(1));
    names.learn("egress", AllocationId::from_number(1).as_str());
    builder.elastic_ip(address).expect("an address");
}
