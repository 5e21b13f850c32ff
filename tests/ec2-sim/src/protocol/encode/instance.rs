//! Instances and their types.

use crate::instance_types::InstanceType;
use crate::model::InstanceState;
use crate::protocol::encode::{Scene, interface, tags};
use crate::protocol::xml::Xml;
use crate::reply::InstanceView;

/// The image that every instance is said to have been started from.
pub(crate) const IMAGE: &str = "ami-00000000000000001";

/// The service model's `Reservation`: one for each instance, as if each had been launched alone.
pub(super) fn reservation(xml: &mut Xml, scene: Scene<'_>, view: &InstanceView) {
    let digits = view.instance.id.as_str().trim_start_matches("i-");
    xml.plain("reservationId", format_args!("r-{digits}"));
    xml.text("ownerId", scene.account);
    xml.element("groupSet", |_| {});
    xml.element("instancesSet", |xml| xml.element("item", |xml| instance(xml, scene, view)));
}

/// The service model's `Instance`. What is terminated has no place in the network any more.
fn instance(xml: &mut Xml, scene: Scene<'_>, view: &InstanceView) {
    let instance = &view.instance;
    xml.plain("architecture", architecture(&instance.instance_type));
    xml.element("blockDeviceMapping", |_| {});
    xml.plain("ebsOptimized", true);
    xml.plain("enaSupport", true);
    // The API reference of `Instance`: "xen" stands for both Xen and Nitro.
    xml.plain("hypervisor", "xen");
    let terminated = instance.state == InstanceState::Terminated;
    let interfaces = if terminated { &[][..] } else { &view.interfaces };
    xml.list("networkInterfaceSet", interfaces, |xml, view| {
        interface::of_instance(xml, scene, view);
    });
    xml.plain("rootDeviceName", "/dev/xvda");
    xml.plain("rootDeviceType", "ebs");
    xml.list("groupSet", &view.groups, |xml, group| {
        xml.plain("groupId", &group.id);
        xml.text("groupName", &group.name);
    });
    xml.plain("sourceDestCheck", true);
    tags(xml, &instance.tags);
    xml.plain("virtualizationType", "hvm");
    xml.plain("instanceId", &instance.id);
    xml.plain("imageId", IMAGE);
    xml.element("instanceState", |xml| {
        xml.plain("code", instance.state.code());
        xml.plain("name", instance.state.name());
    });
    place(xml, scene, view);
    xml.plain("amiLaunchIndex", "0");
    xml.text("instanceType", &instance.instance_type);
    scene.timestamp(xml, "launchTime", instance.launched_at);
    xml.element("monitoring", |xml| xml.plain("state", "disabled"));
}

/// Where an instance is, in its zone and in the network.
fn place(xml: &mut Xml, scene: Scene<'_>, view: &InstanceView) {
    let instance = &view.instance;
    xml.element("placement", |xml| {
        xml.text("availabilityZone", &instance.zone);
        xml.plain("tenancy", "default");
    });
    if instance.state == InstanceState::Terminated {
        xml.element("privateDnsName", |_| {});
        return;
    }
    scene.private_dns_name(xml, instance.private_ip);
    xml.plain("privateIpAddress", instance.private_ip);
    xml.plain("subnetId", &instance.subnet);
    xml.plain("vpcId", &instance.vpc);
}

/// The processor of a type, by its name: a `g` behind the generation stands for Graviton, as does the family a1 (EC2 user guide,
/// instance type naming conventions).
pub(crate) fn architecture(instance_type: &str) -> &'static str {
    let family = instance_type.split('.').next().unwrap_or_default();
    let options = family.trim_start_matches(|character: char| !character.is_ascii_digit());
    let options = options.trim_start_matches(|character: char| character.is_ascii_digit());
    if family == "a1" || options.contains('g') { "arm64" } else { "x86_64" }
}

/// The service model's `InstanceTypeInfo`, as far as networks go.
pub(super) fn instance_type(xml: &mut Xml, kind: &InstanceType) {
    xml.text("instanceType", &kind.name);
    xml.plain("bareMetal", kind.bare_metal);
    if let Some(hypervisor) = &kind.hypervisor {
        xml.text("hypervisor", hypervisor);
    }
    xml.element("processorInfo", |xml| {
        xml.list("supportedArchitectures", [architecture(&kind.name)], Xml::raw);
    });
    xml.element("networkInfo", |xml| {
        xml.plain("maximumNetworkInterfaces", kind.maximum_network_interfaces);
        xml.plain("maximumNetworkCards", kind.network_cards.len());
        xml.plain("defaultNetworkCardIndex", kind.default_network_card_index);
        xml.list("networkCards", &kind.network_cards, |xml, (index, maximum)| {
            xml.plain("networkCardIndex", index);
            xml.plain("maximumNetworkInterfaces", maximum);
        });
        xml.plain("ipv4AddressesPerInterface", kind.ipv4_per_interface);
        xml.plain("ipv6AddressesPerInterface", kind.ipv6_per_interface);
        xml.plain("ipv6Supported", kind.ipv6_per_interface > 0);
        xml.text("enaSupport", &kind.ena_support);
    });
}
