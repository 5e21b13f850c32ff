//! VPCs, subnets, route tables and security groups.

use std::fmt::Display;
use std::sync::Arc;

use super::filter::{Fields, Test};
use super::page::{Scan, Subject};
use super::{Context, Query, named};
use crate::error::ApiError;
use crate::id::{GroupId, RouteTableId, SubnetId, VpcId};
use crate::model::{RouteTable, SecurityGroup, Subnet, Vpc};
use crate::reply::Listed;
use crate::request::{Action, DescribeSecurityGroups, GetSecurityGroupsForVpc, Listing};

static VPCS: Subject<Arc<Vpc>> = Subject {
    action: Action::DescribeVpcs,
    sizes: 5..=1_000,
    size: None,
    ids_or_pages: false,
    key: |vpc| vpc.id.to_string(),
    fields: Fields {
        named: &[
            ("cidr", |item, _, test| {
                item.ipv4_cidrs.first().is_some_and(|cidr| test(&cidr.to_string()))
            }),
            ("cidr-block-association.cidr-block", |item, _, test| {
                item.ipv4_cidrs.iter().any(|cidr| test(&cidr.to_string()))
            }),
            ("cidr-block-association.state", |_, _, test| test("associated")),
            ("ipv6-cidr-block-association.ipv6-cidr-block", |item, _, test| {
                item.ipv6_cidrs.iter().any(|cidr| test(&cidr.to_string()))
            }),
            ("ipv6-cidr-block-association.state", |item, _, test| {
                !item.ipv6_cidrs.is_empty() && test("associated")
            }),
            ("is-default", |_, _, test| test("false")),
            ("owner-id", |_, context, test| test(context.owner)),
            ("state", |_, _, test| test("available")),
            ("vpc-id", |item, _, test| test(item.id.as_str())),
        ],
        tags: Some(|item| &item.tags),
    },
};

/// Lists VPCs.
pub(super) fn vpcs(
    listing: &Listing<VpcId>,
    context: &Context<'_>,
) -> Result<Listed<Arc<Vpc>>, ApiError> {
    let scan = Scan::new(&VPCS, &Query::from(listing), context)?;
    if listing.ids.is_empty() {
        return Ok(scan.page(context.reader.vpcs().cloned()));
    }
    let look = |id: &VpcId| context.reader.vpc(id).cloned();
    let (one, several) = (ApiError::vpc_not_found, ApiError::vpcs_not_found);
    Ok(scan.page(named(&listing.ids, context, look, one, several)?))
}

static SUBNETS: Subject<Arc<Subnet>> = Subject {
    action: Action::DescribeSubnets,
    sizes: 5..=1_000,
    size: None,
    ids_or_pages: false,
    key: |subnet| subnet.id.to_string(),
    fields: Fields {
        named: &[
            ("availability-zone", |item, _, test| test(&item.zone)),
            ("availability-zone-id", |item, _, test| test(&item.zone_id)),
            ("availabilityZone", |item, _, test| test(&item.zone)),
            ("availabilityZoneId", |item, _, test| test(&item.zone_id)),
            ("available-ip-address-count", |item, _, test| test(&item.available_ipv4.to_string())),
            ("cidr", subnet_cidr),
            ("cidr-block", subnet_cidr),
            ("cidrBlock", subnet_cidr),
            ("default-for-az", |_, _, test| test("false")),
            ("defaultForAz", |_, _, test| test("false")),
            ("ipv6-cidr-block-association.ipv6-cidr-block", |item, _, test| {
                item.ipv6_cidr.is_some_and(|cidr| test(&cidr.to_string()))
            }),
            ("ipv6-cidr-block-association.state", |item, _, test| {
                item.ipv6_cidr.is_some() && test("associated")
            }),
            ("ipv6-native", |_, _, test| test("false")),
            ("map-public-ip-on-launch", |_, _, test| test("false")),
            ("owner-id", |_, context, test| test(context.owner)),
            ("state", |_, _, test| test("available")),
            ("subnet-id", |item, _, test| test(item.id.as_str())),
            ("vpc-id", |item, _, test| test(item.vpc.as_str())),
        ],
        tags: Some(|item| &item.tags),
    },
};

fn subnet_cidr(subnet: &Arc<Subnet>, _: &Context<'_>, test: Test<'_>) -> bool {
    test(&subnet.ipv4_cidr.to_string())
}

/// Lists subnets.
pub(super) fn subnets(
    listing: &Listing<SubnetId>,
    context: &Context<'_>,
) -> Result<Listed<Arc<Subnet>>, ApiError> {
    let scan = Scan::new(&SUBNETS, &Query::from(listing), context)?;
    if listing.ids.is_empty() {
        return Ok(scan.page(context.reader.subnets()));
    }
    let look = |id: &SubnetId| context.reader.subnet(id);
    let (one, several) = (ApiError::subnet_not_found, ApiError::subnets_not_found);
    Ok(scan.page(named(&listing.ids, context, look, one, several)?))
}

