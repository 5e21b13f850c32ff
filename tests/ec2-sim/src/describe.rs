//! Listings: every Describe action, and `GetSecurityGroupsForVpc`.
//!
//! Filters are AND-ed, the values of a filter OR-ed; values may have the wildcards `*` and `?`. A page is continued by a token that
//! names the last item it showed, so that what comes and goes in between neither repeats nor hides any other item.

mod address;
mod filter;
mod instance;
mod interface;
mod network;
mod page;
mod tag;
#[cfg(test)]
mod tests;
mod token;

use std::fmt::Display;

pub(crate) use self::interface::view;
use crate::assumption::{Assumption, Assumptions};
use crate::error::ApiError;
use crate::fault::Fired;
use crate::reply::Reply;
use crate::request::{Filter, Listing, Operation, Page};
use crate::throttle::Bucket;
use crate::time::Moment;
use crate::world::Reader;

/// What a listing is made from beside its parameters.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// What the caller sees.
    pub(crate) reader: Reader<'a>,
    /// When.
    pub(crate) now: Moment,
    /// The caller's account: tokens are no use to another.
    pub(crate) caller_account: &'a str,
    /// The account that owns everything.
    pub(crate) owner: &'a str,
    /// The Region's name.
    pub(crate) region: &'a str,
    /// What is assumed about EC2.
    pub(crate) assumptions: &'a Assumptions,
    /// How many interfaces there are, seen or not.
    pub(crate) interface_count: usize,
    /// What goes wrong with this call.
    pub(crate) fired: &'a Fired,
}

/// The most ids that one call takes.
const IDS: usize = 1_000;

/// The bucket that a call takes from: listing everything at once has a smaller one for some actions.
pub(crate) fn bucket(operation: &Operation) -> Bucket {
    fn everything<Id>(listing: &Listing<Id>) -> bool {
        listing.ids.is_empty() && listing.filters.is_empty() && listing.page == Page::default()
    }
    let action = operation.action();
    let unfiltered = match operation {
        Operation::DescribeInstances(call) => everything(&call.0),
        Operation::DescribeNetworkInterfaces(call) => everything(&call.0),
        Operation::DescribeSecurityGroups(call) => {
            everything(&call.listing) && call.names.is_empty()
        }
        _ => false,
    };
    if unfiltered { Bucket::unfiltered(action) } else { Bucket::of(action) }
}

/// How many items an answer lists.
pub(crate) fn items(reply: &Reply) -> usize {
    match reply {
        Reply::DescribeAddresses(items) => items.len(),
        Reply::DescribeInstanceTypes(listed) => listed.items.len(),
        Reply::DescribeInstances(listed) => listed.items.len(),
        Reply::DescribeNetworkInterfaces(listed) => listed.items.len(),
        Reply::DescribeRouteTables(listed) => listed.items.len(),
        Reply::DescribeSecurityGroups(listed) | Reply::GetSecurityGroupsForVpc(listed) => {
            listed.items.len()
        }
        Reply::DescribeSubnets(listed) => listed.items.len(),
        Reply::DescribeTags(listed) => listed.items.len(),
        Reply::DescribeVpcs(listed) => listed.items.len(),
        _ => 0,
    }
}

/// Answers a listing; none for any other action.
pub(crate) fn answer(
    operation: &Operation,
    context: &Context<'_>,
) -> Option<Result<Reply, ApiError>> {
    Some(match operation {
        Operation::DescribeAddresses(call) => {
            address::addresses(call, context).map(Reply::DescribeAddresses)
        }
        Operation::DescribeInstanceTypes(call) => {
            instance::types(&call.0, context).map(Reply::DescribeInstanceTypes)
        }
        Operation::DescribeInstances(call) => {
            instance::instances(&call.0, context).map(Reply::DescribeInstances)
        }
        Operation::DescribeNetworkInterfaces(call) => {
            interface::interfaces(&call.0, context).map(Reply::DescribeNetworkInterfaces)
        }
        Operation::DescribeRouteTables(call) => {
            network::route_tables(&call.0, context).map(Reply::DescribeRouteTables)
        }
        Operation::DescribeSecurityGroups(call) => {
            network::groups(call, context).map(Reply::DescribeSecurityGroups)
        }
        Operation::DescribeSubnets(call) => {
            network::subnets(&call.0, context).map(Reply::DescribeSubnets)
        }
        Operation::DescribeTags(call) => tag::tags(call, context).map(Reply::DescribeTags),
        Operation::DescribeVpcs(call) => network::vpcs(&call.0, context).map(Reply::DescribeVpcs),
        Operation::GetSecurityGroupsForVpc(call) => {
            network::groups_for_vpc(call, context).map(Reply::GetSecurityGroupsForVpc)
        }
        _ => return None,
    })
}

/// What is seen of the things with these ids, ordered and each once.
///
/// # Errors
///
/// Too many ids; or those that are not seen, by the refusal for one or for several.
fn named<Id: Ord + Display, Item>(
    ids: &[Id],
    context: &Context<'_>,
    look: impl Fn(&Id) -> Option<Item>,
    one: impl Fn(&Id) -> ApiError,
    several: impl Fn(&str) -> ApiError,
) -> Result<Vec<Item>, ApiError> {
    if ids.len() > IDS {
        return Err(ApiError::too_many_ids("ids", IDS));
    }
    let ids: std::collections::BTreeSet<_> = ids.iter().collect();
    let mut found = Vec::with_capacity(ids.len());
    let mut missing = Vec::new();
    for id in ids {
        match look(id) {
            Some(item) => found.push(item),
            None => missing.push(id),
        }
    }
    match missing.as_slice() {
        [] => Ok(found),
        [id] => Err(one(id)),
        [first, ..] if !context.assumptions.is(Assumption::MissingIdsInOneText) => Err(one(first)),
        all => Err(several(&joined(all))),
    }
}

fn joined(ids: &[impl Display]) -> String {
    let texts: Vec<_> = ids.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// What a listing is asked for, whatever it lists.
struct Query<'a> {
    /// What it is about beside filters: a token is good for the same alone.
    about: Vec<&'a dyn Display>,
    /// Whether items are named one by one.
    by_id: bool,
    filters: &'a [Filter],
    page: &'a Page,
}

impl<'a, Id: Display> From<&'a Listing<Id>> for Query<'a> {
    fn from(listing: &'a Listing<Id>) -> Self {
        let about: Vec<_> = listing.ids.iter().map(|id| id as &dyn Display).collect();
        let by_id = !about.is_empty();
        Self { about, by_id, filters: &listing.filters, page: &listing.page }
    }
}
