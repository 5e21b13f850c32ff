//! Replies of EC2, in the words of the core.

use ec2_sim::Reply as Raw;
use ec2_sim::instance_types::InstanceType as Info;
use ec2_sim::model::{AttachmentStatus, Interface, RouteTable, SecurityGroup, Subnet, Vpc, mac};
use ec2_sim::reply::Listed;
use ipam_core::call::{Assigned, ListedEni, Page, PageToken, Reply, Request};
use ipam_core::ids::{InstanceType, InvalidId, RouteTableId, SecurityGroupId, SubnetId};
use ipam_core::time::Tick;
use ipam_core::view::{
    EniView, Planned, Refused, RouteTableView, SecurityGroupView, SubnetView, VpcView,
};
use limits::{Hypervisor, Reported};

use super::ask::CREATED_AT_TAG;

/// Reads a reply to a call. `wall` is what the clock on the wall of who asks shows.
///
/// # Errors
/// What of it cannot be read.
pub(super) fn reply(request: &Request, raw: Raw, wall: Tick) -> Result<Reply, String> {
    understood(request, raw, wall).map_err(|problem| problem.to_string())
}

fn understood(request: &Request, raw: Raw, wall: Tick) -> Result<Reply, InvalidId> {
    Ok(match raw {
        Raw::AssignPrivateIpAddresses { addresses, prefixes, .. } => {
            Reply::Assigned(Assigned { addresses, prefixes, ipv6_prefixes: Vec::new() })
        }
        Raw::AssignIpv6Addresses { prefixes, .. } => {
            Reply::Assigned(Assigned { ipv6_prefixes: prefixes, ..Assigned::default() })
        }
        Raw::CreateNetworkInterface { interface, .. } => Reply::Created(eni(&interface.interface)?),
        Raw::AttachNetworkInterface { attachment, .. } => {
            Reply::Attached(attachment.as_str().parse()?)
        }
        Raw::DescribeNetworkInterfaces(listed) => {
            Reply::Enis(page(listed, |view| listed_eni(&view.interface, wall)))
        }
        Raw::DescribeSubnets(listed) => Reply::Subnets(page(listed, |one| subnet(&one))),
        Raw::DescribeVpcs(listed) => Reply::Vpc(listed.items.first().and_then(|one| vpc(one))),
        Raw::DescribeSecurityGroups(listed) | Raw::GetSecurityGroupsForVpc(listed) => {
            Reply::SecurityGroups(page(listed, |one| group(&one)))
        }
        Raw::DescribeRouteTables(listed) => Reply::RouteTables(page(listed, |one| table(&one))),
        _ => {
            debug_assert!(matches!(request, Request::Mutate(_)), "a reading is answered");
            Reply::Done
        }
    })
}

fn page<Raw, Item>(
    listed: Listed<Raw>,
    read: impl Fn(Raw) -> Result<Item, InvalidId>,
) -> Page<Item> {
    let mut page = Page {
        items: Vec::with_capacity(listed.items.len()),
        unreadable: Vec::new(),
        next: listed.next_token.map(PageToken),
    };
    for raw in listed.items {
        match read(raw) {
            Ok(item) => page.items.push(item),
            Err(problem) => page.unreadable.push(problem.to_string()),
        }
    }
    page
}

/// With its hardware address, and detached when it is on its way to that no longer: as `operator/src/aws/eni.rs` reads it.
fn eni(interface: &Interface) -> Result<EniView, InvalidId> {
    let mut view = truth::view(interface)?;
    view.mac = mac(interface.mac).to_string().parse().ok();
    let status = interface.attachment.as_ref().map(|at| at.status);
    if status == Some(AttachmentStatus::Detached) {
        view.attachment = None;
    }
    Ok(view)
}

fn listed_eni(interface: &Interface, wall: Tick) -> Result<ListedEni, InvalidId> {
    let eni = eni(interface)?;
    let on = interface.instance().filter(|_| eni.attachment.is_some());
    let instance = on.map(|id| id.as_str().parse()).transpose()?;
    let made = eni.tags.get(CREATED_AT_TAG).and_then(|millis| millis.parse().ok());
    let age = made.map(|millis| wall.since(Tick::from_millis(millis)));
    Ok(ListedEni { eni, instance, age })
}

fn subnet(subnet: &Subnet) -> Result<(SubnetId, SubnetView), InvalidId> {
    let view = SubnetView {
        vpc: subnet.vpc.as_str().parse()?,
        zone: subnet.zone.parse()?,
        cidr: subnet.ipv4_cidr,
        ipv6_cidr: subnet.ipv6_cidr,
        free_addresses: subnet.available_ipv4,
        free_blocks: None,
        refused: Refused::default(),
        planned: Planned::default(),
        tags: subnet.tags.clone(),
        usable: true,
    };
    Ok((subnet.id.as_str().parse()?, view))
}

fn vpc(vpc: &Vpc) -> Option<VpcView> {
    let (primary_cidr, rest) = vpc.ipv4_cidrs.split_first()?;
    Some(VpcView { primary_cidr: *primary_cidr, cidrs: rest.to_vec() })
}

fn group(group: &SecurityGroup) -> Result<(SecurityGroupId, SecurityGroupView), InvalidId> {
    let view = SecurityGroupView { vpc: group.vpc.as_str().parse()?, tags: group.tags.clone() };
    Ok((group.id.as_str().parse()?, view))
}

fn table(table: &RouteTable) -> Result<(RouteTableId, RouteTableView), InvalidId> {
    let subnets = table.subnets.iter().map(|(_, subnet)| subnet.as_str().parse());
    let view = RouteTableView {
        vpc: table.vpc.as_str().parse()?,
        subnets: subnets.collect::<Result<_, _>>()?,
    };
    Ok((table.id.as_str().parse()?, view))
}

/// What a type can hold on card 0; `None` for a type whose name or figures make no sense.
pub(super) fn instance_type(info: &Info) -> Option<(InstanceType, Reported)> {
    let hypervisor = match info.hypervisor.as_deref() {
        _ if info.bare_metal => Hypervisor::BareMetal,
        Some("nitro") => Hypervisor::Nitro,
        Some("xen") => Hypervisor::Xen,
        _ => Hypervisor::Unknown,
    };
    let reported = Reported {
        enis: info.interfaces_on_card(0)?.into(),
        ipv4_per_eni: info.ipv4_per_interface.into(),
        ipv6_per_eni: info.ipv6_per_interface.into(),
        hypervisor,
    };
    Some((info.name.parse().ok()?, reported))
}
