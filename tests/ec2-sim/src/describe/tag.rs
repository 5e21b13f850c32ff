//! `DescribeTags`.

use super::filter::Fields;
use super::page::{Scan, Subject};
use super::{Context, Query};
use crate::error::ApiError;
use crate::model::Tags;
use crate::reply::{Listed, TaggedResource};
use crate::request::{Action, DescribeTags};
use crate::world::Reader;

static TAGS: Subject<TaggedResource> = Subject {
    action: Action::DescribeTags,
    sizes: 5..=1_000,
    size: None,
    ids_or_pages: false,
    key,
    fields: Fields {
        named: &[
            ("key", |item, _, test| test(&item.key)),
            ("resource-id", |item, _, test| test(&item.resource)),
            ("resource-type", |item, _, test| test(item.resource_type)),
            ("value", |item, _, test| test(&item.value)),
        ],
        tags: None,
    },
};

/// No id and no key has a character that comes before a space.
fn key(tag: &TaggedResource) -> String {
    format!("{}\t{}", tag.resource, tag.key)
}

/// Lists tags.
pub(super) fn tags(
    call: &DescribeTags,
    context: &Context<'_>,
) -> Result<Listed<TaggedResource>, ApiError> {
    let about = Vec::new();
    let query = Query { about, by_id: false, filters: &call.filters, page: &call.page };
    let scan = Scan::new(&TAGS, &query, context)?;
    let mut all = Vec::new();
    collect(context.reader, &mut |resource_type, resource, tags| {
        all.extend(tags.iter().map(|(key, value)| TaggedResource {
            resource: resource.to_owned(),
            resource_type,
            key: key.clone(),
            value: value.clone(),
        }));
    });
    all.sort_by_cached_key(key);
    Ok(scan.page(all))
}

/// Every resource that is seen, with its kind and its tags.
fn collect(reader: Reader<'_>, take: &mut dyn FnMut(&'static str, &str, &Tags)) {
    reader.vpcs().for_each(|vpc| take("vpc", vpc.id.as_str(), &vpc.tags));
    reader.subnets().for_each(|subnet| take("subnet", subnet.id.as_str(), &subnet.tags));
    for reservation in reader.reservations() {
        take("subnet-cidr-reservation", reservation.id.as_str(), &reservation.tags);
    }
    reader.route_tables().for_each(|table| take("route-table", table.id.as_str(), &table.tags));
    for group in reader.security_groups() {
        take("security-group", group.id.as_str(), &group.tags);
    }
    reader.instances().for_each(|instance| take("instance", instance.id.as_str(), &instance.tags));
    for interface in reader.interfaces() {
        take("network-interface", interface.id.as_str(), &interface.tags);
    }
    for address in reader.elastic_ips() {
        take("elastic-ip", address.allocation.as_str(), &address.tags);
    }
}
