//! Refusals by their causes, decoded by the SDK into a code and a text; and every code, as a fault.

use std::collections::BTreeSet;

use ec2_sim::fault::{Code, Effect, Rule};
use ec2_sim::id::SubnetId;
use ec2_sim::world::Principal;
use ec2_sim::{Action, Settings};

use crate::bed::{Bed, through_both_faces};
use crate::world;

through_both_faces! {
    what_does_not_exist_is_named,
    malformed_ids_are_refused,
    slots_and_cards_are_limited,
    attachments_have_rules,
    addresses_run_out,
    blocks_run_out,
    taken_addresses_are_refused,
    parameters_exclude_each_other,
    permissions_are_asked_for,
    quotas_hold with few_interfaces,
    large_scans_must_be_paged with small_scans,
    every_code_is_decoded,
}

fn few_interfaces() -> Settings {
    let mut settings = world::settings();
    settings.quotas.interfaces = 7;
    settings.quotas.groups_per_interface = 1;
    settings
}

fn small_scans() -> Settings {
    let mut settings = world::settings();
    settings.assumptions.set("unpaginated-limit", "4").expect("an assumption");
    settings
}

async fn what_does_not_exist_is_named(mut bed: Bed) {
    for (call, code) in [
        (
            "DescribeNetworkInterfaces NetworkInterfaceIds=eni-0000000a",
            "InvalidNetworkInterfaceID.NotFound",
        ),
        ("DescribeInstances InstanceIds=i-0000000a", "InvalidInstanceID.NotFound"),
        ("DescribeSubnets SubnetIds=subnet-0000000a", "InvalidSubnetID.NotFound"),
        ("DescribeVpcs VpcIds=vpc-0000000a", "InvalidVpcID.NotFound"),
        ("DescribeSecurityGroups GroupIds=sg-0000000a", "InvalidGroup.NotFound"),
        ("DescribeRouteTables RouteTableIds=rtb-0000000a", "InvalidRouteTableID.NotFound"),
        ("DescribeAddresses AllocationIds=eipalloc-0000000a", "InvalidAllocationID.NotFound"),
        ("DescribeInstanceTypes InstanceTypes=m5.tiny", "InvalidInstanceType"),
        ("GetSecurityGroupsForVpc VpcId=vpc-0000000a", "InvalidVpcID.NotFound"),
        ("CreateNetworkInterface SubnetId=subnet-0000000a", "InvalidSubnetID.NotFound"),
        ("CreateNetworkInterface SubnetId=pods-a Groups=sg-0000000a", "InvalidGroup.NotFound"),
        (
            "CreateSubnetCidrReservation SubnetId=subnet-0000000a Cidr=10.0.2.0/28 ReservationType=prefix",
            "InvalidSubnetID.NotFound",
        ),
        (
            "DeleteNetworkInterface NetworkInterfaceId=eni-0000000a",
            "InvalidNetworkInterfaceID.NotFound",
        ),
        ("DetachNetworkInterface AttachmentId=eni-attach-0000000a", "InvalidAttachmentID.NotFound"),
        (
            "AttachNetworkInterface NetworkInterfaceId=eni-0000000a InstanceId=node-1 DeviceIndex=1",
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            "AttachNetworkInterface NetworkInterfaceId=spare InstanceId=i-0000000a DeviceIndex=1",
            "InvalidInstanceID.NotFound",
        ),
        (
            "ModifyNetworkInterfaceAttribute NetworkInterfaceId=eni-0000000a Description=a",
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            "AssignPrivateIpAddresses NetworkInterfaceId=eni-0000000a Ipv4PrefixCount=1",
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            "UnassignPrivateIpAddresses NetworkInterfaceId=eni-0000000a PrivateIpAddresses=10.0.2.9",
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            "AssignIpv6Addresses NetworkInterfaceId=eni-0000000a Ipv6AddressCount=1",
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            "UnassignIpv6Addresses NetworkInterfaceId=eni-0000000a Ipv6Addresses=2001:db8::1",
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            "AssociateAddress AllocationId=eipalloc-0000000a InstanceId=node-1",
            "InvalidAllocationID.NotFound",
        ),
        ("CreateTags Resources=subnet-0000000a Tags=a:b", "InvalidSubnetID.NotFound"),
    ] {
        bed.check(call, &format!("{code}: …")).await;
    }
}

