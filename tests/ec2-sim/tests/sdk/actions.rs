//! Every action with its parameters: what is asked for is what comes back, and what is seen afterwards.

use crate::bed::{Bed, through_both_faces};

through_both_faces! {
    interfaces_come_and_go,
    interfaces_hold_what_was_asked_for,
    addresses_are_given_and_taken,
    ipv6_is_given_and_taken,
    reservations_keep_their_part,
    public_addresses_move,
    attributes_change_one_at_a_time,
    tags_are_found,
    networks_are_listed,
    instances_and_types_are_listed,
    dry_runs_change_nothing,
    client_tokens_make_one,
}

async fn interfaces_come_and_go(mut bed: Bed) {
    bed.check("a = CreateNetworkInterface SubnetId=pods-a", "10.0.2.4 nothing").await;
    let describe = "DescribeNetworkInterfaces NetworkInterfaceIds=a";
    bed.check(describe, "a available in pods-a behind default: 10.0.2.4 nothing").await;
    let attach = "at = AttachNetworkInterface NetworkInterfaceId=a InstanceId=node-1 DeviceIndex=1 NetworkCardIndex=0";
    bed.check(attach, "card 0").await;
    let attached = "a in-use in pods-a behind default: 10.0.2.4 nothing, attached at node-1 0/1";
    bed.until(describe, attached).await;
    let modify = "ModifyNetworkInterfaceAttribute NetworkInterfaceId=a Attachment.AttachmentId=at Attachment.DeleteOnTermination=true";
    bed.check(modify, "done").await;
    bed.check(describe, &format!("{attached} to the end")).await;
    bed.check(
        "DescribeInstances InstanceIds=node-1",
        "node-1 m5.large running in nodes-a: +node-1-eth0 +a",
    )
    .await;
    bed.check("DetachNetworkInterface AttachmentId=at Force=true", "done").await;
    bed.until(describe, "a available in pods-a behind default: 10.0.2.4 nothing").await;
    bed.check("DeleteNetworkInterface NetworkInterfaceId=a", "done").await;
    bed.check(describe, "InvalidNetworkInterfaceID.NotFound: …").await;
}

async fn interfaces_hold_what_was_asked_for(mut bed: Bed) {
    for (asked, held) in [
        ("PrivateIpAddress=10.0.2.100", "10.0.2.100 nothing"),
        (
            "PrivateIpAddresses=10.0.2.103,10.0.2.102*,10.0.2.101",
            "10.0.2.102 +10.0.2.103 +10.0.2.101",
        ),
        ("SecondaryPrivateIpAddressCount=2", "10.0.2.4 +10.0.2.5 +10.0.2.6"),
        ("Ipv4Prefixes=10.0.2.224/28,10.0.2.208/28", "10.0.2.7 +10.0.2.224/28 +10.0.2.208/28"),
        ("Ipv4PrefixCount=2", "10.0.2.8 +10.0.2.16/28 +10.0.2.32/28"),
        ("Ipv6Addresses=2001:db8:1234:1a02::9", "10.0.2.9 +2001:db8:1234:1a02::9"),
        ("Ipv6Prefixes=2001:db8:1234:1a02:7::/80", "10.0.2.10 +2001:db8:1234:1a02:7::/80"),
        ("Ipv6PrefixCount=1 InterfaceType=trunk", "10.0.2.11 +2001:db8:1234:1a02:…"),
        ("Ipv6AddressCount=1", "10.0.2.12 +2001:db8:1234:1a02:…"),
    ] {
        bed.check(&format!("CreateNetworkInterface SubnetId=pods-a {asked}"), held).await;
    }
    let all = "a = CreateNetworkInterface SubnetId=tiny-a Description=mine Groups=pod-group,default TagSpecification=team:net,Name:a";
    bed.check(all, "10.0.5.4 nothing").await;
    let seen =
        "a available in tiny-a behind pods,default: 10.0.5.4 nothing, \"mine\" {Name:a,team:net}";
    bed.check("DescribeNetworkInterfaces Filter=tag:team=net;status=available", seen).await;
}

