//! What `status.eni` says of each ENI, and what in it makes no sense.

use crate::convert::check;

#[test]
fn an_eni_is_taken_apart() {
    check(
        r#"{"status": {"eni": {"enis": {"eni-1": {
            "id": "eni-1", "ip": "10.0.0.5", "number": 2, "mac": "02:00:00:13:A6:c4", "public-ip": "192.0.2.1",
            "addresses": ["10.0.0.5", "10.0.0.9", "10.0.0.33", "10.0.0.17", "10.0.0.8", "10.0.0.9"],
            "prefixes": ["10.0.0.16/28", "10.0.0.32/28"], "ipv6-prefixes": ["fd00::/80"], "security-groups": ["sg-1"],
            "tags": {"a": "b"}, "subnet": {"id": "subnet-1", "cidr": "10.0.0.0/24"},
            "vpc": {"id": "vpc-1", "primary-cidr": "10.0.0.0/16", "cidrs": ["10.1.0.0/16"]}}}}}}"#,
        r#"eni-1 #2 subnet-1 10.0.0.5 + [10.0.0.9, 10.0.0.8] prefixes [10.0.0.16/28, 10.0.0.32/28] ipv6 [fd00::/80] groups [sg-1] tags {"a": "b"} mac 02:00:00:13:a6:c4 public 192.0.2.1
         subnet-1 10.0.0.0/24
         vpc-1 10.0.0.0/16 [10.1.0.0/16]"#,
    );
}

#[test]
fn a_bad_member_costs_itself() {
    check(
        r#"{"status": {"eni": {"enis": {"eni-1": {
            "id": "eni-2", "ip": "10.0.0.5", "mac": "02:00", "public-ip": "none", "addresses": ["", "10.0.0.9", "fd00::1"],
            "prefixes": ["10.0.0.16/28", "10.0.0.32/27", "10.0.0.33/28", "x"], "ipv6-prefixes": ["fd00::/64", "10.0.0.16/28"],
            "security-groups": ["sg-1", "1"], "subnet": {"id": "subnet-1", "cidr": ""},
            "vpc": {"id": "vpc-1", "primary-cidr": "10.0.0.0/16", "cidrs": ["10.1.0.0"]}}}}}}"#,
        r#"eni-1 #0 subnet-1 10.0.0.5 + [10.0.0.9] prefixes [10.0.0.16/28] groups [sg-1]
         vpc-1 10.0.0.0/16 []
         ! status.eni.enis["eni-1"].id: in conflict with its key "eni-1"
         ! status.eni.enis["eni-1"].mac: "02:00" is not a MAC address: expected six pairs of hexadecimal digits between colons
         ! status.eni.enis["eni-1"].prefixes[1]: not a /28
         ! status.eni.enis["eni-1"].prefixes[2]: not a /28
         ! status.eni.enis["eni-1"].prefixes[3]: not a /28
         ! status.eni.enis["eni-1"].addresses[0]: not an IPv4 address
         ! status.eni.enis["eni-1"].addresses[2]: not an IPv4 address
         ! status.eni.enis["eni-1"].ipv6-prefixes[0]: not an IPv6 /80
         ! status.eni.enis["eni-1"].ipv6-prefixes[1]: not an IPv6 /80
         ! status.eni.enis["eni-1"].security-groups[1]: "1" is not a security group id: expected `sg-` and lower-case letters or digits
         ! status.eni.enis["eni-1"].public-ip: not an IPv4 address
         ! status.eni.enis["eni-1"].subnet.cidr: not an IPv4 CIDR
         ! status.eni.enis["eni-1"].vpc.cidrs[0]: not an IPv4 CIDR"#,
    );
}

#[test]
fn what_is_listed_twice_counts_once() {
    check(
        r#"{"status": {"eni": {"enis": {"eni-1": {"ip": "10.0.0.5",
            "prefixes": ["10.0.0.16/28", "10.0.0.32/28", "10.0.0.16/28"], "ipv6-prefixes": ["fd00::/80", "fd00:0::/80"],
            "subnet": {"id": "subnet-1"}, "vpc": {"id": "vpc-1"}}}}}}"#,
        r#"eni-1 #0 subnet-1 10.0.0.5 prefixes [10.0.0.16/28, 10.0.0.32/28] ipv6 [fd00::/80]
         ! status.eni.enis["eni-1"].prefixes[2]: in conflict with status.eni.enis["eni-1"].prefixes[0]
         ! status.eni.enis["eni-1"].ipv6-prefixes[1]: in conflict with status.eni.enis["eni-1"].ipv6-prefixes[0]"#,
    );
}

#[test]
fn what_two_interfaces_have_is_a_conflict() {
    let rest = r#""subnet": {"id": "subnet-1"}, "vpc": {"id": "vpc-1"}"#;
    check(
        &format!(
            r#"{{"status": {{"eni": {{"enis": {{
            "eni-1": {{"ip": "10.0.0.5", "addresses": ["10.0.0.9", "10.0.0.40"], "prefixes": ["10.0.0.16/28"], {rest}}},
            "eni-2": {{"ip": "10.0.0.9", "addresses": ["10.0.0.17"], "prefixes": ["10.0.0.32/28", "10.0.0.16/28"], {rest}}}}}}}}}}}"#
        ),
        r#"eni-1 #0 subnet-1 10.0.0.5 + [10.0.0.9, 10.0.0.40] prefixes [10.0.0.16/28]
         eni-2 #0 subnet-1 10.0.0.9 prefixes [10.0.0.32/28, 10.0.0.16/28]
         ! status.eni.enis["eni-2"]: in conflict with status.eni.enis["eni-1"], which has 10.0.0.16/28 too
         ! status.eni.enis["eni-1"]: in conflict with status.eni.enis["eni-2"], which has 10.0.0.40 too
         ! status.eni.enis["eni-2"]: in conflict with status.eni.enis["eni-1"], which has 10.0.0.9 too"#,
    );
}

#[test]
fn an_eni_without_its_essentials_costs_itself() {
    check(
        r#"{"status": {"eni": {"enis": {
            "eni-1": {},
            "eni-2": {"ip": "10.0.0.5", "number": 65536, "subnet": {"id": "subnet-1"}, "vpc": {"id": "vpc-1"}},
            "eni-3": {"ip": "10.0.0.6", "number": 1, "subnet": {"id": "subnet-1"}, "vpc": {"id": "vpc-1", "primary-cidr": "?"}},
            "lo": {"ip": "127.0.0", "subnet": {"id": ""}, "vpc": {"id": "vpc-1"}}}}}}"#,
        r#"eni-3 #1 subnet-1 10.0.0.6
         ! status.eni.enis["eni-1"].subnet.id: missing: expected a subnet id
         ! status.eni.enis["eni-1"].vpc.id: missing: expected a VPC id
         ! status.eni.enis["eni-1"].ip: missing: expected an IPv4 address
         ! status.eni.enis["eni-2"].number: 65536 is out of range: expected 0 to 65535
         ! status.eni.enis["eni-3"].vpc.primary-cidr: not an IPv4 CIDR
         ! status.eni.enis["lo"]: "lo" is not an ENI id: expected `eni-` and lower-case letters or digits
         ! status.eni.enis["lo"].subnet.id: "" is not a subnet id: expected `subnet-` and lower-case letters or digits
         ! status.eni.enis["lo"].ip: not an IPv4 address"#,
    );
}
