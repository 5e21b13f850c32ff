"""Every listing, with every parameter: what is asked for is what is answered."""

import pytest


def listed(answer):
    """The one list that an answer of a listing holds."""
    lists = [value for value in answer.values() if isinstance(value, list)]
    assert len(lists) == 1, answer
    return lists[0]


def key(name):
    return lambda item: item[name]


def instance_key(reservation):
    return reservation["Instances"][0]["InstanceId"]


# action, how an item is identified, how it is asked for by id, the names of those in the world
BY_ID = [
    ("describe_instances", instance_key, "InstanceIds", ["node-1", "node-2"]),
    ("describe_network_interfaces", key("NetworkInterfaceId"), "NetworkInterfaceIds", ["spare", "load-balancer"]),
    ("describe_route_tables", key("RouteTableId"), "RouteTableIds", ["routes-pods", "routes-public"]),
    ("describe_security_groups", key("GroupId"), "GroupIds", ["nodes", "pods"]),
    ("describe_subnets", key("SubnetId"), "SubnetIds", ["pods-a", "pods-b"]),
    ("describe_vpcs", key("VpcId"), "VpcIds", ["main", "other"]),
    ("describe_addresses", key("AllocationId"), "AllocationIds", ["egress-1", "egress-2"]),
]


@pytest.mark.parametrize(("action", "identify", "parameter", "names"), BY_ID, ids=[row[0] for row in BY_ID])
def test_ids_and_tags(ec2, ids, action, identify, parameter, names):
    call = getattr(ec2, action)
    wanted = sorted(ids[name] for name in names)
    everything = [identify(item) for item in listed(call())]
    assert set(wanted) <= set(everything)
    assert [identify(item) for item in listed(call(**{parameter: wanted}))] == wanted
    by_tag = [{"Name": "tag:Name", "Values": [names[0]]}]
    assert [identify(item) for item in listed(call(Filters=by_tag))] == [ids[names[0]]]
    by_key = [{"Name": "tag-key", "Values": ["Name"]}]
    assert set(wanted) <= {identify(item) for item in listed(call(Filters=by_key))}
    wildcard = [{"Name": "tag:Name", "Values": [names[0][:-1] + "?"]}]
    assert ids[names[0]] in {identify(item) for item in listed(call(Filters=wildcard))}
    nothing = [{"Name": "tag:Name", "Values": ["nobody"]}]
    assert listed(call(Filters=nothing)) == []
    both = by_tag + nothing
    assert listed(call(Filters=both)) == []


# action, filter, the value's name in the world or the value itself, what it finds
FILTERS = [
    ("describe_instances", "instance-id", "node-1", {"node-1"}),
    ("describe_instances", "instance-type", "t2.micro", {"old"}),
    ("describe_instances", "subnet-id", "nodes-b", {"node-2"}),
    ("describe_network_interfaces", "attachment.instance-id", "node-1", {"node-1 eth0"}),
    ("describe_network_interfaces", "network-interface-id", "spare", {"spare"}),
    ("describe_network_interfaces", "subnet-id", "pods-b", {"spare"}),
    ("describe_network_interfaces", "status", "available", {"spare", "spare-a"}),
    ("describe_network_interfaces", "description", "a spare one", {"spare"}),
    ("describe_network_interfaces", "addresses.private-ip-address", "10.0.3.20", {"spare"}),
    ("describe_network_interfaces", "private-ip-address", "10.0.3.20", {"spare"}),
    ("describe_route_tables", "vpc-id", "main", {"main routes", "routes-pods", "routes-public"}),
    ("describe_route_tables", "association.main", "true", {"main routes", "other routes"}),
    ("describe_route_tables", "association.subnet-id", "nodes-a", {"routes-public"}),
    ("describe_security_groups", "group-name", "po?s", {"pods"}),
    ("describe_security_groups", "group-id", "nodes", {"nodes"}),
    ("describe_subnets", "subnet-id", "pods-a", {"pods-a"}),
    ("describe_subnets", "cidr-block", "10.0.3.0/24", {"pods-b"}),
    ("describe_vpcs", "cidr", "172.31.0.0/16", {"other"}),
    ("describe_vpcs", "vpc-id", "main", {"main"}),
    ("describe_addresses", "public-ip", "198.51.100.1", {"egress-1"}),
    ("describe_addresses", "allocation-id", "egress-2", {"egress-2"}),
]


@pytest.mark.parametrize(("action", "name", "value", "found"), FILTERS, ids=[f"{row[0]} {row[1]}" for row in FILTERS])
def test_filters(ec2, ids, action, name, value, found):
    identify = next(row[1] for row in BY_ID if row[0] == action)
    answer = getattr(ec2, action)(Filters=[{"Name": name, "Values": [ids.get(value, value)]}])
    answered = {identify(item) for item in listed(answer)}
    wanted = {ids[name] for name in found}
    named = set(ids.values())
    assert answered & named == wanted