async fn malformed_ids_are_refused(mut bed: Bed) {
    for (call, code) in [
        (
            "DescribeNetworkInterfaces NetworkInterfaceIds=interface",
            "InvalidNetworkInterfaceID.Malformed",
        ),
        ("DescribeInstances InstanceIds=eni-0000000a", "InvalidInstanceID.Malformed"),
        ("DescribeSubnets SubnetIds=subnet-1", "InvalidSubnetID.Malformed"),
        (
            "DetachNetworkInterface AttachmentId=eni-0000000a",
            "InvalidNetworkInterfaceAttachmentId.Malformed",
        ),
        ("CreateNetworkInterface SubnetId=pods", "InvalidSubnetID.Malformed"),
        (
            "AssignPrivateIpAddresses NetworkInterfaceId=node-1-eth0 PrivateIpAddresses=10.0.0",
            "InvalidParameterValue",
        ),
        (
            "AssignPrivateIpAddresses NetworkInterfaceId=node-1-eth0 Ipv4Prefixes=10.0.0.8/28",
            "InvalidParameterValue",
        ),
        (
            "AssignPrivateIpAddresses NetworkInterfaceId=node-1-eth0 Ipv4Prefixes=10.0.0.32/27",
            "InvalidParameterValue",
        ),
    ] {
        bed.check(call, &format!("{code}: …")).await;
    }
}

async fn slots_and_cards_are_limited(mut bed: Bed) {
    bed.check(
        "AssignPrivateIpAddresses NetworkInterfaceId=node-1-eth0 SecondaryPrivateIpAddressCount=10
         AssignPrivateIpAddresses NetworkInterfaceId=node-1-eth0 Ipv4PrefixCount=9
         AssignPrivateIpAddresses NetworkInterfaceId=node-1-eth0 SecondaryPrivateIpAddressCount=1
         AssignPrivateIpAddresses NetworkInterfaceId=old-eth0 Ipv4PrefixCount=1
         a = CreateNetworkInterface SubnetId=pods-a SecondaryPrivateIpAddressCount=10
         AttachNetworkInterface NetworkInterfaceId=a InstanceId=node-1 DeviceIndex=1
         b = CreateNetworkInterface SubnetId=pods-a
         c = CreateNetworkInterface SubnetId=pods-a
         d = CreateNetworkInterface SubnetId=pods-a
         AttachNetworkInterface NetworkInterfaceId=b InstanceId=node-1 DeviceIndex=1
         AttachNetworkInterface NetworkInterfaceId=c InstanceId=node-1 DeviceIndex=2
         AttachNetworkInterface NetworkInterfaceId=d InstanceId=node-1 DeviceIndex=3
         AttachNetworkInterface NetworkInterfaceId=d InstanceId=big DeviceIndex=1 NetworkCardIndex=1",
        "PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit.
         node-1-eth0 +…
         PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit.
         InvalidParameterValue: …
         10.0.2.4 +10.0.2.5 +10.0.2.6 +10.0.2.7 +10.0.2.8 +10.0.2.9 +10.0.2.10 +10.0.2.11 +10.0.2.12 +10.0.2.13 +10.0.2.14
         InvalidInterface.IpAddressLimitExceeded: Address count 11 on interface-a exceeds the limit for m5.large
         10.0.2.15 nothing
         10.0.2.16 nothing
         10.0.2.17 nothing
         card 0
         card 0
         AttachmentLimitExceeded: Interface count 4 exceeds the limit for m5.large
         card 1",
    )
    .await;
}

async fn attachments_have_rules(mut bed: Bed) {
    let primary = bed.with(|ec2| {
        let interface = ec2_sim::id::InterfaceId::from_number(1);
        let found = ec2.world().truth().interface(&interface).expect("the primary interface");
        found.attachment.as_ref().expect("an attachment").id.to_string()
    });
    bed.names.learn("primary", &primary);
    bed.check(
        "DetachNetworkInterface AttachmentId=primary
         a = CreateNetworkInterface SubnetId=pods-a
         at = AttachNetworkInterface NetworkInterfaceId=a InstanceId=node-1 DeviceIndex=1
         b = CreateNetworkInterface SubnetId=pods-a
         AttachNetworkInterface NetworkInterfaceId=b InstanceId=node-1 DeviceIndex=1
         AttachNetworkInterface NetworkInterfaceId=b InstanceId=node-2 DeviceIndex=1
         AttachNetworkInterface NetworkInterfaceId=a InstanceId=node-1 DeviceIndex=2
         DeleteNetworkInterface NetworkInterfaceId=a
         DeleteNetworkInterface NetworkInterfaceId=node-1-eth0
         DeleteNetworkInterface NetworkInterfaceId=balancer",
        "OperationNotPermitted: The network interface at device index 0 and networkCard index 0 cannot be detached.
         10.0.2.4 nothing
         card 0
         10.0.2.5 nothing
         InvalidParameterValue: Instance 'node-1' already has an interface attached at device index '1'.
         InvalidParameterCombination: …
         InvalidNetworkInterface.InUse: …
         InvalidParameterValue: Network interface 'a' is currently in use.
         InvalidParameterValue: Network interface 'node-1-eth0' is currently in use.
         OperationNotPermitted: …",
    )
    .await;
}

