//! The attached ENIs: `status.eni`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ipam_core::ids::{EniId, SubnetId, VpcId};
use ipam_core::prefix::{block_of, is_ipv6_prefix, is_prefix};
use ipam_core::view::{Attachment, AttachmentState, EniKind, EniView, Ipv4Held, Ipv6Held, VpcView};
use ipnet::{Ipv4Net, Ipv6Net};

use super::problem::{Fault, Problems};
use super::settings::ids;
use crate::{CiliumNode, Eni};

/// What `status.eni` says.
#[derive(Default)]
pub(super) struct Attached {
    pub(super) enis: Vec<EniView>,
    pub(super) subnets: BTreeMap<SubnetId, Ipv4Net>,
    pub(super) vpcs: BTreeMap<VpcId, VpcView>,
}

pub(super) fn read(node: &CiliumNode, problems: &mut Problems) -> Attached {
    let mut attached = Attached::default();
    let status = node.status.as_ref().and_then(|status| status.eni.as_ref());
    for (key, eni) in status.and_then(|status| status.enis.as_ref()).into_iter().flatten() {
        let path = format!("status.eni.enis[{key:?}]");
        let view = view(key, eni, &path, problems);
        let subnet = subnet_cidr(eni, &path, problems);
        let vpc = vpc_cidrs(eni, &path, problems);
        if let Some(view) = view {
            attached.subnets.extend(subnet.map(|cidr| (view.subnet.clone(), cidr)));
            attached.vpcs.extend(vpc.map(|cidrs| (view.vpc.clone(), cidrs)));
            attached.enis.push(view);
        }
    }
    note_held_twice(&attached.enis, problems);
    attached
}

/// Notes every address and prefix that two ENIs have: one of them cannot be right, and which one only
/// EC2 knows.
fn note_held_twice(enis: &[EniView], problems: &mut Problems) {
    let mut blocks: BTreeMap<Ipv4Net, &EniId> = BTreeMap::new();
    for eni in enis {
        for block in &eni.ipv4.prefixes {
            if let Some(other) = blocks.insert(*block, &eni.id) {
                note_shared((&eni.id, other), block, problems);
            }
        }
    }
    let mut addresses: BTreeMap<Ipv4Addr, &EniId> = BTreeMap::new();
    for eni in enis {
        for address in std::iter::once(&eni.ipv4.primary).chain(&eni.ipv4.addresses) {
            let in_block = blocks.get(&block_of(*address)).copied();
            let in_block = in_block.filter(|other| **other != eni.id);
            if let Some(other) = addresses.insert(*address, &eni.id).or(in_block) {
                note_shared((&eni.id, other), address, problems);
            }
        }
    }
}

fn note_shared((eni, other): (&EniId, &EniId), what: impl fmt::Display, problems: &mut Problems) {
    let path = |eni: &EniId| format!("status.eni.enis[{:?}]", eni.as_str());
    let other = format!("{}, which has {what} too", path(other));
    problems.note(format_args!("{}", path(eni)), Fault::Conflict { other });
}

/// The ENI under `key`; `None` when its id, index, primary address, subnet or VPC is not known.
fn view(key: &str, eni: &Eni, path: &str, problems: &mut Problems) -> Option<EniView> {
    let id: Option<EniId> = problems.id(key, format_args!("{path}"));
    if eni.id.as_ref().is_some_and(|id| id != key) {
        let other = format!("its key {key:?}");
        problems.note(format_args!("{path}.id"), Fault::Conflict { other });
    }
    let subnet = eni.subnet.as_ref().and_then(|subnet| subnet.id.as_deref());
    let subnet = problems.required(subnet, "a subnet id", format_args!("{path}.subnet.id"));
    let vpc = eni.vpc.as_ref().and_then(|vpc| vpc.id.as_deref());
    let vpc = problems.required(vpc, "a VPC id", format_args!("{path}.vpc.id"));
    let index = format_args!("{path}.number");
    let index = problems.number(eni.number, 0..=i64::from(u16::MAX), index);
    let mac = eni.mac.as_deref();
    let mac = mac.and_then(|mac| problems.id(mac, format_args!("{path}.mac")));
    let ipv4 = ipv4(eni, path, problems);
    let ipv6 = Ipv6Held { addresses: Vec::new(), prefixes: ipv6_prefixes(eni, path, problems) };
    let groups = eni.security_groups.as_deref().unwrap_or_default();
    let security_groups = ids(groups, &format!("{path}.security-groups"), problems);
    let public_ip = eni
        .public_ip
        .as_deref()
        .and_then(|text| problems.parse(text, "an IPv4 address", format_args!("{path}.public-ip")));
    Some(EniView {
        id: id?,
        kind: EniKind::Ordinary,
        mac,
        description: eni.description.clone().unwrap_or_default(),
        attachment: Some(attachment(index.ok()?.unwrap_or(0))),
        subnet: subnet?,
        vpc: vpc?,
        ipv4: ipv4?,
        ipv6,
        security_groups,
        tags: eni.tags.clone().unwrap_or_default(),
        public_ip,
    })
}

