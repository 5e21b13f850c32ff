"""The life of network interfaces: every parameter of the actions that change them, and what is seen afterwards."""

import re

import pytest


def created(ec2, **parameters):
    return ec2.create_network_interface(**parameters)["NetworkInterface"]


def described(ec2, interface):
    (found,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    return found


def secondaries(interface):
    return [address["PrivateIpAddress"] for address in interface["PrivateIpAddresses"] if not address["Primary"]]


def ipv4_prefixes(interface):
    return [prefix["Ipv4Prefix"] for prefix in interface.get("Ipv4Prefixes", [])]


def ipv6_addresses(interface):
    return [address["Ipv6Address"] for address in interface.get("Ipv6Addresses", [])]


def ipv6_prefixes(interface):
    return [prefix["Ipv6Prefix"] for prefix in interface.get("Ipv6Prefixes", [])]


def test_the_plainest(ec2, ids):
    interface = created(ec2, SubnetId=ids["pods-a"])
    assert re.fullmatch(r"eni-[0-9a-f]{17}", interface["NetworkInterfaceId"])
    assert re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", interface["MacAddress"])
    assert interface["Status"] in ("pending", "available")
    assert interface["PrivateIpAddress"].startswith("10.0.2.")
    assert secondaries(interface) == ipv4_prefixes(interface) == []
    assert [group["GroupName"] for group in interface["Groups"]] == ["default"]
    seen = described(ec2, interface["NetworkInterfaceId"])
    assert seen["Status"] == "available"
    unchanging = set(interface) - {"Status"}
    assert {key: seen[key] for key in unchanging} == {key: interface[key] for key in unchanging}


def test_description_groups_type_and_tags(ec2, ids):
    tags = [{"Key": "Name", "Value": "mine"}, {"Key": "empty", "Value": ""}]
    interface = created(
        ec2,
        SubnetId=ids["pods-a"],
        Description="for <pods> & \"more\" äöü",
        Groups=[ids["pods"], ids["nodes"]],
        InterfaceType="trunk",
        TagSpecifications=[{"ResourceType": "network-interface", "Tags": tags}],
    )
    seen = described(ec2, interface["NetworkInterfaceId"])
    for answer in (interface, seen):
        assert answer["Description"] == "for <pods> & \"more\" äöü"
        assert answer["InterfaceType"] == "trunk"
        assert [group["GroupId"] for group in answer["Groups"]] == [ids["pods"], ids["nodes"]]
        assert sorted(answer["TagSet"], key=lambda tag: tag["Key"]) == tags


# parameters, and what the interface then has: primary, secondaries, prefixes; a number where EC2 picks
IPV4 = [
    ({"PrivateIpAddress": "10.0.2.77"}, "10.0.2.77", 0, 0),
    ({"PrivateIpAddresses": [{"PrivateIpAddress": "10.0.2.78", "Primary": True}]}, "10.0.2.78", 0, 0),
    (
        {"PrivateIpAddresses": [
            {"PrivateIpAddress": "10.0.2.79", "Primary": True},
            {"PrivateIpAddress": "10.0.2.81", "Primary": False},
            {"PrivateIpAddress": "10.0.2.80"},
        ]},
        "10.0.2.79", ["10.0.2.81", "10.0.2.80"], 0,
    ),
    ({"SecondaryPrivateIpAddressCount": 9}, None, 9, 0),
    ({"PrivateIpAddress": "10.0.2.90", "SecondaryPrivateIpAddressCount": 2}, "10.0.2.90", 2, 0),
    ({"Ipv4Prefixes": [{"Ipv4Prefix": "10.0.2.64/28"}]}, None, 0, ["10.0.2.64/28"]),
    ({"Ipv4PrefixCount": 3}, None, 0, 3),
]


@pytest.mark.parametrize(("parameters", "primary", "singles", "prefixes"), IPV4)
def test_ipv4(ec2, ids, parameters, primary, singles, prefixes):
    before = available(ec2, ids["pods-a"])
    interface = created(ec2, SubnetId=ids["pods-a"], **parameters)
    for answer in (interface, described(ec2, interface["NetworkInterfaceId"])):
        assert primary in (None, answer["PrivateIpAddress"])
        assert answer["PrivateIpAddresses"][0]["PrivateIpAddress"] == answer["PrivateIpAddress"]
        matches(secondaries(answer), singles)
        matches(ipv4_prefixes(answer), prefixes)
    taken = 1 + len(secondaries(interface)) + 16 * len(ipv4_prefixes(interface))
    assert available(ec2, ids["pods-a"]) == before - taken
    assert all(re.fullmatch(r"10\.0\.2\.\d+/28", prefix) for prefix in ipv4_prefixes(interface))


def matches(values, expected):
    """`expected` are the values in their order, or how many different ones there are."""
    assert values == expected if isinstance(expected, list) else len(set(values)) == expected == len(values)


def available(ec2, subnet):
    (found,) = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    return found["AvailableIpAddressCount"]


IPV6 = [
    ({"Ipv6Addresses": [{"Ipv6Address": "2001:db8:1234:1a02::7"}]}, ["2001:db8:1234:1a02::7"], 0),
    ({"Ipv6AddressCount": 4}, 4, 0),
    ({"Ipv6Prefixes": [{"Ipv6Prefix": "2001:db8:1234:1a02:5::/80"}]}, 0, ["2001:db8:1234:1a02:5::/80"]),
    ({"Ipv6PrefixCount": 2}, 0, 2),
]


@pytest.mark.parametrize(("parameters", "singles", "prefixes"), IPV6)
def test_ipv6(ec2, ids, parameters, singles, prefixes):
    interface = created(ec2, SubnetId=ids["pods-a"], **parameters)
    for answer in (interface, described(ec2, interface["NetworkInterfaceId"])):
        matches(ipv6_addresses(answer), singles)
        matches(ipv6_prefixes(answer), prefixes)
        assert all(value.startswith("2001:db8:1234:1a02:") for value in ipv6_addresses(answer) + ipv6_prefixes(answer))


def test_a_client_token_makes_one_interface(ec2, ids, refused):
    parameters = {"SubnetId": ids["pods-a"], "Description": "once", "ClientToken": "token-1"}
    first = ec2.create_network_interface(**parameters)
    second = ec2.create_network_interface(**parameters)
    assert first["NetworkInterface"]["NetworkInterfaceId"] == second["NetworkInterface"]["NetworkInterfaceId"]
    assert first["ClientToken"] == second["ClientToken"] == "token-1"
    refused(
        "IdempotentParameterMismatch", "", ec2.create_network_interface, **(parameters | {"Description": "twice"})
    )
    other = ec2.create_network_interface(**(parameters | {"ClientToken": "token-2"}))
    assert other["NetworkInterface"]["NetworkInterfaceId"] != first["NetworkInterface"]["NetworkInterfaceId"]


def test_attach_modify_detach_delete(ec2, ids, until, refused):
    interface = created(ec2, SubnetId=ids["pods-a"])["NetworkInterfaceId"]
    attached = ec2.attach_network_interface(
        NetworkInterfaceId=interface, InstanceId=ids["node-1"], DeviceIndex=1, NetworkCardIndex=0
    )
    assert re.fullmatch(r"eni-attach-[0-9a-f]{17}", attached["AttachmentId"])
    assert attached["NetworkCardIndex"] == 0
    until(lambda: described(ec2, interface).get("Attachment", {}).get("Status") == "attached")
    seen = described(ec2, interface)
    assert seen["Status"] == "in-use"
    attachment = seen["Attachment"]
    assert attachment["AttachmentId"] == attached["AttachmentId"]
    assert (attachment["InstanceId"], attachment["DeviceIndex"]) == (ids["node-1"], 1)
    assert attachment["DeleteOnTermination"] is False
    refused("InvalidParameterValue", "currently in use", ec2.delete_network_interface, NetworkInterfaceId=interface)
    change = {"AttachmentId": attached["AttachmentId"], "DeleteOnTermination": True}
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Attachment=change)
    assert described(ec2, interface)["Attachment"]["DeleteOnTermination"] is True
    (reservation,) = ec2.describe_instances(InstanceIds=[ids["node-1"]])["Reservations"]
    of_instance = [item["NetworkInterfaceId"] for item in reservation["Instances"][0]["NetworkInterfaces"]]
    assert of_instance[1:] == [interface]
    ec2.detach_network_interface(AttachmentId=attached["AttachmentId"])
    until(lambda: described(ec2, interface)["Status"] == "available")
    assert "Attachment" not in described(ec2, interface)
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    refused("InvalidNetworkInterfaceID.NotFound", interface, described, ec2, interface)


