//! Identifiers accept what EC2 and Kubernetes write, and nothing else.

use std::str::FromStr;
use std::time::Duration;

use ipam_core::ids::{
    AttachmentId, EniId, InstanceId, InstanceType, InvalidId, MacAddress, NodeName, PodKey,
    SubnetId, ZoneName,
};
use ipam_core::time::Tick;

/// A text that is accepted reads back as it was written; of one that is not, the error is compared.
fn check<T: FromStr<Err = InvalidId> + ToString>(text: &str, expected: Result<(), &str>) {
    let outcome = text.parse::<T>().map(|it| it.to_string()).map_err(|error| error.to_string());
    match expected {
        Ok(()) => assert_eq!(outcome.as_deref(), Ok(text)),
        Err(message) => assert_eq!(outcome, Err(message.to_string())),
    }
}

#[test]
fn ec2_ids_have_their_prefix_and_something_behind_it() {
    check::<EniId>("eni-0a1b2c3d4e5f60718", Ok(()));
    check::<AttachmentId>("eni-attach-0a1b", Ok(()));
    check::<EniId>(
        "subnet-0a1b",
        Err("\"subnet-0a1b\" is not an ENI id: expected `eni-` and lower-case letters or digits"),
    );
    check::<EniId>(
        "eni-attach-0a1b",
        Err(
            "\"eni-attach-0a1b\" is not an ENI id: expected `eni-` and lower-case letters or digits",
        ),
    );
    check::<InstanceId>(
        "",
        Err("\"\" is not an instance id: expected `i-` and lower-case letters or digits"),
    );
    check::<InstanceId>(
        "i-",
        Err("\"i-\" is not an instance id: expected `i-` and lower-case letters or digits"),
    );
    check::<SubnetId>(
        "subnet-0A",
        Err(
            "\"subnet-0A\" is not a subnet id: expected `subnet-` and lower-case letters or digits",
        ),
    );
    let endless = format!("eni-{}", "a".repeat(300));
    assert!(endless.parse::<EniId>().is_err());
}

#[test]
fn names() {
    check::<NodeName>("ip-192-168-25-188.ec2.internal", Ok(()));
    check::<InstanceType>("u7in-16tb.224xlarge", Ok(()));
    check::<ZoneName>("us-west-2-lax-1a", Ok(()));
    check::<ZoneName>(
        "",
        Err("\"\" is not an availability zone: expected lower-case letters, digits and `-`"),
    );
    check::<NodeName>(
        "a b",
        Err(
            "\"a b\" is not a node name: expected a DNS subdomain: lower-case letters, digits, `-` and `.`",
        ),
    );
}

#[test]
fn node_names_are_fit_to_be_file_names() {
    for text in ["..", ".", "-", "a..b", ".a", "a-"] {
        assert!(text.parse::<NodeName>().is_err(), "{text}");
    }
}

#[test]
fn pods() {
    check::<PodKey>("kube-system/coredns-0.a", Ok(()));
    let pod: PodKey = "kube-system/coredns-0".parse().unwrap();
    assert_eq!((pod.namespace(), pod.name()), ("kube-system", "coredns-0"));
    let message =
        "is not a pod: expected `namespace/name` in lower-case letters, digits, `-` and `.`";
    for text in ["router", "/a", "a/", "a/b/c", "A/b", "a.b/c", "a/..", "a/-b", "-a/b"] {
        check::<PodKey>(text, Err(&format!("{text:?} {message}")));
    }
}

#[test]
fn hardware_addresses() {
    check::<MacAddress>("02:00:00:ad:eb:66", Ok(()));
    assert_eq!("02:00:00:AD:EB:66".parse::<MacAddress>().unwrap().to_string(), "02:00:00:ad:eb:66");
    let message = "is not a MAC address: expected six pairs of hexadecimal digits between colons";
    for text in
        ["", "02:00:00:ad:eb", "02:00:00:ad:eb:66:77", "02:00:00:ad:eb:6", "02:00:00:ad:eb:+6"]
    {
        check::<MacAddress>(text, Err(&format!("{text:?} {message}")));
    }
}

#[test]
fn time_stands_still_rather_than_going_backwards() {
    let (early, late) = (Tick::from_millis(5), Tick::from_millis(9));
    assert_eq!(late.since(early), Duration::from_millis(4));
    assert_eq!(early.since(late), Duration::ZERO);
    assert_eq!(early + Duration::from_millis(4), late);
    assert_eq!(late + Duration::MAX, Tick::from_millis(u64::MAX));
}
