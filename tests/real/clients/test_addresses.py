"""Addresses and prefixes of interfaces that exist: given, taken, and lent a public one."""

import pytest
from test_interfaces import (
    available, created, described, ipv4_prefixes, ipv6_addresses, ipv6_prefixes, matches, secondaries,
)


def assigned(answer):
    singles = [item["PrivateIpAddress"] for item in answer.get("AssignedPrivateIpAddresses", [])]
    return singles, [item["Ipv4Prefix"] for item in answer.get("AssignedIpv4Prefixes", [])]


IPV4 = [
    ({"SecondaryPrivateIpAddressCount": 3}, 3, 0),
    ({"PrivateIpAddresses": ["10.0.2.9", "10.0.2.8"]}, ["10.0.2.9", "10.0.2.8"], 0),
    ({"PrivateIpAddresses": ["10.0.2.9"], "AllowReassignment": True}, ["10.0.2.9"], 0),
    ({"Ipv4PrefixCount": 2}, 0, 2),
    ({"Ipv4Prefixes": ["10.0.2.208/28", "10.0.2.64/28"]}, 0, ["10.0.2.208/28", "10.0.2.64/28"]),
]


@pytest.mark.parametrize(("parameters", "singles", "prefixes"), IPV4)
def test_ipv4_answers_the_new_ones_only(ec2, ids, parameters, singles, prefixes):
    first = created(
        ec2,
        SubnetId=ids["pods-a"],
        PrivateIpAddresses=[
            {"PrivateIpAddress": "10.0.2.230", "Primary": True}, {"PrivateIpAddress": "10.0.2.231", "Primary": False},
        ],
    )
    before = available(ec2, ids["pods-a"])
    answer = ec2.assign_private_ip_addresses(NetworkInterfaceId=first["NetworkInterfaceId"], **parameters)
    assert answer["NetworkInterfaceId"] == first["NetworkInterfaceId"]
    new_singles, new_prefixes = assigned(answer)
    matches(new_singles, singles)
    matches(new_prefixes, prefixes)
    seen = described(ec2, first["NetworkInterfaceId"])
    assert secondaries(seen) == ["10.0.2.231", *new_singles]
    assert ipv4_prefixes(seen) == new_prefixes
    taken = len(new_singles) + 16 * len(new_prefixes)
    assert available(ec2, ids["pods-a"]) == before - taken
    take = {"PrivateIpAddresses": new_singles} if new_singles else {"Ipv4Prefixes": new_prefixes}
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=first["NetworkInterfaceId"], **take)
    seen = described(ec2, first["NetworkInterfaceId"])
    assert (secondaries(seen), ipv4_prefixes(seen)) == (["10.0.2.231"], [])
    assert available(ec2, ids["pods-a"]) == before


def test_reassignment_moves_an_address(ec2, ids, until, refused):
    one = created(ec2, SubnetId=ids["pods-a"])["NetworkInterfaceId"]
    other = created(ec2, SubnetId=ids["pods-a"])["NetworkInterfaceId"]
    ec2.assign_private_ip_addresses(NetworkInterfaceId=one, PrivateIpAddresses=["10.0.2.50"])
    parameters = {"NetworkInterfaceId": other, "PrivateIpAddresses": ["10.0.2.50"]}
    error = refused(None, "", ec2.assign_private_ip_addresses, **parameters)
    assert error.response["Error"]["Code"] in ("InvalidParameterValue", "Resource.AlreadyAssigned")
    answer = ec2.assign_private_ip_addresses(**parameters, AllowReassignment=True)
    assert assigned(answer) == (["10.0.2.50"], [])
    until(lambda: secondaries(described(ec2, other)) == ["10.0.2.50"])
    assert secondaries(described(ec2, one)) == []


IPV6 = [
    ({"Ipv6AddressCount": 2}, 2, 0),
    ({"Ipv6Addresses": ["2001:db8:1234:1a02::77"]}, ["2001:db8:1234:1a02::77"], 0),
    ({"Ipv6PrefixCount": 2}, 0, 2),
    ({"Ipv6Prefixes": ["2001:db8:1234:1a02:9::/80"]}, 0, ["2001:db8:1234:1a02:9::/80"]),
]


