"""Refusals by their causes: the code, and the text by which clients tell two causes of one code apart."""

import pytest
from test_interfaces import created, described

NO = "00000000000000000"

# action, parameters (names of the world stand for ids), code, a part of the message
CASES = [
    # what does not exist
    ("describe_network_interfaces", {"NetworkInterfaceIds": [f"eni-{NO}"]}, "InvalidNetworkInterfaceID.NotFound", f"eni-{NO}"),
    ("describe_instances", {"InstanceIds": [f"i-{NO}"]}, "InvalidInstanceID.NotFound", f"i-{NO}"),
    ("describe_subnets", {"SubnetIds": [f"subnet-{NO}"]}, "InvalidSubnetID.NotFound", f"subnet-{NO}"),
    ("describe_vpcs", {"VpcIds": [f"vpc-{NO}"]}, "InvalidVpcID.NotFound", f"vpc-{NO}"),
    ("describe_route_tables", {"RouteTableIds": [f"rtb-{NO}"]}, "InvalidRouteTableID.NotFound", f"rtb-{NO}"),
    ("describe_security_groups", {"GroupIds": [f"sg-{NO}"]}, "InvalidGroup.NotFound", f"sg-{NO}"),
    ("describe_addresses", {"AllocationIds": [f"eipalloc-{NO}"]}, "InvalidAllocationID.NotFound", f"eipalloc-{NO}"),
    ("describe_instance_types", {"InstanceTypes": ["m5.tiny"]}, "InvalidInstanceType", "m5.tiny"),
    ("create_network_interface", {"SubnetId": f"subnet-{NO}"}, "InvalidSubnetID.NotFound", ""),
    ("create_network_interface", {"SubnetId": "pods-a", "Groups": [f"sg-{NO}"]}, "InvalidGroup.NotFound", ""),
    ("delete_network_interface", {"NetworkInterfaceId": f"eni-{NO}"}, "InvalidNetworkInterfaceID.NotFound", ""),
    ("detach_network_interface", {"AttachmentId": f"eni-attach-{NO}"}, "InvalidAttachmentID.NotFound", ""),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": f"eni-{NO}", "Ipv4PrefixCount": 1}, "InvalidNetworkInterfaceID.NotFound", ""),
    ("attach_network_interface", {"NetworkInterfaceId": f"eni-{NO}", "InstanceId": "node-1", "DeviceIndex": 1}, "InvalidNetworkInterfaceID.NotFound", ""),
    ("attach_network_interface", {"NetworkInterfaceId": "spare", "InstanceId": f"i-{NO}", "DeviceIndex": 1}, "InvalidInstanceID.NotFound", ""),
    ("get_security_groups_for_vpc", {"VpcId": f"vpc-{NO}"}, "InvalidVpcID.NotFound", ""),
    ("associate_address", {"AllocationId": f"eipalloc-{NO}", "InstanceId": "node-1"}, "InvalidAllocationID.NotFound", ""),
    # what has not the form of an id, an address, a block
    ("detach_network_interface", {"AttachmentId": "attachment"}, "InvalidNetworkInterfaceAttachmentId.Malformed", "attachment"),
    ("describe_network_interfaces", {"NetworkInterfaceIds": ["eni-xyz"]}, "InvalidNetworkInterfaceID.Malformed", "eni-xyz"),
    ("describe_instances", {"InstanceIds": ["node-9"]}, "InvalidInstanceID.Malformed", "node-9"),
    ("describe_subnets", {"SubnetIds": ["pods-z"]}, "InvalidSubnetID.Malformed", "pods-z"),
    ("describe_security_groups", {"GroupIds": ["group"]}, "InvalidGroupId.Malformed", "group"),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "spare", "PrivateIpAddresses": ["10.0.3.300"]}, "InvalidParameterValue", "10.0.3.300"),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "spare", "Ipv4Prefixes": ["10.0.3.8/28"]}, "InvalidParameterValue", "10.0.3.8/28"),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "spare", "Ipv4Prefixes": ["10.0.3.32/27"]}, "InvalidParameterValue", "10.0.3.32/27"),
    # what is outside of the subnet, reserved or taken
    ("create_network_interface", {"SubnetId": "pods-a", "PrivateIpAddress": "10.0.3.9"}, "InvalidParameterValue", "10.0.3.9"),
    ("create_network_interface", {"SubnetId": "pods-a", "PrivateIpAddress": "10.0.2.1"}, "InvalidParameterValue", "10.0.2.1"),
    ("create_network_interface", {"SubnetId": "pods-b", "PrivateIpAddress": "10.0.3.20"}, "InvalidIPAddress.InUse", "10.0.3.20"),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "spare", "PrivateIpAddresses": ["10.0.2.9"]}, "InvalidParameterValue", "10.0.2.9"),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "spare", "Ipv4Prefixes": ["10.0.2.16/28"]}, "InvalidParameterValue", "10.0.2.16/28"),
    ("assign_ipv6_addresses", {"NetworkInterfaceId": "spare", "Ipv6AddressCount": 1}, "InvalidParameterValue", ""),
    # a subnet of 11 free addresses, in which no block of 16 can be
    ("create_network_interface", {"SubnetId": "few-a", "SecondaryPrivateIpAddressCount": 11}, "InsufficientFreeAddressesInSubnet", "does not have enough free addresses"),
    ("create_network_interface", {"SubnetId": "few-a", "Ipv4PrefixCount": 1}, "InvalidParameterValue", "There aren't sufficient free Ipv4 addresses or prefixes"),
    # what excludes each other, or is missing
    ("create_network_interface", {"SubnetId": "pods-a", "Ipv4PrefixCount": 1, "SecondaryPrivateIpAddressCount": 1}, "InvalidParameterCombination", ""),
    ("create_network_interface", {"SubnetId": "pods-a", "Ipv6PrefixCount": 1, "Ipv6AddressCount": 1}, "InvalidParameterValue", "You can and can only specify one of ipv6-addresses or"),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "spare", "Ipv4PrefixCount": 1, "SecondaryPrivateIpAddressCount": 1}, "InvalidParameterCombination", ""),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "spare"}, "MissingParameter", ""),
    ("unassign_private_ip_addresses", {"NetworkInterfaceId": "spare"}, "MissingParameter", ""),
    ("modify_network_interface_attribute", {"NetworkInterfaceId": "spare", "Description": {"Value": "a"}, "SourceDestCheck": {"Value": True}}, "InvalidParameterCombination", ""),
    ("modify_network_interface_attribute", {"NetworkInterfaceId": "spare", "Attachment": {"DeleteOnTermination": True}}, "MissingParameter", ""),
    ("describe_network_interfaces", {"NetworkInterfaceIds": ["spare"], "MaxResults": 10}, "InvalidParameterCombination", ""),
    ("describe_subnets", {"Filters": [{"Name": "subnet-id", "Values": [f"subnet-{number:08x}" for number in range(201)]}]}, "FilterLimitExceeded", "200"),
    # slots, cards, indexes
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "node-1 eth0", "SecondaryPrivateIpAddressCount": 10}, "PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit."),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "node-1 eth0", "Ipv4PrefixCount": 10}, "PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit."),
    ("assign_private_ip_addresses", {"NetworkInterfaceId": "old eth0", "Ipv4PrefixCount": 1}, "InvalidParameterValue", ""),
    ("attach_network_interface", {"NetworkInterfaceId": "spare-a", "InstanceId": "node-1", "DeviceIndex": 0}, "InvalidParameterValue", "already has an interface attached at device index '0'."),
    ("attach_network_interface", {"NetworkInterfaceId": "spare", "InstanceId": "node-1", "DeviceIndex": 1}, "InvalidParameterCombination", ""),
    ("attach_network_interface", {"NetworkInterfaceId": "node-1 eth0", "InstanceId": "node-2", "DeviceIndex": 1}, None, "in use|InUse"),
    ("delete_network_interface", {"NetworkInterfaceId": "node-1 eth0"}, "InvalidParameterValue", r"Network interface 'eni-\w+' is currently in use\."),
    ("delete_network_interface", {"NetworkInterfaceId": "load-balancer"}, "OperationNotPermitted|InvalidParameterValue", ""),
    ("create_network_interface", {"SubnetId": "pods-a", "Groups": ["sg-1", "sg-2", "sg-3", "sg-4", "nodes", "pods"]}, "SecurityGroupsPerInterfaceLimitExceeded", ""),
    ("create_tags", {"Resources": ["spare"], "Tags": [{"Key": f"key-{number}", "Value": ""} for number in range(51)]}, "TagLimitExceeded", ""),
    ("unassign_private_ip_addresses", {"NetworkInterfaceId": "spare", "PrivateIpAddresses": ["10.0.3.99"]}, "InvalidParameterValue", "not assigned to interface eni-"),
    ("unassign_private_ip_addresses", {"NetworkInterfaceId": "spare", "PrivateIpAddresses": ["10.0.3.20"]}, "InvalidParameterValue", ""),
    # pages
    ("describe_network_interfaces", {"NextToken": "nonsense", "MaxResults": 5}, "InvalidNextToken|InvalidPaginationToken", ""),
    ("describe_network_interfaces", {"MaxResults": 1001}, "InvalidParameterValue", "1001"),
    ("describe_instance_types", {"MaxResults": 101}, "InvalidParameterValue", "101"),
    ("describe_subnets", {"MaxResults": 1001}, "InvalidParameterValue", "1001"),
]


