"""The metadata service as botocore uses it, and its paths."""

import json
import urllib.error
import urllib.request

import boto3
import botocore.session
import pytest
from botocore.utils import IMDSRegionProvider, InstanceMetadataFetcher, InstanceMetadataRegionFetcher
from test_interfaces import created, described

# For those who ask for a token.
LIFETIME = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}


class Metadata:
    def __init__(self, url):
        self.url = url.rstrip("/")
        self.token = self.ask("PUT", "/latest/api/token", LIFETIME)

    def ask(self, method, path, headers):
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def get(self, path):
        return self.ask("GET", "/latest/" + path, {"X-aws-ec2-metadata-token": self.token})

    def status(self, method, path, headers):
        try:
            self.ask(method, path, headers)
        except urllib.error.HTTPError as error:
            return error.code
        return 200


@pytest.fixture
def metadata(server, ids):
    return Metadata(server.metadata(ids["node-1"]))


def test_botocore_finds_the_region(server, ids, monkeypatch):
    url = server.metadata(ids["node-1"])
    assert InstanceMetadataRegionFetcher(base_url=url).retrieve_region() == "eu-west-1"
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
    session = botocore.session.get_session()
    assert IMDSRegionProvider(session).provide() == "eu-west-1"


def test_an_instance_without_a_role_has_no_credentials(server, ids):
    fetcher = InstanceMetadataFetcher(base_url=server.metadata(ids["node-1"]), num_attempts=2, timeout=5)
    assert fetcher.retrieve_iam_role_credentials() == {}


def test_tokens(metadata):
    good = {"X-aws-ec2-metadata-token": metadata.token}
    path = "/latest/meta-data/instance-id"
    assert metadata.status("GET", path, good) == 200
    assert metadata.status("GET", path, {}) == 401
    assert metadata.status("GET", path, {"X-aws-ec2-metadata-token": "nonsense"}) == 401
    assert metadata.status("PUT", "/latest/api/token", {}) == 400
    for seconds in ("0", "21601", "long"):
        assert metadata.status("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": seconds}) == 400
    assert metadata.status("GET", "/latest/meta-data/nonsense", good) == 404


def test_who_the_instance_is(metadata, ids, ec2, server):
    primary = described(ec2, ids["node-1 eth0"])
    expected = {
        "instance-id": ids["node-1"],
        "instance-type": "m5.large",
        "mac": primary["MacAddress"],
        "local-ipv4": primary["PrivateIpAddress"],
        "placement/availability-zone": "eu-west-1a",
        "placement/region": "eu-west-1",
    }
    assert {path: metadata.get("meta-data/" + path) for path in expected} == expected
    (subnet,) = ec2.describe_subnets(SubnetIds=[ids["nodes-a"]])["Subnets"]
    assert metadata.get("meta-data/placement/availability-zone-id") == subnet["AvailabilityZoneId"]
    document = json.loads(metadata.get("dynamic/instance-identity/document"))
    assert {key: document[key] for key in ("accountId", "instanceId", "region", "instanceType", "availabilityZone", "privateIp")} == {
        "accountId": server.ACCOUNT,
        "instanceId": ids["node-1"],
        "region": "eu-west-1",
        "instanceType": "m5.large",
        "availabilityZone": "eu-west-1a",
        "privateIp": primary["PrivateIpAddress"],
    }


def test_an_interface_appears_with_its_addresses(metadata, ids, ec2, until):
    interface = created(ec2, SubnetId=ids["pods-a"], Groups=[ids["pods"]], Ipv4PrefixCount=1, Ipv6PrefixCount=1)
    ec2.attach_network_interface(
        NetworkInterfaceId=interface["NetworkInterfaceId"], InstanceId=ids["node-1"], DeviceIndex=1
    )
    macs = "meta-data/network/interfaces/macs/"
    until(lambda: interface["MacAddress"] + "/" in metadata.get(macs).split("\n"))
    mac = macs + interface["MacAddress"] + "/"
    expected = {
        "interface-id": interface["NetworkInterfaceId"],
        "device-number": "1",
        "vpc-id": ids["main"],
        "subnet-id": ids["pods-a"],
        "security-group-ids": ids["pods"],
        "local-ipv4s": interface["PrivateIpAddress"],
        "ipv4-prefix": interface["Ipv4Prefixes"][0]["Ipv4Prefix"],
        "ipv6-prefix": interface["Ipv6Prefixes"][0]["Ipv6Prefix"],
        "subnet-ipv4-cidr-block": "10.0.2.0/24",
        "vpc-ipv4-cidr-blocks": "10.0.0.0/16\n100.64.0.0/16",
        "subnet-ipv6-cidr-blocks": "2001:db8:1234:1a02::/64",
        "vpc-ipv6-cidr-blocks": "2001:db8:1234:1a00::/56",
    }
    assert {path: metadata.get(mac + path) for path in expected} == expected
    good = {"X-aws-ec2-metadata-token": metadata.token}
    assert metadata.status("GET", "/latest/" + mac + "network-card", good) == 404, "the type has one card"
    added = ec2.assign_private_ip_addresses(
        NetworkInterfaceId=interface["NetworkInterfaceId"], SecondaryPrivateIpAddressCount=2
    )
    new = [item["PrivateIpAddress"] for item in added["AssignedPrivateIpAddresses"]]
    until(lambda: metadata.get(mac + "local-ipv4s").split("\n") == [interface["PrivateIpAddress"], *new])
