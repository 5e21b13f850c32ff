"""The world that the suite talks about: what the server is started with, and the names of what is in it."""

ACCOUNT = "210987654321"
REGION = "eu-west-1"

# name, VPC, zone, CIDR, IPv6 CIDR
SUBNETS = [
    ("nodes-a", "main", "a", "10.0.0.0/24", None),
    ("nodes-b", "main", "b", "10.0.1.0/24", None),
    ("pods-a", "main", "a", "10.0.2.0/24", "2001:db8:1234:1a02::/64"),
    ("pods-b", "main", "b", "10.0.3.0/24", None),
    ("tiny-a", "main", "a", "10.0.4.0/26", None),
    ("few-a", "main", "a", "10.0.5.0/28", None),
    ("wide-a", "main", "a", "100.64.0.0/16", None),
    ("other-a", "other", "a", "172.31.0.0/24", None),
]

# name, type, subnet, state
INSTANCES = [
    ("node-1", "m5.large", "nodes-a", "running"),
    ("node-2", "m5.large", "nodes-b", "running"),
    ("stopped", "m5.large", "nodes-a", "stopped"),
    ("starting", "m5.large", "nodes-a", "pending"),
    ("old", "t2.micro", "nodes-a", "running"),
    ("big", "c6in.32xlarge", "nodes-a", "running"),
]


class Names(dict):
    """Identifiers by name. Each kind is numbered from 1 in the order of its names."""

    def give(self, prefix, *names):
        for number, name in enumerate(names, 1):
            self[name] = f"{prefix}-{number:017x}"


def names():
    ids = Names()
    ids.give("vpc", "main", "other")
    ids.give("subnet", *(row[0] for row in SUBNETS))
    ids.give("i", *(row[0] for row in INSTANCES))
    ids.give("eni", "spare", "spare-a", "load-balancer", *(f"{row[0]} eth0" for row in INSTANCES))
    ids.give("sg", "main default", "other default", "nodes", "pods", "sg-1", "sg-2", "sg-3", "sg-4")
    ids.give("rtb", "main routes", "other routes", "routes-public", "routes-pods")
    ids.give("eipalloc", "egress-1", "egress-2")
    return ids


def tagged(name, ids, key="id", /, **members):
    return {key: ids[name], "tags": {"Name": name}, **members}


def vpcs(ids):
    main = tagged(
        "main", ids, cidr="10.0.0.0/16", secondary_cidrs=["100.64.0.0/16"], ipv6_cidrs=["2001:db8:1234:1a00::/56"],
        default_group=ids["main default"], main_route_table=ids["main routes"],
    )
    other = tagged(
        "other", ids, cidr="172.31.0.0/16", default_group=ids["other default"], main_route_table=ids["other routes"]
    )
    return [main, other]


def subnet(ids, name, vpc, zone, cidr, ipv6):
    found = tagged(name, ids, vpc=ids[vpc], zone=REGION + zone, cidr=cidr)
    return found | ({"ipv6_cidr": ipv6} if ipv6 else {})


def instance(ids, name, kind, in_subnet, state):
    primary = {"id": ids[f"{name} eth0"]}
    return tagged(name, ids, instance_type=kind, subnet=ids[in_subnet], state=state, primary=primary)


def interfaces(ids):
    spare = tagged(
        "spare", ids, subnet=ids["pods-b"], primary_ip="10.0.3.20", description="a spare one", groups=[ids["pods"]]
    )
    balancer = tagged(
        "load-balancer", ids, subnet=ids["nodes-a"], kind="network_load_balancer", requester="amazon-elb",
        attachment={"instance_owner": "amazon-elb", "device_index": 1},
    )
    return [spare, tagged("spare-a", ids, subnet=ids["wide-a"]), balancer]


def world(ids, settings=None, crowd=False):
    """The world file. `settings` are further ones; a crowd is what a second page needs."""
    groups = ["nodes", "pods", "sg-1", "sg-2", "sg-3", "sg-4"]
    routes = [{"destination": "0.0.0.0/0", "target": "igw-0123456789abcdef0"}]
    users = [ids["nodes-a"], ids["nodes-b"]]
    return {
        "settings": {
            "account": ACCOUNT, "region": REGION, "buckets": {"unlimited": True}, **(settings or {})
        },
        "vpcs": vpcs(ids) + ([{"cidr": f"192.168.{number}.0/24"} for number in range(6)] if crowd else []),
        "security_groups": [tagged(name, ids, vpc=ids["main"], name=name) for name in groups],
        "subnets": [subnet(ids, *row) for row in SUBNETS],
        "route_tables": [
            tagged("routes-public", ids, vpc=ids["main"], subnets=users, routes=routes),
            tagged("routes-pods", ids, vpc=ids["main"], subnets=[ids["pods-a"]]),
        ],
        "instances": [instance(ids, *row) for row in INSTANCES],
        "interfaces": interfaces(ids),
        "elastic_ips": [
            tagged(name, ids, "allocation", public_ip=f"198.51.100.{number}")
            for number, name in enumerate(["egress-1", "egress-2"], 1)
        ],
    }
