//! The standard world, and the steps that change it beside the API.

use super::Script;
use super::words::Words;
use crate::build::{NewElasticIp, NewInstance, NewSecurityGroup, NewSubnet, NewVpc};
use crate::id::{GroupId, InterfaceId};
use crate::machine::Ec2;
use crate::model::InstanceState;
use crate::request::Action;
use crate::settings::Settings;
use crate::world::Principal;

/// VPC `v` (10.0.0.0/16) with subnets `a` (10.0.0.0/24, zone a, IPv6), `b` (10.0.1.0/24, zone b) and `tiny` (10.0.2.0/28, zone a), groups
/// `g1` to `g6`, VPC `w` with subnet `far` (10.1.0.0/24, zone a) and group `gw`. In `a`, `i1` and `i2` (c5.large: 3 interfaces of 10 slots),
/// `xen` (m4.large), `multi` (c6in.32xlarge: 8 interfaces on each of 2 cards) and the stopped `off` have 10.0.0.4 to 10.0.0.8; `ib` is in
/// `b`. Public addresses `p1` and `p2` are 198.51.100.1 and .2.
pub(crate) fn standard() -> Script {
    let mut settings = Settings::default();
    settings.assumptions.set("pick-policy", "lowest-first").expect("a policy");
    let mut script = Script::new(Ec2::new(settings));
    let net = |text: &str| text.parse().expect("a CIDR");
    let mut new = NewVpc::new(net("10.0.0.0/16"));
    new.ipv6_cidrs = vec!["2001:db8::/56".parse().expect("a CIDR")];
    let v = script.ec2.build().vpc(new).expect("a VPC");
    let w = script.ec2.build().vpc(NewVpc::new(net("10.1.0.0/16"))).expect("a VPC");
    script.names.add("v", &v);
    script.names.add("w", &w);
    let subnets = [
        ("a", &v, "eu-west-1a", "10.0.0.0/24"),
        ("b", &v, "eu-west-1b", "10.0.1.0/24"),
        ("tiny", &v, "eu-west-1a", "10.0.2.0/28"),
        ("far", &w, "eu-west-1a", "10.1.0.0/24"),
    ];
    for (name, vpc, zone, cidr) in subnets {
        let mut new = NewSubnet::new(vpc.clone(), zone, net(cidr));
        new.ipv6_cidr = (name == "a").then(|| "2001:db8:0:1::/64".parse().expect("a CIDR"));
        let id = script.ec2.build().subnet(new).expect("a subnet");
        script.names.add(name, &id);
    }
    for (name, vpc) in
        [("g1", &v), ("g2", &v), ("g3", &v), ("g4", &v), ("g5", &v), ("g6", &v), ("gw", &w)]
    {
        let new = NewSecurityGroup::new(vpc.clone(), name);
        let id = script.ec2.build().security_group(new).expect("a group");
        script.names.add(name, &id);
    }
    instances(&mut script);
    for (name, last) in [("p1", 1), ("p2", 2)] {
        let new = NewElasticIp::new([198, 51, 100, last].into());
        let id = script.ec2.build().elastic_ip(new).expect("an Elastic IP address");
        script.names.add(name, &id);
    }
    script
}

fn instances(script: &mut Script) {
    let instances = [
        ("i1", "c5.large", "a"),
        ("i2", "c5.large", "a"),
        ("xen", "m4.large", "a"),
        ("multi", "c6in.32xlarge", "a"),
        ("off", "c5.large", "a"),
        ("ib", "c5.large", "b"),
    ];
    for (name, kind, subnet) in instances {
        let mut new = NewInstance::new(kind, script.subnet(subnet));
        if name == "off" {
            new.state = InstanceState::Stopped;
        }
        let id = script.ec2.build().instance(new).expect("an instance");
        let mut interfaces = script.ec2.world().interfaces_of(&id);
        let interface = interfaces.next().expect("a primary interface").clone();
        drop(interfaces);
        script.names.add(name, &id);
        script.names.add(&format!("{name}-primary"), &interface.id);
        let attachment = interface.attachment.as_ref().expect("an attachment");
        script.names.add_attachment(&format!("{name}-primary"), &attachment.id);
    }
}