async fn addresses_are_given_and_taken(mut bed: Bed) {
    bed.check(
        "a = CreateNetworkInterface SubnetId=pods-a SecondaryPrivateIpAddressCount=1
         AssignPrivateIpAddresses NetworkInterfaceId=a SecondaryPrivateIpAddressCount=2
         AssignPrivateIpAddresses NetworkInterfaceId=a PrivateIpAddresses=10.0.2.99,10.0.2.98
         AssignPrivateIpAddresses NetworkInterfaceId=a Ipv4PrefixCount=1
         AssignPrivateIpAddresses NetworkInterfaceId=a Ipv4Prefixes=10.0.2.208/28
         UnassignPrivateIpAddresses NetworkInterfaceId=a PrivateIpAddresses=10.0.2.5,10.0.2.99
         UnassignPrivateIpAddresses NetworkInterfaceId=a Ipv4Prefixes=10.0.2.16/28
         DescribeNetworkInterfaces NetworkInterfaceIds=a
         DescribeSubnets SubnetIds=pods-a",
        "10.0.2.4 +10.0.2.5
         a +10.0.2.6 +10.0.2.7
         a +10.0.2.99 +10.0.2.98
         a +10.0.2.16/28
         a +10.0.2.208/28
         done
         done
         a available in pods-a behind default: 10.0.2.4 +10.0.2.6 +10.0.2.7 +10.0.2.98 +10.0.2.208/28
         pods-a main eu-west-1a 10.0.2.0/24 2001:db8:1234:1a02::/64, 231 free",
    )
    .await;
    bed.check(
        "b = CreateNetworkInterface SubnetId=pods-a
         AssignPrivateIpAddresses NetworkInterfaceId=b PrivateIpAddresses=10.0.2.6 AllowReassignment=true",
        "10.0.2.5 nothing
         b +10.0.2.6",
    )
    .await;
    let lost = "a available in pods-a behind default: 10.0.2.4 +10.0.2.7 +10.0.2.98 +10.0.2.208/28";
    bed.until("DescribeNetworkInterfaces NetworkInterfaceIds=a", lost).await;
}

async fn ipv6_is_given_and_taken(mut bed: Bed) {
    bed.check(
        "a = CreateNetworkInterface SubnetId=pods-a
         AssignIpv6Addresses NetworkInterfaceId=a Ipv6Addresses=2001:db8:1234:1a02::99
         AssignIpv6Addresses NetworkInterfaceId=a Ipv6Prefixes=2001:db8:1234:1a02:5::/80
         AssignIpv6Addresses NetworkInterfaceId=a Ipv6AddressCount=1
         AssignIpv6Addresses NetworkInterfaceId=a Ipv6PrefixCount=1
         UnassignIpv6Addresses NetworkInterfaceId=a Ipv6Addresses=2001:db8:1234:1a02::99
         UnassignIpv6Addresses NetworkInterfaceId=a Ipv6Prefixes=2001:db8:1234:1a02:5::/80",
        "10.0.2.4 nothing
         a +2001:db8:1234:1a02::99
         a +2001:db8:1234:1a02:5::/80
         a +2001:db8:1234:1a02:…
         a +2001:db8:1234:1a02:…
         a +2001:db8:1234:1a02::99
         a +2001:db8:1234:1a02:5::/80",
    )
    .await;
}

async fn reservations_keep_their_part(mut bed: Bed) {
    bed.check(
        "CreateSubnetCidrReservation SubnetId=tiny-a Cidr=10.0.5.32/28 ReservationType=prefix Description=blocks TagSpecification=for:pods
         CreateSubnetCidrReservation SubnetId=tiny-a Cidr=10.0.5.0/28 ReservationType=explicit
         CreateSubnetCidrReservation SubnetId=tiny-a Cidr=10.0.5.0/27 ReservationType=explicit
         a = CreateNetworkInterface SubnetId=tiny-a Ipv4PrefixCount=1
         CreateNetworkInterface SubnetId=tiny-a PrivateIpAddress=10.0.5.9",
        "10.0.5.32/28 prefix blocks {for:pods}
         10.0.5.0/28 explicit …
         InvalidSubnetCidrReservation…
         10.0.5.16 +10.0.5.32/28
         10.0.5.9 nothing",
    )
    .await;
}

async fn public_addresses_move(mut bed: Bed) {
    bed.check(
        "a = CreateNetworkInterface SubnetId=pods-a
         DescribeAddresses AllocationIds=egress
         AssociateAddress AllocationId=egress NetworkInterfaceId=a PrivateIpAddress=10.0.2.4
         DescribeNetworkInterfaces NetworkInterfaceIds=a
         AssociateAddress AllocationId=egress NetworkInterfaceId=node-2-eth0 AllowReassociation=false
         AssociateAddress PublicIp=198.51.100.1 InstanceId=node-1 AllowReassociation=true
         DescribeAddresses PublicIps=198.51.100.1
         DescribeAddresses Filter=network-interface-id=a",
        "10.0.2.4 nothing
         egress 198.51.100.1 - - -
         associated
         a available in pods-a behind default: 10.0.2.4 nothing, public 198.51.100.1
         Resource.AlreadyAssociated: …
         associated
         egress 198.51.100.1 node-1-eth0 10.0.0.10 node-1
         nothing",
    )
    .await;
}

async fn attributes_change_one_at_a_time(mut bed: Bed) {
    bed.check(
        "a = CreateNetworkInterface SubnetId=pods-a
         ModifyNetworkInterfaceAttribute NetworkInterfaceId=a Description=changed
         ModifyNetworkInterfaceAttribute NetworkInterfaceId=a Groups=pod-group
         ModifyNetworkInterfaceAttribute NetworkInterfaceId=a SourceDestCheck=false
         DescribeNetworkInterfaces NetworkInterfaceIds=a
         ModifyNetworkInterfaceAttribute NetworkInterfaceId=a SourceDestCheck=true Description=both
         ModifyNetworkInterfaceAttribute NetworkInterfaceId=a",
        "10.0.2.4 nothing
         done
         done
         done
         a available in pods-a behind pods: 10.0.2.4 nothing, unchecked, \"changed\"
         InvalidParameterCombination: …
         MissingParameter: …",
    )
    .await;
}