@pytest.mark.parametrize(("action", "parameters", "code", "text"), CASES, ids=[f"{row[0]}-{row[2]}" for row in CASES])
def test_a_refusal(unchecked, ids, refused, state, action, parameters, code, text):
    def named(value):
        if isinstance(value, list):
            return [named(item) for item in value]
        return ids.get(value, value) if isinstance(value, str) else value

    before = state()
    refused(code, text, getattr(unchecked, action), **{key: named(value) for key, value in parameters.items()})
    assert state() == before, "a refusal changes nothing"


def test_a_fragmented_subnet_has_addresses_but_no_block(ec2, ids, refused, server):
    act = {"leave-blocks": {"subnet": ids["tiny-a"], "left": 0}}
    server.fault({"foreign": {"act": act}})
    ec2.describe_tags()
    (subnet,) = ec2.describe_subnets(SubnetIds=[ids["tiny-a"]])["Subnets"]
    assert subnet["AvailableIpAddressCount"] >= 17
    text = "does not have enough free cidr blocks"
    refused("InsufficientCidrBlocks", text, ec2.create_network_interface, SubnetId=ids["tiny-a"], Ipv4PrefixCount=1)
    interface = created(ec2, SubnetId=ids["tiny-a"])["NetworkInterfaceId"]
    refused(
        "InsufficientCidrBlocks", text, ec2.assign_private_ip_addresses, NetworkInterfaceId=interface, Ipv4PrefixCount=1
    )


