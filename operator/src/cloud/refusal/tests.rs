use super::{read, wants_new_credentials};

/// Status, code and message in; the failure's label and its remedy out.
#[track_caller]
fn check(said: &str, expected: &str) {
    let (status, rest) = said.split_once(' ').expect("a status, a code and a message");
    let (code, message) = rest.split_once(": ").unwrap_or((rest, ""));
    let failure = read(status.parse().expect("a status"), code, message);
    assert_eq!(format!("{} {:?}", failure.label(), failure.remedy()), expected, "{said}");
}

#[test]
fn codes_without_an_effect_of_their_own() {
    check("503 RequestLimitExceeded: Request limit exceeded.", "Throttled SlowDown");
    check("400 RequestLimitExceeded: Request limit exceeded.", "Throttled SlowDown");
    check("400 EC2ThrottledException", "Throttled SlowDown");
    check("400 Throttling: Rate exceeded", "Throttled SlowDown");
    check("429 Whatever", "Throttled SlowDown");
    check("503 Unavailable: Please try again shortly.", "NoAnswer Observe");
    check("503 ServiceUnavailable", "NoAnswer Observe");
    check("500 InternalError: An internal error has occurred", "NoAnswer Observe");
    check("500 InternalFailure", "NoAnswer Observe");
    check("502 SomethingNew: of a server in trouble", "NoAnswer Observe");
    check("400 SomethingNew: that nobody has heard of", "Unknown Report");
}

#[test]
fn who_may_not() {
    check("403 UnauthorizedOperation: You are not authorized", "Unauthorized DoWithout");
    check("401 AuthFailure: AWS was not able to validate", "Unauthorized DoWithout");
    check("403 InvalidClientTokenId", "Unauthorized DoWithout");
    check("403 SignatureDoesNotMatch", "Unauthorized DoWithout");
    check("401 OptInRequired: You are not subscribed", "Unauthorized DoWithout");
    check("400 ExpiredToken: The security token has expired", "NotSent Retry");
    check("400 ExpiredTokenException", "NotSent Retry");
    check("400 RequestExpired: Request has expired.", "NotSent Retry");
}

#[test]
fn credentials_that_may_be_old_are_asked_for_again() {
    let codes = ["ExpiredToken", "RequestExpired", "AuthFailure", "InvalidClientTokenId"];
    assert_eq!(codes.map(wants_new_credentials), [true; 4]);
    let others = ["UnauthorizedOperation", "RequestLimitExceeded"];
    assert_eq!(others.map(wants_new_credentials), [false; 2]);
}

#[test]
fn subnets_without_room() {
    check(
        "400 InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses to satisfy the request.",
        "SubnetOutOfAddresses AvoidAddresses",
    );
    check(
        "400 InsufficientCidrBlocks: The specified subnet does not have enough free cidr blocks to satisfy the request.",
        "SubnetOutOfPrefixes AvoidPrefixes",
    );
    check(
        "400 InvalidParameterValue: There aren't sufficient free Ipv4 addresses or prefixes",
        "SubnetOutOfPrefixes AvoidPrefixes",
    );
}

#[test]
fn interfaces_and_instances_without_room() {
    check(
        "400 PrivateIpAddressLimitExceeded: Number of private addresses will exceed limit.",
        "EniFull Refresh",
    );
    check(
        "400 InvalidInterface.IpAddressLimitExceeded: Address count 12 on interface-eni-1 exceeds the limit for m5.large",
        "EniHoldsTooMuch DeleteEni",
    );
    check(
        "400 AttachmentLimitExceeded: Interface count 4 exceeds the limit for m5.large",
        "InstanceFull DeleteEni",
    );
    check(
        "400 NetworkInterfaceLimitExceeded: The maximum number of network interfaces has been reached.",
        "EniQuota StopCreating",
    );
}

#[test]
fn attaching_and_its_races() {
    check(
        "400 InvalidParameterValue: Instance 'i-1' already has an interface attached at device index '1'.",
        "IndexTaken NextIndex",
    );
    check(
        "400 InvalidParameterValue: Network interface 'eni-1' is currently in use.",
        "EniInUse Refresh",
    );
    check("400 InvalidNetworkInterface.InUse: Interface: [eni-1] in use.", "EniInUse Refresh");
    check(
        "400 IncorrectState: Instance 'i-1' is not 'running'",
        "InstanceNotRunning WaitForInstance",
    );
    check("400 IncorrectInstanceState: not in a valid state", "InstanceNotRunning WaitForInstance");
    check(
        "400 InvalidParameterValue: Instance 'i-1' is not 'running'",
        "InstanceNotRunning WaitForInstance",
    );
    check(
        "400 IncorrectState: The attachment 'eni-attach-1' is 'detaching' and cannot be changed.",
        "EniInUse Refresh",
    );
}

