//! Forms of the actions that list.

use crate::error::ApiError;
use crate::protocol::decode::flag;
use crate::protocol::form::Fields;
use crate::protocol::value;
use crate::request::{
    Action, DescribeAddresses, DescribeInstanceTypes, DescribeInstances, DescribeNetworkInterfaces,
    DescribeRouteTables, DescribeSecurityGroups, DescribeSubnets, DescribeTags, DescribeVpcs,
    Filter, GetSecurityGroupsForVpc, Listing, Operation, Page, Request,
};

/// The parameters of `action`, which lists.
pub(super) fn request(action: Action, fields: &Fields<'_>) -> Result<Request, ApiError> {
    let operation = match action {
        Action::DescribeAddresses => Operation::DescribeAddresses(DescribeAddresses {
            allocations: fields.list("AllocationId", value::id)?,
            public_ips: fields.list("PublicIp", value::address)?,
            filters: filters(fields)?,
        }),
        Action::DescribeInstanceTypes => Operation::DescribeInstanceTypes(DescribeInstanceTypes(
            listing(fields, "InstanceType", value::text)?,
        )),
        Action::DescribeInstances => Operation::DescribeInstances(DescribeInstances(listing(
            fields,
            "InstanceId",
            value::id,
        )?)),
        Action::DescribeNetworkInterfaces => Operation::DescribeNetworkInterfaces(
            DescribeNetworkInterfaces(listing(fields, "NetworkInterfaceId", value::id)?),
        ),
        Action::DescribeRouteTables => Operation::DescribeRouteTables(DescribeRouteTables(
            listing(fields, "RouteTableId", value::id)?,
        )),
        Action::DescribeSecurityGroups => {
            Operation::DescribeSecurityGroups(DescribeSecurityGroups {
                listing: listing(fields, "GroupId", value::id)?,
                names: fields.list("GroupName", value::text)?,
            })
        }
        Action::DescribeSubnets => {
            Operation::DescribeSubnets(DescribeSubnets(listing(fields, "SubnetId", value::id)?))
        }
        Action::DescribeTags => {
            let (filters, page) = (filters(fields)?, page(fields)?);
            Operation::DescribeTags(DescribeTags { filters, page })
        }
        Action::DescribeVpcs => {
            Operation::DescribeVpcs(DescribeVpcs(listing(fields, "VpcId", value::id)?))
        }
        _ => Operation::GetSecurityGroupsForVpc(GetSecurityGroupsForVpc {
            vpc: fields.required("VpcId", value::id)?,
            filters: filters(fields)?,
            page: page(fields)?,
        }),
    };
    Ok(Request { dry_run: flag(fields, "DryRun")?, operation })
}

fn listing<Id>(
    fields: &Fields<'_>,
    ids: &str,
    parse: impl Fn(&str, &str) -> Result<Id, ApiError>,
) -> Result<Listing<Id>, ApiError> {
    Ok(Listing { ids: fields.list(ids, parse)?, filters: filters(fields)?, page: page(fields)? })
}

fn filters(fields: &Fields<'_>) -> Result<Vec<Filter>, ApiError> {
    let filter = |element: &Fields<'_>| {
        Ok(Filter {
            name: element.required("Name", value::text)?,
            values: element.list("Value", value::text)?,
        })
    };
    fields.elements("Filter").iter().map(filter).collect()
}

fn page(fields: &Fields<'_>) -> Result<Page, ApiError> {
    Ok(Page {
        max_results: fields.parsed("MaxResults", value::integer)?,
        next_token: fields.parsed("NextToken", value::text)?,
    })
}