async fn addresses_run_out(mut bed: Bed) {
    bed.check(
        "CreateNetworkInterface SubnetId=few-a SecondaryPrivateIpAddressCount=11
         CreateNetworkInterface SubnetId=few-a Ipv4PrefixCount=1
         a = CreateNetworkInterface SubnetId=few-a SecondaryPrivateIpAddressCount=8
         AssignPrivateIpAddresses NetworkInterfaceId=a SecondaryPrivateIpAddressCount=3
         AssignPrivateIpAddresses NetworkInterfaceId=a SecondaryPrivateIpAddressCount=2
         CreateNetworkInterface SubnetId=few-a
         DescribeSubnets SubnetIds=few-a",
        "InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses…
         InvalidParameterValue: There aren't sufficient free Ipv4 addresses or prefixes…
         10.0.4.4 +10.0.4.5 +10.0.4.6 +10.0.4.7 +10.0.4.8 +10.0.4.9 +10.0.4.10 +10.0.4.11 +10.0.4.12
         InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses…
         a +10.0.4.13 +10.0.4.14
         InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses…
         few-a main eu-west-1a 10.0.4.0/28, 0 free",
    )
    .await;
}

async fn blocks_run_out(mut bed: Bed) {
    bed.build(|mut builder| builder.leave_blocks(&SubnetId::from_number(5), 1))
        .expect("a fragmented subnet");
    bed.check(
        "a = CreateNetworkInterface SubnetId=tiny-a Ipv4PrefixCount=1
         AssignPrivateIpAddresses NetworkInterfaceId=a Ipv4PrefixCount=1
         AssignPrivateIpAddresses NetworkInterfaceId=a SecondaryPrivateIpAddressCount=1",
        "10.0.5.…
         InsufficientCidrBlocks: The specified subnet does not have enough free cidr blocks…
         a +10.0.5.…",
    )
    .await;
}

async fn taken_addresses_are_refused(mut bed: Bed) {
    bed.check(
        "a = CreateNetworkInterface SubnetId=pods-a PrivateIpAddress=10.0.2.50
         CreateNetworkInterface SubnetId=pods-a PrivateIpAddress=10.0.2.50
         b = CreateNetworkInterface SubnetId=pods-a
         AssignPrivateIpAddresses NetworkInterfaceId=b PrivateIpAddresses=10.0.2.50
         AssignPrivateIpAddresses NetworkInterfaceId=b Ipv4Prefixes=10.0.2.48/28
         AssignPrivateIpAddresses NetworkInterfaceId=b PrivateIpAddresses=10.0.2.3
         AssignPrivateIpAddresses NetworkInterfaceId=b PrivateIpAddresses=10.0.2.255
         AssignPrivateIpAddresses NetworkInterfaceId=b PrivateIpAddresses=10.0.9.9
         AssignPrivateIpAddresses NetworkInterfaceId=b Ipv4Prefixes=10.0.4.0/28
         UnassignPrivateIpAddresses NetworkInterfaceId=b PrivateIpAddresses=10.0.2.50",
        "10.0.2.50 nothing
         InvalidIPAddress.InUse: …
         10.0.2.4 nothing
         InvalidParameterValue: …
         Resource.AlreadyAssigned: …
         InvalidParameterValue: …
         InvalidParameterValue: …
         InvalidParameterValue: …
         InvalidParameterValue: …
         InvalidParameterValue: …",
    )
    .await;
}