#[test]
fn what_does_not_exist_in_both_spellings() {
    check("400 InvalidNetworkInterfaceID.NotFound", "EniNotFound Refresh");
    check("400 InvalidNetworkInterfaceId.NotFound", "EniNotFound Refresh");
    check("400 InvalidInstanceID.NotFound", "InstanceNotFound Refresh");
    check("400 InvalidInstanceId.NotFound", "InstanceNotFound Refresh");
    check("400 InvalidSubnetID.NotFound", "SubnetNotFound Refresh");
    check("400 InvalidSubnetId.NotFound", "SubnetNotFound Refresh");
    check("400 InvalidGroup.NotFound", "SecurityGroupNotFound Refresh");
    check("400 InvalidGroupId.NotFound", "SecurityGroupNotFound Refresh");
    check("400 InvalidAttachmentID.NotFound", "AttachmentNotFound Refresh");
    check("400 InvalidAttachmentId.NotFound", "AttachmentNotFound Refresh");
    check("400 InvalidNetworkInterfaceAttachmentId.Malformed", "AttachmentNotFound Refresh");
    check("400 InvalidNetworkInterfaceAttachmentID.Malformed", "AttachmentNotFound Refresh");
}

#[test]
fn listings_and_tags() {
    check("400 OperationNotPermitted", "NotPermitted Report");
    check("400 InvalidPaginationToken", "PageTokenExpired Restart");
    check("400 InvalidNextToken: The token has expired", "PageTokenExpired Restart");
    check("400 ConcurrentTagAccess", "TagRace Retry");
}

#[test]
fn mistakes() {
    let codes = "FilterLimitExceeded IdempotentParameterMismatch InvalidIPAddress.InUse \
        InvalidNetworkInterfaceID.Malformed InvalidParameter InvalidParameterCombination \
        MissingParameter Resource.AlreadyAssigned Resource.AlreadyAssociated \
        SecurityGroupsPerInterfaceLimitExceeded TagLimitExceeded TagPolicyViolation \
        UnknownParameter UnsupportedOperation NetworkAddressUsageLimitExceeded";
    for code in codes.split_whitespace() {
        check(&format!("400 {code}: text"), "Invalid Report");
    }
    check(
        "400 InvalidParameterValue: You can and can only specify one of ipv6-addresses or ipv6-prefix-count",
        "Invalid Report",
    );
}

#[test]
fn spellings_and_letters_that_vary() {
    check("503 requestLimitExceeded: Request limit exceeded.", "Throttled SlowDown");
    check("400 Client.RequestLimitExceeded: Request limit exceeded.", "Throttled SlowDown");
    check("503 SlowDown: Please reduce your request rate.", "Throttled SlowDown");
    check("400 BandwidthLimitExceeded", "Throttled SlowDown");
    check("503 Server.Unavailable: Please try again shortly.", "NoAnswer Observe");
    check(
        "400 InvalidParameterValue: There aren't sufficient free IPv4 addresses or prefixes",
        "SubnetOutOfPrefixes AvoidPrefixes",
    );
    check(
        "400 InvalidParameterValue: Instance 'i-1' already has an Interface attached at Device index '1'.",
        "IndexTaken NextIndex",
    );
    check("400 InvalidNetworkInterfaceId.InUse: eni-1 is in use", "EniInUse Refresh");
    check("400 InvalidNetworkInterface.NotFound", "EniNotFound Refresh");
    check("400 InvalidAttachment.NotFound", "AttachmentNotFound Refresh");
}

#[test]
fn states_of_interfaces_and_of_instances() {
    check(
        "400 IncorrectState: Network interface 'eni-1' is not in the 'available' state.",
        "EniInUse Refresh",
    );
    check(
        "400 IncorrectState: The instance 'i-1' is not in the 'running' state for attachment.",
        "InstanceNotRunning WaitForInstance",
    );
}

/// It is said of one resource that belongs to somebody else, and of no action.
#[test]
fn what_belongs_to_others_is_no_missing_permission() {
    check(
        "400 AuthFailure: You do not have permission to access the specified resource.",
        "NotPermitted Report",
    );
}