impl Script {
    /// Changes the world beside the API, if that is what the line is about.
    pub(super) fn prepare(&mut self, words: &Words<'_>) -> bool {
        let name = words.at(0);
        match words.verb {
            "quota" => self.quota(words),
            "assume" => {
                for (switch, value) in words.named() {
                    self.ec2.build().assumptions().set(switch, value).expect("an assumption");
                }
            }
            "latency" => {
                let profile = serde_json::from_str(&format!("\"{name}\"")).expect("a profile");
                self.ec2.build().latency().profile = profile;
            }
            "staleness" => {
                let mode = serde_json::from_str(&format!("\"{name}\"")).expect("a mode");
                self.ec2.build().staleness(mode);
            }
            "stop" => {
                let id = self.names.id(name);
                self.ec2.build().stop_instance(&id).expect("it can be stopped");
            }
            "start" => {
                let id = self.names.id(name);
                self.ec2.build().start_instance(&id).expect("it can be started");
            }
            "terminate" => {
                let id = self.names.id(name);
                self.ec2.build().terminate_instance(&id).expect("it can be terminated");
            }
            "outage" => self.ec2.build().zone_outage(name, !words.has("over")),
            "leave" => {
                let id = self.subnet(name);
                let left = usize::try_from(words.number(1)).expect("a number");
                self.ec2.build().leave_addresses(&id, left).expect("addresses");
            }
            "leave-blocks" => {
                let id = self.subnet(name);
                let left = usize::try_from(words.number(1)).expect("a number");
                self.ec2.build().leave_blocks(&id, left).expect("blocks");
            }
            "principal" => {
                let allowed = words.get("may").map(|names| {
                    names.split(',').map(|name| Action::find(name).expect("an action")).collect()
                });
                let account = words.get("account").unwrap_or("123456789012").to_owned();
                self.ec2.build().principal(name, Principal { account, allowed });
            }
            "fault" => {
                let mut text = words.rest.to_owned();
                for known in ["a", "i1", "i2", "e"] {
                    if text.contains(&format!("\"{known}\"")) {
                        let id = self.names.shown(known);
                        text = text.replace(&format!("\"{known}\""), &format!("\"{id}\""));
                    }
                }
                let rule = serde_json::from_str(&text).expect("a rule");
                self.ec2.build().faults().add(rule);
            }
            "managed" => self.managed(name),
            _ => return false,
        }
        true
    }

    fn quota(&mut self, words: &Words<'_>) {
        let mut builder = self.ec2.build();
        let quotas = builder.quotas();
        for (name, value) in words.named() {
            let value = value.parse().expect("a number");
            match name {
                "interfaces" => quotas.interfaces = value,
                "groups" => quotas.groups_per_interface = value,
                "usage" => quotas.address_usage_per_vpc = value,
                other => panic!("no quota is called {other}"),
            }
        }
    }

    /// An interface of a load balancer, with the secondary address 10.0.0.200.
    fn managed(&mut self, name: &str) {
        let mut new = crate::build::NewInterface::new(self.subnet("a"));
        new.requester = Some("amazon-elb".to_owned());
        new.ipv4.addresses = vec![[10, 0, 0, 200].into()];
        new.attachment = Some(crate::build::NewAttachment {
            instance: None,
            instance_owner: Some("amazon-elb".to_owned()),
            device_index: 1,
            network_card: 0,
            delete_on_termination: false,
        });
        let id: InterfaceId = self.ec2.build().interface(new).expect("an interface");
        let interface = self.ec2.world().interface(&id).expect("it was built").clone();
        self.names.add(name, &id);
        self.names.add_attachment(name, &interface.attachment.as_ref().expect("one").id);
    }

    pub(super) fn groups(&self, words: &Words<'_>) -> Vec<GroupId> {
        words.list::<String>("groups").iter().map(|name| self.names.id(name)).collect()
    }
}
