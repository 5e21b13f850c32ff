"""Listings in pages: boto3's paginators, and the rules of tokens."""

import pytest

# paginator, what a page holds, how an item is known, a size of pages
PAGINATORS = [
    ("describe_instance_types", "InstanceTypes", "InstanceType", 100),
    ("describe_instances", "Reservations", "ReservationId", 50),
    ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", 100),
    ("describe_route_tables", "RouteTables", "RouteTableId", 5),
    ("describe_security_groups", "SecurityGroups", "GroupId", 5),
    ("describe_subnets", "Subnets", "SubnetId", 5),
    ("describe_tags", "Tags", None, 10),
    ("describe_vpcs", "Vpcs", "VpcId", 5),
    ("get_security_groups_for_vpc", "SecurityGroupForVpcs", "GroupId", 5),
]


@pytest.fixture
def crowd(server, ids):
    """Enough of everything for a second page."""
    server.crowd(ids)


@pytest.mark.world(crowd=True)
@pytest.mark.parametrize(("name", "member", "key", "size"), PAGINATORS, ids=[row[0] for row in PAGINATORS])
def test_a_paginator(ec2, ids, crowd, name, member, key, size):
    parameters = {"VpcId": ids["main"]} if name == "get_security_groups_for_vpc" else {}
    pages = list(ec2.get_paginator(name).paginate(**parameters, PaginationConfig={"PageSize": size}))
    assert len(pages) > 1
    assert all(0 < len(page[member]) <= size for page in pages)
    assert ["NextToken" in page for page in pages] == [True] * (len(pages) - 1) + [False]
    paged = [item for page in pages for item in page[member]]
    known = [item[key] if key else (item["ResourceId"], item["Key"]) for item in paged]
    assert len(set(known)) == len(known)
    whole = [] if name == "describe_instance_types" else getattr(ec2, name)(**parameters)[member]
    assert whole in ([], paged)
    most = {"MaxItems": size + 1, "PageSize": size}
    assert len(ec2.get_paginator(name).paginate(**parameters, PaginationConfig=most).build_full_result()[member]) == size + 1


def test_a_thousand_interfaces(ec2, crowd):
    paginator = ec2.get_paginator("describe_network_interfaces")
    pages = [len(page["NetworkInterfaces"]) for page in paginator.paginate(PaginationConfig={"PageSize": 1000})]
    assert pages[0] == 1000
    assert sum(pages) > 1200
    filters = [{"Name": "status", "Values": ["in-use"]}]
    found = paginator.paginate(Filters=filters, PaginationConfig={"PageSize": 7}).search("NetworkInterfaces[].Status")
    assert set(found) == {"in-use"}


def test_a_token_belongs_to_its_query(ec2, refused, crowd):
    first = ec2.describe_network_interfaces(MaxResults=5)
    token = first["NextToken"]
    filters = [{"Name": "status", "Values": ["available"]}]
    refused(
        "InvalidNextToken|InvalidPaginationToken", "", ec2.describe_network_interfaces,
        MaxResults=5, NextToken=token, Filters=filters,
    )
    refused("InvalidNextToken|InvalidPaginationToken", "", ec2.describe_subnets, MaxResults=5, NextToken=token)
    assert ec2.describe_network_interfaces(MaxResults=5, NextToken=token)["NetworkInterfaces"]


def test_a_page_survives_deletions(ec2, ids):
    made = [ec2.create_network_interface(SubnetId=ids["pods-a"])["NetworkInterface"] for _ in range(12)]
    everything = [item["NetworkInterfaceId"] for item in ec2.describe_network_interfaces()["NetworkInterfaces"]]
    first = ec2.describe_network_interfaces(MaxResults=5)
    seen = [item["NetworkInterfaceId"] for item in first["NetworkInterfaces"]]
    gone = next(item["NetworkInterfaceId"] for item in made if item["NetworkInterfaceId"] in everything[5:])
    ec2.delete_network_interface(NetworkInterfaceId=gone)
    token = first["NextToken"]
    while token:
        page = ec2.describe_network_interfaces(MaxResults=5, NextToken=token)
        seen += [item["NetworkInterfaceId"] for item in page["NetworkInterfaces"]]
        token = page.get("NextToken")
    assert seen == [item for item in everything if item != gone]
