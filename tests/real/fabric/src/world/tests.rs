use super::{Link, Links, World};
use crate::vpc::{Cable, Vpc};

const WORLD: &str = r#"{
  "region": "eu-west-1",
  "vpcs": [{"id": "vpc-1", "cidrs": ["10.0.0.0/16"]}],
  "subnets": [
    {"id": "subnet-1", "cidr": "10.0.0.0/24", "zone": "a"},
    {"id": "subnet-2", "cidr": "10.0.16.0/20", "zone": "a"}
  ],
  "instances": [{"id": "i-1", "state": "running"}, {"id": "i-2", "state": "stopping"}],
  "interfaces": [
    {"id": "eni-0123456789abcdef0", "subnet": "subnet-1", "mac": "02:00:00:00:00:0a", "primary_ip": "10.0.0.10",
     "secondary_ips": ["10.0.0.11"], "ipv4_prefixes": ["10.0.0.32/28"], "source_dest_check": true,
     "attachment": {"instance": "i-1", "device_index": 0}},
    {"id": "eni-0000000b", "subnet": "subnet-2", "mac": "02:00:00:00:00:0b", "primary_ip": "10.0.16.10",
     "secondary_ips": [], "ipv4_prefixes": [], "source_dest_check": false,
     "attachment": {"instance": "i-1", "device_index": 1}},
    {"id": "eni-0000000c", "subnet": "subnet-2", "mac": "02:00:00:00:00:0c", "primary_ip": "10.0.16.11",
     "secondary_ips": [], "ipv4_prefixes": [], "source_dest_check": true, "attachment": null}
  ]
}"#;

/// `INTERFACE CARD INDEX`, a line each.
fn links(text: &str) -> Links {
    let link = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (network_card, device_index) = (words[1].parse().unwrap(), words[2].parse().unwrap());
        Link { interface: words[0].to_owned(), network_card, device_index }
    };
    Links::from([("i-1".to_owned(), text.lines().map(link).collect())])
}

fn shown(vpc: &Vpc) -> String {
    let routers: Vec<String> = vpc.routers.iter().map(ToString::to_string).collect();
    let lines = vpc.cables.iter().map(|(device, cable)| line(device, cable));
    format!("routers {}\n{}", routers.join(" "), lines.collect::<String>())
}

fn line(device: &str, cable: &Cable) -> String {
    let others: Vec<String> = cable.others.iter().map(ToString::to_string).collect();
    let check = if cable.source_check { "" } else { " open" };
    let host = cable.host.map(|host| format!(" boots {} via {}", host.address, host.gateway));
    format!(
        "{device} {} {} {} {} [{}]{check}{}\n",
        cable.instance,
        cable.name,
        cable.mac,
        cable.primary,
        others.join(" "),
        host.unwrap_or_default()
    )
}

/// What is wanted of `world` when the first instance shows `devices`, or why it cannot be.
#[track_caller]
fn check(world: &str, devices: &str, expected: &str) {
    let world: World = serde_json::from_str(world).unwrap();
    let wanted = world.wanted(&links(devices), &["i-1".to_owned()].into());
    let said = wanted.map_or_else(|problem| problem.to_string(), |vpc| shown(&vpc));
    assert_eq!(said.trim(), expected.trim());
}

const ROUTERS: &str = "routers 10.0.0.1 10.0.16.1 169.254.169.254 192.0.2.10 198.51.100.1";

#[test]
fn what_the_instance_shows_is_wanted() {
    check(WORLD, "", ROUTERS);
    check(
        WORLD,
        "eni-0123456789abcdef0 0 0\neni-0000000b 0 1",
        &format!(
            "{ROUTERS}
f-0000000b i-1 eth1 02:00:00:00:00:0b 10.0.16.10 [] open
f-789abcdef0 i-1 eth0 02:00:00:00:00:0a 10.0.0.10 [10.0.0.11/32 10.0.0.32/28] boots 10.0.0.10/24 via 10.0.0.1"
        ),
    );
}

#[test]
fn the_devices_of_other_cards_have_names_of_their_own() {
    check(
        WORLD,
        "eni-0000000b 1 0",
        &format!("{ROUTERS}\nf-0000000b i-1 eth0c1 02:00:00:00:00:0b 10.0.16.10 [] open"),
    );
}

#[test]
fn what_is_no_longer_attached_there_is_not_wanted() {
    check(WORLD, "eni-0000000c 0 1", ROUTERS);
    check(WORLD, "eni-0000000d 0 1", ROUTERS);
    let elsewhere =
        WORLD.replace(r#""instance": "i-1", "device_index": 1"#, r#""instance": "i-2""#);
    check(&elsewhere, "eni-0000000b 0 1", ROUTERS);
}

#[test]
fn an_instance_without_a_namespace_has_no_devices() {
    let world: World = serde_json::from_str(WORLD).unwrap();
    let vpc = world.wanted(&links("eni-0000000b 0 1"), &["i-9".to_owned()].into()).unwrap();
    assert_eq!(shown(&vpc).trim(), ROUTERS);
}

#[test]
fn what_cannot_be_is_said() {
    let two = WORLD.replace(r#""vpcs": ["#, r#""vpcs": [{}, "#);
    check(&two, "", "there are 2 VPCs: expected one, since all routes are in one table");
    let nowhere = WORLD.replace(r#"{"id": "subnet-2", "cidr""#, r#"{"id": "subnet-3", "cidr""#);
    check(&nowhere, "eni-0000000b 0 1", "eni-0000000b is in subnet-2, which is not in the world");
    let twin = WORLD.replace("eni-0000000b", "eni-9123456789abcdef0");
    check(
        &twin,
        "eni-0123456789abcdef0 0 0\neni-9123456789abcdef0 0 1",
        "eni-9123456789abcdef0 and another interface would both be behind the device f-789abcdef0",
    );
}

#[test]
fn links_are_awaited_until_all_are_there() {
    let world: World = serde_json::from_str(WORLD).unwrap();
    for (devices, expected) in [
        ("", true),
        ("eni-0123456789abcdef0 0 0", true),
        ("eni-0123456789abcdef0 0 0\neni-0000000b 0 1", false),
    ] {
        assert_eq!(world.awaits(&links(devices)), expected, "{devices}");
    }
    // Nothing is awaited of what does not run.
    assert!(!world.awaits(&Links::new()));
    assert_eq!(world.running().collect::<Vec<_>>(), ["i-1"]);
}
