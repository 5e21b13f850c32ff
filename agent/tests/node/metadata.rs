//! The metadata service of the simulated EC2.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use berth_agent::imds::{Imds, Interfaces};
use ec2_sim::build::{NewAttachment, NewInstance, NewInterface, NewSubnet, NewVpc};
use ec2_sim::face::imds::ImdsServer;
use ec2_sim::face::shared::Shared;
use ec2_sim::id::{InstanceId, InterfaceId, SubnetId, VpcId};
use ec2_sim::{Ec2, Settings, staleness};
use ipam_core::agent::ShownEni;

/// An instance with a second interface, and its metadata service.
struct World {
    shared: Shared,
    server: ImdsServer,
    instance: InstanceId,
    subnet: SubnetId,
}

impl World {
    async fn new(settings: Settings, speed: f64, kind: &str) -> Self {
        let mut ec2 = Ec2::new(settings);
        let mut build = ec2.build();
        let mut vpc = NewVpc::new("10.0.0.0/16".parse().expect("a CIDR"));
        vpc.id = Some(VpcId::from_number(1));
        let vpc = build.vpc(vpc).expect("a VPC");
        build.vpc_cidr(&vpc, "100.64.0.0/16".parse().expect("a CIDR")).expect("a CIDR");
        let cidr = "10.0.0.0/24".parse().expect("a CIDR");
        let subnet = build.subnet(NewSubnet::new(vpc, "eu-west-1a", cidr)).expect("a subnet");
        let mut node = NewInstance::new(kind, subnet.clone());
        node.primary.primary_ip = Some(Ipv4Addr::new(10, 0, 0, 10));
        node.primary.ipv4.prefix_count = 2;
        node.primary.ipv4.address_count = 1;
        let instance = build.instance(node).expect("an instance");
        let shared = Shared::with_time_scale(ec2, speed);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = ImdsServer::start(any, shared.clone(), instance.clone()).await;
        Self { server: server.expect("a server"), shared, instance, subnet }
    }

    fn imds(&self) -> Imds {
        Imds::new(format!("http://{}", self.server.server.addr).parse().expect("an endpoint"))
    }

    async fn interfaces(&self) -> Interfaces {
        self.imds().interfaces().await.expect("interfaces")
    }

    /// Attaches an interface with a prefix.
    fn attach(&self, device_index: u32, network_card: u32) -> InterfaceId {
        let mut new = NewInterface::new(self.subnet.clone());
        new.ipv4.prefix_count = 1;
        new.attachment = Some(NewAttachment {
            instance: Some(self.instance.clone()),
            instance_owner: None,
            device_index,
            network_card,
            delete_on_termination: true,
        });
        self.shared.with(|ec2, _| ec2.build().interface(new).expect("an interface"))
    }
}

fn strong() -> Settings {
    Settings { staleness: staleness::Mode::Strong, ..Settings::default() }
}

fn of<'a>(found: &'a Interfaces, id: &InterfaceId) -> Option<&'a ShownEni> {
    found.shown.iter().find(|eni| eni.facts.id.as_str() == id.as_str())
}

#[tokio::test]
async fn an_instance_says_who_and_where_it_is() {
    let world = World::new(strong(), 1.0, "m5.large").await;
    let facts = world.imds().facts().await.expect("facts");
    assert_eq!(facts.instance.as_str(), world.instance.as_str());
    assert_eq!(facts.instance_type.as_str(), "m5.large");
    assert_eq!(facts.vpc.as_str(), VpcId::from_number(1).as_str());
    assert_eq!(facts.subnet.as_str(), world.subnet.as_str());
    assert_eq!(facts.zone.as_str(), "eu-west-1a");
    assert_eq!(facts.region.as_deref(), Some("eu-west-1"));
    let found = world.interfaces().await;
    assert_eq!(found.shown[0].facts.mac, facts.mac.to_string());
}

#[tokio::test]
async fn interfaces_are_shown_with_what_they_hold() {
    let world = World::new(strong(), 1.0, "m5.large").await;
    let found = world.interfaces().await;
    assert_eq!((found.shown.len(), found.left_out.len()), (1, 0));
    let primary = &found.shown[0];
    assert_eq!((primary.facts.number, primary.network_card), (0, 0));
    assert_eq!(primary.primary, Some(Ipv4Addr::new(10, 0, 0, 10)));
    assert_eq!((primary.addresses.len(), primary.prefixes.len()), (2, 2));
    let vpc: Vec<String> = primary.facts.vpc.iter().map(ToString::to_string).collect();
    assert_eq!(vpc, ["10.0.0.0/16", "100.64.0.0/16"]);
    assert_eq!(primary.facts.gateway_ipv4(), Some(Ipv4Addr::new(10, 0, 0, 1)));
}

#[tokio::test]
async fn interfaces_come_and_go() {
    let world = World::new(strong(), 1.0, "m5.large").await;
    let imds = world.imds();
    let id = world.attach(1, 0);
    let found = imds.interfaces().await.expect("interfaces");
    assert_eq!(of(&found, &id).expect("the second one").facts.number, 1);
    world.shared.with(|ec2, _| ec2.build().delete_interface(&id).expect("deleted"));
    let found = imds.interfaces().await.expect("interfaces");
    assert_eq!((found.shown.len(), of(&found, &id)), (1, None));
}

#[tokio::test]
async fn network_cards_are_told_apart() {
    let world = World::new(strong(), 1.0, "c6in.32xlarge").await;
    let id = world.attach(1, 1);
    let found = world.interfaces().await;
    let eni = of(&found, &id).expect("the second one");
    assert_eq!((eni.network_card, eni.facts.number), (1, 1));
}

/// The directory of a new interface is there before all that is in it. Whatever of it is missing, it is shown whole or not
/// at all, and at last it is shown.
#[tokio::test]
async fn a_new_interface_is_shown_whole_or_not_at_all() {
    for seed in 0..4 {
        let mut settings =
            Settings { staleness: staleness::Mode::Typical, seed, ..Settings::default() };
        settings.assumptions.set("metadata-leaf-window", "20s").expect("an assumption");
        let world = World::new(settings, 40.0, "m5.large").await;
        let imds = world.imds();
        assert_eq!(imds.interfaces().await.expect("interfaces").shown.len(), 1);
        let id = world.attach(1, 0);
        let shown = async {
            loop {
                let found = imds.interfaces().await.expect("interfaces");
                if let Some(eni) = of(&found, &id) {
                    assert!(!eni.facts.vpc.is_empty() && eni.facts.mac.len() == 17, "{eni:?}");
                    if !eni.prefixes.is_empty() && eni.primary.is_some() {
                        assert!(eni.facts.subnet.is_some(), "{eni:?}");
                        break;
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), shown).await.expect("shown at last");
    }
}
