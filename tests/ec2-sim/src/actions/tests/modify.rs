use super::check;

#[test]
fn one_attribute_at_a_time() {
    check(
        "create a\nattach e i1 1\nmodify e attachment=e delete-on-termination=true\nshow e\nmodify e groups=g1\nmodify e check=false\nmodify e description=x",
        "e: pending 10.0.0.9\ncard 0\nok\nin-use i1/0/1* 10.0.0.9\nok\nok\nok",
    );
    check(
        "create a\nmodify e\nmodify e check=false description=x\nmodify e check=false groups=g1 delete-on-termination=true",
        "e: pending 10.0.0.9
        MissingParameter: One of attachment, description, groups, sourceDestCheck must be specified.
        InvalidParameterCombination: Exactly one attribute must be specified, not 2
        InvalidParameterCombination: Exactly one attribute must be specified, not 3",
    );
}

#[test]
fn deletion_on_termination_belongs_to_the_attachment() {
    check(
        "create a\nattach e i1 1\nmodify e delete-on-termination=true\nmodify e attachment=e\nmodify e attachment=i1-primary delete-on-termination=true\ndetach e\nmodify e attachment=e delete-on-termination=true",
        "e: pending 10.0.0.9\ncard 0
        MissingParameter: The request must contain the parameter attachment.attachmentId
        MissingParameter: The request must contain the parameter attachment.deleteOnTermination
        InvalidAttachmentID.NotFound: The attachment ID 'attachment-of-i1-primary' is not one of interface 'e'
        ok
        InvalidAttachmentID.NotFound: The attachment ID 'attachment-of-e' is not one of interface 'e'",
    );
}

#[test]
fn groups_follow_the_rules_of_creation() {
    check(
        "create a\nmodify e groups=\nmodify e groups=gw\nmodify e groups=sg-0a1b2c3d\nmodify e groups=g1,g2,g3,g4,g5,g6\nquota groups=6\nmodify e groups=g1,g2,g3,g4,g5,g6",
        "e: pending 10.0.0.9
        MissingParameter: At least one security group must be specified.
        InvalidGroup.NotFound: The security group 'gw' does not exist in VPC 'v'
        InvalidGroup.NotFound: The security group 'sg-0a1b2c3d' does not exist
        SecurityGroupsPerInterfaceLimitExceeded: The maximum number of security groups per interface (5) has been reached.
        ok",
    );
}

#[test]
fn a_public_address_stands_for_one_private_one() {
    check(
        "create a count=1\nassociate p1 interface=e\nassociate p1 interface=e\nassociate p1 interface=e ip=10.0.0.10 move=false\nassociate p2 interface=e move=false\nassociate p1 interface=e ip=10.0.0.10\nassociate p2 interface=e ip=10.0.0.10\nshow e",
        "e: pending 10.0.0.9 10.0.0.10\nok\nok
        Resource.AlreadyAssociated: resource p1 is already associated with associate-id ASSOCIATION
        Resource.AlreadyAssociated: The private IP address 10.0.0.9 of network interface e is already associated with an address
        ok\nok\navailable 10.0.0.9 10.0.0.10=198.51.100.2",
    );
    check(
        "associate instance=i1\nassociate p1\nassociate p1 public=198.51.100.1 instance=i1\nassociate p1 instance=i1 interface=i1-primary\nassociate eipalloc-0a1b2c3d instance=i1\nassociate public=198.51.100.9 instance=i1\nassociate public=198.51.100.1 instance=i1",
        "MissingParameter: One of allocationId, publicIp must be specified.
        MissingParameter: One of networkInterfaceId, instanceId must be specified.
        InvalidParameterCombination: The parameter allocationId cannot be used with the parameter publicIp
        InvalidParameterCombination: The parameter networkInterfaceId cannot be used with the parameter instanceId
        InvalidAllocationID.NotFound: The allocation ID 'eipalloc-0a1b2c3d' does not exist
        InvalidAddress.NotFound: Address '198.51.100.9' not found.
        ok",
    );
    check(
        "associate p1 interface=i1-primary ip=10.0.0.99\ncreate a\nattach e i1 1\nassociate p1 instance=i1\nlatency typical\nterminate i2\nassociate p1 instance=i2",
        "InvalidParameterValue: The private IP address 10.0.0.99 is not assigned to network interface i1-primary
        e: pending 10.0.0.9\ncard 0
        InvalidInstanceID: There are multiple interfaces attached to instance 'i1'. Please specify an interface ID for the operation instead.
        IncorrectInstanceState: The instance 'i2' is not in a valid state for this operation.",
    );
}