def test_an_unknown_filter_is_refused(ec2, refused):
    for action in [row[0] for row in BY_ID] + ["describe_instance_types", "describe_tags"]:
        call = getattr(ec2, action)
        refused("InvalidParameterValue", "colour", call, Filters=[{"Name": "colour", "Values": ["blue"]}])


def test_an_interface(ec2, ids, server):
    (spare,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[ids["spare"]])["NetworkInterfaces"]
    assert spare["Status"] == "available"
    assert spare["Description"] == "a spare one"
    assert spare["InterfaceType"] == "interface"
    assert spare["SubnetId"] == ids["pods-b"]
    assert spare["VpcId"] == ids["main"]
    assert spare["AvailabilityZone"] == "eu-west-1b"
    assert spare["OwnerId"] == server.ACCOUNT
    assert spare["PrivateIpAddress"] == "10.0.3.20"
    assert [address["Primary"] for address in spare["PrivateIpAddresses"]] == [True]
    assert spare["Groups"] == [{"GroupId": ids["pods"], "GroupName": "pods"}]
    assert {"Key": "Name", "Value": "spare"} in spare["TagSet"]
    assert spare["RequesterManaged"] is False
    assert spare["SourceDestCheck"] is True
    assert "Attachment" not in spare


def test_an_interface_of_a_service(ec2, ids):
    (foreign,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[ids["load-balancer"]])["NetworkInterfaces"]
    assert foreign["RequesterManaged"] is True
    assert foreign["RequesterId"] == "amazon-elb"
    assert foreign["Status"] == "in-use"
    assert foreign["Attachment"]["InstanceOwnerId"] == "amazon-elb"
    assert "InstanceId" not in foreign["Attachment"]


def test_an_instance(ec2, ids, server):
    (reservation,) = ec2.describe_instances(InstanceIds=[ids["node-1"]])["Reservations"]
    assert reservation["OwnerId"] == server.ACCOUNT
    (instance,) = reservation["Instances"]
    assert instance["InstanceType"] == "m5.large"
    assert instance["State"] == {"Code": 16, "Name": "running"}
    assert instance["SubnetId"] == ids["nodes-a"]
    assert instance["VpcId"] == ids["main"]
    assert instance["Placement"]["AvailabilityZone"] == "eu-west-1a"
    (primary,) = instance["NetworkInterfaces"]
    assert primary["PrivateIpAddress"] == instance["PrivateIpAddress"]
    attachment = primary["Attachment"]
    assert (attachment["DeviceIndex"], attachment["NetworkCardIndex"]) == (0, 0)
    assert attachment["Status"] == "attached"
    assert attachment["DeleteOnTermination"] is True
    (same,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[primary["NetworkInterfaceId"]])["NetworkInterfaces"]
    assert same["Attachment"]["InstanceId"] == ids["node-1"]
    assert same["Attachment"]["AttachmentId"] == attachment["AttachmentId"]
    assert same["MacAddress"] == primary["MacAddress"]


def test_a_subnet(ec2, ids, server):
    (subnet,) = ec2.describe_subnets(SubnetIds=[ids["pods-a"]])["Subnets"]
    assert subnet["CidrBlock"] == "10.0.2.0/24"
    assert subnet["AvailabilityZone"] == "eu-west-1a"
    assert subnet["State"] == "available"
    assert subnet["VpcId"] == ids["main"]
    assert subnet["AvailableIpAddressCount"] == 251
    (ipv6,) = subnet["Ipv6CidrBlockAssociationSet"]
    assert ipv6["Ipv6CidrBlock"] == "2001:db8:1234:1a02::/64"
    assert ipv6["Ipv6CidrBlockState"] == {"State": "associated"}
    assert subnet["SubnetArn"] == f"arn:aws:ec2:eu-west-1:{server.ACCOUNT}:subnet/{subnet['SubnetId']}"
    (neighbour,) = ec2.describe_subnets(SubnetIds=[ids["pods-b"]])["Subnets"]
    assert neighbour["AvailableIpAddressCount"] == 250, "one is the spare interface's"


def test_a_vpc(ec2, ids):
    (vpc,) = ec2.describe_vpcs(VpcIds=[ids["main"]])["Vpcs"]
    assert vpc["CidrBlock"] == "10.0.0.0/16"
    blocks = [(block["CidrBlock"], block["CidrBlockState"]["State"]) for block in vpc["CidrBlockAssociationSet"]]
    assert blocks == [("10.0.0.0/16", "associated"), ("100.64.0.0/16", "associated")]
    assert [block["Ipv6CidrBlock"] for block in vpc["Ipv6CidrBlockAssociationSet"]] == ["2001:db8:1234:1a00::/56"]
    assert vpc["State"] == "available"


