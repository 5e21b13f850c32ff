//! Answers as XML.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::id::{
    AddressAssociationId, AllocationId, AttachmentId, GroupId, InstanceId, InterfaceId,
    RouteAssociationId, RouteTableId, SubnetId, VpcId,
};
use crate::model::{
    Association, Attachment, AttachmentStatus, Instance, InstanceState, Interface, InterfaceKind,
    InterfaceStatus, RouteTable, SecurityGroup, Subnet, Tags, Vpc,
};
use crate::protocol::{Scene, encode};
use crate::reply::{InstanceView, InterfaceView, Listed, Reply, TaggedResource};
use crate::time::Moment;

/// 2026-01-01T00:00:00Z at the start.
const STARTED_AT: i64 = 1_767_225_600_000_000;

pub(super) fn scene() -> Scene<'static> {
    let wall_clock = &|moment: Moment| STARTED_AT + i64::try_from(moment.as_micros()).unwrap();
    Scene { account: "123456789012", region: "eu-west-1", wall_clock }
}

/// `expected` is what stands inside of the outermost element behind the request's id, an element a line.
#[track_caller]
fn check(reply: Reply, name: &str, expected: &str) {
    let response = encode(scene(), "r", &Ok(reply));
    assert_eq!(response.status, 200);
    let head = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <{name}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>"
    );
    let body = response.body.strip_prefix(&head).expect("begins as every response does");
    let body =
        body.strip_suffix(&format!("</{name}Response>")).expect("ends as every response does");
    let expected: String = expected.lines().map(str::trim_start).collect();
    assert_eq!(body.replace("><", ">\n<"), expected.replace("><", ">\n<"));
}

fn tags() -> Tags {
    Tags::from([("team".to_owned(), "a<b&c".to_owned())])
}

fn interface() -> InterfaceView {
    let attachment = Attachment {
        id: AttachmentId::from_number(1),
        instance: Some(InstanceId::from_number(1)),
        instance_owner: "123456789012".to_owned(),
        device_index: 1,
        network_card: 0,
        status: AttachmentStatus::Attached,
        delete_on_termination: true,
        attached_at: Moment::START + Duration::from_millis(1_500),
    };
    let association = Association {
        id: AddressAssociationId::from_number(1),
        allocation: AllocationId::from_number(1),
        public_ip: [198, 51, 100, 1].into(),
    };
    let interface = Interface {
        id: InterfaceId::from_number(1),
        subnet: SubnetId::from_number(1),
        vpc: VpcId::from_number(1),
        zone: "eu-west-1a".to_owned(),
        description: "for pods".to_owned(),
        mac: [2, 0, 0, 0, 0, 0x1f],
        kind: InterfaceKind::Interface,
        status: InterfaceStatus::InUse,
        groups: vec![GroupId::from_number(1)],
        primary_ip: [10, 0, 0, 4].into(),
        secondary_ips: vec![[10, 0, 0, 5].into()],
        ipv4_prefixes: vec!["10.0.0.16/28".parse().unwrap()],
        ipv6_addresses: vec!["2001:db8::5".parse().unwrap()],
        ipv6_prefixes: vec!["2001:db8:0:0:1::/80".parse().unwrap()],
        associations: BTreeMap::from([([10, 0, 0, 5].into(), association)]),
        attachment: Some(attachment),
        source_dest_check: true,
        requester: None,
        created_at: Moment::START,
        loose_since: Moment::START,
        tags: tags(),
    };
    InterfaceView { interface: Arc::new(interface), group_names: Arc::from(["default".to_owned()]) }
}

