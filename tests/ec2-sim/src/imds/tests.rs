//! What instances read about themselves.

use std::time::Duration;

use super::{Found, Query, Services};
use crate::id::InstanceId;
use crate::machine::Ec2;
use crate::model::mac;
use crate::spec::Spec;
use crate::time::Moment;

const WORLD: &str = "
settings: {seed: 1}
vpcs:
  - {id: vpc-0000000a, cidr: 10.0.0.0/16, secondary_cidrs: [100.64.0.0/16], ipv6_cidrs: ['2001:db8::/56'], default_group: sg-0000000a}
subnets:
  - {id: subnet-0000000a, vpc: vpc-0000000a, zone: eu-west-1a, cidr: 10.0.0.0/24, ipv6_cidr: '2001:db8::/64'}
instances:
  - id: i-0000000a
    instance_type: m5.large
    subnet: subnet-0000000a
    primary: {id: eni-0000000a, primary_ip: 10.0.0.10, ipv4_addresses: [10.0.0.11], ipv4_prefixes: [10.0.0.32/28, 10.0.0.16/28]}
    interfaces: [{id: eni-0000000b, primary_ip: 10.0.0.12, ipv6_addresses: ['2001:db8::5'], ipv6_prefixes: ['2001:db8:0:0:1::/80']}]
  - {id: i-0000000c, instance_type: p5.48xlarge, subnet: subnet-0000000a, primary: {id: eni-0000000c, primary_ip: 10.0.0.13}}
  - {id: i-0000000d, instance_type: m5.large, subnet: subnet-0000000a, state: stopped}
elastic_ips:
  - {public_ip: 198.51.100.1, interface: eni-0000000a, private_ip: 10.0.0.11}
";

fn world() -> Ec2 {
    let spec = Spec::parse("world.yaml", WORLD).unwrap();
    let mut ec2 = Ec2::new(spec.settings().unwrap());
    spec.populate(&mut ec2).unwrap();
    ec2
}

/// `text` with the hardware addresses in the place of `{eni-…}`.
fn filled(ec2: &Ec2, text: &str) -> String {
    let interfaces = ec2.world().truth().interfaces();
    interfaces.fold(text.to_owned(), |text, interface| {
        text.replace(&format!("{{{}}}", interface.id), &mac(interface.mac).to_string())
    })
}

/// What `instance` reads at `path` below `latest/`: the text, or the status.
#[track_caller]
fn check_on(instance: &str, path: &str, expected: &str) {
    let ec2 = world();
    let instance: InstanceId = instance.parse().unwrap();
    let mut services = Services::new(0);
    let ask = Query { put: true, path: "/latest/api/token", ttl: Some("60"), ..Query::default() };
    let token = services.answer(&ec2, Moment::START, &instance, ask).body;
    let path = filled(&ec2, &format!("/latest/{path}"));
    let query = Query { path: &path, token: Some(&token), ..Query::default() };
    let Found { status, body, .. } = services.answer(&ec2, Moment::START, &instance, query);
    let shown = if status == 200 { body } else { status.to_string() };
    assert_eq!(shown, filled(&ec2, expected));
}

#[track_caller]
fn check(path: &str, expected: &str) {
    check_on("i-0000000a", path, expected);
}

#[test]
fn directories_list_what_is_in_them() {
    check("", "dynamic/\nmeta-data/");
    check(
        "meta-data",
        "ami-id\nhostname\ninstance-id\ninstance-type\nlocal-hostname\nlocal-ipv4\nmac\nnetwork/\nplacement/\nsecurity-groups",
    );
    check("meta-data/network/interfaces", "macs/");
    let in_order = |one: &str, other: &str| {
        let ec2 = world();
        let mut both = [filled(&ec2, one), filled(&ec2, other)];
        both.sort();
        both.join("\n")
    };
    check("meta-data/network/interfaces/macs/", &in_order("{eni-0000000a}/", "{eni-0000000b}/"));
    check(
        "meta-data/network/interfaces/macs/{eni-0000000b}/",
        "device-number\ninterface-id\nipv6-prefix\nipv6s\nlocal-hostname\nlocal-ipv4s\nmac\nowner-id\nsecurity-group-ids\n\
         security-groups\nsubnet-id\nsubnet-ipv4-cidr-block\nsubnet-ipv6-cidr-blocks\nvpc-id\nvpc-ipv4-cidr-block\n\
         vpc-ipv4-cidr-blocks\nvpc-ipv6-cidr-blocks",
    );
}