def test_a_route_table(ec2, ids):
    (table,) = ec2.describe_route_tables(RouteTableIds=[ids["routes-public"]])["RouteTables"]
    assert {association["SubnetId"] for association in table["Associations"]} == {ids["nodes-a"], ids["nodes-b"]}
    assert all(association["Main"] is False for association in table["Associations"])
    targets = {route["DestinationCidrBlock"]: route.get("GatewayId") for route in table["Routes"]}
    assert targets["0.0.0.0/0"] == "igw-0123456789abcdef0"
    main = [{"Name": "association.main", "Values": ["true"]}, {"Name": "vpc-id", "Values": [ids["main"]]}]
    (table,) = ec2.describe_route_tables(Filters=main)["RouteTables"]
    assert [association["Main"] for association in table["Associations"]] == [True]


def test_groups(ec2, ids):
    for parameters in [{"GroupIds": [ids["pods"]]}, {"GroupNames": ["pods"]}, {"Filters": [{"Name": "group-name", "Values": ["po*"]}]}]:
        (group,) = ec2.describe_security_groups(**parameters)["SecurityGroups"]
        assert (group["GroupId"], group["GroupName"], group["VpcId"]) == (ids["pods"], "pods", ids["main"])
    everything = ec2.describe_security_groups()["SecurityGroups"]
    of_vpc = ec2.get_security_groups_for_vpc(VpcId=ids["main"])["SecurityGroupForVpcs"]
    assert {group["PrimaryVpcId"] for group in of_vpc} == {ids["main"]}
    in_vpc = {group["GroupId"] for group in everything if group["VpcId"] == ids["main"]}
    assert {group["GroupId"] for group in of_vpc} == in_vpc
    assert "default" in {group["GroupName"] for group in of_vpc}
    by_name = [{"Name": "group-name", "Values": ["nodes"]}]
    answer = ec2.get_security_groups_for_vpc(VpcId=ids["main"], Filters=by_name)
    assert [group["GroupId"] for group in answer["SecurityGroupForVpcs"]] == [ids["nodes"]]


def test_instance_types(ec2):
    types = ["c6in.32xlarge", "m5.large", "p5.48xlarge", "t2.micro"]
    answer = ec2.describe_instance_types(InstanceTypes=types)["InstanceTypes"]
    network = {item["InstanceType"]: item["NetworkInfo"] for item in answer}
    assert sorted(network) == types
    large = network["m5.large"]
    assert (large["MaximumNetworkInterfaces"], large["Ipv4AddressesPerInterface"]) == (3, 10)
    assert network["t2.micro"]["MaximumNetworkInterfaces"] == 2
    for name, total, cards in [("p5.48xlarge", 64, 32), ("c6in.32xlarge", 16, 2)]:
        assert network[name]["MaximumNetworkInterfaces"] == total
        assert network[name]["MaximumNetworkCards"] == cards == len(network[name]["NetworkCards"])
        assert sum(card["MaximumNetworkInterfaces"] for card in network[name]["NetworkCards"]) == total
    hypervisors = {item["InstanceType"]: item.get("Hypervisor") for item in answer}
    assert (hypervisors["m5.large"], hypervisors["t2.micro"]) == ("nitro", "xen")
    metal = [{"Name": "bare-metal", "Values": ["true"]}, {"Name": "instance-type", "Values": ["m5.*"]}]
    answer = ec2.describe_instance_types(Filters=metal)["InstanceTypes"]
    assert [(item["InstanceType"], item["BareMetal"]) for item in answer] == [("m5.metal", True)]


def test_tags(ec2, ids):
    one = [{"Name": "resource-id", "Values": [ids["pods-a"]]}]
    tags = {item["Key"]: item for item in ec2.describe_tags(Filters=one)["Tags"]}
    assert tags["Name"] == {"Key": "Name", "ResourceId": ids["pods-a"], "ResourceType": "subnet", "Value": "pods-a"}
    for filters in [
        [{"Name": "resource-type", "Values": ["subnet"]}, {"Name": "value", "Values": ["pods-?"]}],
        [{"Name": "key", "Values": ["Name"]}, {"Name": "value", "Values": ["pods-a", "pods-b"]}],
    ]:
        found = {item["ResourceId"] for item in ec2.describe_tags(Filters=filters)["Tags"]}
        assert found == {ids["pods-a"], ids["pods-b"]}


def test_addresses(ec2, ids):
    (address,) = ec2.describe_addresses(PublicIps=["198.51.100.1"])["Addresses"]
    assert address["AllocationId"] == ids["egress-1"]
    assert address["Domain"] == "vpc"
    assert "AssociationId" not in address