#[test]
fn interfaces_have_all_their_parts() {
    let listed = Listed { items: vec![interface()], next_token: Some("t".to_owned()) };
    check(
        Reply::DescribeNetworkInterfaces(listed),
        "DescribeNetworkInterfaces",
        "<networkInterfaceSet><item>
         <attachment><attachTime>2026-01-01T00:00:01.500Z</attachTime><attachmentId>eni-attach-00000000000000001</attachmentId>
         <deleteOnTermination>true</deleteOnTermination><deviceIndex>1</deviceIndex><networkCardIndex>0</networkCardIndex>
         <instanceId>i-00000000000000001</instanceId><instanceOwnerId>123456789012</instanceOwnerId><status>attached</status>
         </attachment><availabilityZone>eu-west-1a</availabilityZone>
         <groupSet><item><groupId>sg-00000000000000001</groupId><groupName>default</groupName></item></groupSet>
         <description>for pods</description><interfaceType>interface</interfaceType>
         <ipv6AddressesSet><item><ipv6Address>2001:db8::5</ipv6Address><isPrimaryIpv6>false</isPrimaryIpv6></item></ipv6AddressesSet>
         <macAddress>02:00:00:00:00:1f</macAddress><networkInterfaceId>eni-00000000000000001</networkInterfaceId>
         <ownerId>123456789012</ownerId><privateDnsName>ip-10-0-0-4.eu-west-1.compute.internal</privateDnsName>
         <privateIpAddress>10.0.0.4</privateIpAddress><privateIpAddressesSet>
         <item><primary>true</primary><privateDnsName>ip-10-0-0-4.eu-west-1.compute.internal</privateDnsName>
         <privateIpAddress>10.0.0.4</privateIpAddress></item>
         <item><association><allocationId>eipalloc-00000000000000001</allocationId>
         <associationId>eipassoc-00000000000000001</associationId><ipOwnerId>123456789012</ipOwnerId>
         <publicDnsName>ec2-198-51-100-1.eu-west-1.compute.amazonaws.com</publicDnsName><publicIp>198.51.100.1</publicIp></association>
         <primary>false</primary><privateDnsName>ip-10-0-0-5.eu-west-1.compute.internal</privateDnsName>
         <privateIpAddress>10.0.0.5</privateIpAddress></item></privateIpAddressesSet>
         <ipv4PrefixSet><item><ipv4Prefix>10.0.0.16/28</ipv4Prefix></item></ipv4PrefixSet>
         <ipv6PrefixSet><item><ipv6Prefix>2001:db8:0:0:1::/80</ipv6Prefix></item></ipv6PrefixSet>
         <sourceDestCheck>true</sourceDestCheck><status>in-use</status><subnetId>subnet-00000000000000001</subnetId>
         <vpcId>vpc-00000000000000001</vpcId><operator><managed>false</managed></operator>
         <requesterManaged>false</requesterManaged>
         <tagSet><item><key>team</key><value>a&lt;b&amp;c</value></item></tagSet>
         </item></networkInterfaceSet><nextToken>t</nextToken>",
    );
}

#[test]
fn assigning_tells_of_the_new_ones() {
    check(
        Reply::AssignPrivateIpAddresses {
            interface: InterfaceId::from_number(1),
            addresses: vec![[10, 0, 0, 5].into()],
            prefixes: vec!["10.0.0.16/28".parse().unwrap()],
        },
        "AssignPrivateIpAddresses",
        "<networkInterfaceId>eni-00000000000000001</networkInterfaceId>
         <assignedPrivateIpAddressesSet><item><privateIpAddress>10.0.0.5</privateIpAddress></item></assignedPrivateIpAddressesSet>
         <assignedIpv4PrefixSet><item><ipv4Prefix>10.0.0.16/28</ipv4Prefix></item></assignedIpv4PrefixSet><return>true</return>",
    );
    check(
        Reply::AssignIpv6Addresses {
            interface: InterfaceId::from_number(1),
            addresses: vec!["2001:db8::5".parse().unwrap()],
            prefixes: Vec::new(),
        },
        "AssignIpv6Addresses",
        "<assignedIpv6Addresses><item>2001:db8::5</item></assignedIpv6Addresses><assignedIpv6PrefixSet></assignedIpv6PrefixSet>
         <networkInterfaceId>eni-00000000000000001</networkInterfaceId>",
    );
}

#[test]
fn what_has_nothing_to_say_says_true() {
    check(Reply::CreateTags, "CreateTags", "<return>true</return>");
    check(Reply::DetachNetworkInterface, "DetachNetworkInterface", "<return>true</return>");
}

