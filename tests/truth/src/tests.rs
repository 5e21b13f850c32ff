use std::collections::BTreeSet;
use std::time::Duration;

use ec2_sim::build::{Holding, NewAttachment, NewInstance, NewInterface, NewSubnet, NewVpc};
use ec2_sim::id::{InstanceId, InterfaceId, SubnetId};
use ec2_sim::{Ec2, Moment, Settings, latency};
use ipam_core::policy::{MANAGED_TAG, NO_MANAGE_TAG, VPC_CNI_TAG};

use super::*;

/// A subnet with two instances: `i-…1`, and `i-…2`, which is to be left alone. Each has a primary interface.
struct Region {
    ec2: Ec2,
    subnet: SubnetId,
    made: Vec<InterfaceId>,
    others: Others,
}

impl Region {
    fn new() -> Self {
        let latency = latency::Settings::of(latency::Profile::Typical);
        let mut ec2 = Ec2::new(Settings { latency, ..Settings::default() });
        let vpc = ec2.build().vpc(NewVpc::new("10.0.0.0/16".parse().unwrap()));
        let cidr = "10.0.1.0/24".parse().unwrap();
        let subnet = ec2.build().subnet(NewSubnet::new(vpc.unwrap(), "eu-west-1a", cidr)).unwrap();
        for number in [1, 2] {
            let new = NewInstance {
                id: Some(InstanceId::from_number(number)),
                ..NewInstance::new("m5.large", subnet.clone())
            };
            ec2.build().instance(new).unwrap();
        }
        Self { ec2, subnet, made: Vec::new(), others: Others::default() }
    }

    /// `berth 1` is an interface of Berth's on the first instance, `tagged 0` a tagged one that is on none.
    fn make(&mut self, kind: &str, on: &str) {
        let tags: &[(&str, &str)] = match kind {
            "berth" => &[(MANAGED_TAG, "true")],
            "tagged" => &[("team", "storage")],
            "vpc-cni" => &[(VPC_CNI_TAG, "i-00000000000000001")],
            "unmanaged" => &[(NO_MANAGE_TAG, "true")],
            "plain" => &[],
            other => panic!("no kind of interface: {other}"),
        };
        let attachment = (on != "0").then(|| NewAttachment {
            instance: Some(InstanceId::from_number(on.parse().unwrap())),
            instance_owner: None,
            device_index: 1,
            network_card: 0,
            delete_on_termination: true,
        });
        let new = NewInterface {
            attachment,
            primary_ip: Some("10.0.1.10".parse().unwrap()),
            ipv4: Holding {
                addresses: ["10.0.1.11", "10.0.1.12"]
                    .map(|address| address.parse().unwrap())
                    .into(),
                ..Holding::default()
            },
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..NewInterface::new(self.subnet.clone())
        };
        self.made.push(self.ec2.build().interface(new).unwrap());
    }

    fn step(&mut self, step: &str) -> String {
        let words: Vec<&str> = step.split_whitespace().collect();
        let last = self.made.last().cloned();
        match words.as_slice() {
            [kind @ ("berth" | "tagged" | "vpc-cni" | "unmanaged" | "plain"), on] => {
                self.make(kind, on);
            }
            ["unassign"] => {
                let id = last.unwrap();
                let held = self.ec2.world().truth().interface(&id).unwrap().secondary_ips.clone();
                self.ec2.build().unassign(&id, &held[..1], &[]).unwrap();
            }
            ["detach"] => self.ec2.build().detach(&last.unwrap()).unwrap(),
            ["delete"] => self.ec2.build().delete_interface(&last.unwrap()).unwrap(),
            ["end", number] => {
                let id = InstanceId::from_number(number.parse().unwrap());
                self.ec2.build().terminate_instance(&id).unwrap();
            }
            ["wait", seconds] => {
                let time = Duration::from_secs(seconds.parse().unwrap());
                let now = self.ec2.now() + time;
                self.ec2.advance(now);
            }
            ["look"] => return self.look(),
            other => panic!("no step: {other:?}"),
        }
        String::new()
    }

    fn look(&mut self) -> String {
        let left_alone = BTreeSet::from([InstanceId::from_number(2)]);
        let changes = self.others.look(self.ec2.world(), &left_alone);
        let texts = changes.iter().map(|change| change.what.clone());
        texts.collect::<Vec<_>>().join("; ") + "\n"
    }
}