@pytest.mark.parametrize(("parameters", "singles", "prefixes"), IPV6)
def test_ipv6(ec2, ids, parameters, singles, prefixes):
    interface = created(ec2, SubnetId=ids["pods-a"], Ipv6AddressCount=1)
    old = ipv6_addresses(interface)
    interface = interface["NetworkInterfaceId"]
    answer = ec2.assign_ipv6_addresses(NetworkInterfaceId=interface, **parameters)
    assert answer["NetworkInterfaceId"] == interface
    new_singles, new_prefixes = answer.get("AssignedIpv6Addresses", []), answer.get("AssignedIpv6Prefixes", [])
    matches(new_singles, singles)
    matches(new_prefixes, prefixes)
    seen = described(ec2, interface)
    assert ipv6_addresses(seen) == old + new_singles
    assert ipv6_prefixes(seen) == new_prefixes
    take = {"Ipv6Addresses": new_singles} if new_singles else {"Ipv6Prefixes": new_prefixes}
    answer = ec2.unassign_ipv6_addresses(NetworkInterfaceId=interface, **take)
    assert answer["NetworkInterfaceId"] == interface
    assert answer.get("UnassignedIpv6Addresses", []) == new_singles
    assert answer.get("UnassignedIpv6Prefixes", []) == new_prefixes
    assert (ipv6_addresses(described(ec2, interface)), ipv6_prefixes(described(ec2, interface))) == (old, [])


def test_singles_avoid_reservations_and_prefixes_seek_them(ec2, ids):
    tags = [{"ResourceType": "subnet-cidr-reservation", "Tags": [{"Key": "for", "Value": "pods"}]}]
    answer = ec2.create_subnet_cidr_reservation(
        SubnetId=ids["tiny-a"], Cidr="10.0.4.16/28", ReservationType="prefix", Description="blocks",
        TagSpecifications=tags,
    )["SubnetCidrReservation"]
    assert answer["SubnetCidrReservationId"].startswith("scr-")
    assert (answer["SubnetId"], answer["Cidr"], answer["ReservationType"]) == (ids["tiny-a"], "10.0.4.16/28", "prefix")
    assert answer["Description"] == "blocks"
    assert answer["Tags"] == [{"Key": "for", "Value": "pods"}]
    interface = created(ec2, SubnetId=ids["tiny-a"], SecondaryPrivateIpAddressCount=9)
    addresses = [interface["PrivateIpAddress"], *secondaries(interface)]
    assert not [address for address in addresses if 16 <= int(address.rpartition(".")[2]) < 32]
    answer = ec2.assign_private_ip_addresses(NetworkInterfaceId=interface["NetworkInterfaceId"], Ipv4PrefixCount=1)
    assert assigned(answer) == ([], ["10.0.4.16/28"])


def test_an_explicit_reservation_is_for_addresses_by_name(ec2, ids, refused):
    ec2.create_subnet_cidr_reservation(SubnetId=ids["tiny-a"], Cidr="10.0.4.0/26", ReservationType="explicit")
    refused("InsufficientFreeAddressesInSubnet", "", ec2.create_network_interface, SubnetId=ids["tiny-a"])
    assert created(ec2, SubnetId=ids["tiny-a"], PrivateIpAddress="10.0.4.17")["PrivateIpAddress"] == "10.0.4.17"


def test_a_public_address(ec2, ids):
    answer = ec2.associate_address(
        AllocationId=ids["egress-1"], NetworkInterfaceId=ids["spare"], PrivateIpAddress="10.0.3.20",
        AllowReassociation=False,
    )
    assert answer["AssociationId"].startswith("eipassoc-")
    (address,) = ec2.describe_addresses(AllocationIds=[ids["egress-1"]])["Addresses"]
    assert address["AssociationId"] == answer["AssociationId"]
    assert (address["NetworkInterfaceId"], address["PrivateIpAddress"]) == (ids["spare"], "10.0.3.20")
    spare = described(ec2, ids["spare"])
    assert spare["Association"]["PublicIp"] == "198.51.100.1"
    assert spare["Association"]["AllocationId"] == ids["egress-1"]
    assert spare["PrivateIpAddresses"][0]["Association"]["PublicIp"] == "198.51.100.1"
    by_interface = [{"Name": "network-interface-id", "Values": [ids["spare"]]}]
    assert [item["PublicIp"] for item in ec2.describe_addresses(Filters=by_interface)["Addresses"]] == ["198.51.100.1"]


def test_a_public_address_of_an_instance(ec2, ids):
    ec2.associate_address(PublicIp="198.51.100.2", InstanceId=ids["node-1"])
    (address,) = ec2.describe_addresses(PublicIps=["198.51.100.2"])["Addresses"]
    assert (address["InstanceId"], address["NetworkInterfaceId"]) == (ids["node-1"], ids["node-1 eth0"])


def test_a_public_address_moves_only_where_it_may(ec2, ids, refused):
    allocation = ids["egress-1"]
    ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=ids["spare"])
    other = {"AllocationId": allocation, "NetworkInterfaceId": ids["node-1 eth0"]}
    refused("Resource.AlreadyAssociated", "", ec2.associate_address, **other, AllowReassociation=False)
    ec2.associate_address(**other, AllowReassociation=True)
    assert "Association" not in described(ec2, ids["spare"])
