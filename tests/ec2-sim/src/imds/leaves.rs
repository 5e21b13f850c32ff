//! Every key that the service of an instance has, with its value.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use crate::instance_types;
use crate::machine::Ec2;
use crate::model::{AttachmentStatus, Instance, Interface, mac, private_dns_name};
use crate::protocol::{IMAGE, architecture};
use crate::world::Reader;

/// Where the directories of the interfaces stand.
const MACS: &str = "latest/meta-data/network/interfaces/macs/";

/// Hardware address and key, when `path` is a key of an interface.
pub(super) fn of_interface(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix(MACS)?.split_once('/')
}

/// How long after its directory a key appears: not at all for half of the keys, up to `window` for the others. Always the same for the
/// same key.
pub(super) fn delay(mac: &str, leaf: &str, window: Duration) -> Duration {
    let fold = |sum: u64, byte: u8| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
    let seed = mac.bytes().chain(leaf.bytes()).fold(0, fold);
    let late = fastrand::Rng::with_seed(seed).f64().mul_add(2.0, -1.0);
    window.mul_f64(late.max(0.0))
}

/// All keys by path, without the leading slash.
pub(super) fn of(ec2: &Ec2, view: Reader<'_>, instance: &Instance) -> BTreeMap<String, String> {
    let mut keys = Keys { leaves: BTreeMap::new(), directory: "latest/meta-data/".to_owned() };
    let interfaces: Vec<&Interface> =
        view.interfaces_of(&instance.id).map(AsRef::as_ref).filter(|it| is_there(it)).collect();
    of_instance(&mut keys, ec2, view, instance, &interfaces);
    for interface in &interfaces {
        keys.directory = format!("{MACS}{}/", mac(interface.mac));
        of_one(&mut keys, ec2, view, interface);
        of_blocks(&mut keys, view, interface);
        let several = instance_types::find(&instance.instance_type)
            .is_some_and(|kind| kind.network_cards.len() > 1);
        if let Some(attachment) = interface.attachment.as_ref().filter(|_| several) {
            keys.add("network-card", attachment.network_card);
        }
    }
    keys.directory = String::from("latest/dynamic/instance-identity/");
    keys.add("document", document(ec2, instance));
    keys.leaves
}

/// Whether the instance sees the interface at all: neither before it is attached nor after it is detached.
fn is_there(interface: &Interface) -> bool {
    let status = interface.attachment.as_ref().map(|attachment| attachment.status);
    matches!(status, Some(AttachmentStatus::Attached | AttachmentStatus::Detaching))
}

struct Keys {
    leaves: BTreeMap<String, String>,
    directory: String,
}

impl Keys {
    fn add(&mut self, name: &str, value: impl Display) {
        self.leaves.insert(format!("{}{name}", self.directory), value.to_string());
    }

    /// A key of several values, a line each; no key without values.
    fn add_all(&mut self, name: &str, values: impl IntoIterator<Item = impl ToString>) {
        let lines: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        if !lines.is_empty() {
            self.add(name, lines.join("\n"));
        }
    }
}

/// The names of an interface's groups, as far as they are visible.
fn group_names<'a>(view: Reader<'a>, interface: &'a Interface) -> impl Iterator<Item = &'a String> {
    interface.groups.iter().filter_map(move |id| Some(&view.security_group(id)?.name))
}

fn of_instance(
    keys: &mut Keys,
    ec2: &Ec2,
    view: Reader<'_>,
    instance: &Instance,
    interfaces: &[&Interface],
) {
    let region = &ec2.settings().region;
    keys.add("ami-id", IMAGE);
    keys.add("hostname", private_dns_name(region, instance.private_ip));
    keys.add("instance-id", &instance.id);
    keys.add("instance-type", &instance.instance_type);
    keys.add("local-hostname", private_dns_name(region, instance.private_ip));
    keys.add("local-ipv4", instance.private_ip);
    let primary = interfaces.iter().find(|interface| {
        let place = interface.attachment.as_ref();
        place.is_some_and(|place| (place.network_card, place.device_index) == (0, 0))
    });
    if let Some(primary) = primary {
        keys.add("mac", mac(primary.mac));
        keys.add_all("security-groups", group_names(view, primary));
        let public = primary.associations.get(&primary.primary_ip);
        keys.add_all("public-ipv4", public.map(|association| association.public_ip));
    }
    keys.add("placement/availability-zone", &instance.zone);
    keys.add("placement/region", region);
    if let Some(subnet) = view.subnet(&instance.subnet) {
        keys.add("placement/availability-zone-id", &subnet.zone_id);
    }
}

/// What an interface itself says.
fn of_one(keys: &mut Keys, ec2: &Ec2, view: Reader<'_>, interface: &Interface) {
    keys.add("interface-id", &interface.id);
    keys.add("local-hostname", private_dns_name(&ec2.settings().region, interface.primary_ip));
    keys.add("mac", mac(interface.mac));
    keys.add("owner-id", &ec2.settings().account);
    keys.add("subnet-id", &interface.subnet);
    keys.add("vpc-id", &interface.vpc);
    if let Some(attachment) = &interface.attachment {
        keys.add("device-number", attachment.device_index);
    }
    let addresses = std::iter::once(&interface.primary_ip).chain(&interface.secondary_ips);
    keys.add_all("local-ipv4s", addresses);
    keys.add_all("ipv4-prefix", &interface.ipv4_prefixes);
    keys.add_all("ipv6s", &interface.ipv6_addresses);
    keys.add_all("ipv6-prefix", &interface.ipv6_prefixes);
    keys.add_all("security-group-ids", &interface.groups);
    keys.add_all("security-groups", group_names(view, interface));
    let associations = &interface.associations;
    keys.add_all("public-ipv4s", associations.values().map(|association| association.public_ip));
    for (private, association) in associations {
        keys.add(&format!("ipv4-associations/{}", association.public_ip), private);
    }
}

/// The blocks of an interface's subnet and VPC.
fn of_blocks(keys: &mut Keys, view: Reader<'_>, interface: &Interface) {
    if let Some(subnet) = view.subnet(&interface.subnet) {
        keys.add("subnet-ipv4-cidr-block", subnet.ipv4_cidr);
        keys.add_all("subnet-ipv6-cidr-blocks", subnet.ipv6_cidr);
    }
    if let Some(vpc) = view.vpc(&interface.vpc) {
        keys.add_all("vpc-ipv4-cidr-block", vpc.ipv4_cidrs.first());
        keys.add_all("vpc-ipv4-cidr-blocks", &vpc.ipv4_cidrs);
        keys.add_all("vpc-ipv6-cidr-blocks", &vpc.ipv6_cidrs);
    }
}

/// The instance identity document.
fn document(ec2: &Ec2, instance: &Instance) -> String {
    let settings = ec2.settings();
    let launched = jiff::Timestamp::from_microsecond(ec2.wall_clock(instance.launched_at));
    let document = serde_json::json!({
        "accountId": settings.account,
        "architecture": architecture(&instance.instance_type),
        "availabilityZone": instance.zone,
        "billingProducts": null,
        "devpayProductCodes": null,
        "imageId": IMAGE,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "kernelId": null,
        "marketplaceProductCodes": null,
        "pendingTime": format!("{:.0}", launched.unwrap_or_default()),
        "privateIp": instance.private_ip,
        "ramdiskId": null,
        "region": settings.region,
        "version": "2017-09-30",
    });
    format!("{document:#}")
}
