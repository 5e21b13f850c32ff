//! What the refusals of the simulated EC2 mean: the part of `operator/src/cloud/refusal.rs` for the codes that it says.

use ec2_sim::ApiError;
use ipam_core::failure::{Failure, Refusal};

/// A refusal, in the words of the core.
pub(super) fn of(error: &ApiError) -> Failure {
    match error.code {
        "RequestLimitExceeded" => Failure::Throttled,
        "Unavailable" | "ServiceUnavailable" | "InternalError" | "InternalFailure" => {
            Failure::NoAnswer { cause: error.to_string() }
        }
        code => Failure::Refused {
            refusal: refusal(code, &error.message.to_ascii_lowercase()),
            code: code.to_owned(),
            message: error.message.clone(),
        },
    }
}

fn refusal(code: &str, message: &str) -> Refusal {
    let says = |text: &str| message.contains(text);
    match code {
        "AuthFailure" if says("specified resource") => Refusal::NotPermitted,
        "AuthFailure" | "UnauthorizedOperation" => Refusal::Unauthorized,
        "InsufficientFreeAddressesInSubnet" => Refusal::SubnetOutOfAddresses,
        "InsufficientCidrBlocks" => Refusal::SubnetOutOfPrefixes,
        "PrivateIpAddressLimitExceeded" => Refusal::EniFull,
        "InvalidInterface.IpAddressLimitExceeded" => Refusal::EniHoldsTooMuch,
        "AttachmentLimitExceeded" => Refusal::InstanceFull,
        "InvalidNetworkInterface.InUse" | "InvalidNetworkInterfaceId.InUse" => Refusal::EniInUse,
        "InvalidNetworkInterfaceID.NotFound" => Refusal::EniNotFound,
        "InvalidInstanceID.NotFound" => Refusal::InstanceNotFound,
        "InvalidAttachmentID.NotFound" | "InvalidNetworkInterfaceAttachmentId.Malformed" => {
            Refusal::AttachmentNotFound
        }
        "InvalidSubnetID.NotFound" => Refusal::SubnetNotFound,
        "InvalidGroup.NotFound" => Refusal::SecurityGroupNotFound,
        "OperationNotPermitted" => Refusal::NotPermitted,
        "NetworkInterfaceLimitExceeded" => Refusal::EniQuota,
        "InvalidPaginationToken" | "InvalidNextToken" => Refusal::PageTokenExpired,
        "ConcurrentTagAccess" => Refusal::TagRace,
        "InvalidParameterValue" if says("sufficient free ipv4 addresses or prefixes") => {
            Refusal::SubnetOutOfPrefixes
        }
        "InvalidParameterValue" if says("interface attached at device") => Refusal::IndexTaken,
        "InvalidParameterValue" if says("currently in use") => Refusal::EniInUse,
        "InvalidParameterValue" if says("is not 'running'") => Refusal::InstanceNotRunning,
        "IncorrectState" | "IncorrectInstanceState"
            if !says("'running'") && (says("attachment") || says("network interface")) =>
        {
            Refusal::EniInUse
        }
        "IncorrectState" | "IncorrectInstanceState" => Refusal::InstanceNotRunning,
        _ => Refusal::Invalid,
    }
}
