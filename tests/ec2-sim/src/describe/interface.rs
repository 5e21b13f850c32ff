//! `DescribeNetworkInterfaces`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::filter::{Fields, Test, exact};
use super::page::{Scan, Subject};
use super::{Context, Query, named};
use crate::assumption::Assumption;
use crate::error::ApiError;
use crate::id::{GroupId, InterfaceId};
use crate::model::{Attachment, Interface, mac, private_dns_name};
use crate::reply::{InterfaceView, Listed};
use crate::request::{Action, Filter, Listing};
use crate::world::Reader;

type Item = Arc<Interface>;

static INTERFACES: Subject<Item> = Subject {
    action: Action::DescribeNetworkInterfaces,
    sizes: 5..=1_000,
    size: None,
    ids_or_pages: true,
    key: |interface| interface.id.to_string(),
    fields: FIELDS,
};

/// The filters of the API reference, as far as the simulator knows of what they choose by.
pub(super) const FIELDS: Fields<Item> = Fields {
    named: &[
        ("addresses.association.public-ip", public_ips),
        ("addresses.primary", |item, _, test| {
            test("true") || (!item.secondary_ips.is_empty() && test("false"))
        }),
        ("addresses.private-ip-address", private_ips),
        ("association.allocation-id", |item, _, test| {
            item.associations.values().any(|at| test(at.allocation.as_str()))
        }),
        ("association.association-id", |item, _, test| {
            item.associations.values().any(|at| test(at.id.as_str()))
        }),
        ("association.ip-owner-id", |item, context, test| {
            !item.associations.is_empty() && test(context.owner)
        }),
        ("association.public-ip", public_ips),
        ("attachment.attachment-id", |item, _, test| on(item, |at| test(at.id.as_str()))),
        ("attachment.delete-on-termination", |item, _, test| {
            on(item, |at| test(truth(at.delete_on_termination)))
        }),
        ("attachment.device-index", |item, _, test| {
            on(item, |at| test(&at.device_index.to_string()))
        }),
        ("attachment.instance-id", |item, _, test| {
            item.instance().is_some_and(|id| test(id.as_str()))
        }),
        ("attachment.instance-owner-id", |item, _, test| on(item, |at| test(&at.instance_owner))),
        ("attachment.network-card-index", |item, _, test| {
            on(item, |at| test(&at.network_card.to_string()))
        }),
        ("attachment.status", |item, _, test| on(item, |at| test(at.status.name()))),
        ("availability-zone", |item, _, test| test(&item.zone)),
        ("description", |item, _, test| test(&item.description)),
        ("group-id", |item, _, test| item.groups.iter().any(|group| test(group.as_str()))),
        ("group-name", |item, context, test| {
            group_names(context.reader, &item.groups).iter().any(|name| test(name))
        }),
        ("interface-type", |item, _, test| test(item.kind.name())),
        ("ipv4-prefix.ipv4-prefix", |item, _, test| {
            item.ipv4_prefixes.iter().any(|prefix| test(&prefix.to_string()))
        }),
        ("ipv6-addresses.ipv6-address", |item, _, test| {
            item.ipv6_addresses.iter().any(|address| test(&address.to_string()))
        }),
        ("ipv6-prefix.ipv6-prefix", |item, _, test| {
            item.ipv6_prefixes.iter().any(|prefix| test(&prefix.to_string()))
        }),
        ("mac-address", |item, _, test| test(&mac(item.mac).to_string())),
        ("network-interface-id", |item, _, test| test(item.id.as_str())),
        ("owner-id", |_, context, test| test(context.owner)),
        ("private-dns-name", private_dns_names),
        ("private-ip-address", private_ips),
        ("requester-id", |item, _, test| item.requester.as_deref().is_some_and(test)),
        ("requester-managed", |item, _, test| test(truth(item.requester.is_some()))),
        ("source-dest-check", |item, _, test| test(truth(item.source_dest_check))),
        ("status", |item, _, test| test(item.status.name())),
        ("subnet-id", |item, _, test| test(item.subnet.as_str())),
        ("vpc-id", |item, _, test| test(item.vpc.as_str())),
    ],
    tags: Some(|item| &item.tags),
};

/// Filters that make an unpaginated call permitted however many interfaces there are (EC2 API reference, `DescribeNetworkInterfaces`).
const SELECTIVE: &[&str] = &[
    "attachment.instance-id",
    "group-id",
    "mac-address",
    "private-dns-name",
    "private-ip-address",
    "subnet-id",
    "vpc-id",
];

/// A boolean as filters write it.
pub(super) const fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn on(interface: &Interface, test: impl FnMut(&Attachment) -> bool) -> bool {
    interface.attachment.as_ref().is_some_and(test)
}

