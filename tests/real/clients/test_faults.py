"""Throttling and faults, as boto3 meets them: raw with one attempt, and through its retries."""

import botocore.exceptions
import botocore.parsers
import pytest
from test_interfaces import created, described, secondaries

# Every code that a client must handle, and its HTTP status.
CODES = {
    "AttachmentLimitExceeded": 400,
    "AuthFailure": 401,
    "ConcurrentTagAccess": 400,
    "FilterLimitExceeded": 400,
    "IdempotentParameterMismatch": 400,
    "IncorrectInstanceState": 400,
    "IncorrectState": 400,
    "InsufficientCidrBlocks": 400,
    "InsufficientFreeAddressesInSubnet": 400,
    "InternalError": 500,
    "InternalFailure": 500,
    "InvalidAttachmentID.NotFound": 400,
    "InvalidGroup.NotFound": 400,
    "InvalidIPAddress.InUse": 400,
    "InvalidInstanceID.NotFound": 400,
    "InvalidInterface.IpAddressLimitExceeded": 400,
    "InvalidNetworkInterface.InUse": 400,
    "InvalidNetworkInterfaceAttachmentId.Malformed": 400,
    "InvalidNetworkInterfaceID.NotFound": 400,
    "InvalidNextToken": 400,
    "InvalidPaginationToken": 400,
    "InvalidParameterCombination": 400,
    "InvalidParameterValue": 400,
    "InvalidSubnetID.NotFound": 400,
    "MissingParameter": 400,
    "NetworkInterfaceLimitExceeded": 400,
    "OperationNotPermitted": 400,
    "PrivateIpAddressLimitExceeded": 400,
    "RequestLimitExceeded": 503,
    "Resource.AlreadyAssigned": 400,
    "Resource.AlreadyAssociated": 400,
    "SecurityGroupsPerInterfaceLimitExceeded": 400,
    "ServiceUnavailable": 503,
    "TagLimitExceeded": 400,
    "TagPolicyViolation": 400,
    "UnauthorizedOperation": 403,
    "Unavailable": 503,
}


@pytest.mark.parametrize(("code", "status"), CODES.items())
def test_every_code_reaches_the_caller(ec2, ids, server, refused, code, status):
    server.fault({"error": {"code": code, "message": "as scripted"}}, action="DescribeVpcs")
    error = refused(code, "as scripted", ec2.describe_vpcs)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error.response["ResponseMetadata"]["RequestId"]
    assert ec2.describe_vpcs(VpcIds=[ids["main"]])["Vpcs"], "the rule was for one call"


# Two at once, and five a second from then on.
BUCKET = {"buckets": {"multiplier": 1e6, "overrides": {"AssignPrivateIpAddresses": {"capacity": 2, "refill_per_second": 5}}}}


def assign(client, ids):
    return client.assign_private_ip_addresses(
        NetworkInterfaceId=ids["spare"], SecondaryPrivateIpAddressCount=1
    )["AssignedPrivateIpAddresses"]


@pytest.mark.world(settings=BUCKET)
def test_throttling_raw(ec2, ids, server):
    refusals = []
    for _ in range(12):
        try:
            assign(ec2, ids)
        except botocore.exceptions.ClientError as error:
            refusals.append(error.response)
    assert len(refusals) == server.throttles("AssignPrivateIpAddresses") > 0
    assert {(one["Error"]["Code"], one["Error"]["Message"]) for one in refusals} == {
        ("RequestLimitExceeded", "Request limit exceeded.")
    }
    assert {one["ResponseMetadata"]["HTTPStatusCode"] for one in refusals} == {503}
    assert {one["ResponseMetadata"]["RetryAttempts"] for one in refusals} == {0}
    assert ec2.describe_vpcs()["Vpcs"], "the bucket is that of the action"


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.world(settings=BUCKET)
def test_throttling_is_retried(client, ids, server, mode):
    patient = client(retries={"total_max_attempts": 10, "mode": mode})
    assert all(assign(patient, ids) for _ in range(5))
    assert server.throttles("AssignPrivateIpAddresses") > 0


