use super::check;

#[test]
fn an_interface_has_a_primary_address_and_what_is_asked_for() {
    check("create a", "e: pending 10.0.0.9");
    check("create a count=2", "e: pending 10.0.0.9 10.0.0.10 10.0.0.11");
    check("create a prefix-count=2", "e: pending 10.0.0.9 10.0.0.16/28 10.0.0.32/28");
    check(
        "create a primary=10.0.0.77 ips=10.0.0.78,10.0.0.80",
        "e: pending 10.0.0.77 10.0.0.78 10.0.0.80",
    );
    check("create a prefixes=10.0.0.64/28", "e: pending 10.0.0.9 10.0.0.64/28");
    check("create a\nshow e", "e: pending 10.0.0.9\navailable 10.0.0.9");
    check(
        "create a ips6=2001:db8:0:1::a prefix-count=1\ncreate a prefixes6=2001:db8:0:1:7::/80 name=f",
        "e: pending 10.0.0.9 10.0.0.16/28 2001:db8:0:1::a\nf: pending 10.0.0.10 2001:db8:0:1:7::/80",
    );
}

#[test]
fn the_four_ways_to_ask_exclude_each_other() {
    let ipv4 = "InvalidParameterCombination: You may specify one and only one of privateIpAddressSet or secondaryPrivateIpAddressCount or ipv4Prefixes or ipv4PrefixCount, but not more than one of them.";
    let ipv6 = "InvalidParameterValue: You can and can only specify one of ipv6-addresses or ipv6-address-count or ipv6-prefix or ipv6-prefix-count.";
    check("create a count=1 prefix-count=1", ipv4);
    check("create a ips=10.0.0.20 count=1", ipv4);
    check("create a prefixes=10.0.0.64/28 prefix-count=1", ipv4);
    check("create a ips=10.0.0.20 prefixes=10.0.0.64/28", ipv4);
    check("create a count6=1 prefix-count6=1", ipv6);
    check("create a ips6=2001:db8:0:1::a count6=1", ipv6);
}

#[test]
fn counts_are_checked_against_the_largest_type_only() {
    let count = |text: &str| format!("InvalidParameterValue: Value ({text}");
    check(
        "create a count=0",
        &count(
            "0) for parameter secondaryPrivateIpAddressCount is invalid. Value must be a positive number.",
        ),
    );
    check(
        "create a prefix-count=-1",
        &count("-1) for parameter ipv4PrefixCount is invalid. Value must be a positive number."),
    );
    check(
        "create a count=64",
        &count(
            "64) for parameter secondaryPrivateIpAddressCount is invalid. Value must be at most 63.",
        ),
    );
    check(
        "assume create-ceiling=3\ncreate a count=3",
        &count(
            "3) for parameter secondaryPrivateIpAddressCount is invalid. Value must be at most 2.",
        ),
    );
    check(
        "create a count6=65",
        &count("65) for parameter ipv6AddressCount is invalid. Value must be at most 64."),
    );
}

#[test]
fn addresses_must_be_the_subnets_and_nobody_elses() {
    let value = |text: &str| format!("InvalidParameterValue: {text}");
    check(
        "create a primary=10.0.1.20",
        &value("Address 10.0.1.20 does not fall within the subnet's address range"),
    );
    for last in ["0", "3", "255"] {
        let reserved = format!("Address 10.0.0.{last} is in subnet's reserved address range");
        check(&format!("create a ips=10.0.0.{last}"), &value(&reserved));
    }
    check("create a primary=10.0.0.4", "InvalidIPAddress.InUse: Address 10.0.0.4 is in use.");
    check(
        "create a ips=10.0.0.4,10.0.0.99",
        &value("[10.0.0.4] assigned, but move is not allowed."),
    );
    check(
        "create a ips=10.0.0.99,10.0.0.99",
        &value("The value 10.0.0.99 is specified more than once."),
    );
    check(
        "create a primary=10.0.0.99 ips=10.0.0.99",
        &value("The value 10.0.0.99 is specified more than once."),
    );
    check(
        "create a prefixes=10.0.0.64/28\ncreate a ips=10.0.0.70\ncreate a primary=10.0.0.70\ncreate a prefixes=10.0.0.64/28",
        "e: pending 10.0.0.9 10.0.0.64/28
        Resource.AlreadyAssigned: 10.0.0.70 is already assigned to a resource.
        InvalidIPAddress.InUse: Address 10.0.0.70 is in use.
        Resource.AlreadyAssigned: 10.0.0.64/28 is already assigned to a resource.",
    );
}