/// Operators list what is attached, on network card 0, and nothing else of the attachment.
fn attachment(device_index: u16) -> Attachment {
    Attachment {
        id: None,
        device_index,
        network_card: 0,
        state: AttachmentState::Attached,
        delete_on_termination: None,
    }
}

/// The IPv4 addresses, taken apart: what `addresses` repeats of the prefixes and of the primary
/// address is left out.
fn ipv4(eni: &Eni, path: &str, problems: &mut Problems) -> Option<Ipv4Held> {
    const ADDRESS: &str = "an IPv4 address";
    if eni.ip.is_none() {
        problems.note(format_args!("{path}.ip"), Fault::Missing { expected: ADDRESS });
    }
    let primary = eni.ip.as_deref();
    let primary: Option<Ipv4Addr> =
        primary.and_then(|text| problems.parse(text, ADDRESS, format_args!("{path}.ip")));
    let prefixes = ipv4_prefixes(eni, path, problems);
    let blocks: BTreeSet<Ipv4Net> = prefixes.iter().copied().collect();
    let mut seen: BTreeSet<Ipv4Addr> = primary.into_iter().collect();
    let mut addresses = Vec::new();
    for (i, text) in eni.addresses.iter().flatten().enumerate() {
        let address = problems.parse(text, ADDRESS, format_args!("{path}.addresses[{i}]"));
        let single = address.filter(|address| !blocks.contains(&block_of(*address)));
        addresses.extend(single.filter(|address| seen.insert(*address)));
    }
    Some(Ipv4Held { primary: primary?, addresses, prefixes })
}

fn ipv4_prefixes(eni: &Eni, path: &str, problems: &mut Problems) -> Vec<Ipv4Net> {
    let texts = eni.prefixes.as_deref().unwrap_or_default();
    let path = format!("{path}.prefixes");
    distinct(texts, (is_prefix, "a /28"), &path, problems)
}

fn ipv6_prefixes(eni: &Eni, path: &str, problems: &mut Problems) -> Vec<Ipv6Net> {
    let texts = eni.ipv6_prefixes.as_deref().unwrap_or_default();
    let path = format!("{path}.ipv6-prefixes");
    distinct(texts, (is_ipv6_prefix, "an IPv6 /80"), &path, problems)
}

/// The prefixes of the list at `path` for which `fits` holds, each once.
fn distinct<T: FromStr + Copy + Ord>(
    texts: &[String],
    (fits, expected): (impl Fn(&T) -> bool, &'static str),
    path: &str,
    problems: &mut Problems,
) -> Vec<T> {
    let mut places: BTreeMap<T, usize> = BTreeMap::new();
    let mut prefixes = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        let Some(prefix) = text.parse().ok().filter(&fits) else {
            problems.note(format_args!("{path}[{i}]"), Fault::Not { expected });
            continue;
        };
        let first = *places.entry(prefix).or_insert(i);
        if first == i {
            prefixes.push(prefix);
        } else {
            let other = format!("{path}[{first}]");
            problems.note(format_args!("{path}[{i}]"), Fault::Conflict { other });
        }
    }
    prefixes
}

fn subnet_cidr(eni: &Eni, path: &str, problems: &mut Problems) -> Option<Ipv4Net> {
    let text = eni.subnet.as_ref()?.cidr.as_deref()?;
    cidr(text, format_args!("{path}.subnet.cidr"), problems)
}

fn vpc_cidrs(eni: &Eni, path: &str, problems: &mut Problems) -> Option<VpcView> {
    let vpc = eni.vpc.as_ref()?;
    let primary = vpc.primary_cidr.as_deref();
    let primary_cidr =
        primary.and_then(|text| cidr(text, format_args!("{path}.vpc.primary-cidr"), problems));
    let others = vpc.cidrs.iter().flatten().enumerate();
    let cidrs = others
        .filter_map(|(i, text)| cidr(text, format_args!("{path}.vpc.cidrs[{i}]"), problems))
        .collect();
    Some(VpcView { primary_cidr: primary_cidr?, cidrs })
}

fn cidr(text: &str, path: std::fmt::Arguments<'_>, problems: &mut Problems) -> Option<Ipv4Net> {
    problems.parse(text, "an IPv4 CIDR", path)
}
