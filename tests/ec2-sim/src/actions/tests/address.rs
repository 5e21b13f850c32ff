use super::check;

/// Text of an interface that was made with 10.0.0.9 and attached to `i1`.
const ATTACHED: &str = "create a\nattach e i1 1 card=0";
const MADE: &str = "e: pending 10.0.0.9\ncard 0";

#[track_caller]
fn check_attached(steps: &str, expected: &str) {
    check(&format!("{ATTACHED}\n{steps}"), &format!("{MADE}\n{expected}"));
}

const LIMIT: &str = "PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit.";

#[test]
fn assign_answers_with_what_is_new() {
    check_attached("assign e count=2\nassign e count=1", "10.0.0.10 10.0.0.11\n10.0.0.12");
    check_attached("assign e ips=10.0.0.50,10.0.0.51", "10.0.0.50 10.0.0.51");
    check_attached(
        "assign e ips=10.0.0.50\nassign e ips=10.0.0.50,10.0.0.51",
        "10.0.0.50\n10.0.0.51",
    );
    check_attached(
        "assign e prefix-count=2\nassign e prefixes=10.0.0.96/28\nassign e count=1\nshow e",
        "10.0.0.16/28 10.0.0.32/28\n10.0.0.96/28\n10.0.0.10\nin-use i1/0/1 10.0.0.9 10.0.0.10 10.0.0.16/28 10.0.0.32/28 10.0.0.96/28",
    );
    check_attached(
        "assign6 e count=2\nassign6 e prefix-count=1\nassign6 e ips=2001:db8:0:1::77",
        "2 addresses, 0 prefixes\n0 addresses, 1 prefixes\n1 addresses, 0 prefixes",
    );
}

#[test]
fn a_prefix_takes_one_slot_as_an_address_does() {
    check_attached(
        "assign e prefix-count=9\nassign e count=1",
        &format!(
            "10.0.0.16/28 10.0.0.32/28 10.0.0.48/28 10.0.0.64/28 10.0.0.80/28 10.0.0.96/28 10.0.0.112/28 10.0.0.128/28 10.0.0.144/28\n{LIMIT}"
        ),
    );
    check_attached(
        "assign e count=10\nassign e prefix-count=10\nsubnet a",
        &format!("{LIMIT}\n{LIMIT}\n245"),
    );
    check_attached(
        "assign6 e prefix-count=10\nassign6 e count=1",
        "0 addresses, 10 prefixes\nPrivateIpAddressLimitExceeded: Number of IPv6 addresses will exceed limit.",
    );
    let unattached = format!("e: pending 10.0.0.9\n{LIMIT}\n10.0.0.10");
    check("create a\nassign e count=64\nassign e count=1", &unattached);
}

#[test]
fn assign_must_ask_for_something() {
    check_attached(
        "assign e\nassign6 e\nassign e count=0\nassign e count=1 prefix-count=1",
        "MissingParameter: One of privateIpAddress, secondaryPrivateIpAddressCount, ipv4Prefix, ipv4PrefixCount must be specified.
        MissingParameter: One of ipv6Addresses, ipv6AddressCount, ipv6Prefix, ipv6PrefixCount must be specified.
        InvalidParameterValue: Value (0) for parameter secondaryPrivateIpAddressCount is invalid. Value must be a positive number.
        InvalidParameterCombination: You may specify one and only one of privateIpAddressSet or secondaryPrivateIpAddressCount or ipv4Prefixes or ipv4PrefixCount, but not more than one of them.",
    );
}

#[test]
fn prefixes_are_for_nitro_only() {
    let refused = "Prefixes are not supported on instance type m4.large";
    check("assign xen-primary prefix-count=1", &format!("InvalidParameterValue: {refused}"));
    check(
        "assume prefix-on-xen=OperationNotPermitted\nassign xen-primary prefix-count=1",
        &format!("OperationNotPermitted: {refused}"),
    );
    check("assign6 xen-primary prefix-count=1", &format!("InvalidParameterValue: {refused}"));
    check(
        "create a prefix-count=1\nattach e xen 1",
        &format!("e: pending 10.0.0.9 10.0.0.16/28\nInvalidParameterValue: {refused}"),
    );
}

#[test]
fn addresses_of_others_move_only_when_that_is_allowed() {
    let begin = "create a ips=10.0.0.50 name=f\nassociate p1 interface=f ip=10.0.0.50";
    let made = "f: pending 10.0.0.9 10.0.0.50\nok";
    check(
        &format!("{begin}\nassign i1-primary ips=10.0.0.50,10.0.0.51\nsubnet a"),
        &format!(
            "{made}\nInvalidParameterValue: [10.0.0.50] assigned, but move is not allowed.\n244"
        ),
    );
    check(
        &format!(
            "{begin}\nassign i1-primary ips=10.0.0.50,10.0.0.51 move\nshow f\nshow i1-primary\nsubnet a"
        ),
        &format!(
            "{made}\n10.0.0.50 10.0.0.51\navailable 10.0.0.9\nin-use i1/0/0* 10.0.0.4 10.0.0.50=198.51.100.1 10.0.0.51\n243"
        ),
    );
    check(
        "assign i1-primary ips=10.0.0.5 move",
        "InvalidParameterValue: The primary IP address 10.0.0.5 of an interface cannot be reassigned.",
    );
    check(
        "managed m\nassign i1-primary ips=10.0.0.200 move",
        "Resource.AlreadyAssigned: 10.0.0.200 is already assigned to a resource.",
    );
    check(
        "create a prefixes=10.0.0.64/28\nassign i1-primary ips=10.0.0.70 move",
        "e: pending 10.0.0.9 10.0.0.64/28\nResource.AlreadyAssigned: 10.0.0.70 is already assigned to a resource.",
    );
}