async fn tags_are_found(mut bed: Bed) {
    bed.check(
        "CreateTags Resources=pods-a,node-1,node-1-eth0,main,pod-group,public,egress Tags=team:net
         DescribeTags Filter=key=team
         DescribeTags Filter=resource-id=main
         DescribeSubnets Filter=tag:team=net",
        "done
         egress elastic-ip team net
         node-1-eth0 network-interface team net
         node-1 instance team net
         public route-table team net
         pod-group security-group team net
         pods-a subnet team net
         main vpc team net
         main vpc Name main
         main vpc team net
         pods-a main eu-west-1a 10.0.2.0/24 2001:db8:1234:1a02::/64, 251 free",
    )
    .await;
}

async fn networks_are_listed(mut bed: Bed) {
    bed.check(
        "DescribeVpcs VpcIds=main
         DescribeSubnets Filter=vpc-id=main;availability-zone=eu-west-1b
         DescribeRouteTables Filter=vpc-id=main
         DescribeSecurityGroups GroupIds=pod-group
         DescribeSecurityGroups GroupNames=pods Filter=vpc-id=main
         GetSecurityGroupsForVpc VpcId=main
         GetSecurityGroupsForVpc VpcId=main Filter=group-name=po*",
        "main 10.0.0.0/16 100.64.0.0/16 2001:db8:1234:1a00::/56
         nodes-b main eu-west-1b 10.0.1.0/24, 248 free
         rest of main for everything else: 10.0.0.0/16 to local, 100.64.0.0/16 to local
         public of main for nodes-a: 10.0.0.0/16 to local, 100.64.0.0/16 to local, 0.0.0.0/0 to igw-0123456789abcdef0
         pod-group pods main
         pod-group pods main
         default default main
         pod-group pods main
         pod-group pods main",
    )
    .await;
}

async fn instances_and_types_are_listed(mut bed: Bed) {
    bed.check(
        "DescribeInstances Filter=instance-type=t2.*
         DescribeInstances Filter=instance-state-name=stopped
         DescribeNetworkInterfaces NetworkInterfaceIds=balancer
         DescribeInstanceTypes InstanceTypes=c6in.32xlarge,m5.large,t2.micro
         DescribeInstanceTypes Filter=instance-type=m5.metal",
        "old t2.micro running in nodes-a: +old-eth0
         nothing
         balancer in-use in nodes-b behind default: 10.0.1.9 nothing…
         c6in.32xlarge nitro 16 on cards 8+8, 50 + 50
         m5.large nitro 3 on cards 3, 10 + 10
         t2.micro xen 2 on cards 2, 2 + 2
         m5.metal metal 15 on cards 15, 50 + 50",
    )
    .await;
}

async fn dry_runs_change_nothing(mut bed: Bed) {
    for call in [
        "AssociateAddress AllocationId=egress NetworkInterfaceId=node-1-eth0",
        "AttachNetworkInterface NetworkInterfaceId=spare InstanceId=node-2 DeviceIndex=1",
        "CreateNetworkInterface SubnetId=pods-a",
        "CreateSubnetCidrReservation SubnetId=pods-a Cidr=10.0.2.64/26 ReservationType=prefix",
        "CreateTags Resources=main Tags=a:b",
        "DeleteNetworkInterface NetworkInterfaceId=node-1-eth0",
        "DescribeAddresses",
        "DescribeInstanceTypes",
        "DescribeInstances",
        "DescribeNetworkInterfaces",
        "DescribeRouteTables",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeTags",
        "DescribeVpcs",
        "GetSecurityGroupsForVpc VpcId=main",
        "ModifyNetworkInterfaceAttribute NetworkInterfaceId=node-1-eth0 Description=dry",
    ] {
        let dry = format!("{call} DryRun=true");
        bed.check(&dry, "DryRunOperation: Request would have succeeded, but DryRun flag is set.")
            .await;
    }
    let seen = "node-1-eth0 in-use in nodes-a behind default: 10.0.0.10 nothing, attached at node-1 0/0 to the end";
    bed.check("DescribeNetworkInterfaces NetworkInterfaceIds=node-1-eth0", seen).await;
}

async fn client_tokens_make_one(mut bed: Bed) {
    bed.check(
        "a = CreateNetworkInterface SubnetId=pods-a ClientToken=one
         b = CreateNetworkInterface SubnetId=pods-a ClientToken=one
         CreateNetworkInterface SubnetId=tiny-a ClientToken=one
         CreateNetworkInterface SubnetId=pods-a ClientToken=two",
        "10.0.2.4 nothing
         10.0.2.4 nothing
         IdempotentParameterMismatch: …
         10.0.2.5 nothing",
    )
    .await;
    assert_eq!(bed.names.id("a"), bed.names.id("b"));
}
