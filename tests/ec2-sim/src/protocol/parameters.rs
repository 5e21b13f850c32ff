//! Every parameter of every action, as the service model of the EC2 API (2016-11-15) names them. `N` stands for the number of a list's
//! element.

use crate::error::ApiError;
use crate::protocol::form::{Form, index};
use crate::request::Action;

/// Parameters of one action.
struct Parameters {
    /// What is decoded.
    taken: &'static [&'static [&'static str]],
    /// What the model has and the machine does not simulate.
    refused: &'static [&'static str],
}

const DRY_RUN: &[&str] = &["DryRun"];
const FILTERS: &[&str] = &["Filter.N.Name", "Filter.N.Value.N"];
const PAGE: &[&str] = &["MaxResults", "NextToken"];
const TAGS: &[&str] = &[
    "TagSpecification.N.ResourceType",
    "TagSpecification.N.Tag.N.Key",
    "TagSpecification.N.Tag.N.Value",
];

/// The parameters of `action`.
const fn of(action: Action) -> Parameters {
    let (taken, refused): (&[&[&str]], &[&str]) = match action {
        Action::AssignIpv6Addresses => (
            &[&[
                "Ipv6AddressCount",
                "Ipv6Addresses.N",
                "Ipv6Prefix.N",
                "Ipv6PrefixCount",
                "NetworkInterfaceId",
            ]],
            &[],
        ),
        Action::AssignPrivateIpAddresses => (
            &[&[
                "AllowReassignment",
                "Ipv4Prefix.N",
                "Ipv4PrefixCount",
                "NetworkInterfaceId",
                "PrivateIpAddress.N",
                "SecondaryPrivateIpAddressCount",
            ]],
            &[],
        ),
        Action::AssociateAddress => (
            &[
                DRY_RUN,
                &[
                    "AllocationId",
                    "AllowReassociation",
                    "InstanceId",
                    "NetworkInterfaceId",
                    "PrivateIpAddress",
                    "PublicIp",
                ],
            ],
            &[],
        ),
        Action::AttachNetworkInterface => (
            &[DRY_RUN, &["DeviceIndex", "InstanceId", "NetworkCardIndex", "NetworkInterfaceId"]],
            &["EnaQueueCount", ENA_SRD, ENA_SRD_UDP],
        ),
        Action::CreateNetworkInterface => return CREATE_NETWORK_INTERFACE,
        Action::CreateSubnetCidrReservation => {
            (&[DRY_RUN, TAGS, &["Cidr", "Description", "ReservationType", "SubnetId"]], &[])
        }
        Action::CreateTags => (&[DRY_RUN, &["ResourceId.N", "Tag.N.Key", "Tag.N.Value"]], &[]),
        Action::DeleteNetworkInterface => (&[DRY_RUN, &["NetworkInterfaceId"]], &[]),
        Action::DetachNetworkInterface => (&[DRY_RUN, &["AttachmentId", "Force"]], &[]),
        Action::ModifyNetworkInterfaceAttribute => return MODIFY_NETWORK_INTERFACE_ATTRIBUTE,
        Action::UnassignIpv6Addresses => {
            (&[&["Ipv6Addresses.N", "Ipv6Prefix.N", "NetworkInterfaceId"]], &[])
        }
        Action::UnassignPrivateIpAddresses => {
            (&[&["Ipv4Prefix.N", "NetworkInterfaceId", "PrivateIpAddress.N"]], &[])
        }
        _ => return of_listing(action),
    };
    Parameters { taken, refused }
}