#[test]
fn a_short_subnet_gives_nothing() {
    check_attached(
        "leave a 2\nassign e count=3\nsubnet a\nassign e prefix-count=1",
        "InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses to satisfy the request.\n2\nInvalidParameterValue: There aren't sufficient free Ipv4 addresses or prefixes",
    );
    check_attached(
        "leave-blocks a 0\nassign e prefix-count=1",
        "InsufficientCidrBlocks: The specified subnet does not have enough free cidr blocks to satisfy the request.",
    );
}

#[test]
fn unassign_takes_what_is_there_or_nothing() {
    check_attached(
        "assign e count=3\nassign e prefix-count=1\nunassign e ips=10.0.0.10,10.0.0.12 prefixes=10.0.0.16/28\nshow e\nsubnet a",
        "10.0.0.10 10.0.0.11 10.0.0.12\n10.0.0.16/28\nok\nin-use i1/0/1 10.0.0.9 10.0.0.11\n244",
    );
    check_attached(
        "assign e count=1\nunassign e ips=10.0.0.10,10.0.0.77\nunassign e prefixes=10.0.0.64/28\nshow e",
        "10.0.0.10
        InvalidParameterValue: Some of the specified addresses are not assigned to interface e
        InvalidParameterValue: Some of the specified addresses are not assigned to interface e
        in-use i1/0/1 10.0.0.9 10.0.0.10",
    );
    check_attached(
        "unassign e ips=10.0.0.9\nunassign e\nunassign6 e",
        "InvalidParameterValue: Value (10.0.0.9) for parameter privateIpAddress is invalid. The primary IP address of an interface cannot be unassigned.
        MissingParameter: One of privateIpAddress, ipv4Prefix must be specified.
        MissingParameter: One of ipv6Addresses, ipv6Prefix must be specified.",
    );
    check_attached(
        "assign6 e ips=2001:db8:0:1::77\nunassign6 e ips=2001:db8:0:1::77\nunassign6 e ips=2001:db8:0:1::77",
        "1 addresses, 0 prefixes\nok\nInvalidParameterValue: Some of the specified addresses are not assigned to interface e",
    );
}

#[test]
fn a_public_address_goes_with_the_private_one() {
    check_attached(
        "assign e count=1\nassociate p1 interface=e ip=10.0.0.10\nshow e\nunassign e ips=10.0.0.10\nshow e",
        "10.0.0.10\nok\nin-use i1/0/1 10.0.0.9 10.0.0.10=198.51.100.1\nok\nin-use i1/0/1 10.0.0.9",
    );
}

#[test]
fn interfaces_must_be_known_and_the_callers() {
    let missing =
        "InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-0a1b2c3d' does not exist";
    for verb in [
        "assign eni-0a1b2c3d count=1",
        "assign6 eni-0a1b2c3d count=1",
        "unassign eni-0a1b2c3d ips=10.0.0.9",
        "unassign6 eni-0a1b2c3d ips=::1",
        "delete eni-0a1b2c3d",
        "modify eni-0a1b2c3d check=false",
        "attach eni-0a1b2c3d i1 1",
        "associate p1 interface=eni-0a1b2c3d",
    ] {
        check(verb, missing);
    }
    let managed = "OperationNotPermitted: You are not allowed to manage the attachment of 'm': it belongs to an AWS service.";
    for verb in [
        "assign m count=1",
        "delete m",
        "detach m",
        "unassign m ips=10.0.0.200",
        "modify m check=false",
        "attach m i1 1",
    ] {
        check(&format!("managed m\n{verb}"), managed);
    }
}

#[test]
fn an_address_by_name_that_is_there_already_is_a_matter_of_assumption() {
    let switch = "assume own-address-again=false";
    let refused = "InvalidParameterValue: [10.0.0.50] assigned, but move is not allowed.";
    check_attached(
        &format!(
            "assign e ips=10.0.0.50\n{switch}\nassign e ips=10.0.0.50,10.0.0.51\nassign e ips=10.0.0.51,10.0.0.50 move\nshow e"
        ),
        &format!("10.0.0.50\n{refused}\n{refused}\nin-use i1/0/1 10.0.0.9 10.0.0.50"),
    );
    check_attached(
        &format!(
            "assign6 e ips=2001:db8:0:1::77\nassign6 e ips=2001:db8:0:1::77\n{switch}\nassign6 e ips=2001:db8:0:1::77"
        ),
        "1 addresses, 0 prefixes\n0 addresses, 0 prefixes\nResource.AlreadyAssigned: 2001:db8:0:1::77 is already assigned to a resource.",
    );
}

#[test]
fn the_available_count_knows_addresses_and_no_blocks() {
    check_attached(
        "subnet a\nassign e prefix-count=1\nsubnet a\nassign e count=1\nsubnet a\nunassign e held\nsubnet a",
        "245\n10.0.0.16/28\n229\n10.0.0.10\n228\nok\n245",
    );
}
