//! `DescribeAddresses`: the one listing without pages.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::filter::{Fields, Filters};
use super::{Context, named};
use crate::error::ApiError;
use crate::id::AllocationId;
use crate::model::{ElasticIp, ElasticIpTarget};
use crate::request::DescribeAddresses;

type Item = Arc<ElasticIp>;

const FIELDS: Fields<Item> = Fields {
    named: &[
        ("allocation-id", |item, _, test| test(item.allocation.as_str())),
        ("association-id", |item, _, test| on(item, |target| test(target.id.as_str()))),
        ("domain", |_, _, test| test("vpc")),
        ("instance-id", |item, _, test| {
            on(item, |target| target.instance.as_ref().is_some_and(|id| test(id.as_str())))
        }),
        ("network-border-group", |_, context, test| test(context.region)),
        ("network-interface-id", |item, _, test| {
            on(item, |target| test(target.interface.as_str()))
        }),
        ("network-interface-owner-id", |item, context, test| on(item, |_| test(context.owner))),
        ("private-ip-address", |item, _, test| {
            on(item, |target| test(&target.private_ip.to_string()))
        }),
        ("public-ip", |item, _, test| test(&item.public_ip.to_string())),
    ],
    tags: Some(|item| &item.tags),
};

fn on(address: &ElasticIp, test: impl FnMut(&ElasticIpTarget) -> bool) -> bool {
    address.association.as_ref().is_some_and(test)
}

/// Lists Elastic IP addresses.
pub(super) fn addresses(
    call: &DescribeAddresses,
    context: &Context<'_>,
) -> Result<Vec<Item>, ApiError> {
    let filters = Filters::read(&call.filters, &FIELDS)?;
    let mut found = if call.allocations.is_empty() && call.public_ips.is_empty() {
        context.reader.elastic_ips().cloned().collect()
    } else {
        by_name(call, context)?
    };
    found.retain(|address| filters.match_item(address, context));
    Ok(found)
}

fn by_name(call: &DescribeAddresses, context: &Context<'_>) -> Result<Vec<Item>, ApiError> {
    let reader = context.reader;
    let look = |id: &AllocationId| reader.elastic_ip(id).cloned();
    let (one, several) = (ApiError::allocation_not_found, ApiError::allocations_not_found);
    let mut found = named(&call.allocations, context, look, one, several)?;
    let look = |address: &Ipv4Addr| {
        reader.elastic_ips().find(|elastic| elastic.public_ip == *address).cloned()
    };
    let one = |address: &Ipv4Addr| ApiError::public_ip_not_found(*address);
    found.extend(named(&call.public_ips, context, look, one, ApiError::public_ips_not_found)?);
    found.sort_by(|left, right| left.allocation.cmp(&right.allocation));
    found.dedup();
    Ok(found)
}
