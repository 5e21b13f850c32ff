//! Each request, and what it becomes in the simulated EC2.

use ec2_sim::build::{NewAttachment, NewInterface};

use crate::bed::{Bed, Face, run};

/// Every request once.
async fn all(bed: &mut Bed) {
    mutations(bed).await;
    listings(bed).await;
    releases(bed).await;
}

/// All or nothing: what is not assigned cannot be unassigned.
async fn releases(bed: &mut Bed) {
    bed.check("unassign eni-0000000a 10.0.0.4,10.0.0.5", "done").await;
    bed.check("unprefix eni-0000000a 10.0.0.48/28", "done").await;
    let refused = "Invalid (InvalidParameterValue)";
    bed.check("unassign eni-0000000a 10.0.0.20,10.0.0.4", refused).await;
    bed.check("unprefix eni-0000000a 10.0.0.48/28", refused).await;
    bed.check("unassign eni-0000000a 10.0.0.20", "done").await;
}

async fn mutations(bed: &mut Bed) {
    bed.check("addresses eni-0000000a 2", "assigned 10.0.0.4 10.0.0.5").await;
    bed.check("prefixes eni-0000000a 1", "assigned 10.0.0.48/28").await;
    bed.check("ipv6 eni-0000000b", "assigned 2001:db8:1234:1a02:…::/80").await;
    bed.check(
        "create subnet-0000000b prefixes 2 ipv6",
        "created $eni Ordinary in subnet-0000000b behind sg-0000000b: 10.0.2.4 10.0.2.16/28 10.0.2.32/28 2001:db8:1234:1a02:…::/80, \"Cilium-CNI (i-0000000a)\" {berth/created-at:2026-01-01T00:01:01Z,berth/managed:true,team:net}",
    )
    .await;
    bed.check("attach $eni i-0000000a 1", "attached by $attachment").await;
    bed.check("modify $eni $attachment", "done").await;
    bed.check(
        "enis ids $eni",
        "i-0000000a: $eni Ordinary in subnet-0000000b behind sg-0000000b: 10.0.2.4 10.0.2.16/28 10.0.2.32/28 2001:db8:1234:1a02:…::/80, Attached at 0/1 to the end, \"Cilium-CNI (i-0000000a)\" {berth/created-at:2026-01-01T00:01:01Z,berth/managed:true,team:net}, … s old",
    )
    .await;
    bed.check("delete $eni", "EniInUse (InvalidParameterValue)").await;
    bed.check("delete eni-0000000d", "done").await;
}

async fn listings(bed: &mut Bed) {
    bed.check(
        "enis instances i-0000000a,i-0000000b",
        "i-0000000a: eni-0000000a …
         i-0000000b: eni-0000000b …
         i-0000000a: $eni …",
    )
    .await;
    bed.check(
        "subnets vpc-0000000a",
        "subnet-0000000a vpc-0000000a eu-west-1a 10.0.0.0/24, 215 free {Name:nodes}
         subnet-0000000b vpc-0000000a eu-west-1a 10.0.2.0/24 2001:db8:1234:1a02::/64, 216 free
         subnet-0000000c vpc-0000000a eu-west-1a 10.0.4.0/28, 11 free",
    )
    .await;
    bed.check(
        "vpc vpc-0000000a
         vpc vpc-0000000b",
        "VPC 10.0.0.0/16 100.64.0.0/16
         no such VPC",
    )
    .await;
    let groups = "sg-0000000a of vpc-0000000a
         sg-0000000b of vpc-0000000a {role:pods}";
    bed.check("groups vpc-0000000a", groups).await;
    bed.check("groups-with-rules vpc-0000000a", groups).await;
    bed.check(
        "routes vpc-0000000a",
        "rtb-0000000a of vpc-0000000a for
         rtb-0000000b of vpc-0000000a for subnet-0000000a subnet-0000000b",
    )
    .await;
    bed.check(
        "types m5.large,no.such,p5.48xlarge,t2.micro,m5.metal",
        "m5.large nitro 3: 10 + 10
         m5.metal metal 15: 50 + 50
         p5.48xlarge nitro 2: 50 + 50
         t2.micro xen 2: 2 + 2",
    )
    .await;
}

/// The instance lets go by itself: how long that takes is up to it.
async fn detachments(bed: &mut Bed) {
    bed.check("set-groups eni-0000000b sg-0000000a,sg-0000000b", "done").await;
    bed.check(
        "enis ids eni-0000000b",
        "i-0000000b: eni-0000000b Ordinary in subnet-0000000b behind sg-0000000a sg-0000000b: …",
    )
    .await;
    bed.check(
        "set-groups eni-0000000b sg-0000000c",
        "SecurityGroupNotFound (InvalidGroup.NotFound)",
    )
    .await;
    bed.check("detach $eni $attachment", "done").await;
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    bed.check("enis ids $eni", "nobody's: $eni Ordinary …").await;
    bed.check("detach $eni $attachment", "AttachmentNotFound (InvalidAttachmentID.NotFound)").await;
    bed.check("delete $eni", "done").await;
}

