//! What EC2's error codes mean (EC2 API reference, error codes for the Amazon EC2 API). Some codes stand for several things and are told
//! apart by their message alone.

use ipam_core::failure::{Failure, Refusal};

/// Reads a refusal: the HTTP status, the code and the message as EC2 gave them.
#[must_use]
pub fn read(status: u16, code: &str, message: &str) -> Failure {
    if status == 429 || is_in(THROTTLED, code) {
        return Failure::Throttled;
    }
    if is_in(IN_TROUBLE, code) {
        return Failure::NoAnswer { cause: format!("{code}: {message}") };
    }
    if is_in(EXPIRED, code) {
        return Failure::NotSent {
            cause: format!("the credentials have expired: {code}: {message}"),
        };
    }
    match refusal(code, message) {
        Refusal::Unknown if status >= 500 => {
            Failure::NoAnswer { cause: format!("status {status}, {code}: {message}") }
        }
        refusal => Failure::Refused { refusal, code: code.to_owned(), message: message.to_owned() },
    }
}

/// Whether new credentials may change the answer: those that were used have expired, or are not known any more.
#[must_use]
pub fn wants_new_credentials(code: &str) -> bool {
    is_in(EXPIRED, code) || is_in(NOT_KNOWN, code)
}

/// Letters of either case count the same, since EC2 itself writes both `Id` and `ID`. Its logs put the side that is to blame
/// in front (`Client.`, `Server.`), and so do some who stand in for it.
fn is_same(known: &str, code: &str) -> bool {
    let code = code.strip_prefix("Client.").or(code.strip_prefix("Server.")).unwrap_or(code);
    known.eq_ignore_ascii_case(code)
}

fn is_in(codes: &[&str], code: &str) -> bool {
    codes.iter().any(|known| is_same(known, code))
}

/// The bucket is empty. EC2 itself says `RequestLimitExceeded`; the others are what AWS's front ends say.
const THROTTLED: &[&str] = &[
    "RequestLimitExceeded",
    "EC2ThrottledException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "SlowDown",
    "TooManyRequestsException",
];

/// The server is in trouble: the effect may have happened.
const IN_TROUBLE: &[&str] = &[
    "Unavailable",
    "ServiceUnavailable",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
];

/// The credentials were good once. Nothing happened, and the next ones will do.
const EXPIRED: &[&str] =
    &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];