async fn parameters_exclude_each_other(mut bed: Bed) {
    bed.check(
        "CreateNetworkInterface SubnetId=pods-a Ipv4PrefixCount=1 SecondaryPrivateIpAddressCount=1
         CreateNetworkInterface SubnetId=pods-a Ipv6PrefixCount=1 Ipv6AddressCount=1
         AssignPrivateIpAddresses NetworkInterfaceId=node-1-eth0 Ipv4PrefixCount=1 PrivateIpAddresses=10.0.0.99
         AssignPrivateIpAddresses NetworkInterfaceId=node-1-eth0
         DescribeNetworkInterfaces NetworkInterfaceIds=balancer MaxResults=5
         DescribeNetworkInterfaces MaxResults=4
         DescribeNetworkInterfaces MaxResults=1001
         DescribeInstanceTypes MaxResults=101
         DescribeNetworkInterfaces MaxResults=5 NextToken=nonsense
         DescribeNetworkInterfaces Filter=colour=blue
         ModifyNetworkInterfaceAttribute NetworkInterfaceId=node-1-eth0 Attachment.DeleteOnTermination=true",
        "InvalidParameterCombination: …
         InvalidParameterValue: You can and can only specify one of ipv6-addresses or…
         InvalidParameterCombination: …
         MissingParameter: …
         InvalidParameterCombination: …
         InvalidParameterValue: …
         InvalidParameterValue: …
         InvalidParameterValue: …
         InvalidNextToken: …
         InvalidParameterValue: …
         MissingParameter: …",
    )
    .await;
}

async fn permissions_are_asked_for(mut bed: Bed) {
    let account = "123456789012".to_owned();
    let allowed = Some(BTreeSet::from([Action::DescribeSubnets]));
    let reader = Principal { account: account.clone(), allowed };
    bed.build(|mut builder| {
        builder.principal("AKIATEST", Principal { account, allowed: None });
        builder.principal("AKIAREADER", reader);
    });
    let reader = bed.client_of("AKIAREADER");
    let script = "DescribeSubnets SubnetIds=few-a
                  CreateNetworkInterface SubnetId=pods-a
                  CreateNetworkInterface SubnetId=pods-a DryRun=true
                  GetSecurityGroupsForVpc VpcId=main";
    let answers = bed.run_with(&reader, script).await;
    let codes: Vec<_> =
        answers.lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
    let denied = "UnauthorizedOperation";
    assert_eq!(codes, ["few-a main eu-west-1a 10.0.4.0/28, 11 free", denied, denied, denied]);
    let stranger = bed.client_of("AKIASTRANGER");
    let answer = bed.run_with(&stranger, "DescribeSubnets SubnetIds=few-a").await;
    assert!(answer.starts_with("AuthFailure: "), "{answer}");
    bed.check("CreateNetworkInterface SubnetId=pods-a", "10.0.2.4 nothing").await;
}

async fn quotas_hold(mut bed: Bed) {
    bed.check(
        "CreateNetworkInterface SubnetId=pods-a Groups=pod-group,default
         CreateNetworkInterface SubnetId=pods-a
         CreateNetworkInterface SubnetId=pods-a",
        "SecurityGroupsPerInterfaceLimitExceeded: …
         10.0.2.4 nothing
         NetworkInterfaceLimitExceeded: …",
    )
    .await;
}

async fn large_scans_must_be_paged(mut bed: Bed) {
    bed.check(
        "DescribeNetworkInterfaces
         DescribeNetworkInterfaces Filter=tag-key=team
         DescribeNetworkInterfaces Filter=subnet-id=pods-a
         DescribeNetworkInterfaces MaxResults=1000 Filter=tag-key=team",
        "OperationNotPermitted: …
         OperationNotPermitted: …
         nothing
         nothing",
    )
    .await;
}

/// Not each has a natural cause here, and a client must be able to read all of them.
async fn every_code_is_decoded(mut bed: Bed) {
    let codes: Vec<_> = ec2_sim::error::codes().collect();
    assert!(codes.len() > 40, "{codes:?}");
    for code in codes {
        let effect = Effect::Error {
            code: Code::find(code).expect("a code"),
            message: "as scripted".to_owned(),
            status: None,
        };
        let once = Rule { times: Some(1), ..Rule::always(effect) };
        bed.build(|mut builder| builder.faults().add(once));
        bed.check("DescribeVpcs VpcIds=main", &format!("{code}: as scripted")).await;
    }
}
