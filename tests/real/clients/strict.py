"""Checks response bodies against EC2's own service model, more strictly than any client does.

Clients skip elements they do not know, and take a missing one for an absent value. Here both are findings.
"""

import re
import xml.etree.ElementTree as ElementTree

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"

# What EC2 says beside the members of the output shape.
ENVELOPE = {"requestId", "return"}

# The model requires next to nothing of responses. These members EC2 always sends (API reference, the pages of the types).
ALWAYS = {
    "Address": {"AllocationId", "Domain", "PublicIp", "NetworkBorderGroup"},
    "AssignIpv6AddressesResult": {"NetworkInterfaceId"},
    "AssignPrivateIpAddressesResult": {"NetworkInterfaceId"},
    "AssociateAddressResult": {"AssociationId"},
    "AttachNetworkInterfaceResult": {"AttachmentId", "NetworkCardIndex"},
    "CreateNetworkInterfaceResult": {"NetworkInterface"},
    "CreateSubnetCidrReservationResult": {"SubnetCidrReservation"},
    "GroupIdentifier": {"GroupId", "GroupName"},
    "Instance": {
        "ImageId", "InstanceId", "InstanceType", "LaunchTime", "NetworkInterfaces", "Placement", "State",
    },
    "InstanceNetworkInterface": {
        "Attachment", "Description", "Groups", "InterfaceType", "MacAddress", "NetworkInterfaceId", "OwnerId",
        "PrivateIpAddress", "PrivateIpAddresses", "SourceDestCheck", "Status", "SubnetId", "VpcId",
    },
    "InstanceNetworkInterfaceAttachment": {
        "AttachTime", "AttachmentId", "DeleteOnTermination", "DeviceIndex", "NetworkCardIndex", "Status",
    },
    "InstancePrivateIpAddress": {"Primary", "PrivateIpAddress"},
    "InstanceState": {"Code", "Name"},
    "InstanceTypeInfo": {"BareMetal", "InstanceType", "NetworkInfo"},
    "NetworkCardInfo": {"MaximumNetworkInterfaces", "NetworkCardIndex"},
    "NetworkInfo": {
        "DefaultNetworkCardIndex", "EnaSupport", "Ipv4AddressesPerInterface", "Ipv6AddressesPerInterface",
        "Ipv6Supported", "MaximumNetworkCards", "MaximumNetworkInterfaces", "NetworkCards",
    },
    "NetworkInterface": {
        "AvailabilityZone", "Description", "Groups", "InterfaceType", "MacAddress", "NetworkInterfaceId", "OwnerId",
        "PrivateIpAddress", "PrivateIpAddresses", "RequesterManaged", "SourceDestCheck", "Status", "SubnetId", "TagSet",
        "VpcId",
    },
    "NetworkInterfaceAttachment": {
        "AttachTime", "AttachmentId", "DeleteOnTermination", "DeviceIndex", "InstanceOwnerId", "NetworkCardIndex", "Status",
    },
    "NetworkInterfacePrivateIpAddress": {"Primary", "PrivateIpAddress"},
    "Placement": {"AvailabilityZone"},
    "Reservation": {"Instances", "OwnerId", "ReservationId"},
    "Route": {"DestinationCidrBlock", "State"},
    "RouteTable": {"OwnerId", "RouteTableId", "Routes", "VpcId"},
    "RouteTableAssociation": {"Main", "RouteTableAssociationId", "RouteTableId"},
    "SecurityGroup": {"Description", "GroupId", "GroupName", "OwnerId", "VpcId"},
    "SecurityGroupForVpc": {"Description", "GroupId", "GroupName", "OwnerId", "PrimaryVpcId"},
    "Subnet": {
        "AvailabilityZone", "AvailabilityZoneId", "AvailableIpAddressCount", "CidrBlock", "OwnerId", "State", "SubnetArn",
        "SubnetId", "VpcId",
    },
    "SubnetCidrReservation": {"Cidr", "OwnerId", "ReservationType", "SubnetCidrReservationId", "SubnetId"},
    "SubnetIpv6CidrBlockAssociation": {"AssociationId", "Ipv6CidrBlock", "Ipv6CidrBlockState"},
    "Tag": {"Key", "Value"},
    "TagDescription": {"Key", "ResourceId", "ResourceType", "Value"},
    "UnassignIpv6AddressesResult": {"NetworkInterfaceId"},
    "Vpc": {"CidrBlock", "CidrBlockAssociationSet", "IsDefault", "OwnerId", "State", "VpcId"},
    "VpcCidrBlockAssociation": {"AssociationId", "CidrBlock", "CidrBlockState"},
    "VpcIpv6CidrBlockAssociation": {"AssociationId", "Ipv6CidrBlock", "Ipv6CidrBlockState"},
}

