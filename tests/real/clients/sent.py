"""Which actions and parameters the suite has sent with success: all that the simulator has."""

FILTERED = {"Filters", "MaxResults", "NextToken"}
ADDRESSES = {"NetworkInterfaceId", "Ipv6Addresses", "Ipv6Prefixes"}

# The parameters of each action that the simulator has, but for DryRun, which succeeds by a refusal.
MODELLED = {
    "AssignIpv6Addresses": ADDRESSES | {"Ipv6AddressCount", "Ipv6PrefixCount"},
    "AssignPrivateIpAddresses": {
        "NetworkInterfaceId", "PrivateIpAddresses", "SecondaryPrivateIpAddressCount", "Ipv4Prefixes", "Ipv4PrefixCount",
        "AllowReassignment",
    },
    "AssociateAddress": {
        "AllocationId", "PublicIp", "InstanceId", "NetworkInterfaceId", "PrivateIpAddress", "AllowReassociation",
    },
    "AttachNetworkInterface": {"NetworkInterfaceId", "InstanceId", "DeviceIndex", "NetworkCardIndex"},
    "CreateNetworkInterface": {
        "SubnetId", "Description", "PrivateIpAddress", "PrivateIpAddresses", "SecondaryPrivateIpAddressCount",
        "Ipv4Prefixes", "Ipv4PrefixCount", "Ipv6Addresses", "Ipv6AddressCount", "Ipv6Prefixes", "Ipv6PrefixCount", "Groups",
        "InterfaceType", "TagSpecifications", "ClientToken",
    },
    "CreateSubnetCidrReservation": {"SubnetId", "Cidr", "ReservationType", "Description", "TagSpecifications"},
    "CreateTags": {"Resources", "Tags"},
    "DeleteNetworkInterface": {"NetworkInterfaceId"},
    "DescribeAddresses": {"AllocationIds", "PublicIps", "Filters"},
    "DescribeInstanceTypes": FILTERED | {"InstanceTypes"},
    "DescribeInstances": FILTERED | {"InstanceIds"},
    "DescribeNetworkInterfaces": FILTERED | {"NetworkInterfaceIds"},
    "DescribeRouteTables": FILTERED | {"RouteTableIds"},
    "DescribeSecurityGroups": FILTERED | {"GroupIds", "GroupNames"},
    "DescribeSubnets": FILTERED | {"SubnetIds"},
    "DescribeTags": FILTERED,
    "DescribeVpcs": FILTERED | {"VpcIds"},
    "DetachNetworkInterface": {"AttachmentId", "Force"},
    "GetSecurityGroupsForVpc": FILTERED | {"VpcId"},
    "ModifyNetworkInterfaceAttribute": {
        "NetworkInterfaceId", "Attachment", "Description", "Groups", "SourceDestCheck",
    },
    "UnassignIpv6Addresses": ADDRESSES,
    "UnassignPrivateIpAddresses": {"NetworkInterfaceId", "PrivateIpAddresses", "Ipv4Prefixes"},
}


class Coverage:
    def __init__(self):
        self.sent = {}

    def watch(self, client):
        """Takes down what `client` sends and is not refused."""
        events = client.meta.events
        events.register("provide-client-params.ec2", self.asked)
        events.register("after-call.ec2", self.answered)

    def asked(self, params, model, context, **_):
        context["coverage"] = (model.name, set(params))

    def answered(self, http_response, context, **_):
        if http_response.status_code == 200 and "coverage" in context:
            action, names = context["coverage"]
            self.sent.setdefault(action, set()).update(names)

    def missing(self):
        """What was never sent with success: a list of texts."""
        return [
            f"{action}.{name}"
            for action, names in sorted(MODELLED.items())
            for name in sorted(names - self.sent.get(action, set()))
        ]
