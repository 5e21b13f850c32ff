"""boto3's waiters, and what is refused before anything is sent."""

import botocore.exceptions
import pytest
from test_interfaces import created

SOON = {"Delay": 0.1, "MaxAttempts": 200}


@pytest.mark.parametrize(
    ("name", "parameter", "world"),
    [
        ("instance_exists", "InstanceIds", "node-1"),
        ("instance_running", "InstanceIds", "starting"),
        ("instance_stopped", "InstanceIds", "stopped"),
        ("network_interface_available", "NetworkInterfaceIds", "spare"),
        ("security_group_exists", "GroupIds", "pods"),
        ("subnet_available", "SubnetIds", "pods-a"),
        ("vpc_available", "VpcIds", "main"),
        ("vpc_exists", "VpcIds", "main"),
    ],
)
def test_a_waiter_ends(ec2, ids, name, parameter, world):
    ec2.get_waiter(name).wait(**{parameter: [ids[world]]}, WaiterConfig=SOON)


def test_waiting_for_a_detached_interface(ec2, ids):
    interface = created(ec2, SubnetId=ids["pods-a"])["NetworkInterfaceId"]
    attached = ec2.attach_network_interface(NetworkInterfaceId=interface, InstanceId=ids["node-1"], DeviceIndex=1)
    with pytest.raises(botocore.exceptions.WaiterError, match="Max attempts exceeded"):
        ec2.get_waiter("network_interface_available").wait(
            NetworkInterfaceIds=[interface], WaiterConfig={"Delay": 0.01, "MaxAttempts": 2}
        )
    ec2.detach_network_interface(AttachmentId=attached["AttachmentId"])
    ec2.get_waiter("network_interface_available").wait(NetworkInterfaceIds=[interface], WaiterConfig=SOON)


def test_a_waiter_fails(ec2, ids):
    with pytest.raises(botocore.exceptions.WaiterError, match="terminal failure state"):
        ec2.get_waiter("network_interface_available").wait(
            NetworkInterfaceIds=["eni-00000000000000000"], WaiterConfig=SOON
        )


@pytest.mark.parametrize(("change", "waiter", "state"), [
    ("stop", "instance_stopped", "stopped"),
    ("terminate", "instance_terminated", "terminated"),
])
def test_waiting_for_an_instance_that_changes(ec2, ids, server, change, waiter, state):
    server.change_instance(ids["node-2"], change)
    ec2.get_waiter(waiter).wait(InstanceIds=[ids["node-2"]], WaiterConfig=SOON)
    (reservation,) = ec2.describe_instances(InstanceIds=[ids["node-2"]])["Reservations"]
    assert reservation["Instances"][0]["State"]["Name"] == state


@pytest.mark.parametrize(
    ("action", "parameters", "text"),
    [
        ("create_network_interface", {}, "SubnetId"),
        ("attach_network_interface", {"NetworkInterfaceId": "eni-1", "InstanceId": "i-1", "DeviceIndex": "one"}, "DeviceIndex"),
        ("assign_private_ip_addresses", {"NetworkInterfaceId": "eni-1", "Colour": "blue"}, "Colour"),
        ("describe_network_interfaces", {"MaxResults": 1}, "MaxResults"),
        ("describe_network_interfaces", {"NetworkInterfaceIds": "eni-1"}, "NetworkInterfaceIds"),
        ("describe_subnets", {"Filters": "all"}, "Filters"),
    ],
)
def test_what_the_client_refuses_is_never_sent(ec2, server, action, parameters, text):
    with pytest.raises(botocore.exceptions.ParamValidationError, match=text):
        getattr(ec2, action)(**parameters)
    assert server.calls() == 0