#[test]
fn terminated_instances_have_no_place_in_the_network() {
    let instance = Instance {
        id: InstanceId::from_number(1),
        instance_type: "m6g.large".to_owned(),
        state: InstanceState::Terminated,
        subnet: SubnetId::from_number(1),
        vpc: VpcId::from_number(1),
        zone: "eu-west-1a".to_owned(),
        private_ip: [10, 0, 0, 4].into(),
        launched_at: Moment::START,
        tags: Tags::new(),
    };
    let view = InstanceView {
        instance: Arc::new(instance),
        interfaces: vec![interface()],
        groups: Vec::new(),
    };
    check(
        Reply::DescribeInstances(Listed { items: vec![view], next_token: None }),
        "DescribeInstances",
        "<reservationSet><item><reservationId>r-00000000000000001</reservationId><ownerId>123456789012</ownerId>
         <groupSet></groupSet><instancesSet><item><architecture>arm64</architecture><blockDeviceMapping></blockDeviceMapping>
         <ebsOptimized>true</ebsOptimized><enaSupport>true</enaSupport><hypervisor>xen</hypervisor>
         <networkInterfaceSet></networkInterfaceSet><rootDeviceName>/dev/xvda</rootDeviceName><rootDeviceType>ebs</rootDeviceType>
         <groupSet></groupSet><sourceDestCheck>true</sourceDestCheck><tagSet></tagSet><virtualizationType>hvm</virtualizationType>
         <instanceId>i-00000000000000001</instanceId><imageId>ami-00000000000000001</imageId>
         <instanceState><code>48</code><name>terminated</name></instanceState>
         <placement><availabilityZone>eu-west-1a</availabilityZone><tenancy>default</tenancy></placement>
         <privateDnsName></privateDnsName><amiLaunchIndex>0</amiLaunchIndex><instanceType>m6g.large</instanceType>
         <launchTime>2026-01-01T00:00:00.000Z</launchTime><monitoring><state>disabled</state></monitoring>
         </item></instancesSet></item></reservationSet>",
    );
}

#[test]
fn networks_are_told_of() {
    let vpc = Vpc {
        id: VpcId::from_number(1),
        ipv4_cidrs: vec!["10.0.0.0/16".parse().unwrap(), "10.1.0.0/16".parse().unwrap()],
        ipv6_cidrs: Vec::new(),
        tags: Tags::new(),
    };
    check(
        Reply::DescribeVpcs(Listed { items: vec![Arc::new(vpc)], next_token: None }),
        "DescribeVpcs",
        "<vpcSet><item><ownerId>123456789012</ownerId><instanceTenancy>default</instanceTenancy>
         <ipv6CidrBlockAssociationSet></ipv6CidrBlockAssociationSet><cidrBlockAssociationSet>
         <item><associationId>vpc-cidr-assoc-00000000000000001</associationId><cidrBlock>10.0.0.0/16</cidrBlock>
         <cidrBlockState><state>associated</state></cidrBlockState></item>
         <item><associationId>vpc-cidr-assoc-01000000000000001</associationId><cidrBlock>10.1.0.0/16</cidrBlock>
         <cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet>
         <isDefault>false</isDefault><tagSet></tagSet><vpcId>vpc-00000000000000001</vpcId><state>available</state>
         <cidrBlock>10.0.0.0/16</cidrBlock><dhcpOptionsId>default</dhcpOptionsId></item></vpcSet>",
    );
    let subnet = Subnet {
        id: SubnetId::from_number(1),
        vpc: VpcId::from_number(1),
        zone: "eu-west-1a".to_owned(),
        zone_id: "euw1-az1".to_owned(),
        ipv4_cidr: "10.0.0.0/24".parse().unwrap(),
        ipv6_cidr: Some("2001:db8::/64".parse().unwrap()),
        available_ipv4: 251,
        tags: Tags::new(),
    };
    check(
        Reply::DescribeSubnets(Listed { items: vec![Arc::new(subnet)], next_token: None }),
        "DescribeSubnets",
        "<subnetSet><item><availabilityZoneId>euw1-az1</availabilityZoneId>
         <mapCustomerOwnedIpOnLaunch>false</mapCustomerOwnedIpOnLaunch><ownerId>123456789012</ownerId>
         <assignIpv6AddressOnCreation>false</assignIpv6AddressOnCreation><ipv6CidrBlockAssociationSet>
         <item><associationId>ipv6-cidr-assoc-00000000000000001</associationId><ipv6CidrBlock>2001:db8::/64</ipv6CidrBlock>
         <ipv6CidrBlockState><state>associated</state></ipv6CidrBlockState></item></ipv6CidrBlockAssociationSet><tagSet></tagSet>
         <subnetArn>arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-00000000000000001</subnetArn>
         <enableDns64>false</enableDns64><ipv6Native>false</ipv6Native><subnetId>subnet-00000000000000001</subnetId>
         <state>available</state><vpcId>vpc-00000000000000001</vpcId><cidrBlock>10.0.0.0/24</cidrBlock>
         <availableIpAddressCount>251</availableIpAddressCount><availabilityZone>eu-west-1a</availabilityZone>
         <defaultForAz>false</defaultForAz><mapPublicIpOnLaunch>false</mapPublicIpOnLaunch></item></subnetSet>",
    );
}

