//! Calls of the core as requests of the EC2 API.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ec2_sim::id::InvalidId;
use ec2_sim::request::{
    AssignIpv6Addresses, AssignPrivateIpAddresses, AttachNetworkInterface, CreateNetworkInterface,
    DeleteNetworkInterface, DescribeInstanceTypes, DescribeNetworkInterfaces, DescribeRouteTables,
    DescribeSecurityGroups, DescribeSubnets, DescribeVpcs, DetachNetworkInterface, Filter,
    GetSecurityGroupsForVpc, Listing, ModifyNetworkInterfaceAttribute, Operation, Page,
    TagSpecification, UnassignPrivateIpAddresses, Wanted,
};
use ipam_core::action::{Action, CreateEni, Ipv4Ask};
use ipam_core::call::{EniScope, Mutation, PageToken, Read};
use ipam_core::ids::{EniId, InstanceId, InstanceType, VpcId};
use ipnet::Ipv4Net;

use super::Wall;

/// The tag that says when an interface was made, here in milliseconds.
pub(super) const CREATED_AT_TAG: &str = "berth/created-at";

/// The largest page of `DescribeRouteTables` and `DescribeInstanceTypes`.
const SMALL_PAGE: i64 = 100;

fn nothing<Address, Prefix>() -> Wanted<Address, Prefix> {
    Wanted { addresses: Vec::new(), address_count: None, prefixes: Vec::new(), prefix_count: None }
}

fn asked<Address, Prefix>(ask: Ipv4Ask) -> Wanted<Address, Prefix> {
    let counted = |count: u16| Some(i64::from(count)).filter(|count| *count > 0);
    match ask {
        Ipv4Ask::Addresses(count) => Wanted { address_count: counted(count), ..nothing() },
        Ipv4Ask::Prefixes(count) => Wanted { prefix_count: counted(count), ..nothing() },
    }
}

fn assign(eni: &EniId, ask: Ipv4Ask) -> Result<Operation, InvalidId> {
    Ok(Operation::AssignPrivateIpAddresses(AssignPrivateIpAddresses {
        interface: eni.as_str().parse()?,
        wanted: asked(ask),
        allow_reassignment: false,
    }))
}

fn unassign(
    eni: &EniId,
    addresses: Vec<Ipv4Addr>,
    prefixes: Vec<Ipv4Net>,
) -> Result<Operation, InvalidId> {
    let interface = eni.as_str().parse()?;
    Ok(Operation::UnassignPrivateIpAddresses(UnassignPrivateIpAddresses {
        interface,
        addresses,
        prefixes,
    }))
}

/// A change.
///
/// # Errors
/// An id that EC2 does not have.
pub(super) fn mutation(mutation: &Mutation, wall: &Wall) -> Result<Operation, InvalidId> {
    Ok(match &mutation.action {
        Action::AssignAddresses { eni, count, .. } => assign(eni, Ipv4Ask::Addresses(*count))?,
        Action::AssignPrefixes { eni, count, .. } => assign(eni, Ipv4Ask::Prefixes(*count))?,
        Action::AssignIpv6Prefix { eni } => Operation::AssignIpv6Addresses(AssignIpv6Addresses {
            interface: eni.as_str().parse()?,
            wanted: Wanted { prefix_count: Some(1), ..nothing() },
        }),
        Action::CreateEni(create) => {
            Operation::CreateNetworkInterface(new(mutation, create, wall)?)
        }
        Action::AttachEni { eni, device_index } => {
            Operation::AttachNetworkInterface(AttachNetworkInterface {
                interface: eni.as_str().parse()?,
                instance: mutation.instance.as_str().parse()?,
                device_index: (*device_index).into(),
                network_card: Some(0),
            })
        }
        Action::SetDeleteOnTermination { eni, attachment } => {
            let attachment = attachment.as_str().parse()?;
            Operation::ModifyNetworkInterfaceAttribute(ModifyNetworkInterfaceAttribute {
                interface: eni.as_str().parse()?,
                delete_on_termination: Some((Some(attachment), Some(true))),
                description: None,
                groups: None,
                source_dest_check: None,
            })
        }
        Action::UnassignAddresses { eni, addresses } => {
            unassign(eni, addresses.clone(), Vec::new())?
        }
        Action::UnassignPrefixes { eni, prefixes } => unassign(eni, Vec::new(), prefixes.clone())?,
        Action::SetSecurityGroups { eni, groups } => {
            let groups = groups.iter().map(|group| group.as_str().parse());
            Operation::ModifyNetworkInterfaceAttribute(ModifyNetworkInterfaceAttribute {
                interface: eni.as_str().parse()?,
                delete_on_termination: None,
                description: None,
                groups: Some(groups.collect::<Result<_, _>>()?),
                source_dest_check: None,
            })
        }
        Action::DetachEni { attachment, .. } => {
            Operation::DetachNetworkInterface(DetachNetworkInterface {
                attachment: attachment.as_str().parse()?,
                force: false,
            })
        }
        Action::DeleteEni { eni } => Operation::DeleteNetworkInterface(DeleteNetworkInterface {
            interface: eni.as_str().parse()?,
        }),
    })
}