static ROUTE_TABLES: Subject<Arc<RouteTable>> = Subject {
    action: Action::DescribeRouteTables,
    sizes: 5..=100,
    size: None,
    ids_or_pages: false,
    key: |table| table.id.to_string(),
    fields: Fields {
        named: &[
            ("association.main", |item, _, test| {
                (item.main.is_some() && test("true")) || (!item.subnets.is_empty() && test("false"))
            }),
            ("association.route-table-association-id", |item, _, test| {
                let of_subnets = item.subnets.iter().map(|(association, _)| association);
                item.main.iter().chain(of_subnets).any(|id| test(id.as_str()))
            }),
            ("association.route-table-id", |item, _, test| {
                (item.main.is_some() || !item.subnets.is_empty()) && test(item.id.as_str())
            }),
            ("association.subnet-id", |item, _, test| {
                item.subnets.iter().any(|(_, subnet)| test(subnet.as_str()))
            }),
            ("owner-id", |_, context, test| test(context.owner)),
            ("route-table-id", |item, _, test| test(item.id.as_str())),
            ("route.destination-cidr-block", |item, _, test| {
                item.routes.iter().any(|(to, _)| !to.contains(':') && test(to))
            }),
            ("route.destination-ipv6-cidr-block", |item, _, test| {
                item.routes.iter().any(|(to, _)| to.contains(':') && test(to))
            }),
            ("route.gateway-id", |item, _, test| {
                let is_gateway = |target: &str| target == "local" || target.starts_with("igw-");
                item.routes.iter().any(|(_, target)| is_gateway(target) && test(target))
            }),
            ("route.nat-gateway-id", |item, _, test| {
                item.routes.iter().any(|(_, target)| target.starts_with("nat-") && test(target))
            }),
            ("route.state", |item, _, test| !item.routes.is_empty() && test("active")),
            ("vpc-id", |item, _, test| test(item.vpc.as_str())),
        ],
        tags: Some(|item| &item.tags),
    },
};

/// Lists route tables.
pub(super) fn route_tables(
    listing: &Listing<RouteTableId>,
    context: &Context<'_>,
) -> Result<Listed<Arc<RouteTable>>, ApiError> {
    let scan = Scan::new(&ROUTE_TABLES, &Query::from(listing), context)?;
    if listing.ids.is_empty() {
        return Ok(scan.page(context.reader.route_tables().cloned()));
    }
    let look = |id: &RouteTableId| context.reader.route_table(id).cloned();
    let one = |id: &RouteTableId| ApiError::route_tables_not_found(id.as_str());
    let found = named(&listing.ids, context, look, one, ApiError::route_tables_not_found)?;
    Ok(scan.page(found))
}

/// The filters of security groups; the two calls that list them have different names for that of the VPC.
macro_rules! group_fields {
    ($vpc:literal) => {
        Fields {
            named: &[
                ("description", |item, _, test| test(&item.description)),
                ("group-id", |item, _, test| test(item.id.as_str())),
                ("group-name", |item, _, test| test(&item.name)),
                ("owner-id", |_, context, test| test(context.owner)),
                ($vpc, |item, _, test| test(item.vpc.as_str())),
            ],
            tags: Some(|item| &item.tags),
        }
    };
}

static GROUPS: Subject<Arc<SecurityGroup>> = Subject {
    action: Action::DescribeSecurityGroups,
    sizes: 5..=1_000,
    size: None,
    ids_or_pages: false,
    key: |group| group.id.to_string(),
    fields: group_fields!("vpc-id"),
};

/// Lists security groups.
pub(super) fn groups(
    call: &DescribeSecurityGroups,
    context: &Context<'_>,
) -> Result<Listed<Arc<SecurityGroup>>, ApiError> {
    let mut query = Query::from(&call.listing);
    query.about.extend(call.names.iter().map(|name| name as &dyn Display));
    query.by_id |= !call.names.is_empty();
    let scan = Scan::new(&GROUPS, &query, context)?;
    if !query.by_id {
        return Ok(scan.page(context.reader.security_groups().cloned()));
    }
    let look = |id: &GroupId| context.reader.security_group(id).cloned();
    let (one, several) = (ApiError::group_not_found, ApiError::groups_not_found);
    let mut found = named(&call.listing.ids, context, look, one, several)?;
    for name in &call.names {
        let mut all = context.reader.security_groups();
        let group = all.find(|group| group.name == *name);
        found.push(group.cloned().ok_or_else(|| ApiError::group_name_not_found(name))?);
    }
    found.sort_by(|left, right| left.id.cmp(&right.id));
    found.dedup();
    Ok(scan.page(found))
}

static GROUPS_FOR_VPC: Subject<Arc<SecurityGroup>> = Subject {
    action: Action::GetSecurityGroupsForVpc,
    sizes: 5..=1_000,
    size: Some(1_000),
    ids_or_pages: false,
    key: |group| group.id.to_string(),
    fields: group_fields!("primary-vpc-id"),
};

/// Lists the security groups of a VPC.
pub(super) fn groups_for_vpc(
    call: &GetSecurityGroupsForVpc,
    context: &Context<'_>,
) -> Result<Listed<Arc<SecurityGroup>>, ApiError> {
    let about: Vec<&dyn Display> = vec![&call.vpc];
    let query = Query { about, by_id: false, filters: &call.filters, page: &call.page };
    let scan = Scan::new(&GROUPS_FOR_VPC, &query, context)?;
    if context.reader.vpc(&call.vpc).is_none() {
        return Err(ApiError::vpc_not_found(&call.vpc));
    }
    let all = context.reader.security_groups();
    Ok(scan.page(all.filter(|group| group.vpc == call.vpc).cloned()))
}