#[test]
fn an_interface_is_made_repaired_and_let_go() {
    run(Face::InProcess, async |bed: &mut Bed| {
        bed.call("create subnet-0000000b addresses 0").await.expect("an interface");
        bed.call("attach $eni i-0000000a 1").await.expect("an attachment");
        detachments(bed).await;
    });
}

/// Attached to nothing, in that VPC, with both tags.
#[test]
fn interfaces_that_are_attached_to_nothing() {
    run(Face::InProcess, async |bed: &mut Bed| {
        let request = "enis unattached vpc-0000000a";
        bed.check(request, "nothing").await;
        let place = |cluster: &str, attachment: Option<NewAttachment>| {
            let mut new = NewInterface::new("subnet-0000000b".parse().expect("a subnet"));
            let tags = [("berth/cluster", cluster), ("berth/managed", "true")];
            new.tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
            new.attachment = attachment;
            bed.build(|mut builder| builder.interface(new)).expect("an interface").to_string()
        };
        let attachment = NewAttachment {
            instance: Some("i-0000000a".parse().expect("an instance")),
            instance_owner: None,
            device_index: 1,
            network_card: 0,
            delete_on_termination: true,
        };
        let (ours, ..) =
            (place("test", None), place("other", None), place("test", Some(attachment)));
        let expected =
            format!("nobody's: {ours} Ordinary … {{berth/cluster:test,berth/managed:true}}");
        bed.check(request, &expected).await;
        bed.check("enis unattached vpc-0000000b", "nothing").await;
    });
}

#[test]
fn every_request_in_process() {
    run(Face::InProcess, all);
}

#[test]
fn every_request_over_http() {
    run(Face::Loopback, all);
}

#[test]
fn interfaces_of_a_vpc_with_what_they_hold() {
    run(Face::InProcess, async |bed: &mut Bed| {
        bed.check(
            "enis vpc vpc-0000000a",
            "i-0000000a: eni-0000000a Ordinary in subnet-0000000a behind sg-0000000a: 10.0.0.10 10.0.0.20 10.0.0.32/28, Attached at 0/0 to the end {owner:node}
             i-0000000b: eni-0000000b Ordinary in subnet-0000000b behind sg-0000000b: 10.0.2.11, Attached at 0/0 to the end
             nobody's: eni-0000000c Special in subnet-0000000b behind sg-0000000a: 10.0.2.9, Attached at 0/1
             nobody's: eni-0000000d Ordinary in subnet-0000000b behind sg-0000000a: 10.0.2.8, \"spare\"",
        )
        .await;
        bed.check("enis vpc vpc-0000000b", "nothing").await;
        bed.check("enis ids eni-0000000e", "nothing").await;
    });
}

#[test]
fn a_repeated_creation_makes_nothing_twice() {
    run(Face::InProcess, async |bed: &mut Bed| {
        let first = bed.call("create subnet-0000000b addresses 0").await;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        assert_eq!(bed.call("create subnet-0000000b addresses 0").await, first);
        // With other parameters the token is refused, so the ones above were the same to the letter.
        let other = "create subnet-0000000b addresses 1";
        bed.check(other, "Invalid (IdempotentParameterMismatch)").await;
    });
}

#[test]
fn refusals_are_told_apart() {
    run(Face::InProcess, async |bed: &mut Bed| {
        bed.check("addresses eni-0000000a 20", "EniFull (PrivateIpAddressLimitExceeded)").await;
        bed.check(
            "create subnet-0000000c addresses 12",
            "SubnetOutOfAddresses (InsufficientFreeAddressesInSubnet)",
        )
        .await;
        bed.check("create subnet-0000000c prefixes 1", "SubnetOutOfPrefixes (…").await;
        bed.check("attach eni-0000000d i-0000000a 0", "IndexTaken (InvalidParameterValue)").await;
        bed.check("attach eni-0000000b i-0000000a 1", "EniInUse (InvalidNetworkInterface.InUse)")
            .await;
        bed.check("delete eni-0000000e", "EniNotFound (InvalidNetworkInterfaceID.NotFound)").await;
        bed.check(
            "attach eni-0000000d i-0000000e 1",
            "InstanceNotFound (InvalidInstanceID.NotFound)",
        )
        .await;
        bed.check("enis vpc vpc-0000000a @nonsense", "PageTokenExpired (InvalidNextToken)").await;
    });
}

#[test]
fn requests_are_told_of_with_name_and_status() {
    run(Face::InProcess, async |bed: &mut Bed| {
        bed.check("vpc vpc-0000000a", "VPC 10.0.0.0/16 100.64.0.0/16").await;
        bed.check("delete eni-0000000e", "EniNotFound (…").await;
        assert_eq!(bed.told(), "DescribeVpcs: OK\nDeleteNetworkInterface: Bad Request");
    });
}