def test_addresses_run_out(ec2, ids, refused):
    interface = created(ec2, SubnetId=ids["few-a"], SecondaryPrivateIpAddressCount=9)["NetworkInterfaceId"]
    text = "does not have enough free addresses"
    call = ec2.assign_private_ip_addresses
    refused("InsufficientFreeAddressesInSubnet", text, call, NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=2)
    call(NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1)
    refused("InsufficientFreeAddressesInSubnet", text, ec2.create_network_interface, SubnetId=ids["few-a"])


def test_interfaces_run_out(ec2, ids, refused):
    attach = ec2.attach_network_interface
    interfaces = [created(ec2, SubnetId=ids["pods-a"])["NetworkInterfaceId"] for _ in range(4)]
    attach(NetworkInterfaceId=interfaces[0], InstanceId=ids["node-1"], DeviceIndex=2)
    taken = r"already has an interface attached at device index '2'\."
    parameters = {"NetworkInterfaceId": interfaces[1], "InstanceId": ids["node-1"]}
    refused("InvalidParameterValue", taken, attach, **parameters, DeviceIndex=2)
    attach(**parameters, DeviceIndex=1)
    full = r"Interface count 4 exceeds the limit for m5\.large"
    parameters = {"NetworkInterfaceId": interfaces[2], "InstanceId": ids["node-1"]}
    refused("AttachmentLimitExceeded", full, attach, **parameters, DeviceIndex=3)


def test_an_interface_that_holds_too_much(ec2, ids, refused):
    interface = created(ec2, SubnetId=ids["pods-a"], SecondaryPrivateIpAddressCount=10)["NetworkInterfaceId"]
    refused(
        r"InvalidInterface.IpAddressLimitExceeded", rf"Address count 11 on interface-{interface} exceeds the limit for m5\.large",
        ec2.attach_network_interface, NetworkInterfaceId=interface, InstanceId=ids["node-1"], DeviceIndex=1,
    )