#[test]
fn prefixes_are_aligned_blocks_of_one_size() {
    let form = |text: &str| {
        format!(
            "InvalidParameterValue: The prefix {text} is invalid. A prefix must be an aligned block with a length of /28."
        )
    };
    check("create a prefixes=10.0.0.64/27", &form("10.0.0.64/27"));
    check("create a prefixes=10.0.0.72/28", &form("10.0.0.72/28"));
    check(
        "create a prefixes=10.0.9.0/28",
        "InvalidParameterValue: The prefix 10.0.9.0/28 does not fall within the subnet's address range",
    );
    for block in ["10.0.0.0/28", "10.0.0.240/28"] {
        let reserved = format!(
            "InvalidParameterValue: The prefix {block} overlaps the subnet's reserved address range"
        );
        check(&format!("create a prefixes={block}"), &reserved);
    }
    check(
        "create a prefixes6=2001:db8:0:1:7::/79",
        "InvalidParameterValue: The prefix 2001:db8:0:1:7::/79 is invalid. A prefix must be an aligned block with a length of /80.",
    );
    check(
        "create b count6=1",
        "InvalidParameterValue: The subnet does not have an IPv6 CIDR block associated with it.",
    );
}

#[test]
fn what_a_subnet_has_not_is_refused_in_three_ways() {
    let singles = "InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses to satisfy the request.";
    let prefixes = "InvalidParameterValue: There aren't sufficient free Ipv4 addresses or prefixes";
    let blocks = "InsufficientCidrBlocks: The specified subnet does not have enough free cidr blocks to satisfy the request.";
    check("create tiny count=11\nsubnet tiny", &format!("{singles}\n11"));
    check(
        "create tiny count=10\nsubnet tiny",
        "e: pending 10.0.2.4 10.0.2.5 10.0.2.6 10.0.2.7 10.0.2.8 10.0.2.9 10.0.2.10 10.0.2.11 10.0.2.12 10.0.2.13 10.0.2.14\n0",
    );
    check("leave a 0\ncreate a", singles);
    check("leave a 16\ncreate a prefix-count=1\nsubnet a", &format!("{prefixes}\n16"));
    check("leave-blocks a 0\ncreate a prefix-count=1\nsubnet a", &format!("{blocks}\n232"));
    check("leave-blocks a 1\ncreate a prefix-count=2\nsubnet a", &format!("{blocks}\n233"));
}

#[test]
fn reservations_are_kept_free_of_picked_addresses() {
    check(
        "reserve a 10.0.0.0/27 explicit\ncreate a\ncreate a primary=10.0.0.20 name=f",
        "ok\ne: pending 10.0.0.32\nf: pending 10.0.0.20",
    );
    check(
        "reserve a 10.0.0.192/27 prefix\nsubnet a\ncreate a prefix-count=3\nreserve a 10.0.0.208/28 prefix\nreserve a 10.0.1.0/28 prefix",
        "ok\n214\ne: pending 10.0.0.9 10.0.0.192/28 10.0.0.208/28 10.0.0.16/28
        InvalidSubnetCidrReservation.Conflict: The CIDR 10.0.0.208/28 conflicts with another subnet CIDR reservation
        InvalidParameterValue: The CIDR 10.0.1.0/28 does not fall within the subnet's address range",
    );
}

#[test]
fn groups_are_the_vpcs_own_and_few() {
    check("create a groups=g1,g2,g3,g4,g5", "e: pending 10.0.0.9");
    check("create a groups=g1,g1,g2,g3,g4,g5", "e: pending 10.0.0.9");
    check(
        "create a groups=g1,g2,g3,g4,g5,g6",
        "SecurityGroupsPerInterfaceLimitExceeded: The maximum number of security groups per interface (5) has been reached.",
    );
    check(
        "create a groups=gw",
        "InvalidGroup.NotFound: The security group 'gw' does not exist in VPC 'v'",
    );
    check(
        "create a groups=sg-0a1b2c3d",
        "InvalidGroup.NotFound: The security group 'sg-0a1b2c3d' does not exist",
    );
}

#[test]
fn tags_have_limits() {
    check("create a tags=50", "e: pending 10.0.0.9");
    check("create a tags=51", "TagLimitExceeded: More than 50 tags are not allowed on a resource.");
    check(
        "create a tags=aws:x:1",
        "InvalidParameterValue: Tag key 'aws:x' is not valid. It must have 1 to 128 characters and not begin with 'aws:'.",
    );
    check(
        "create a tags=x:1 tag-type=instance",
        "InvalidParameterValue: 'instance' is not a valid taggable resource type for this operation.",
    );
    check(
        "create a tags=50\ntag on=e tags=k1:new\ntag on=e tags=more:1\ntag on=i1,a,v,g1,p1,e tags=k2:x",
        "e: pending 10.0.0.9\nok\nTagLimitExceeded: More than 50 tags are not allowed on a resource.\nok",
    );
    check("tag tags=a:1", "MissingParameter: The request must contain the parameter resourceIdSet");
    check("tag on=e-x tags=a:1", "InvalidID: The ID 'e-x' is not valid");
}

#[test]
fn quotas_hold() {
    check(
        "quota interfaces=7\ncreate a\ncreate a",
        "e: pending 10.0.0.9\nNetworkInterfaceLimitExceeded: The maximum number of network interfaces (7) has been reached.",
    );
    check(
        "quota usage=10\ncreate a count=3\nassign e count=1\ncreate a\nassign6 e count=1",
        "e: pending 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12
        NetworkAddressUsageLimitExceeded: The maximum number of network address usage units (10) has been reached for the VPC.
        NetworkAddressUsageLimitExceeded: The maximum number of network address usage units (10) has been reached for the VPC.
        NetworkAddressUsageLimitExceeded: The maximum number of network address usage units (10) has been reached for the VPC.",
    );
}

