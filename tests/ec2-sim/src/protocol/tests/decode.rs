//! Forms that are requests.

use crate::protocol::decode;

/// `form` without version, one parameter a line; `expected` is the operation as it prints itself.
#[track_caller]
fn check(form: &str, expected: &str) {
    let form = form.split_whitespace().collect::<Vec<_>>().join("&") + "&Version=2016-11-15";
    let request = decode(&form).unwrap();
    let dry_run = if request.dry_run { "dry run: " } else { "" };
    assert_eq!(format!("{dry_run}{:?}", request.operation), expected);
}

#[test]
fn interfaces_are_made_with_all_that_can_be_said() {
    check(
        "Action=CreateNetworkInterface SubnetId=subnet-0000000a Description=for+i-1 DryRun=true
         PrivateIpAddresses.1.PrivateIpAddress=10.0.0.10 PrivateIpAddresses.1.Primary=true
         PrivateIpAddresses.2.PrivateIpAddress=10.0.0.11 Ipv4Prefix.1.Ipv4Prefix=10.0.0.16%2F28
         Ipv6Addresses.1.Ipv6Address=2001:db8::5 Ipv6Prefix.1.Ipv6Prefix=2001:db8:0:0:1::/80
         SecurityGroupId.1=sg-0000000a SecurityGroupId.2=sg-0000000b InterfaceType=trunk
         TagSpecification.1.ResourceType=network-interface TagSpecification.1.Tag.1.Key=team
         TagSpecification.1.Tag.1.Value=a+b TagSpecification.1.Tag.2.Key=empty ClientToken=once",
        "dry run: CreateNetworkInterface(CreateNetworkInterface { \
         subnet: SubnetId(\"subnet-0000000a\"), description: \"for i-1\", primary_ip: Some(10.0.0.10), \
         ipv4: Wanted { addresses: [10.0.0.11], address_count: None, prefixes: [10.0.0.16/28], prefix_count: None }, \
         ipv6: Wanted { addresses: [2001:db8::5], address_count: None, prefixes: [2001:db8:0:0:1::/80], prefix_count: None }, \
         groups: [GroupId(\"sg-0000000a\"), GroupId(\"sg-0000000b\")], kind: Some(\"trunk\"), \
         tag_specifications: [TagSpecification { resource_type: \"network-interface\", \
         tags: {\"empty\": \"\", \"team\": \"a b\"} }], client_token: Some(\"once\") })",
    );
}

#[test]
fn addresses_are_assigned_by_number_or_by_name() {
    check(
        "Action=AssignPrivateIpAddresses NetworkInterfaceId=eni-0000000a Ipv4PrefixCount=2",
        "AssignPrivateIpAddresses(AssignPrivateIpAddresses { interface: InterfaceId(\"eni-0000000a\"), \
         wanted: Wanted { addresses: [], address_count: None, prefixes: [], prefix_count: Some(2) }, allow_reassignment: false })",
    );
    check(
        "Action=AssignIpv6Addresses NetworkInterfaceId=eni-0000000a Ipv6Addresses.1=2001:db8::1 Ipv6Addresses.2=2001:db8::2",
        "AssignIpv6Addresses(AssignIpv6Addresses { interface: InterfaceId(\"eni-0000000a\"), \
         wanted: Wanted { addresses: [2001:db8::1, 2001:db8::2], address_count: None, prefixes: [], prefix_count: None } })",
    );
    check(
        "Action=UnassignPrivateIpAddresses NetworkInterfaceId=eni-0000000a PrivateIpAddress.1=10.0.0.9 Ipv4Prefix.1=10.0.0.16/28",
        "UnassignPrivateIpAddresses(UnassignPrivateIpAddresses { interface: InterfaceId(\"eni-0000000a\"), \
         addresses: [10.0.0.9], prefixes: [10.0.0.16/28] })",
    );
}

#[test]
fn lists_are_ordered_by_number_and_may_have_gaps() {
    check(
        "Action=DescribeSubnets Filter.10.Name=z Filter.10.Value.1=3 Filter.2.Name=a Filter.2.Value.11=2 Filter.2.Value.9=1
         MaxResults=5 NextToken=t SubnetId.3=subnet-0000000a",
        "DescribeSubnets(DescribeSubnets(Listing { ids: [SubnetId(\"subnet-0000000a\")], \
         filters: [Filter { name: \"a\", values: [\"1\", \"2\"] }, Filter { name: \"z\", values: [\"3\"] }], \
         page: Page { max_results: Some(5), next_token: Some(\"t\") } }))",
    );
}

#[test]
fn attributes_are_modified_one_structure_each() {
    check(
        "Action=ModifyNetworkInterfaceAttribute NetworkInterfaceId=eni-0000000a
         Attachment.AttachmentId=eni-attach-0000000a Attachment.DeleteOnTermination=true",
        "ModifyNetworkInterfaceAttribute(ModifyNetworkInterfaceAttribute { interface: InterfaceId(\"eni-0000000a\"), \
         delete_on_termination: Some((Some(AttachmentId(\"eni-attach-0000000a\")), Some(true))), description: None, \
         groups: None, source_dest_check: None })",
    );
    check(
        "Action=ModifyNetworkInterfaceAttribute NetworkInterfaceId=eni-0000000a Description.Value=",
        "ModifyNetworkInterfaceAttribute(ModifyNetworkInterfaceAttribute { interface: InterfaceId(\"eni-0000000a\"), \
         delete_on_termination: None, description: Some(\"\"), groups: None, source_dest_check: None })",
    );
}

#[test]
fn interfaces_are_attached_and_detached() {
    check(
        "Action=AttachNetworkInterface NetworkInterfaceId=eni-0000000a InstanceId=i-0000000a DeviceIndex=1 NetworkCardIndex=0",
        "AttachNetworkInterface(AttachNetworkInterface { interface: InterfaceId(\"eni-0000000a\"), \
         instance: InstanceId(\"i-0000000a\"), device_index: 1, network_card: Some(0) })",
    );
    check(
        "Action=DetachNetworkInterface AttachmentId=eni-attach-0000000a Force=true",
        "DetachNetworkInterface(DetachNetworkInterface { attachment: AttachmentId(\"eni-attach-0000000a\"), force: true })",
    );
}

#[test]
fn what_a_signature_adds_to_a_query_string_is_no_parameter() {
    check(
        "Action=DescribeTags X-Amz-Signature=00 X-Amz-Credential=AKIA%2F20260101%2Feu-west-1%2Fec2%2Faws4_request",
        "DescribeTags(DescribeTags { filters: [], page: Page { max_results: None, next_token: None } })",
    );
}

#[test]
fn a_false_that_is_not_simulated_asks_for_nothing() {
    check(
        "Action=DescribeInstances IncludeManagedResources=false InstanceId.1=i-0000000a",
        "DescribeInstances(DescribeInstances(Listing { ids: [InstanceId(\"i-0000000a\")], filters: [], \
         page: Page { max_results: None, next_token: None } }))",
    );
}
