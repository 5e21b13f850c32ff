//! Indexes: whether they list what the objects say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Promise, Report};
use crate::id::{AttachmentId, InterfaceId, SubnetId, VpcId};
use crate::world::{Usage, World};

/// What the indexes of a VPC should say.
#[derive(Default, PartialEq)]
struct OfVpc {
    addresses: BTreeMap<Ipv4Addr, InterfaceId>,
    prefixes: BTreeMap<Ipv4Addr, InterfaceId>,
    usage: Usage,
}

/// What the indexes of a subnet should say.
#[derive(Default, PartialEq)]
struct OfSubnet {
    addresses: BTreeSet<Ipv6Addr>,
    prefixes: BTreeSet<Ipv6Addr>,
}

/// What all indexes should say.
#[derive(Default)]
struct Expected<'a> {
    vpcs: BTreeMap<&'a VpcId, OfVpc>,
    subnets: BTreeMap<&'a SubnetId, OfSubnet>,
    attachments: BTreeMap<AttachmentId, InterfaceId>,
    interfaces: usize,
}

pub(super) fn check(world: &World, report: &mut Report) {
    let expected = count(world, report);
    for (id, entry) in world.vpc_entries() {
        let said = OfVpc {
            addresses: entry.addresses.clone(),
            prefixes: entry.prefixes.clone(),
            usage: entry.usage,
        };
        let agree = said == *expected.vpcs.get(id).unwrap_or(&OfVpc::default());
        report.expect(Promise::Indexes, agree, || format!("of {id}"));
    }
    for (id, entry) in world.subnet_entries() {
        let said = OfSubnet {
            addresses: entry.ipv6_addresses.clone(),
            prefixes: entry.ipv6_prefixes.clone(),
        };
        let agree = said == *expected.subnets.get(id).unwrap_or(&OfSubnet::default());
        report.expect(Promise::Indexes, agree, || format!("of {id}"));
    }
    let said = world.attachment_index().map(|(id, interface)| (id.clone(), interface.clone()));
    let agree = said.eq(expected.attachments);
    report.expect(Promise::Indexes, agree, || "of attachments".to_owned());
    let elastic_ips = world.truth().elastic_ips();
    let expected_ips: BTreeMap<_, _> =
        elastic_ips.map(|found| (&found.public_ip, &found.allocation)).collect();
    let agree = world.public_ip_index().eq(expected_ips);
    report.expect(Promise::Indexes, agree, || "of public addresses".to_owned());
    let agree = world.interface_count() == expected.interfaces;
    report.expect(Promise::Indexes, agree, || "the number of interfaces".to_owned());
    for (id, entry) in world.instance_entries() {
        report.expect(Promise::Indexes, entry.object.current().is_some(), || {
            format!("{id} is not there")
        });
        for interface in &entry.interfaces {
            let listed = world.interface_entry(interface);
            let known = listed.is_some_and(|listed| {
                let here = listed.object.current().is_some_and(|now| now.instance() == Some(id));
                here || listed.lingers_at.contains(id)
            });
            report.expect(Promise::Indexes, known, || format!("{interface} is not at {id}"));
        }
    }
}

/// Counts what there is, and looks every interface up in the indexes that may list more than what there is.
fn count<'a>(world: &'a World, report: &mut Report) -> Expected<'a> {
    let mut expected = Expected::default();
    for interface in world.truth().interfaces() {
        let id = &interface.id;
        expected.interfaces += 1;
        let vpc = expected.vpcs.entry(&interface.vpc).or_default();
        if interface.requester.is_some() {
            vpc.usage.managed += 1;
        } else {
            vpc.usage.own += 1;
            vpc.usage.slots += 1 + interface.secondary_ips.len() + interface.ipv4_prefixes.len();
            vpc.usage.slots += interface.ipv6_addresses.len() + interface.ipv6_prefixes.len();
        }
        vpc.addresses.insert(interface.primary_ip, id.clone());
        vpc.addresses.extend(interface.secondary_ips.iter().map(|address| (*address, id.clone())));
        vpc.prefixes.extend(interface.ipv4_prefixes.iter().map(|net| (net.network(), id.clone())));
        let subnet = expected.subnets.entry(&interface.subnet).or_default();
        subnet.addresses.extend(&interface.ipv6_addresses);
        subnet.prefixes.extend(interface.ipv6_prefixes.iter().map(ipnet::Ipv6Net::network));
        if let Some(attachment) = &interface.attachment {
            expected.attachments.insert(attachment.id.clone(), id.clone());
        }
        let listed = world.subnet_entry(&interface.subnet);
        let listed = listed.is_some_and(|entry| entry.interfaces.contains(id));
        report.expect(Promise::Indexes, listed, || format!("{id} is not listed in its subnet"));
        if let Some(instance) = interface.instance() {
            let mut entries = world.truth().interfaces_of(instance);
            let listed = entries.any(|found| found.id == *id);
            report.expect(Promise::Indexes, listed, || format!("{id} is not listed at {instance}"));
        }
    }
    expected
}