#[test]
fn what_is_over_a_quota_stays_and_does_not_grow() {
    check(
        "create a\ncreate a name=f token=t\nquota interfaces=1\ncreate a\ncreate a name=f token=t\nassign e count=1\nattach e i1 1\ndelete f\nquota interfaces=8\ncreate a name=g",
        "e: pending 10.0.0.9\nf: pending 10.0.0.10
        NetworkInterfaceLimitExceeded: The maximum number of network interfaces (1) has been reached.
        f: pending 10.0.0.10\n10.0.0.11\ncard 0\nok\ng: pending 10.0.0.10",
    );
    check(
        "create a count=1\nquota usage=1\nassign e count=1\nunassign e held\nassign e count=1",
        "e: pending 10.0.0.9 10.0.0.10
        NetworkAddressUsageLimitExceeded: The maximum number of network address usage units (1) has been reached for the VPC.
        ok
        NetworkAddressUsageLimitExceeded: The maximum number of network address usage units (1) has been reached for the VPC.",
    );
}

#[test]
fn interfaces_of_services_are_address_usage_of_their_own() {
    let full = "NetworkAddressUsageLimitExceeded: The maximum number of network address usage units (13) has been reached for the VPC.";
    let begin = "managed m\nquota usage=13";
    check(
        &format!("{begin}\ncreate a count=1\ncreate a"),
        &format!("{full}\ne: pending 10.0.0.10"),
    );
    check(
        &format!("{begin}\nassume address-usage-of-services=2\ncreate a count=4\ncreate a count=5"),
        "e: pending 10.0.0.10 10.0.0.11 10.0.0.12 10.0.0.13 10.0.0.14
        NetworkAddressUsageLimitExceeded: The maximum number of network address usage units (13) has been reached for the VPC.",
    );
    check(
        &format!(
            "{begin}\nassume address-usage-counts-primary=false\ncreate a count=7\ncreate a count=1"
        ),
        &format!(
            "e: pending 10.0.0.10 10.0.0.11 10.0.0.12 10.0.0.13 10.0.0.14 10.0.0.15 10.0.0.16 10.0.0.17\n{full}"
        ),
    );
}

#[test]
fn a_token_stands_for_what_was_answered_first() {
    check(
        "create a token=t\ndelete e\ncreate a token=t\nshow e\nsubnet a",
        "e: pending 10.0.0.9\nok\ne: pending 10.0.0.9\ngone\n246",
    );
    let refused = "NetworkInterfaceLimitExceeded: The maximum number of network interfaces (6) has been reached.";
    check(
        "quota interfaces=6\ncreate a token=t\nquota interfaces=7\ncreate a count=1 token=t",
        &format!("{refused}\ne: pending 10.0.0.9 10.0.0.10"),
    );
    check(
        "create a token=t dry\ncreate a count=1 token=t",
        "DryRunOperation: Request would have succeeded, but DryRun flag is set.\ne: pending 10.0.0.9 10.0.0.10",
    );
    check(
        r#"fault {"nth": 1, "action": "CreateNetworkInterface", "effect": {"commit-then-drop": "internal-error"}}
        create a token=t
        create a token=t
        subnet a"#,
        "InternalError: An internal error has occurred\ne: pending 10.0.0.9\n245",
    );
    let long = "t".repeat(65);
    check(
        &format!("create a token={long}\ncreate a token={}", &long[1..]),
        "InvalidParameterValue: The client token has 65 characters. The maximum is 64.\ne: pending 10.0.0.9",
    );
}

#[test]
fn a_client_token_makes_a_call_once() {
    check(
        "create a token=t\ncreate a token=t\nshow e\nsubnet a",
        "e: pending 10.0.0.9\ne: pending 10.0.0.9\navailable 10.0.0.9\n245",
    );
    check(
        "create a token=t\ncreate a token=t count=1",
        "e: pending 10.0.0.9\nIdempotentParameterMismatch: The client token 't' was already used with different request parameters.",
    );
    check(
        "principal one account=111111111111\nprincipal two account=222222222222\nas one\ncreate a token=t\nas two\ncreate a token=t count=1 name=f",
        "e: pending 10.0.0.9\nf: pending 10.0.0.10 10.0.0.11",
    );
    check(
        "create a token=t\nwait 86401\ncreate a token=t name=f",
        "e: pending 10.0.0.9\nf: pending 10.0.0.10",
    );
}

#[test]
fn subnets_and_kinds_must_be_known() {
    check(
        "create subnet-0a1b2c3d",
        "InvalidSubnetID.NotFound: The subnet ID 'subnet-0a1b2c3d' does not exist",
    );
    check("create a kind=trunk", "e: pending 10.0.0.9");
    check(
        "create a kind=thing",
        "InvalidParameterValue: Value (thing) for parameter interfaceType is invalid.",
    );
    check(
        "outage eu-west-1a\ncreate a\ncreate b",
        "Unavailable: The availability zone of subnet 'a' is unavailable. Please try again shortly.\ne: pending 10.0.1.5",
    );
}