#[test]
fn routes_name_their_targets_by_kind() {
    let route = |destination: &str, target: &str| (destination.to_owned(), target.to_owned());
    let table = RouteTable {
        id: RouteTableId::from_number(1),
        vpc: VpcId::from_number(1),
        main: Some(RouteAssociationId::from_number(1)),
        subnets: vec![(RouteAssociationId::from_number(2), SubnetId::from_number(1))],
        routes: vec![
            route("10.0.0.0/16", "local"),
            route("::/0", "eigw-1"),
            route("0.0.0.0/0", "nat-1"),
        ],
        tags: Tags::new(),
    };
    check(
        Reply::DescribeRouteTables(Listed { items: vec![Arc::new(table)], next_token: None }),
        "DescribeRouteTables",
        "<routeTableSet><item><associationSet><item><main>true</main>
         <routeTableAssociationId>rtbassoc-00000000000000001</routeTableAssociationId>
         <routeTableId>rtb-00000000000000001</routeTableId><associationState><state>associated</state></associationState></item>
         <item><main>false</main><routeTableAssociationId>rtbassoc-00000000000000002</routeTableAssociationId>
         <routeTableId>rtb-00000000000000001</routeTableId><subnetId>subnet-00000000000000001</subnetId>
         <associationState><state>associated</state></associationState></item></associationSet>
         <propagatingVgwSet></propagatingVgwSet><routeTableId>rtb-00000000000000001</routeTableId><routeSet>
         <item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId>
         <origin>CreateRouteTable</origin><state>active</state></item>
         <item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock>
         <egressOnlyInternetGatewayId>eigw-1</egressOnlyInternetGatewayId><origin>CreateRoute</origin><state>active</state></item>
         <item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId>
         <origin>CreateRoute</origin><state>active</state></item></routeSet>
         <tagSet></tagSet><vpcId>vpc-00000000000000001</vpcId><ownerId>123456789012</ownerId></item></routeTableSet>",
    );
}

#[test]
fn groups_and_tags_are_told_of() {
    let group = SecurityGroup {
        id: GroupId::from_number(1),
        vpc: VpcId::from_number(1),
        name: "default".to_owned(),
        description: "d".to_owned(),
        tags: Tags::new(),
    };
    check(
        Reply::GetSecurityGroupsForVpc(Listed { items: vec![Arc::new(group)], next_token: None }),
        "GetSecurityGroupsForVpc",
        "<securityGroupForVpcSet><item><description>d</description><groupName>default</groupName>
         <ownerId>123456789012</ownerId><groupId>sg-00000000000000001</groupId><tagSet></tagSet>
         <primaryVpcId>vpc-00000000000000001</primaryVpcId></item></securityGroupForVpcSet>",
    );
    let tag = TaggedResource {
        resource: "eni-00000000000000001".to_owned(),
        resource_type: "network-interface",
        key: "team".to_owned(),
        value: "a".to_owned(),
    };
    check(
        Reply::DescribeTags(Listed { items: vec![tag], next_token: None }),
        "DescribeTags",
        "<tagSet><item><key>team</key><resourceId>eni-00000000000000001</resourceId>
         <resourceType>network-interface</resourceType><value>a</value></item></tagSet>",
    );
}

/// The elements `names` of a reply, in its order, each as it is written when it is there.
#[track_caller]
fn check_empty(reply: Reply, expected: &[(&str, bool)]) {
    let body = encode(scene(), "r", &Ok(reply)).body;
    for (name, there) in expected {
        assert_eq!(body.contains(&format!("<{name}></{name}>")), *there, "{name}:\n{body}");
        assert!(*there || !body.contains(name), "{name}:\n{body}");
    }
}

#[test]
fn empty_sets_are_written_but_for_those_of_prefixes() {
    let InterfaceView { interface, .. } = interface();
    let bare = Interface {
        secondary_ips: Vec::new(),
        ipv4_prefixes: Vec::new(),
        ipv6_addresses: Vec::new(),
        ipv6_prefixes: Vec::new(),
        groups: Vec::new(),
        tags: Tags::new(),
        ..Interface::clone(&interface)
    };
    let bare = InterfaceView { interface: Arc::new(bare), group_names: Arc::from([]) };
    let sets = [
        ("groupSet", true),
        ("ipv6AddressesSet", true),
        ("ipv4PrefixSet", false),
        ("ipv6PrefixSet", false),
        ("tagSet", true),
    ];
    let listed = Listed { items: vec![bare], next_token: None };
    check_empty(Reply::DescribeNetworkInterfaces(listed), &sets);
    let nothing = Listed { items: Vec::new(), next_token: None };
    check_empty(Reply::DescribeNetworkInterfaces(nothing), &[("networkInterfaceSet", true)]);
    check_empty(Reply::DescribeAddresses(Vec::new()), &[("addressesSet", true)]);
}