fn private_ips(interface: &Item, _: &Context<'_>, test: Test<'_>) -> bool {
    let mut all = std::iter::once(&interface.primary_ip).chain(&interface.secondary_ips);
    all.any(|address| test(&address.to_string()))
}

fn public_ips(interface: &Item, _: &Context<'_>, test: Test<'_>) -> bool {
    interface.associations.values().any(|association| test(&association.public_ip.to_string()))
}

fn private_dns_names(interface: &Item, context: &Context<'_>, test: Test<'_>) -> bool {
    let mut all = std::iter::once(&interface.primary_ip).chain(&interface.secondary_ips);
    all.any(|address| test(&private_dns_name(context.region, *address).to_string()))
}

/// Lists interfaces.
pub(super) fn interfaces(
    listing: &Listing<InterfaceId>,
    context: &Context<'_>,
) -> Result<Listed<InterfaceView>, ApiError> {
    let scan = Scan::new(&INTERFACES, &Query::from(listing), context)?;
    let reader = context.reader;
    let listed = if !listing.ids.is_empty() {
        let look = |id: &InterfaceId| reader.interface(id).cloned();
        let (one, several) = (ApiError::interface_not_found, ApiError::interfaces_not_found);
        scan.page(named(&listing.ids, context, look, one, several)?)
    } else if is_too_large(listing, context) {
        return Err(ApiError::describe_too_large());
    } else {
        let from = scan.after.parse().ok();
        scan.page(candidates(reader, &listing.filters, from.as_ref()))
    };
    let mut views = Views::new(reader);
    let items = listed.items.into_iter().map(|interface| views.view(interface)).collect();
    Ok(Listed { items, next_token: listed.next_token })
}

fn is_too_large(listing: &Listing<InterfaceId>, context: &Context<'_>) -> bool {
    let limit = context.assumptions.count(Assumption::UnpaginatedLimit);
    let selective = |filter: &Filter| SELECTIVE.contains(&filter.name.as_str());
    listing.page.max_results.is_none()
        && context.interface_count as u64 > limit
        && !listing.filters.iter().any(selective)
}

/// The interfaces that may match, in order: all behind `after`, unless a filter names an instance or a subnet.
fn candidates<'a>(
    reader: Reader<'a>,
    filters: &[Filter],
    after: Option<&'a InterfaceId>,
) -> Box<dyn Iterator<Item = Item> + 'a> {
    if let Some(id) = exact(filters, "attachment.instance-id").and_then(|id| id.parse().ok()) {
        let of_instance: Vec<_> = reader.interfaces_of(&id).cloned().collect();
        return Box::new(of_instance.into_iter());
    }
    if let Some(id) = exact(filters, "subnet-id").and_then(|id| id.parse().ok()) {
        let in_subnet: Vec<_> = reader.interfaces_in(&id).cloned().collect();
        return Box::new(in_subnet.into_iter());
    }
    Box::new(reader.interfaces_after(after).cloned())
}

/// Whether the filters of `DescribeInstances` that begin with `network-interface.` match an interface.
pub(super) fn has(interface: &Item, name: &str, context: &Context<'_>, test: Test<'_>) -> bool {
    let field = FIELDS.named.iter().find(|(known, _)| *known == name);
    field.is_some_and(|(_, field)| field(interface, context, test))
}

/// The names of groups, in their order; a group that is not seen has an empty one.
fn group_names(reader: Reader<'_>, groups: &[GroupId]) -> Arc<[String]> {
    let name = |id| reader.security_group(id).map(|group| group.name.clone()).unwrap_or_default();
    groups.iter().map(name).collect()
}

/// An interface with the names of its groups.
pub(crate) fn view(reader: Reader<'_>, interface: Arc<Interface>) -> InterfaceView {
    Views::new(reader).view(interface)
}

/// Makes views of many interfaces, which mostly have the same few groups.
pub(super) struct Views<'a> {
    reader: Reader<'a>,
    names: BTreeMap<Vec<GroupId>, Arc<[String]>>,
}

impl<'a> Views<'a> {
    pub(super) const fn new(reader: Reader<'a>) -> Self {
        Self { reader, names: BTreeMap::new() }
    }

    pub(super) fn view(&mut self, interface: Arc<Interface>) -> InterfaceView {
        let known = self.names.get(&interface.groups).cloned();
        let group_names = known.unwrap_or_else(|| {
            let names = group_names(self.reader, &interface.groups);
            self.names.insert(interface.groups.clone(), Arc::clone(&names));
            names
        });
        InterfaceView { interface, group_names }
    }
}