def test_detach_by_force(ec2, ids, until):
    interface = created(ec2, SubnetId=ids["pods-a"])["NetworkInterfaceId"]
    attached = ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=ids["stopped"], DeviceIndex=3)
    ec2.detach_network_interface(AttachmentId=attached["AttachmentId"], Force=True)
    until(lambda: described(ec2, interface)["Status"] == "available")


def test_a_second_network_card(ec2, ids, until):
    interface = created(ec2, SubnetId=ids["pods-a"])["NetworkInterfaceId"]
    attached = ec2.attach_network_interface(
        NetworkInterfaceId=interface, InstanceId=ids["big"], DeviceIndex=1, NetworkCardIndex=1
    )
    assert attached["NetworkCardIndex"] == 1
    until(lambda: described(ec2, interface)["Status"] == "in-use")
    assert described(ec2, interface)["Attachment"]["NetworkCardIndex"] == 1


def test_modify(ec2, ids):
    spare = ids["spare"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=spare, Description={"Value": "changed"})
    ec2.modify_network_interface_attribute(NetworkInterfaceId=spare, SourceDestCheck={"Value": False})
    ec2.modify_network_interface_attribute(NetworkInterfaceId=spare, Groups=[ids["nodes"], ids["pods"]])
    seen = described(ec2, spare)
    assert seen["Description"] == "changed"
    assert seen["SourceDestCheck"] is False
    assert [group["GroupId"] for group in seen["Groups"]] == [ids["nodes"], ids["pods"]]


