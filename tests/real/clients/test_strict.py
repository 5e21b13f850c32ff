"""The strict checker finds what it is to find."""

import pytest
import strict
from conftest import SESSION, offline

HEAD = f'<DescribeVpcsResponse xmlns="{strict.NAMESPACE}"><requestId>1</requestId><vpcSet><item>'
GOOD = (
    "<ownerId>1</ownerId><vpcId>vpc-1</vpcId><state>available</state><cidrBlock>10.0.0.0/16</cidrBlock>"
    "<cidrBlockAssociationSet/><isDefault>false</isDefault>"
)
TAIL = "</item></vpcSet></DescribeVpcsResponse>"
VPC = "DescribeVpcs.Vpcs[0]"


@pytest.mark.parametrize(("old", "new", "found"), [
    ("", "", []),
    ("<ownerId>", "<colour>blue</colour><ownerId>", [f"{VPC}.colour: unknown to Vpc"]),
    ("<ownerId>1</ownerId>", "", [f"{VPC}.OwnerId: missing in Vpc"]),
    ("<ownerId>", "<ownerId>2</ownerId><ownerId>", [f"{VPC}.OwnerId: twice"]),
    ("<ownerId>", "stray<ownerId>", [f"{VPC}: text 'stray' between elements"]),
    (">false<", ">no<", [f"{VPC}.IsDefault: 'no' is no boolean"]),
    (">available<", ">there<", [f"{VPC}.State: 'there' is none of VpcState"]),
    ("<requestId>1</requestId>", "", ["no requestId"]),
    ("<item>", "<entry>", ["no XML: mismatched tag: line 1, column 334"]),
    (strict.NAMESPACE, "http://example.com/", [
        "the root is {http://example.com/}DescribeVpcsResponse, not {http://ec2.amazonaws.com/doc/2016-11-15/}DescribeVpcsResponse",
        "DescribeVpcs.Vpcs: namespace of {http://example.com/}vpcSet",
    ]),
])
def test_findings(old, new, found):
    operation = SESSION.client("ec2", **offline()).meta.service_model.operation_model("DescribeVpcs")
    body = (HEAD + GOOD + TAIL).replace(old, new, 1) if old else HEAD + GOOD + TAIL
    said = strict.findings(operation, body.encode())
    assert [text.partition(": line")[0] for text in said] == [text.partition(": line")[0] for text in found]