@pytest.mark.world(settings={"quotas": {"interfaces": 14}})
def test_the_quota_of_the_region(ec2, ids, refused):
    have = len(ec2.describe_network_interfaces()["NetworkInterfaces"])
    for _ in range(14 - have):
        created(ec2, SubnetId=ids["pods-a"])
    refused("NetworkInterfaceLimitExceeded", "", ec2.create_network_interface, SubnetId=ids["pods-a"])


def test_permissions(ec2, ids, refused, server, client):
    server.principal("AKIATEST")
    server.principal("AKIAREADER", allowed=["DescribeNetworkInterfaces", "DescribeSubnets"])
    reader = client(access_key="AKIAREADER")
    assert reader.describe_subnets(SubnetIds=[ids["pods-a"]])["Subnets"]
    for call, parameters in [
        (reader.create_network_interface, {"SubnetId": ids["pods-a"]}),
        (reader.create_network_interface, {"SubnetId": ids["pods-a"], "DryRun": True}),
        (reader.get_security_groups_for_vpc, {"VpcId": ids["main"]}),
    ]:
        error = refused("UnauthorizedOperation", "not authorized", call, **parameters)
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.world(settings={"assumptions": {"unpaginated-limit": 5}})
def test_a_scan_that_is_too_large(ec2, ids, refused):
    refused("OperationNotPermitted", "", ec2.describe_network_interfaces)
    assert ec2.describe_network_interfaces(MaxResults=1000)["NetworkInterfaces"]
    by_vpc = [{"Name": "vpc-id", "Values": [ids["main"]]}]
    assert ec2.describe_network_interfaces(Filters=by_vpc)["NetworkInterfaces"]
    by_tag = [{"Name": "tag-key", "Values": ["Name"]}]
    refused("OperationNotPermitted", "", ec2.describe_network_interfaces, Filters=by_tag)


# form, code, HTTP status, a part of the message
RAW = [
    ({"Action": "RunInstances"}, "InvalidAction", 400, "RunInstances"),
    ({"Action": "describeVpcs"}, "InvalidAction", 400, "describeVpcs"),
    ({"Action": "DescribeVpcs", "Colour": "blue"}, "UnknownParameter", 400, "Colour"),
    ({"Action": "DescribeVpcs", "VpcId.1.Colour": "blue"}, "UnknownParameter", 400, "VpcId.1.Colour"),
    ({"Action": "DescribeSubnets", "Filter.1.Colour": "blue"}, "UnknownParameter", 400, "Filter.1.Colour"),
    ({"Action": "CreateNetworkInterface"}, "MissingParameter", 400, "[sS]ubnetId"),
    ({"Action": "AttachNetworkInterface", "NetworkInterfaceId": "eni-00000000"}, "MissingParameter", 400, ""),
    ({"Action": "DescribeSubnets", "MaxResults": "many"}, "InvalidParameterValue", 400, "many"),
    ({"Action": "DescribeVpcs", "DryRun": "perhaps"}, "InvalidParameterValue", 400, "perhaps"),
    ({}, "MissingAction", 400, ""),
    ({"Action": "DescribeVpcs", "Version": "2011-01-01"}, "NoSuchVersion", 400, "2011-01-01"),
]


def test_nobody_is_refused(error_of):
    error_of({"Action": "DescribeVpcs", "Version": "2016-11-15"}, "AuthFailure", 401, "credentials", headers={})


@pytest.mark.parametrize("name", ["node-1 eth0", "load-balancer"])
def test_what_cannot_be_detached(ec2, ids, refused, name):
    text = {
        "node-1 eth0": "The network interface at device index 0 and networkCard index 0 cannot be detached.",
        "load-balancer": "",
    }[name]
    attachment = described(ec2, ids[name])["Attachment"]["AttachmentId"]
    refused("OperationNotPermitted", text, ec2.detach_network_interface, AttachmentId=attachment)


@pytest.mark.world(settings={"latency": "typical"})
def test_an_instance_that_is_not_running(ec2, ids, refused):
    parameters = {"NetworkInterfaceId": ids["spare-a"], "InstanceId": ids["starting"], "DeviceIndex": 1}
    refused("IncorrectState|IncorrectInstanceState", "is not 'running'", ec2.attach_network_interface, **parameters)


@pytest.mark.parametrize(("form", "code", "status", "text"), RAW, ids=[str(row[0]) for row in RAW])
def test_a_form_that_no_client_sends(server, error_of, form, code, status, text):
    error_of({"Version": "2016-11-15"} | form, code, status, text)
