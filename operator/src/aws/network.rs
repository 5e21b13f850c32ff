//! Subnets, VPCs, security groups, route tables and instance types, as EC2 describes them.

use aws_sdk_ec2::types::{
    self, InstanceTypeHypervisor, InstanceTypeInfo, NetworkInfo, RouteTable, RouteTableAssociation,
    RouteTableAssociationStateCode, SecurityGroup, SecurityGroupForVpc, Subnet,
    SubnetCidrBlockStateCode, Tag, Vpc, VpcCidrBlockStateCode,
};
use ipam_core::ids::{InstanceType, RouteTableId, SecurityGroupId, SubnetId, VpcId};
use ipam_core::view::{Planned, Refused, RouteTableView, SecurityGroupView, SubnetView, VpcView};
use ipnet::Ipv4Net;
use limits::{Hypervisor, Reported};

use super::text::{Unreadable, all, number, optional, required, tags};

/// A subnet. Of its IPv6 CIDRs the one that is associated counts.
pub(super) fn subnet(subnet: &Subnet) -> Result<(SubnetId, SubnetView), Unreadable> {
    let associated = subnet.ipv6_cidr_block_association_set().iter().find(|one| {
        let state = one.ipv6_cidr_block_state().and_then(|state| state.state());
        state == Some(&SubnetCidrBlockStateCode::Associated)
    });
    let ipv6_cidr = associated.and_then(|one| one.ipv6_cidr_block());
    let view = SubnetView {
        vpc: required("vpcId", subnet.vpc_id())?,
        zone: required("availabilityZone", subnet.availability_zone())?,
        cidr: required("cidrBlock", subnet.cidr_block())?,
        ipv6_cidr: optional("ipv6CidrBlock", ipv6_cidr)?,
        free_addresses: number("availableIpAddressCount", subnet.available_ip_address_count())?,
        free_blocks: None,
        usable: true,
        refused: Refused::default(),
        planned: Planned::default(),
        tags: tags(subnet.tags()),
    };
    Ok((required("subnetId", subnet.subnet_id())?, view))
}

/// A VPC, with the CIDRs that are associated.
pub(super) fn vpc(vpc: &Vpc) -> Result<VpcView, Unreadable> {
    let primary_cidr: Ipv4Net = required("cidrBlock", vpc.cidr_block())?;
    let associated = vpc.cidr_block_association_set().iter().filter(|one| {
        let state = one.cidr_block_state().and_then(|state| state.state());
        state == Some(&VpcCidrBlockStateCode::Associated)
    });
    let mut cidrs: Vec<Ipv4Net> = all("cidrBlock", associated.map(|one| one.cidr_block()))?;
    cidrs.retain(|cidr| *cidr != primary_cidr);
    Ok(VpcView { primary_cidr, cidrs })
}

type Group = (SecurityGroupId, SecurityGroupView);

/// A security group with its rules, which are left out here.
pub(super) fn group(group: &SecurityGroup) -> Result<Group, Unreadable> {
    named_group(group.group_id(), required("vpcId", group.vpc_id())?, group.tags())
}

/// A security group that may be used in `vpc`, be it of that VPC or shared with it.
pub(super) fn group_for(group: &SecurityGroupForVpc, vpc: &VpcId) -> Result<Group, Unreadable> {
    named_group(group.group_id(), vpc.clone(), group.tags())
}

fn named_group(id: Option<&str>, vpc: VpcId, group_tags: &[Tag]) -> Result<Group, Unreadable> {
    Ok((required("groupId", id)?, SecurityGroupView { vpc, tags: tags(group_tags) }))
}

/// A route table.
pub(super) fn route_table(
    table: &RouteTable,
) -> Result<(RouteTableId, RouteTableView), Unreadable> {
    let associated = |one: &&RouteTableAssociation| {
        let state = one.association_state().and_then(|state| state.state());
        one.subnet_id().is_some() && state == Some(&RouteTableAssociationStateCode::Associated)
    };
    let subnets = table.associations().iter().filter(associated).map(|one| one.subnet_id());
    let view = RouteTableView {
        vpc: required("vpcId", table.vpc_id())?,
        subnets: all("subnetId", subnets)?.into_iter().collect(),
    };
    Ok((required("routeTableId", table.route_table_id())?, view))
}

/// What an instance type can hold.
pub(super) fn instance_type(
    info: &InstanceTypeInfo,
) -> Result<(InstanceType, Reported), Unreadable> {
    let network = info.network_info().ok_or(Unreadable::Missing("networkInfo"))?;
    let per_eni = network.ipv4_addresses_per_interface();
    let reported = Reported {
        enis: number("maximumNetworkInterfaces", on_card_0(network))?,
        ipv4_per_eni: number("ipv4AddressesPerInterface", per_eni)?,
        ipv6_per_eni: network.ipv6_addresses_per_interface().unwrap_or_default().into(),
        hypervisor: hypervisor(info),
    };
    Ok((required("instanceType", info.instance_type().map(types::InstanceType::as_str))?, reported))
}

/// The total is over all cards, and pods can use card 0 alone; only where no card is listed it is that of the one card.
fn on_card_0(network: &NetworkInfo) -> Option<i32> {
    if network.network_cards().is_empty() {
        return network.maximum_network_interfaces();
    }
    let mut cards = network.network_cards().iter();
    cards.find(|card| card.network_card_index() == Some(0))?.maximum_network_interfaces()
}

fn hypervisor(info: &InstanceTypeInfo) -> Hypervisor {
    match info.hypervisor().map(InstanceTypeHypervisor::as_str) {
        _ if info.bare_metal() == Some(true) => Hypervisor::BareMetal,
        Some("nitro") => Hypervisor::Nitro,
        Some("xen") => Hypervisor::Xen,
        _ => Hypervisor::Unknown,
    }
}
