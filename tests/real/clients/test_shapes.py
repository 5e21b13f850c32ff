"""Shapes of Describe* responses beside those of moto, which is right about them."""

import boto3
import pytest
from conftest import offline
from moto import mock_aws
from test_interfaces import created

# What moto says and the simulator has no notion of, by how its path begins: disks, processors, firewall rules and the like.
BEYOND = {
    "describe_instance_types": [
        "InstanceTypes[].AutoRecoverySupported", "InstanceTypes[].BurstablePerformanceSupported",
        "InstanceTypes[].CurrentGeneration", "InstanceTypes[].DedicatedHostsSupported", "InstanceTypes[].EbsInfo.",
        "InstanceTypes[].FreeTierEligible", "InstanceTypes[].HibernationSupported",
        "InstanceTypes[].InstanceStorageSupported", "InstanceTypes[].MemoryInfo.",
        "InstanceTypes[].NetworkInfo.ConnectionTrackingConfiguration.", "InstanceTypes[].NetworkInfo.Ef",
        "InstanceTypes[].NetworkInfo.EnaSrdSupported", "InstanceTypes[].NetworkInfo.EncryptionInTransitSupported",
        "InstanceTypes[].NetworkInfo.FlexibleEnaQueuesSupport",
        "InstanceTypes[].NetworkInfo.Ipv4AddressesPerSecondaryInterface",
        "InstanceTypes[].NetworkInfo.NetworkCards[].AdditionalFlexibleNetworkInterfaces",
        "InstanceTypes[].NetworkInfo.NetworkCards[].BaselineBandwidthInGbps",
        "InstanceTypes[].NetworkInfo.NetworkCards[].DefaultEnaQueueCountPerInterface",
        "InstanceTypes[].NetworkInfo.NetworkCards[].InterfaceTypes",
        "InstanceTypes[].NetworkInfo.NetworkCards[].MaximumEnaQueueCount",
        "InstanceTypes[].NetworkInfo.NetworkCards[].NetworkPerformance",
        "InstanceTypes[].NetworkInfo.NetworkCards[].PeakBandwidthInGbps",
        "InstanceTypes[].NetworkInfo.NetworkPerformance", "InstanceTypes[].NetworkInfo.SecondaryNetworkSupported",
        "InstanceTypes[].Nitro", "InstanceTypes[].PhcSupport", "InstanceTypes[].PlacementGroupInfo.",
        "InstanceTypes[].ProcessorInfo.Manufacturer", "InstanceTypes[].ProcessorInfo.SustainedClockSpeedInGhz",
        "InstanceTypes[].RebootMigrationSupport", "InstanceTypes[].Supported", "InstanceTypes[].VCpuInfo.",
    ],
    "describe_instances": [
        "Reservations[].Instances[].BlockDeviceMappings[].", "Reservations[].Instances[].ClientToken",
        "Reservations[].Instances[].KernelId", "Reservations[].Instances[].MetadataOptions.",
        "Reservations[].Instances[].Placement.GroupName", "Reservations[].Instances[].ProductCodes",
        "Reservations[].Instances[].SriovNetSupport", "Reservations[].Instances[].StateReason.",
        "Reservations[].Instances[].StateTransitionReason",
    ],
    "describe_security_groups": ["SecurityGroups[].IpPermissionsEgress[].", "SecurityGroups[].SecurityGroupArn"],
    "describe_subnets": ["Subnets[].PrivateDnsNameOptionsOnLaunch."],
}


def shapes(value, path=""):
    """The path of every value, and its type: `NetworkInterfaces[].Status: str`."""
    if isinstance(value, dict):
        return {shape for key, member in value.items() for shape in shapes(member, f"{path}.{key}".lstrip("."))}
    if isinstance(value, list):
        return {f"{path}: list"} | {shape for item in value for shape in shapes(item, path + "[]")}
    return {f"{path}: {type(value).__name__}"}


def of_answer(answer):
    return shapes({key: value for key, value in answer.items() if key != "ResponseMetadata"})


@pytest.fixture
def moto():
    """A client of moto, with a VPC, a subnet, an attached interface and an address."""
    with mock_aws():
        client = boto3.client("ec2", **offline())
        vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        launched = client.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnet)
        tags = [{"Key": "Name", "Value": "a"}]
        specification = [{"ResourceType": "network-interface", "Tags": tags}]
        interface = created(client, SubnetId=subnet, TagSpecifications=specification)["NetworkInterfaceId"]
        instance = launched["Instances"][0]["InstanceId"]
        client.create_tags(Resources=[vpc, subnet], Tags=tags)
        client.attach_network_interface(NetworkInterfaceId=interface, InstanceId=instance, DeviceIndex=1)
        address = client.allocate_address(Domain="vpc")["AllocationId"]
        client.associate_address(AllocationId=address, NetworkInterfaceId=interface)
        client.assign_private_ip_addresses(NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1)
        yield client


@pytest.fixture
def own(ec2, ids):
    """A client of ec2-sim, with the same."""
    tags = [{"Key": "Name", "Value": "a"}]
    specification = [{"ResourceType": "network-interface", "Tags": tags}]
    interface = created(ec2, SubnetId=ids["nodes-a"], TagSpecifications=specification)["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=ids["node-1"], DeviceIndex=1)
    ec2.associate_address(AllocationId=ids["egress-1"], NetworkInterfaceId=interface)
    ec2.assign_private_ip_addresses(NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1)
    return ec2


@pytest.mark.parametrize(("action", "parameters"), [
    ("describe_addresses", {}),
    ("describe_instance_types", {"InstanceTypes": ["c5n.18xlarge", "c6in.32xlarge", "m5.metal", "t2.micro"]}),
    ("describe_instances", {}),
    ("describe_network_interfaces", {}),
    ("describe_route_tables", {}),
    ("describe_security_groups", {}),
    ("describe_subnets", {}),
    ("describe_tags", {}),
    ("describe_vpcs", {}),
])
def test_what_both_say_has_one_shape(own, moto, action, parameters):
    def types(client):
        found = {}
        for shape in of_answer(getattr(client, action)(**parameters)):
            path, _, kind = shape.rpartition(": ")
            found.setdefault(path, set()).add(kind)
        return found

    ours, theirs = types(own), types(moto)
    both = ours.keys() & theirs.keys()
    assert {path: ours[path] for path in both} == {path: theirs[path] for path in both}
    missing, beyond = theirs.keys() - ours.keys(), BEYOND.get(action, [])
    assert [path for path in sorted(missing) if not path.startswith(tuple(beyond))] == []
    assert [start for start in beyond if not any(path.startswith(start) for path in missing)] == [], "no longer missing"