#[test]
fn keys_have_values() {
    check("meta-data/instance-id", "i-0000000a");
    check("meta-data/mac", "{eni-0000000a}");
    check("meta-data/placement/availability-zone", "eu-west-1a");
    check("meta-data/placement/availability-zone-id", "euw1-az1");
    check("meta-data/local-hostname", "ip-10-0-0-10.eu-west-1.compute.internal");
    let primary = "meta-data/network/interfaces/macs/{eni-0000000a}";
    check(&format!("{primary}/interface-id"), "eni-0000000a");
    check(&format!("{primary}/device-number"), "0");
    check(&format!("{primary}/local-ipv4s"), "10.0.0.10\n10.0.0.11");
    check(&format!("{primary}/ipv4-prefix"), "10.0.0.32/28\n10.0.0.16/28");
    check(&format!("{primary}/vpc-ipv4-cidr-blocks"), "10.0.0.0/16\n100.64.0.0/16");
    check(&format!("{primary}/ipv4-associations/198.51.100.1"), "10.0.0.11");
    let second = "meta-data/network/interfaces/macs/{eni-0000000b}";
    check(&format!("{second}/device-number"), "1");
    check(&format!("{second}/ipv6s"), "2001:db8::5");
    check(&format!("{second}/ipv6-prefix"), "2001:db8:0:0:1::/80");
    check(&format!("{second}/security-group-ids"), "sg-0000000a");
}

#[test]
fn what_is_not_there_is_not_found() {
    check("meta-data/spot", "404");
    check("meta-data/instance-id/", "i-0000000a");
    check("meta-data/network/interfaces/macs/02:00:00:00:00:00/", "404");
    for path in ["meta-data/../meta-data/mac", "meta-data//mac", "meta-data/mac/x", "meta-data/ma"]
    {
        check(path, "404");
    }
    for key in ["network-card", "ipv6s", "ipv6-prefix"] {
        check(&format!("meta-data/network/interfaces/macs/{{eni-0000000a}}/{key}"), "404");
    }
    check("meta-data/network/interfaces/macs/{eni-0000000b}/ipv4-prefix", "404");
    check_on("i-0000000d", "meta-data/instance-id", "404");
}

#[test]
fn types_with_several_cards_name_the_card() {
    check_on("i-0000000c", "meta-data/network/interfaces/macs/{eni-0000000c}/network-card", "0");
}

#[test]
fn the_identity_document_is_json() {
    check(
        "dynamic/instance-identity/document",
        "{\n  \"accountId\": \"123456789012\",\n  \"architecture\": \"x86_64\",\n  \"availabilityZone\": \"eu-west-1a\",\n  \
         \"billingProducts\": null,\n  \"devpayProductCodes\": null,\n  \"imageId\": \"ami-00000000000000001\",\n  \
         \"instanceId\": \"i-0000000a\",\n  \"instanceType\": \"m5.large\",\n  \"kernelId\": null,\n  \
         \"marketplaceProductCodes\": null,\n  \"pendingTime\": \"2026-01-01T00:00:00Z\",\n  \"privateIp\": \"10.0.0.10\",\n  \
         \"ramdiskId\": null,\n  \"region\": \"eu-west-1\",\n  \"version\": \"2017-09-30\"\n}",
    );
}

/// The status of the answer to `query`, asked `seconds` after the start by the instance i-0000000a.
fn status(services: &mut Services, ec2: &Ec2, seconds: u64, query: Query<'_>) -> (u16, String) {
    let now = Moment::START + Duration::from_secs(seconds);
    let found = services.answer(ec2, now, &"i-0000000a".parse().unwrap(), query);
    (found.status, found.body)
}

