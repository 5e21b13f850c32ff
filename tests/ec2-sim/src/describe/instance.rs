//! `DescribeInstances` and `DescribeInstanceTypes`.

use std::sync::Arc;

use super::filter::{Fields, Test};
use super::interface::{Views, has, truth};
use super::page::{Scan, Subject};
use super::{Context, Query, named};
use crate::error::ApiError;
use crate::id::InstanceId;
use crate::instance_types::{self, InstanceType};
use crate::model::{Instance, private_dns_name};
use crate::reply::{InstanceView, InterfaceView, Listed};
use crate::request::{Action, Listing};
use crate::world::Reader;

type Item = Arc<Instance>;

static INSTANCES: Subject<Item> = Subject {
    action: Action::DescribeInstances,
    sizes: 5..=1_000,
    size: None,
    ids_or_pages: true,
    key: |instance| instance.id.to_string(),
    fields: Fields {
        named: &[
            ("availability-zone", |item, _, test| test(&item.zone)),
            ("instance-id", |item, _, test| test(item.id.as_str())),
            ("instance-state-code", |item, _, test| test(&item.state.code().to_string())),
            ("instance-state-name", |item, _, test| test(item.state.name())),
            ("instance-type", |item, _, test| test(&item.instance_type)),
            ("instance.group-id", |item, context, test| primary(item, "group-id", context, test)),
            ("instance.group-name", |item, context, test| {
                primary(item, "group-name", context, test)
            }),
            ("ip-address", |item, context, test| any(item, "association.public-ip", context, test)),
            ("network-interface.addresses.association.public-ip", |item, context, test| {
                any(item, "association.public-ip", context, test)
            }),
            ("network-interface.addresses.private-ip-address", |item, context, test| {
                any(item, "private-ip-address", context, test)
            }),
            ("network-interface.attachment.attachment-id", |item, context, test| {
                any(item, "attachment.attachment-id", context, test)
            }),
            ("network-interface.attachment.delete-on-termination", |item, context, test| {
                any(item, "attachment.delete-on-termination", context, test)
            }),
            ("network-interface.attachment.device-index", |item, context, test| {
                any(item, "attachment.device-index", context, test)
            }),
            ("network-interface.attachment.status", |item, context, test| {
                any(item, "attachment.status", context, test)
            }),
            ("network-interface.description", |item, context, test| {
                any(item, "description", context, test)
            }),
            ("network-interface.group-id", |item, context, test| {
                any(item, "group-id", context, test)
            }),
            ("network-interface.group-name", |item, context, test| {
                any(item, "group-name", context, test)
            }),
            ("network-interface.ipv6-addresses.ipv6-address", |item, context, test| {
                any(item, "ipv6-addresses.ipv6-address", context, test)
            }),
            ("network-interface.mac-address", |item, context, test| {
                any(item, "mac-address", context, test)
            }),
            ("network-interface.network-interface-id", |item, context, test| {
                any(item, "network-interface-id", context, test)
            }),
            ("network-interface.private-dns-name", |item, context, test| {
                any(item, "private-dns-name", context, test)
            }),
            ("network-interface.status", |item, context, test| any(item, "status", context, test)),
            ("network-interface.subnet-id", |item, context, test| {
                any(item, "subnet-id", context, test)
            }),
            ("network-interface.vpc-id", |item, context, test| any(item, "vpc-id", context, test)),
            ("owner-id", |_, context, test| test(context.owner)),
            ("private-dns-name", |item, context, test| {
                test(&private_dns_name(context.region, item.private_ip).to_string())
            }),
            ("private-ip-address", |item, context, test| {
                test(&item.private_ip.to_string()) || any(item, "private-ip-address", context, test)
            }),
            ("subnet-id", |item, _, test| test(item.subnet.as_str())),
            ("vpc-id", |item, _, test| test(item.vpc.as_str())),
        ],
        tags: Some(|item| &item.tags),
    },
};

fn any(instance: &Item, name: &str, context: &Context<'_>, test: Test<'_>) -> bool {
    let mut interfaces = context.reader.interfaces_of(&instance.id);
    interfaces.any(|interface| has(interface, name, context, test))
}