def test_tags_of_any_kind(ec2, ids):
    named = ["spare", "node-1", "pods-a", "main", "pods", "routes-pods", "egress-1"]
    resources = [ids[name] for name in named]
    ec2.create_tags(Resources=resources, Tags=[{"Key": "team", "Value": "net"}, {"Key": "Name", "Value": "renamed"}])
    team = ec2.describe_tags(Filters=[{"Name": "key", "Values": ["team"]}])["Tags"]
    assert {(tag["ResourceId"], tag["Value"]) for tag in team} == {(resource, "net") for resource in resources}
    kinds = {tag["ResourceType"] for tag in team}
    assert kinds == {
        "network-interface", "instance", "subnet", "vpc", "security-group", "route-table", "elastic-ip",
    }
    tags = {tag["Key"]: tag["Value"] for tag in described(ec2, ids["spare"])["TagSet"]}
    assert tags == {"Name": "renamed", "team": "net"}


# action and what it takes besides DryRun, by names of the world
DRY = [
    ("associate_address", {"AllocationId": "egress-1", "NetworkInterfaceId": "spare"}),
    ("attach_network_interface", {"NetworkInterfaceId": "spare", "InstanceId": "node-2", "DeviceIndex": 1}),
    ("create_network_interface", {"SubnetId": "pods-a"}),
    ("create_subnet_cidr_reservation", {"SubnetId": "pods-a", "Cidr": "10.0.2.64/26", "ReservationType": "prefix"}),
    ("create_tags", {"Resources": ["spare"], "Tags": [{"Key": "a", "Value": "b"}]}),
    ("delete_network_interface", {"NetworkInterfaceId": "spare"}),
    ("describe_addresses", {}),
    ("describe_instance_types", {}),
    ("describe_instances", {}),
    ("describe_network_interfaces", {}),
    ("describe_route_tables", {}),
    ("describe_security_groups", {}),
    ("describe_subnets", {}),
    ("describe_tags", {}),
    ("describe_vpcs", {}),
    ("get_security_groups_for_vpc", {"VpcId": "main"}),
    ("modify_network_interface_attribute", {"NetworkInterfaceId": "spare", "Description": {"Value": "x"}}),
]


@pytest.mark.parametrize(("action", "parameters"), DRY, ids=[row[0] for row in DRY])
def test_a_dry_run_changes_nothing(ec2, ids, refused, action, parameters):
    def named(value):
        return [named(item) for item in value] if isinstance(value, list) else ids.get(str(value), value)

    before = described(ec2, ids["spare"])
    parameters = {key: named(value) for key, value in parameters.items()}
    error = refused("DryRunOperation", "would have succeeded", getattr(ec2, action), DryRun=True, **parameters)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert described(ec2, ids["spare"]) == before


def test_a_dry_run_of_detach(ec2, ids, refused):
    attachment = described(ec2, ids["node-1 eth0"])["Attachment"]["AttachmentId"]
    refused("DryRunOperation", "", ec2.detach_network_interface, AttachmentId=attachment, DryRun=True)
