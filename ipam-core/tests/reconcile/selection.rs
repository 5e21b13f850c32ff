//! Where new interfaces are made, with which groups, and IPv6.

use ipam_core::ids::SecurityGroupId;

use crate::door::{check, check_on, labels};
use crate::rig::Rig;
use crate::text::rig;

/// The subnet and the groups of the interface that was made first.
fn made(rig: &Rig) -> String {
    let made = rig.cloud.enis.values().find(|it| it.eni.id.as_str() == "eni-new0001");
    let eni = &made.expect("an interface").eni;
    let groups: Vec<&str> = eni.security_groups.iter().map(SecurityGroupId::as_str).collect();
    format!("{} {}", eni.subnet, groups.join(","))
}

#[test]
fn new_interfaces_are_made_where_and_with_what_the_node_says() {
    let check = |node: &str, expected: &str| {
        let mut rig = rig(&format!(
            "subnet subnet-1 10.0.0.0/24 tags which=1
             subnet subnet-2 10.0.1.0/24 tags which=2
             subnet subnet-3 10.0.2.0/23 tags which=3
             subnet subnet-4 10.0.4.0/22 zone b tags which=2
             table rtb-1 vpc-1 subnet-1,subnet-3,subnet-4
             table rtb-2 vpc-1 subnet-2
             group sg-2 tags k=v
             group sg-3 tags k=v
             node node-1 m5.large pre 8 first 1 {node}"
        ));
        check_on(&mut rig, "start -> 8 on 2 by create attach modify");
        assert_eq!(made(&rig), expected, "{node}");
    };
    check("", "subnet-1 sg-1");
    check("subnets subnet-2", "subnet-2 sg-1");
    check("subnets subnet-4,subnet-3", "subnet-3 sg-1");
    check("subnet-tags which=2", "subnet-2 sg-1");
    check("groups sg-3", "subnet-1 sg-3");
    check("group-tags k=v", "subnet-1 sg-2,sg-3");
}

#[test]
fn a_choice_that_matches_nothing_is_said() {
    let check = |node: &str, label: &str| {
        let mut rig = rig(&format!(
            "subnet subnet-1 10.0.0.0/24
             subnet subnet-4 10.0.4.0/22 zone b
             node node-1 m5.large pre 8 first 1 {node}"
        ));
        check_on(&mut rig, &format!("start -> 0 on 1 {label}"));
        assert_eq!(labels(&rig, &"node-1".parse().unwrap()), [label]);
    };
    check("subnets subnet-4", "NoSubnetWithId");
    check("subnets subnet-9", "NoSubnetWithId");
    check("subnet-tags a=b", "NoSubnetWithTags");
    check("group-tags a=b", "NoSecurityGroupWithTags");
}

#[test]
fn a_node_that_wants_ipv6_gets_one_prefix() {
    let world = "operator prefixes\nsubnet subnet-1 10.0.0.0/24 ipv6\n";
    let rig = check(
        &format!("{world}node node-1 m5.large pre 8 cidr6 8 1"),
        "start -> 16 on 1 by prefix ipv6
         wait 1800 -> 16 on 1",
    );
    let prefixes = rig.cloud.enis.values().map(|it| it.eni.ipv6.prefixes.len()).sum::<usize>();
    assert_eq!(prefixes, 1);
}

#[test]
fn a_node_that_wants_no_ipv6_gets_none() {
    let rig = check(
        "subnet subnet-1 10.0.0.0/24 ipv6\nnode node-1 m5.large pre 8 cidr6 8 0",
        "start -> 8 on 1 by assign",
    );
    assert!(rig.cloud.enis.values().all(|it| it.eni.ipv6.prefixes.is_empty()));
}

#[test]
fn ipv6_goes_to_a_new_interface_when_none_that_is_there_can_hold_it() {
    let rig = check(
        "operator prefixes
         subnet subnet-1 10.0.0.0/24
         subnet subnet-2 10.0.1.0/24 ipv6
         node node-1 m5.large pre 8 cidr6 8 1 prefixes 1 subnets subnet-2",
        "start -> 16 on 2 by create attach modify",
    );
    let made = rig.cloud.enis.values().find(|it| it.eni.id.as_str() == "eni-new0001").unwrap();
    assert_eq!((made.eni.ipv4.addresses.len(), made.eni.ipv6.prefixes.len()), (0, 1));
}