/// The same for the primary interface alone.
fn primary(instance: &Item, name: &str, context: &Context<'_>, test: Test<'_>) -> bool {
    let mut interfaces = context.reader.interfaces_of(&instance.id);
    let found = interfaces.find(|interface| {
        let attachment = interface.attachment.as_ref();
        attachment.is_some_and(|at| at.device_index == 0 && at.network_card == 0)
    });
    found.is_some_and(|interface| has(interface, name, context, test))
}

/// Lists instances.
pub(super) fn instances(
    listing: &Listing<InstanceId>,
    context: &Context<'_>,
) -> Result<Listed<InstanceView>, ApiError> {
    let scan = Scan::new(&INSTANCES, &Query::from(listing), context)?;
    let reader = context.reader;
    let listed = if listing.ids.is_empty() {
        let from = scan.after.parse().ok();
        scan.page(reader.instances_after(from.as_ref()).cloned())
    } else {
        let look = |id: &InstanceId| reader.instance(id).cloned();
        let (one, several) = (ApiError::instance_not_found, ApiError::instances_not_found);
        scan.page(named(&listing.ids, context, look, one, several)?)
    };
    let mut views = Views::new(reader);
    let items = listed.items.into_iter().map(|instance| view(reader, &mut views, instance));
    Ok(Listed { items: items.collect(), next_token: listed.next_token })
}

fn view(reader: Reader<'_>, views: &mut Views<'_>, instance: Item) -> InstanceView {
    let place = |view: &InterfaceView| {
        let attachment = view.interface.attachment.as_ref();
        attachment.map(|at| (at.network_card, at.device_index))
    };
    let attached = reader.interfaces_of(&instance.id).cloned();
    let mut interfaces: Vec<_> = attached.map(|interface| views.view(interface)).collect();
    interfaces.sort_by_key(place);
    let primary = interfaces.first().filter(|view| place(view) == Some((0, 0)));
    let groups = primary.into_iter().flat_map(|view| &view.interface.groups);
    let groups = groups.filter_map(|id| reader.security_group(id).cloned()).collect();
    InstanceView { instance, interfaces, groups }
}

static TYPES: Subject<&'static InstanceType> = Subject {
    action: Action::DescribeInstanceTypes,
    sizes: 5..=100,
    size: Some(100),
    ids_or_pages: false,
    key: |kind| kind.name.clone(),
    fields: Fields {
        named: &[
            ("bare-metal", |item, _, test| test(truth(item.bare_metal))),
            ("hypervisor", |item, _, test| item.hypervisor.as_deref().is_some_and(test)),
            ("instance-type", |item, _, test| test(&item.name)),
            ("network-info.ena-support", |item, _, test| test(&item.ena_support)),
            ("network-info.ipv4-addresses-per-interface", |item, _, test| {
                test(&item.ipv4_per_interface.to_string())
            }),
            ("network-info.ipv6-addresses-per-interface", |item, _, test| {
                test(&item.ipv6_per_interface.to_string())
            }),
            ("network-info.ipv6-supported", |item, _, test| {
                test(truth(item.ipv6_per_interface > 0))
            }),
            ("network-info.maximum-network-cards", |item, _, test| {
                test(&item.network_cards.len().to_string())
            }),
            ("network-info.maximum-network-interfaces", |item, _, test| {
                test(&item.maximum_network_interfaces.to_string())
            }),
        ],
        tags: None,
    },
};

/// Lists instance types.
pub(super) fn types(
    listing: &Listing<String>,
    context: &Context<'_>,
) -> Result<Listed<&'static InstanceType>, ApiError> {
    let scan = Scan::new(&TYPES, &Query::from(listing), context)?;
    if listing.ids.is_empty() {
        return Ok(scan.page(instance_types::all()));
    }
    let look = |name: &String| instance_types::find(name);
    let missing = |name: &String| ApiError::instance_types_not_found(name);
    let found = named(&listing.ids, context, look, missing, ApiError::instance_types_not_found)?;
    Ok(scan.page(found))
}