/// The parameters of the actions that list.
const fn of_listing(action: Action) -> Parameters {
    let (taken, refused): (&[&[&str]], &[&str]) = match action {
        Action::DescribeAddresses => (&[DRY_RUN, FILTERS, &["AllocationId.N", "PublicIp.N"]], &[]),
        Action::DescribeInstanceTypes => {
            (&[DRY_RUN, FILTERS, PAGE, &["InstanceType.N"]], &["IncludeUnsupportedInRegion"])
        }
        Action::DescribeInstances => {
            (&[DRY_RUN, FILTERS, PAGE, &["InstanceId.N"]], &["IncludeManagedResources"])
        }
        Action::DescribeNetworkInterfaces => {
            (&[DRY_RUN, FILTERS, PAGE, &["NetworkInterfaceId.N"]], &["IncludeManagedResources"])
        }
        Action::DescribeRouteTables => (&[DRY_RUN, FILTERS, PAGE, &["RouteTableId.N"]], &[]),
        Action::DescribeSecurityGroups => {
            (&[DRY_RUN, FILTERS, PAGE, &["GroupId.N", "GroupName.N"]], &[])
        }
        Action::DescribeSubnets => (&[DRY_RUN, FILTERS, PAGE, &["SubnetId.N"]], &[]),
        Action::DescribeTags => (&[DRY_RUN, FILTERS, PAGE], &[]),
        Action::DescribeVpcs => (&[DRY_RUN, FILTERS, PAGE, &["VpcId.N"]], &[]),
        Action::GetSecurityGroupsForVpc => (&[DRY_RUN, FILTERS, PAGE, &["VpcId"]], &[]),
        _ => (&[], &[]),
    };
    Parameters { taken, refused }
}

const ENA_SRD: &str = "EnaSrdSpecification.EnaSrdEnabled";
const ENA_SRD_UDP: &str = "EnaSrdSpecification.EnaSrdUdpSpecification.EnaSrdUdpEnabled";
const TRACKING_TCP: &str = "ConnectionTrackingSpecification.TcpEstablishedTimeout";
const TRACKING_STREAM: &str = "ConnectionTrackingSpecification.UdpStreamTimeout";
const TRACKING_UDP: &str = "ConnectionTrackingSpecification.UdpTimeout";

const CREATE_NETWORK_INTERFACE: Parameters = Parameters {
    taken: &[
        DRY_RUN,
        TAGS,
        &[
            "ClientToken",
            "Description",
            "InterfaceType",
            "Ipv4Prefix.N.Ipv4Prefix",
            "Ipv4PrefixCount",
            "Ipv6AddressCount",
            "Ipv6Addresses.N.Ipv6Address",
            "Ipv6Prefix.N.Ipv6Prefix",
            "Ipv6PrefixCount",
            "PrivateIpAddress",
            "PrivateIpAddresses.N.Primary",
            "PrivateIpAddresses.N.PrivateIpAddress",
            "SecondaryPrivateIpAddressCount",
            "SecurityGroupId.N",
            "SubnetId",
        ],
    ],
    refused: &[
        "EnablePrimaryIpv6",
        "Ipv6Addresses.N.IsPrimaryIpv6",
        "Operator.Principal",
        TRACKING_TCP,
        TRACKING_STREAM,
        TRACKING_UDP,
    ],
};

const MODIFY_NETWORK_INTERFACE_ATTRIBUTE: Parameters = Parameters {
    taken: &[
        DRY_RUN,
        &[
            "Attachment.AttachmentId",
            "Attachment.DeleteOnTermination",
            "Description.Value",
            "NetworkInterfaceId",
            "SecurityGroupId.N",
            "SourceDestCheck.Value",
        ],
    ],
    refused: &[
        "AssociatePublicIpAddress",
        "AssociatedSubnetId.N",
        "Attachment.DefaultEnaQueueCount",
        "Attachment.EnaQueueCount",
        "EnablePrimaryIpv6",
        ENA_SRD,
        ENA_SRD_UDP,
        TRACKING_TCP,
        TRACKING_STREAM,
        TRACKING_UDP,
    ],
};

/// `name` with `N` in the place of numbers.
fn pattern(name: &str) -> String {
    let segments = name.split('.').enumerate().map(|(position, segment)| {
        if position > 0 && index(segment).is_some() { "N" } else { segment }
    });
    segments.collect::<Vec<_>>().join(".")
}

/// Refuses the first parameter that `action` does not have or that is not simulated.
///
/// # Errors
///
/// `UnknownParameter`, or `UnsupportedOperation` for what the model has. A `false` asks for nothing and is let pass.
pub(super) fn check(action: Action, form: &Form) -> Result<(), ApiError> {
    let Parameters { taken, refused } = of(action);
    for (name, value) in form.entries() {
        let pattern = pattern(name);
        if taken.iter().any(|group| group.contains(&pattern.as_str())) {
            continue;
        }
        if !refused.contains(&pattern.as_str()) {
            return Err(ApiError::unknown_parameter(name));
        }
        if value != "false" {
            return Err(ApiError::not_simulated(&format!("The parameter {name}")));
        }
    }
    Ok(())
}