fn new(
    mutation: &Mutation,
    create: &CreateEni,
    wall: &Wall,
) -> Result<CreateNetworkInterface, InvalidId> {
    let mut tags: BTreeMap<String, String> = create.tags.clone();
    // A repeated request has to be the same to the letter, so the time of the first one stands here.
    tags.insert(CREATED_AT_TAG.to_owned(), wall.at(mutation.first_sent).as_millis().to_string());
    let groups = create.security_groups.iter().map(|group| group.as_str().parse());
    Ok(CreateNetworkInterface {
        subnet: create.subnet.as_str().parse()?,
        description: create.description.clone(),
        primary_ip: None,
        ipv4: asked(create.ipv4),
        ipv6: Wanted { prefix_count: create.ipv6_prefix.then_some(1), ..nothing() },
        groups: groups.collect::<Result<_, _>>()?,
        kind: None,
        tag_specifications: vec![TagSpecification {
            resource_type: "network-interface".to_owned(),
            tags,
        }],
        client_token: Some(mutation.token.clone()),
    })
}

fn filter<'a>(name: &str, values: impl Iterator<Item = &'a str>) -> Filter {
    Filter { name: name.to_owned(), values: values.map(str::to_owned).collect() }
}

fn in_vpc(vpc: &VpcId) -> Filter {
    filter("vpc-id", std::iter::once(vpc.as_str()))
}

fn paged(size: i64, token: Option<&PageToken>) -> Page {
    Page { max_results: Some(size), next_token: token.map(|token| token.0.clone()) }
}

fn listing<Id>(filter: Filter, page: Page) -> Listing<Id> {
    Listing { ids: Vec::new(), filters: vec![filter], page }
}

fn scoped(scope: &EniScope) -> Vec<Filter> {
    match scope {
        EniScope::Vpc(vpc) => vec![in_vpc(vpc)],
        EniScope::Instances(ids) => {
            vec![filter("attachment.instance-id", ids.iter().map(InstanceId::as_str))]
        }
        EniScope::Unattached { vpc, tags } => {
            let one = |name: &str, value: &str| filter(name, std::iter::once(value));
            let tagged = tags.iter().map(|(key, value)| one(&format!("tag:{key}"), value));
            let available = one("status", "available");
            vpc.iter().map(in_vpc).chain([available]).chain(tagged).collect()
        }
        EniScope::Ids(ids) => vec![filter("network-interface-id", ids.iter().map(EniId::as_str))],
    }
}

/// A reading other than that of instance types.
///
/// # Errors
/// An id that EC2 does not have.
pub(super) fn read(read: &Read, size: i64) -> Result<Operation, InvalidId> {
    Ok(match read {
        Read::Enis { scope, page } => {
            Operation::DescribeNetworkInterfaces(DescribeNetworkInterfaces(Listing {
                ids: Vec::new(),
                filters: scoped(scope),
                page: paged(size, page.as_ref()),
            }))
        }
        Read::Subnets { vpc, page } => Operation::DescribeSubnets(DescribeSubnets(listing(
            in_vpc(vpc),
            paged(size, page.as_ref()),
        ))),
        Read::Vpc { vpc } => {
            Operation::DescribeVpcs(DescribeVpcs(listing(in_vpc(vpc), Page::default())))
        }
        Read::SecurityGroups { vpc, without_rules: true, page } => {
            Operation::GetSecurityGroupsForVpc(GetSecurityGroupsForVpc {
                vpc: vpc.as_str().parse()?,
                filters: Vec::new(),
                page: paged(size, page.as_ref()),
            })
        }
        Read::SecurityGroups { vpc, page, .. } => {
            Operation::DescribeSecurityGroups(DescribeSecurityGroups {
                listing: listing(in_vpc(vpc), paged(size, page.as_ref())),
                names: Vec::new(),
            })
        }
        Read::RouteTables { vpc, page } => Operation::DescribeRouteTables(DescribeRouteTables(
            listing(in_vpc(vpc), paged(size.min(SMALL_PAGE), page.as_ref())),
        )),
        Read::InstanceTypes { types } => instance_types(types, None),
    })
}

/// A page of what instance types can hold.
pub(super) fn instance_types(types: &[InstanceType], next_token: Option<String>) -> Operation {
    let chosen = filter("instance-type", types.iter().map(InstanceType::as_str));
    let page = Page { max_results: Some(SMALL_PAGE), next_token };
    Operation::DescribeInstanceTypes(DescribeInstanceTypes(listing(chosen, page)))
}
