//! One line of text, one call of the SDK, one line of what came back.

mod addresses;
mod interfaces;
mod listings;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use crate::words::{Names, Parameters};

/// What came back: a text, and the identifier of what was made, if something was.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What a test compares.
    pub(crate) text: String,
    /// What can be given a name.
    pub(crate) made: Option<String>,
}

impl From<String> for Outcome {
    fn from(text: String) -> Self {
        Self { text, made: None }
    }
}

/// What is printed in place of an answer: `Code: message`, or why there is none.
pub(crate) fn refusal<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match (error.code(), error) {
        (Some(code), _) => format!("{code}: {}", error.message().unwrap_or_default()),
        (None, SdkError::ServiceError(_)) => "refused without a code".to_owned(),
        (None, SdkError::DispatchFailure(_)) => "no answer".to_owned(),
        (None, SdkError::TimeoutError(_)) => "no answer in time".to_owned(),
        (None, SdkError::ResponseError(_)) => "an answer that cannot be read".to_owned(),
        (None, _) => "never sent".to_owned(),
    }
}

/// Makes the call that `line` describes: an action and its parameters.
pub(crate) async fn call(client: &Client, names: &Names, line: &str) -> Result<Outcome, String> {
    let (action, words) = line.split_once(' ').unwrap_or((line, ""));
    let parameters = Parameters::read(names, words);
    match action {
        "AssignIpv6Addresses" => addresses::assign_ipv6(client, parameters).await,
        "AssignPrivateIpAddresses" => addresses::assign_private(client, parameters).await,
        "AssociateAddress" => addresses::associate(client, parameters).await,
        "AttachNetworkInterface" => interfaces::attach(client, parameters).await,
        "CreateNetworkInterface" => interfaces::create(client, parameters).await,
        "CreateSubnetCidrReservation" => addresses::reserve(client, parameters).await,
        "CreateTags" => interfaces::tag(client, parameters).await,
        "DeleteNetworkInterface" => interfaces::delete(client, parameters).await,
        "DescribeAddresses" => listings::addresses(client, parameters).await,
        "DescribeInstanceTypes" => listings::instance_types(client, parameters).await,
        "DescribeInstances" => listings::instances(client, parameters).await,
        "DescribeNetworkInterfaces" => listings::interfaces(client, parameters).await,
        "DescribeRouteTables" => listings::route_tables(client, parameters).await,
        "DescribeSecurityGroups" => listings::security_groups(client, parameters).await,
        "DescribeSubnets" => listings::subnets(client, parameters).await,
        "DescribeTags" => listings::tags(client, parameters).await,
        "DescribeVpcs" => listings::vpcs(client, parameters).await,
        "DetachNetworkInterface" => interfaces::detach(client, parameters).await,
        "GetSecurityGroupsForVpc" => listings::groups_for_vpc(client, parameters).await,
        "ModifyNetworkInterfaceAttribute" => interfaces::modify(client, parameters).await,
        "UnassignIpv6Addresses" => addresses::unassign_ipv6(client, parameters).await,
        "UnassignPrivateIpAddresses" => addresses::unassign_private(client, parameters).await,
        other => panic!("no such action: {other}"),
    }
    .map(|outcome| Outcome { text: names.replace(&outcome.text), ..outcome })
    .map_err(|error| names.replace(&error))
}
