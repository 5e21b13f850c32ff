//! Forms that are no requests.

use crate::protocol::{decode, encode};
use crate::request::Action;

/// `form` is complete, one parameter a line.
#[track_caller]
fn check(form: &str, expected: &str) {
    let refused = decode(&form.split_whitespace().collect::<Vec<_>>().join("&")).unwrap_err();
    let action = refused.action.map_or("-", Action::name);
    assert_eq!(format!("{action} {} {}", refused.error.status, refused.error), expected);
}

#[test]
fn requests_name_an_action_and_the_version() {
    check("", "- 400 MissingAction: The request must contain the parameter Action");
    check(
        "Action=DescribeVpcs",
        "- 400 MissingParameter: The request must contain the parameter Version",
    );
    check(
        "Action=DescribeVpcs Version=2010-08-31",
        "- 400 NoSuchVersion: The version 2010-08-31 is not valid for this web service.",
    );
    check(
        "Action=RunInstances Version=2016-11-15",
        "- 400 InvalidAction: The action RunInstances is not valid for this web service.",
    );
}

#[test]
fn unknown_parameters_are_named() {
    let base = "Action=DescribeVpcs Version=2016-11-15";
    for name in [
        "VpcIds.1",
        "VpcId",
        "VpcId.x",
        "VpcId.0",
        "VpcId.01",
        "VpcId.1.1",
        "Filter.1",
        "vpcId.1",
        "",
    ] {
        check(
            &format!("{base} {name}=x"),
            &format!("DescribeVpcs 400 UnknownParameter: The parameter {name} is not recognized"),
        );
    }
    // The API's model has it elsewhere, and not here.
    check(
        "Action=AssignPrivateIpAddresses Version=2016-11-15 DryRun=true NetworkInterfaceId=eni-0000000a",
        "AssignPrivateIpAddresses 400 UnknownParameter: The parameter DryRun is not recognized",
    );
}

#[test]
fn what_is_not_simulated_is_named() {
    for name in [
        "EnablePrimaryIpv6",
        "ConnectionTrackingSpecification.TcpEstablishedTimeout",
        "Ipv6Addresses.1.IsPrimaryIpv6",
    ] {
        check(
            &format!("Action=CreateNetworkInterface Version=2016-11-15 {name}=true"),
            &format!(
                "CreateNetworkInterface 400 UnsupportedOperation: The parameter {name} is not simulated."
            ),
        );
    }
    check(
        "Action=CreateSubnetCidrReservation Version=2016-11-15 SubnetId=subnet-0000000a Cidr=2001:db8::/80 ReservationType=prefix",
        "CreateSubnetCidrReservation 400 UnsupportedOperation: The IPv6 block 2001:db8::/80 as parameter Cidr is not simulated.",
    );
}

#[test]
fn required_parameters_are_required() {
    check(
        "Action=AttachNetworkInterface Version=2016-11-15 NetworkInterfaceId=eni-0000000a InstanceId= DeviceIndex=1",
        "AttachNetworkInterface 400 MissingParameter: The request must contain the parameter InstanceId",
    );
    check(
        "Action=CreateNetworkInterface Version=2016-11-15 SubnetId=subnet-0000000a TagSpecification.1.Tag.1.Key=a",
        "CreateNetworkInterface 400 MissingParameter: The request must contain the parameter TagSpecification.1.ResourceType",
    );
    check(
        "Action=CreateTags Version=2016-11-15 Tag.1.Key=a",
        "CreateTags 400 MissingParameter: The request must contain the parameter ResourceId",
    );
    check(
        "Action=CreateTags Version=2016-11-15 ResourceId.1=eni-0000000a",
        "CreateTags 400 MissingParameter: The request must contain the parameter Tag",
    );
}

#[test]
fn values_have_the_form_of_their_parameter() {
    let attach = "Action=AttachNetworkInterface Version=2016-11-15 NetworkInterfaceId=eni-0000000a";
    check(
        &format!("{attach} InstanceId=eni-0000000a DeviceIndex=1"),
        "AttachNetworkInterface 400 InvalidInstanceID.Malformed: Invalid id: \"eni-0000000a\" (expecting \"i-...\")",
    );
    check(
        &format!("{attach} InstanceId=i-0000000a DeviceIndex=one"),
        "AttachNetworkInterface 400 InvalidParameterValue: Value (one) for parameter DeviceIndex is invalid. An integer is expected.",
    );
    check(
        "Action=DetachNetworkInterface Version=2016-11-15 AttachmentId=eni-0000000a",
        "DetachNetworkInterface 400 InvalidNetworkInterfaceAttachmentId.Malformed: \
         Invalid id: \"eni-0000000a\" (expecting \"eni-attach-...\")",
    );
    let assign =
        "Action=AssignPrivateIpAddresses Version=2016-11-15 NetworkInterfaceId=eni-0000000a";
    check(
        &format!("{assign} PrivateIpAddress.1=10.0.0.1 PrivateIpAddress.2=10.0.0.256"),
        "AssignPrivateIpAddresses 400 InvalidParameterValue: \
         Value (10.0.0.256) for parameter PrivateIpAddress.2 is invalid. This is not a valid IP address.",
    );
    check(
        &format!("{assign} Ipv4Prefix.1=10.0.0.5/28"),
        "AssignPrivateIpAddresses 400 InvalidParameterValue: \
         Value (10.0.0.5/28) for parameter Ipv4Prefix.1 is invalid. This is not a valid CIDR block.",
    );
    check(
        &format!("{assign} AllowReassignment=yes"),
        "AssignPrivateIpAddresses 400 InvalidParameterValue: \
         Value (yes) for parameter AllowReassignment is invalid. true or false is expected.",
    );
}

#[test]
fn nothing_is_said_twice() {
    check(
        "Action=DescribeVpcs Action=DescribeVpcs Version=2016-11-15",
        "- 400 MalformedQueryString: The parameter Action may only be specified once.",
    );
    check(
        "Action=CreateNetworkInterface Version=2016-11-15 SubnetId=subnet-0000000a PrivateIpAddress=10.0.0.4
         PrivateIpAddresses.1.PrivateIpAddress=10.0.0.5 PrivateIpAddresses.1.Primary=true",
        "CreateNetworkInterface 400 InvalidParameterValue: Only one primary private IP address can be specified.",
    );
    check(
        "Action=CreateTags Version=2016-11-15 ResourceId.1=eni-0000000a Tag.1.Key=a Tag.2.Key=a",
        "CreateTags 400 InvalidParameterValue: The value a is specified more than once.",
    );
}

#[test]
fn refusals_are_written_as_clients_read_them() {
    let error = decode("Action=<Run>&Version=2016-11-15").unwrap_err().error;
    let scene = super::encode::scene();
    let response = encode(scene, "00000000-0000-4000-8000-000000000001", &Err(error));
    assert_eq!(response.status, 400);
    assert_eq!(
        response.body,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>InvalidAction</Code>\
         <Message>The action &lt;Run&gt; is not valid for this web service.</Message></Error></Errors>\
         <RequestID>00000000-0000-4000-8000-000000000001</RequestID></Response>"
    );
}