# Values that EC2 sends although the model does not have them (API reference, the example of CreateNetworkInterface).
BESIDE_THE_MODEL = {("NetworkInterfaceStatus", "pending")}

FORMS = {
    "boolean": re.compile(r"true|false"),
    "integer": re.compile(r"-?\d+"),
    "long": re.compile(r"-?\d+"),
    "double": re.compile(r"-?\d+(\.\d+)?"),
    "float": re.compile(r"-?\d+(\.\d+)?"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"),
}


def findings(operation, body):
    """What is wrong with `body` as a successful response of `operation` (a botocore OperationModel): a list of texts."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        return [f"no XML: {error}"]
    found = []
    expected = f"{{{NAMESPACE}}}{operation.name}Response"
    if root.tag != expected:
        found.append(f"the root is {root.tag}, not {expected}")
    children = [child for child in root if name(child) not in ENVELOPE]
    envelope = [child for child in root if name(child) in ENVELOPE]
    if not any(name(child) == "requestId" and child.text for child in envelope):
        found.append("no requestId")
    for child in envelope:
        if name(child) == "return" and child.text != "true":
            found.append(f"return is {child.text}")
    if operation.output_shape is None:
        found += [f"{name(child)}: the action answers nothing" for child in children]
    else:
        found += structure(children, operation.output_shape, operation.name)
    return found


def name(element):
    return element.tag.rpartition("}")[2]


def walk(element, shape, path):
    if not element.tag.startswith(f"{{{NAMESPACE}}}"):
        return [f"{path}: namespace of {element.tag}"]
    if shape.type_name == "structure":
        return stray_text(element, path) + structure(list(element), shape, path)
    if shape.type_name == "list":
        return stray_text(element, path) + items(element, shape, path)
    return scalar(element, shape, path)


def stray_text(element, path):
    texts = [element.text, *(child.tail for child in element)]
    return [f"{path}: text {text!r} between elements" for text in texts if text and text.strip()]


def structure(children, shape, path):
    members = {member.serialization.get("name", key): (key, member) for key, member in shape.members.items()}
    found, seen = [], set()
    for child in children:
        key, member = members.get(name(child), (None, None))
        if member is None:
            found.append(f"{path}.{name(child)}: unknown to {shape.name}")
        elif key in seen:
            found.append(f"{path}.{key}: twice")
        else:
            seen.add(key)
            found += walk(child, member, f"{path}.{key}")
    missing = sorted(ALWAYS.get(shape.name, set()) - seen)
    return found + [f"{path}.{key}: missing in {shape.name}" for key in missing]


def items(element, shape, path):
    expected = shape.member.serialization.get("name", "item")
    found = []
    for number, child in enumerate(element):
        place = f"{path}[{number}]"
        found += walk(child, shape.member, place) if name(child) == expected else [f"{place}: {name(child)}, not {expected}"]
    return found


def scalar(element, shape, path):
    text = element.text or ""
    if len(element):
        return [f"{path}: elements inside a {shape.type_name}"]
    if shape.type_name in FORMS and not FORMS[shape.type_name].fullmatch(text):
        return [f"{path}: {text!r} is no {shape.type_name}"]
    if getattr(shape, "enum", None) and text not in shape.enum and (shape.name, text) not in BESIDE_THE_MODEL:
        return [f"{path}: {text!r} is none of {shape.name}"]
    return []
