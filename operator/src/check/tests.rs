use std::collections::BTreeMap;

use ipam_core::failure::Failure;

use super::{Examples, Probe, Probes, check as check_all};
use crate::cloud::refusal;

/// EC2 as a list of what it says: `status code: message` by action, and what a dry run that is allowed gets otherwise.
struct Scripted(BTreeMap<&'static str, &'static str>);

impl Probes for Scripted {
    async fn examples(&self) -> Examples {
        Examples::default()
    }

    async fn probe(&self, probe: Probe, _examples: &Examples) -> Result<(), Failure> {
        let usual = match probe {
            Probe::AssignPrivateIpAddresses | Probe::AssignIpv6Addresses => {
                "400 InvalidNetworkInterfaceID.NotFound: no such interface"
            }
            _ => "412 DryRunOperation: Request would have succeeded, but DryRun flag is set.",
        };
        let said = self.0.get(probe.name()).copied().unwrap_or(usual);
        let (status, said) = said.split_once(' ').expect("a status");
        let (code, message) = said.split_once(": ").expect("a code and a message");
        Err(refusal::read(status.parse().expect("a status"), code, message))
    }
}

/// `Action: what EC2 says` lines in; the rows that are not allowed, and whether it is enough, out.
#[track_caller]
fn check(script: &'static str, expected: &str) {
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    let script = lines.map(|line| line.split_once(": ").expect("action: answer")).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let checked = runtime.block_on(check_all(&Scripted(script)));
    let table = checked.table();
    let shown = table.lines().skip(1).filter(|line| !line.ends_with(" allowed"));
    let mut lines: Vec<_> =
        shown.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.push(if checked.is_enough() { "enough" } else { "not enough" }.to_owned());
    let expected: Vec<_> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected);
}

#[test]
fn all_is_well() {
    check("", "enough");
}

#[test]
fn an_optional_action_may_be_missing() {
    check(
        "DetachNetworkInterface: 403 UnauthorizedOperation: not you",
        "DetachNetworkInterface optional denied interfaces that hold nothing stay attached
         DetachNetworkInterface: UnauthorizedOperation: not you
         enough",
    );
    check(
        "DescribeRouteTables: 403 UnauthorizedOperation: not you",
        "DescribeRouteTables optional denied a subnet is chosen without regard to its route table
         DescribeRouteTables: UnauthorizedOperation: not you
         enough",
    );
}

#[test]
fn what_is_said_of_several_actions_is_shown_once() {
    check(
        "DescribeRouteTables: 403 UnauthorizedOperation: not you
         DescribeVpcs: 403 UnauthorizedOperation: not you",
        "DescribeVpcs optional denied the CIDRs of the VPC are missing in status.eni of each node
         DescribeRouteTables optional denied a subnet is chosen without regard to its route table
         DescribeVpcs, DescribeRouteTables: UnauthorizedOperation: not you
         enough",
    );
}

#[test]
fn a_required_action_may_not() {
    check(
        "DeleteNetworkInterface: 403 UnauthorizedOperation: not you",
        "DeleteNetworkInterface required denied interfaces that no node can use or claims stay and cost addresses
         DeleteNetworkInterface: UnauthorizedOperation: not you
         not enough",
    );
}

#[test]
fn what_cannot_be_told_is_not_taken_for_allowed() {
    check(
        "AttachNetworkInterface: 400 InvalidInstanceID.NotFound: no such instance
         DetachNetworkInterface: 400 InvalidAttachmentID.NotFound: no such attachment
         DescribeSubnets: 503 RequestLimitExceeded: slowly
         DescribeVpcs: 401 AuthFailure: who are you",
        "DescribeSubnets required unclear no interface can be made, because no subnet is known
         AttachNetworkInterface required unclear interfaces are made and cannot be used
         DetachNetworkInterface optional unclear interfaces that hold nothing stay attached
         DescribeVpcs optional unclear the CIDRs of the VPC are missing in status.eni of each node
         DescribeSubnets: throttled by EC2
         AttachNetworkInterface: InvalidInstanceID.NotFound: no such instance
         DetachNetworkInterface: InvalidAttachmentID.NotFound: no such attachment
         DescribeVpcs: AuthFailure: who are you
         not enough",
    );
}

#[test]
fn assignments_have_no_dry_run() {
    check(
        "AssignIpv6Addresses: 403 UnauthorizedOperation: not you",
        "AssignIpv6Addresses optional denied interfaces that exist get no IPv6 prefix
         AssignIpv6Addresses: UnauthorizedOperation: not you
         enough",
    );
}

#[test]
fn tags_cannot_be_told_where_creation_is_denied() {
    check(
        "CreateNetworkInterface: 403 UnauthorizedOperation: not you
         CreateTags: 403 UnauthorizedOperation: not you",
        "CreateNetworkInterface required denied nodes have the interfaces they were launched with, and no more
         CreateTags required unclear no interface can be made, because each is tagged where it is made
         CreateNetworkInterface: UnauthorizedOperation: not you
         CreateTags: cannot be tried without CreateNetworkInterface
         not enough",
    );
}

#[test]
fn json() {
    let script = BTreeMap::from([("DescribeVpcs", "403 UnauthorizedOperation: not you")]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let checked = runtime.block_on(check_all(&Scripted(script)));
    let json = serde_json::to_value(&checked).expect("JSON");
    let of = |action: &str| {
        let permissions = json["permissions"].as_array().expect("a list");
        permissions.iter().find(|one| one["action"] == action).expect("the action").to_string()
    };
    assert_eq!(
        of("DescribeVpcs"),
        r#"{"action":"DescribeVpcs","needed":"optional","verdict":"denied","why":"UnauthorizedOperation: not you","without":"the CIDRs of the VPC are missing in status.eni of each node"}"#
    );
    assert_eq!(
        of("DescribeSubnets"),
        r#"{"action":"DescribeSubnets","needed":"required","verdict":"allowed","without":"no interface can be made, because no subnet is known"}"#
    );
}