#[track_caller]
fn check(steps: &str, expected: &str) {
    let mut region = Region::new();
    let seen: String = steps.split(", ").map(|step| region.step(step)).collect();
    assert_eq!(seen.trim_end_matches('\n'), expected, "{steps}");
}

#[test]
fn what_nobody_touches_does_not_change() {
    check("tagged 0, look, wait 60, look", "");
    check("tagged 1, look, wait 60, look", "");
}

#[test]
fn what_somebody_else_loses_is_told_once() {
    let lost = "\nsecondary addresses: 10.0.1.11 10.0.1.12 before, 10.0.1.12 now";
    for on in ["tagged 2", "tagged 0", "vpc-cni 1", "unmanaged 1", "plain 0", "plain 2"] {
        check(&format!("{on}, look, unassign, look, look"), lost);
    }
}

#[test]
fn what_is_berths_to_fill_may_change() {
    check("plain 1, look, unassign, look", "");
    // The operator leaves alone what tags say is somebody's, and not whatever has a tag.
    check("tagged 1, look, unassign, look", "");
    check("berth 1, look, unassign, look", "");
}

#[test]
fn an_interface_that_is_taken_away_is_told() {
    check("tagged 0, look, delete, look", "\nit is gone");
    check(
        "tagged 1, look, detach, look",
        "\nattachment: i-00000000000000001 at 0.1, ends with it before, none now",
    );
}

#[test]
fn the_end_of_an_instance_takes_its_interfaces_along() {
    check("tagged 1, look, end 1, look, wait 600, look", "");
    // Between the two they are attached to nothing for a moment.
    for kind in ["plain", "tagged"] {
        let looks = "look, wait 1, ".repeat(90);
        check(&format!("{kind} 1, look, end 1, {looks}look"), "");
    }
}

#[test]
fn berth_may_make_nothing_where_it_has_to_leave_an_instance_alone() {
    check("berth 2, look, look", "Berth made it on i-00000000000000002, which is not Berth's");
}

#[test]
fn a_node_is_told_as_ec2_knows_it() {
    let mut region = Region::new();
    region.step("berth 1");
    let node = Node::of("n1", &InstanceId::from_number(1), region.ec2.world()).unwrap().unwrap();
    assert_eq!((node.enis.len(), node.limits.map(|limits| limits.enis)), (2, Some(3)));
    assert_eq!(node.enis.iter().map(|eni| eni.ipv4.addresses.len()).sum::<usize>(), 2);
    let unknown = Node::of("n1", &InstanceId::from_number(9), region.ec2.world());
    assert!(unknown.unwrap().is_none());
    assert!(Node::of("not a name", &InstanceId::from_number(1), region.ec2.world()).is_err());
}

#[test]
fn a_loose_interface_of_berths_is_found_when_its_grace_is_over() {
    let mut region = Region::new();
    region.step("berth 0");
    let id = region.made[0].clone();
    let whole = |seconds: u64| Whole {
        now: tick(Moment::START + Duration::from_secs(seconds)),
        nodes: Vec::new(),
        loose: loose(region.ec2.world()).unwrap(),
        grace: Duration::from_mins(1),
    };
    assert!(whole(60).violations().is_empty());
    let told: Vec<String> = whole(61).violations().iter().map(ToString::to_string).collect();
    assert_eq!(told, [format!("{id} is attached to nothing for 61s")]);
}

#[test]
fn an_interface_is_loose_since_its_last_attachment_ended() {
    let mut region = Region::new();
    for step in ["berth 1", "wait 100", "detach", "wait 60"] {
        region.step(step);
    }
    let loose = loose(region.ec2.world()).unwrap();
    assert!(loose[0].since >= tick(Moment::START + Duration::from_secs(100)), "{loose:?}");
}

#[test]
fn a_prefix_is_sixteen_addresses_for_pods() {
    let mut region = Region::new();
    let new = NewInterface {
        ipv4: Holding { address_count: 1, prefix_count: 1, ..Holding::default() },
        ..NewInterface::new(region.subnet.clone())
    };
    let id = region.ec2.build().interface(new).unwrap();
    assert_eq!(for_pods(region.ec2.world().truth().interface(&id).unwrap()).len(), 17);
}