/// The credentials say nothing to AWS.
const NOT_KNOWN: &[&str] = &[
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

fn refusal(code: &str, message: &str) -> Refusal {
    let message = message.to_ascii_lowercase();
    let says = |text: &str| message.contains(text);
    let is_one_of = |codes: &[&str]| is_in(codes, code);
    if let Some((_, refusal)) = CODES.iter().find(|(known, _)| is_same(known, code)) {
        *refusal
    } else if is_one_of(&["AuthFailure"]) && says("specified resource") {
        // It belongs to somebody else, such as another service of AWS.
        Refusal::NotPermitted
    } else if is_one_of(NOT_KNOWN) {
        Refusal::Unauthorized
    } else if is_one_of(&["InvalidParameterValue"]) {
        parameter_value(says)
    } else if is_one_of(&["IncorrectState", "IncorrectInstanceState"]) {
        state(says)
    } else if code.to_ascii_lowercase().ends_with(".malformed") {
        Refusal::Invalid
    } else {
        Refusal::Unknown
    }
}

/// `InvalidParameterValue` is what EC2 says of a mistake, and of several things that are none.
fn parameter_value(says: impl Fn(&str) -> bool) -> Refusal {
    if says("sufficient free ipv4 addresses or prefixes") {
        Refusal::SubnetOutOfPrefixes
    } else if says("interface attached at device") {
        Refusal::IndexTaken
    } else if says("currently in use") {
        Refusal::EniInUse
    } else if says("is not 'running'") {
        Refusal::InstanceNotRunning
    } else {
        Refusal::Invalid
    }
}

/// Either an attachment is on its way, or the instance is.
fn state(says: impl Fn(&str) -> bool) -> Refusal {
    if !says("'running'") && (says("attachment") || says("network interface")) {
        Refusal::EniInUse
    } else {
        Refusal::InstanceNotRunning
    }
}

/// Codes that mean one thing.
const CODES: &[(&str, Refusal)] = &[
    ("InvalidNetworkInterfaceID.NotFound", Refusal::EniNotFound),
    ("InvalidNetworkInterface.NotFound", Refusal::EniNotFound),
    ("InvalidInstanceID.NotFound", Refusal::InstanceNotFound),
    ("InvalidSubnetID.NotFound", Refusal::SubnetNotFound),
    ("InvalidGroup.NotFound", Refusal::SecurityGroupNotFound),
    ("InvalidGroupId.NotFound", Refusal::SecurityGroupNotFound),
    ("InvalidSecurityGroupID.NotFound", Refusal::SecurityGroupNotFound),
    ("InvalidAttachment.NotFound", Refusal::AttachmentNotFound),
    ("InvalidAttachmentID.NotFound", Refusal::AttachmentNotFound),
    ("InvalidNetworkInterfaceAttachmentId.NotFound", Refusal::AttachmentNotFound),
    ("InvalidNetworkInterfaceAttachmentId.Malformed", Refusal::AttachmentNotFound),
    ("InvalidVpcID.NotFound", Refusal::Invalid),
    ("UnauthorizedOperation", Refusal::Unauthorized),
    ("AccessDenied", Refusal::Unauthorized),
    ("AccessDeniedException", Refusal::Unauthorized),
    ("Blocked", Refusal::Unauthorized),
    ("IncompleteSignature", Refusal::Unauthorized),
    ("MissingAuthenticationToken", Refusal::Unauthorized),
    ("OptInRequired", Refusal::Unauthorized),
    ("PendingVerification", Refusal::Unauthorized),
    ("InsufficientFreeAddressesInSubnet", Refusal::SubnetOutOfAddresses),
    ("InsufficientCidrBlocks", Refusal::SubnetOutOfPrefixes),
    ("PrivateIpAddressLimitExceeded", Refusal::EniFull),
    ("InvalidInterface.IpAddressLimitExceeded", Refusal::EniHoldsTooMuch),
    ("AttachmentLimitExceeded", Refusal::InstanceFull),
    ("InvalidNetworkInterface.InUse", Refusal::EniInUse),
    ("InvalidNetworkInterfaceId.InUse", Refusal::EniInUse),
    ("OperationNotPermitted", Refusal::NotPermitted),
    ("NetworkInterfaceLimitExceeded", Refusal::EniQuota),
    ("InvalidPaginationToken", Refusal::PageTokenExpired),
    ("InvalidNextToken", Refusal::PageTokenExpired),
    ("ConcurrentTagAccess", Refusal::TagRace),
    ("FilterLimitExceeded", Refusal::Invalid),
    ("IdempotentParameterMismatch", Refusal::Invalid),
    ("InvalidAction", Refusal::Invalid),
    ("InvalidFilter", Refusal::Invalid),
    ("InvalidIPAddress.InUse", Refusal::Invalid),
    ("InvalidInstanceType", Refusal::Invalid),
    ("InvalidParameter", Refusal::Invalid),
    ("InvalidParameterCombination", Refusal::Invalid),
    ("MissingParameter", Refusal::Invalid),
    ("NetworkAddressUsageLimitExceeded", Refusal::Invalid),
    ("Resource.AlreadyAssigned", Refusal::Invalid),
    ("Resource.AlreadyAssociated", Refusal::Invalid),
    ("SecurityGroupsPerInterfaceLimitExceeded", Refusal::Invalid),
    ("TagLimitExceeded", Refusal::Invalid),
    ("TagPolicyViolation", Refusal::Invalid),
    ("UnknownParameter", Refusal::Invalid),
    ("UnsupportedOperation", Refusal::Invalid),
];

#[cfg(test)]
mod tests;