#[test]
fn tokens_are_asked_for_with_a_life() {
    let (ec2, mut services) = (world(), Services::new(0));
    let ask = Query { put: true, path: "/latest/api/token", ..Query::default() };
    for (ttl, expected) in [
        (None, 400),
        (Some("0"), 400),
        (Some("1"), 200),
        (Some("21600"), 200),
        (Some("21601"), 400),
        (Some("six"), 400),
        (Some("+6"), 400),
        (Some("-6"), 400),
        (Some(""), 400),
        (Some("99999999999999999999"), 400),
    ] {
        assert_eq!(status(&mut services, &ec2, 0, Query { ttl, ..ask }).0, expected, "{ttl:?}");
    }
    let forwarded = Query { ttl: Some("60"), forwarded: true, ..ask };
    assert_eq!(status(&mut services, &ec2, 0, forwarded).0, 403);
    let elsewhere = Query { path: "/latest/meta-data/mac", ttl: Some("60"), ..ask };
    assert_eq!(status(&mut services, &ec2, 0, elsewhere).0, 405);
}

#[test]
fn nothing_is_read_without_a_living_token_of_ones_own() {
    let (ec2, mut services) = (world(), Services::new(0));
    let get = Query { path: "/latest/meta-data/instance-id", ..Query::default() };
    assert_eq!(status(&mut services, &ec2, 0, get).0, 401);
    assert_eq!(status(&mut services, &ec2, 0, Query { token: Some("guess"), ..get }).0, 401);
    let ask = Query { put: true, path: "/latest/api/token", ttl: Some("60"), ..Query::default() };
    let token = status(&mut services, &ec2, 0, ask).1;
    let with_token = Query { token: Some(&token), ..get };
    assert_eq!(status(&mut services, &ec2, 59, with_token), (200, "i-0000000a".to_owned()));
    assert_eq!(status(&mut services, &ec2, 60, with_token).0, 401);
    let other = services.answer(&ec2, Moment::START, &"i-0000000c".parse().unwrap(), with_token);
    assert_eq!(other.status, 401);
}

#[test]
fn keys_of_new_interfaces_come_one_by_one() {
    let text = WORLD.replace("settings: {seed: 1}", "settings: {seed: 1, staleness: typical}");
    let spec = Spec::parse("world.yaml", &text).unwrap();
    let mut ec2 = Ec2::new(spec.settings().unwrap());
    spec.populate(&mut ec2).unwrap();
    let mut services = Services::new(0);
    let ask = Query { put: true, path: "/latest/api/token", ttl: Some("600"), ..Query::default() };
    let token = status(&mut services, &ec2, 0, ask).1;
    let read = |services: &mut Services, ec2: &Ec2, seconds, path: &str| {
        status(services, ec2, seconds, Query { path, token: Some(&token), ..Query::default() })
    };
    let macs = "/latest/meta-data/network/interfaces/macs/";
    let before = read(&mut services, &ec2, 0, macs).1;
    let mut new = crate::build::NewInterface::new("subnet-0000000a".parse().unwrap());
    new.attachment = Some(crate::build::NewAttachment {
        instance: Some("i-0000000a".parse().unwrap()),
        instance_owner: None,
        device_index: 2,
        network_card: 0,
        delete_on_termination: true,
    });
    ec2.build().interface(new).unwrap();
    let after = read(&mut services, &ec2, 10, macs).1;
    let mac = after.lines().find(|line| !before.contains(line)).unwrap();
    let keys = read(&mut services, &ec2, 10, &format!("{macs}{mac}")).1;
    let missing = |services: &mut Services, seconds| {
        let path = |key: &str| format!("{macs}{mac}{key}");
        keys.lines().filter(|key| read(services, &ec2, seconds, &path(key)).0 == 404).count()
    };
    let first = missing(&mut services, 10);
    assert!(0 < first && first < keys.lines().count(), "{first} keys are missing");
    assert_eq!(missing(&mut services, 12), 0);
}