@pytest.mark.parametrize("how", ["cut", "internal-error", "unavailable"])
def test_a_lost_answer_and_a_retry_assign_twice(client, ids, server, how):
    patient = client(retries={"total_max_attempts": 3, "mode": "standard"})
    server.fault({"commit-then-drop": how}, action="AssignPrivateIpAddresses")
    told = assign(patient, ids)
    assert len(told) == 1
    assert len(secondaries(described(patient, ids["spare"]))) == 2


@pytest.mark.parametrize("how", ["cut", "internal-error", "unavailable"])
def test_a_lost_answer_and_a_retry_create_once(client, ids, server, how):
    patient = client(retries={"total_max_attempts": 3, "mode": "standard"})
    before = len(patient.describe_network_interfaces()["NetworkInterfaces"])
    server.fault({"commit-then-drop": how}, action="CreateNetworkInterface")
    made = created(patient, SubnetId=ids["pods-a"])["NetworkInterfaceId"]
    after = [item["NetworkInterfaceId"] for item in patient.describe_network_interfaces()["NetworkInterfaces"]]
    assert made in after
    assert len(after) == before + 1, "boto3 sends a client token of its own"


def test_a_lost_request_changes_nothing(ec2, ids, server, refused):
    server.fault({"drop-before-commit": "unavailable"}, action="AssignPrivateIpAddresses")
    refused("Unavailable", "", assign, ec2, ids)
    assert secondaries(described(ec2, ids["spare"])) == []


def test_a_cut_connection(ec2, ids, server):
    server.fault({"commit-then-drop": "cut"}, action="AssignPrivateIpAddresses")
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        assign(ec2, ids)
    assert len(secondaries(described(ec2, ids["spare"]))) == 1


@pytest.mark.parametrize("effect", [{"html": 500}, {"html": 503}, {"html": 200}, {"malformed-xml": 300}, {"malformed-xml": 0}])
def test_a_broken_answer_is_never_an_empty_one(client, ids, server, effect):
    credulous = client(checked=False)
    server.fault(effect, action="DescribeNetworkInterfaces")
    try:
        answer = credulous.describe_network_interfaces()
    except (botocore.exceptions.ClientError, botocore.parsers.ResponseParserError):
        return
    assert "NetworkInterfaces" not in answer, "boto3 takes a page in HTML for an answer that says nothing"


def test_a_page_that_repeats_and_a_token_that_expires(ec2, ids, server, refused):
    first = ec2.describe_network_interfaces(MaxResults=5)
    server.fault("token-expired", action="DescribeNetworkInterfaces")
    refused(
        "InvalidPaginationToken|InvalidNextToken", "", ec2.describe_network_interfaces,
        MaxResults=5, NextToken=first["NextToken"],
    )
    server.fault("repeated-page", action="DescribeNetworkInterfaces")
    once = ec2.describe_network_interfaces(MaxResults=5)
    again = ec2.describe_network_interfaces(MaxResults=5, NextToken=once["NextToken"])
    assert again["NetworkInterfaces"] == once["NetworkInterfaces"]


@pytest.mark.world(settings={"staleness": "adversarial", "seed": 7})
def test_reads_lag_behind(ec2, ids, until):
    created_ids = [created(ec2, SubnetId=ids["pods-a"])["NetworkInterfaceId"] for _ in range(20)]

    def missing():
        found = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [ids["pods-a"]]}])
        return set(created_ids) - {item["NetworkInterfaceId"] for item in found["NetworkInterfaces"]}

    assert missing(), "a fresh interface is not seen at once"
    until(lambda: not missing() and not missing() and not missing())


def test_the_journal_tells_of_it(ec2, ids, server, refused):
    server.fault({"error": {"code": "InternalError", "message": "no"}}, action="DescribeVpcs")
    refused("InternalError", "", ec2.describe_vpcs)
    ec2.describe_vpcs()
    ends = [(entry["action"], entry["code"]) for entry in server.control("GET", "journal")]
    assert ends == [("DescribeVpcs", "InternalError"), ("DescribeVpcs", None)]
