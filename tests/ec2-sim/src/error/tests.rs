use std::collections::BTreeSet;

use super::*;
use crate::id::{InstanceId, InterfaceId, SubnetId};
use crate::request::Action;

#[track_caller]
fn check(error: &ApiError, expected: &str) {
    assert_eq!(format!("{} {error}", error.status), expected);
}

#[test]
fn every_code_that_an_ipam_must_handle_is_there() {
    let needed = "AttachmentLimitExceeded AuthFailure ConcurrentTagAccess DryRunOperation FilterLimitExceeded
        IdempotentParameterMismatch IncorrectInstanceState IncorrectState InsufficientCidrBlocks
        InsufficientFreeAddressesInSubnet InternalError InternalFailure InvalidAction InvalidAttachmentID.NotFound
        InvalidGroup.NotFound InvalidIPAddress.InUse InvalidInstanceID.NotFound
        InvalidInterface.IpAddressLimitExceeded InvalidNetworkInterface.InUse
        InvalidNetworkInterfaceAttachmentId.Malformed InvalidNetworkInterfaceID.NotFound InvalidNextToken
        InvalidPaginationToken InvalidParameterCombination InvalidParameterValue InvalidSubnetID.NotFound
        MissingAction MissingParameter NetworkInterfaceLimitExceeded OperationNotPermitted PrivateIpAddressLimitExceeded
        RequestLimitExceeded Resource.AlreadyAssigned Resource.AlreadyAssociated
        SecurityGroupsPerInterfaceLimitExceeded ServiceUnavailable TagLimitExceeded TagPolicyViolation
        UnauthorizedOperation Unavailable UnknownParameter";
    let present: BTreeSet<_> = codes().collect();
    let missing: Vec<_> =
        needed.split_whitespace().filter(|code| !present.contains(code)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn texts_by_which_clients_tell_causes_apart() {
    let interface = InterfaceId::from_number(1);
    let instance = InstanceId::from_number(2);
    check(&ApiError::throttled(), "503 RequestLimitExceeded: Request limit exceeded.");
    check(
        &ApiError::insufficient_addresses(),
        "400 InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses to satisfy the request.",
    );
    check(
        &ApiError::insufficient_blocks(),
        "400 InsufficientCidrBlocks: The specified subnet does not have enough free cidr blocks to satisfy the request.",
    );
    check(
        &ApiError::attach_address_limit(11, &interface, "c5.large"),
        "400 InvalidInterface.IpAddressLimitExceeded: Address count 11 on interface-eni-00000000000000001 exceeds the limit for c5.large",
    );
    check(
        &ApiError::index_taken(&instance, 1),
        "400 InvalidParameterValue: Instance 'i-00000000000000002' already has an interface attached at device index '1'.",
    );
    check(
        &ApiError::subnet_not_found(&SubnetId::from_number(3)),
        "400 InvalidSubnetID.NotFound: The subnet ID 'subnet-00000000000000003' does not exist",
    );
}

#[test]
fn a_denial_names_who_and_what() {
    let error = ApiError::unauthorized("arn:aws:iam::1:role/cni", Action::DescribeVpcs);
    check(
        &error,
        "403 UnauthorizedOperation: You are not authorized to perform this operation. User: arn:aws:iam::1:role/cni is not authorized to perform: ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs action",
    );
}

#[test]
fn statuses_follow_codes() {
    check(
        &ApiError::auth_failure(),
        "401 AuthFailure: AWS was not able to validate the provided access credentials",
    );
    check(
        &ApiError::dry_run(),
        "412 DryRunOperation: Request would have succeeded, but DryRun flag is set.",
    );
    check(&ApiError::internal_error(), "500 InternalError: An internal error has occurred");
    check(
        &ApiError::malformed("eni-x", "eni-"),
        "400 InvalidNetworkInterfaceID.Malformed: Invalid id: \"eni-x\" (expecting \"eni-...\")",
    );
}

#[test]
fn codes_from_outside_must_be_known() {
    assert_eq!(ApiError::from_code("NoSuchCode", "text"), None);
    let error = ApiError::from_code("Unavailable", "text").map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("Unavailable: text"));
}
