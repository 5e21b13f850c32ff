//! What EC2's error codes mean (EC2 API reference, error codes for the Amazon EC2 API). Some codes stand for several things and are told
//! apart by their message alone.

use ipam_core::failure::{Failure, Refusal};

/// Reads a refusal: the HTTP status, the code and the message as EC2 gave them.
#[must_use]
pub fn read(status: u16, code: &str, message: &str) -> Failure {
    if status == 429 || THROTTLED.contains(&code) {
        return Failure::Throttled;
    }
    if IN_TROUBLE.contains(&code) {
        return Failure::NoAnswer { cause: format!("{code}: {message}") };
    }
    if EXPIRED.contains(&code) {
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
    EXPIRED.contains(&code) || NOT_KNOWN.contains(&code)
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
    // EC2 writes both `Id` and `ID`.
    let lower = code.to_ascii_lowercase();
    if let Some((_, refusal)) = MISSING.iter().find(|(missing, _)| *missing == lower) {
        return *refusal;
    }
    if NOT_KNOWN.contains(&code) {
        return Refusal::Unauthorized;
    }
    match code {
        "InvalidParameterValue" => parameter_value(message),
        "IncorrectState" | "IncorrectInstanceState" => state(message),
        _ if lower.ends_with(".malformed") => Refusal::Invalid,
        _ => {
            CODES.iter().find(|(known, _)| *known == code).map_or(Refusal::Unknown, |found| found.1)
        }
    }
}

/// `InvalidParameterValue` is what EC2 says of a mistake, and of several things that are none.
fn parameter_value(message: &str) -> Refusal {
    let says = |text: &str| message.contains(text);
    if says("sufficient free Ipv4 addresses or prefixes") {
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
fn state(message: &str) -> Refusal {
    if message.contains("attachment") { Refusal::EniInUse } else { Refusal::InstanceNotRunning }
}

/// What does not exist, in lower case.
const MISSING: &[(&str, Refusal)] = &[
    ("invalidnetworkinterfaceid.notfound", Refusal::EniNotFound),
    ("invalidinstanceid.notfound", Refusal::InstanceNotFound),
    ("invalidsubnetid.notfound", Refusal::SubnetNotFound),
    ("invalidgroup.notfound", Refusal::SecurityGroupNotFound),
    ("invalidgroupid.notfound", Refusal::SecurityGroupNotFound),
    ("invalidsecuritygroupid.notfound", Refusal::SecurityGroupNotFound),
    ("invalidattachmentid.notfound", Refusal::AttachmentNotFound),
    ("invalidnetworkinterfaceattachmentid.notfound", Refusal::AttachmentNotFound),
    ("invalidnetworkinterfaceattachmentid.malformed", Refusal::AttachmentNotFound),
    ("invalidvpcid.notfound", Refusal::Invalid),
];

/// Codes that mean one thing.
const CODES: &[(&str, Refusal)] = &[
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
